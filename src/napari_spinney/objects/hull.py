"""Convex hulls of 2D objects, all at once, in whole numbers.

As in scikit-image an object is the union of diamonds around its pixels: the middles of the four
edges of each pixel. Coordinates are doubled, so that these are whole numbers and every decision
is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.objects.regions import Indices, Regions, Values

_SEGMENT = 64
_PAIRS_AT_ONCE = 1 << 21


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """First and last column of each object in each of its rows, ordered by object, then row."""

    object: Indices
    y: Indices
    left: Indices
    right: Indices


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Points (2 y, 2 x) ordered by object, then y, with one point per object and y."""

    object: Indices
    y: Indices
    x: Indices

    def keep(self, which: Indices) -> Chain:
        """Take some of the points."""
        return Chain(self.object[which], self.y[which], self.x[which])


def rows_of(regions: Regions) -> Rows:
    """First and last column in each row of each object."""
    run = regions.runs
    y, x = run.position
    key = run.object * regions.shape[0] + y
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    if not len(key):
        return Rows(key, key, key, key)
    left = np.minimum.reduceat(x[order], first)
    right = np.maximum.reduceat((x + run.length - 1)[order], first)
    objects, rows = np.divmod(key[first], regions.shape[0])
    return Rows(objects, rows, left, right)


def convex_rows(rows: Rows) -> Rows:
    """Rows of the convex hulls: all pixels whose centre lies in the hull or on its edge."""
    first = np.flatnonzero(np.diff(rows.object, prepend=-1))
    objects = rows.object[first]
    top = rows.y[first]
    heights = rows.y[np.append(first[1:], len(rows.y)) - 1] - top + 1
    object_of_row = np.repeat(objects, heights)
    begins = np.cumsum(heights) - heights
    y = np.arange(heights.sum()) - np.repeat(begins - top, heights)
    right = _inside(_envelope(_side(rows, rows.right)), object_of_row, y)
    left = -_inside(_envelope(_side(rows, -rows.left)), object_of_row, y)
    kept = np.flatnonzero(right >= left)
    return Rows(object_of_row[kept], y[kept], left[kept], right[kept])


def convex_count(regions: Regions, convex: Rows) -> Values:
    """Number of pixels of each convex hull."""
    return np.bincount(convex.object, convex.right - convex.left + 1, minlength=len(regions))


def feret_diameter(regions: Regions, convex: Rows) -> Values:
    """Largest distance of two points on the outline of the convex hull."""
    right = _envelope(_side(convex, convex.right))
    left = _envelope(_side(convex, -convex.left))
    objects = np.concatenate([right.object, left.object])
    order = np.argsort(objects, kind="stable")
    points = np.stack([np.concatenate([right.y, left.y]), np.concatenate([right.x, -left.x])])
    scaled = points[:, order] * (regions.spacing[:, None] / 2)
    counts = np.bincount(objects, minlength=len(regions))
    return np.sqrt(_largest_squares(scaled, counts))


def _largest_squares(points: Values, counts: Indices) -> Values:
    """Largest squared distance of two points of the same object, (n,)."""
    ends = np.cumsum(counts)
    pairs = np.cumsum(counts * counts)
    most = np.zeros(len(counts))
    begin = 0
    while begin < len(counts):
        before = pairs[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(pairs, before + _PAIRS_AT_ONCE, side="right")))
        many = counts[begin:end]
        first = ends[begin:end] - many
        outer = np.repeat(np.arange(first[0], ends[end - 1]), np.repeat(many, many))
        start = np.cumsum(many * many) - many * many
        within = np.arange(len(outer)) - np.repeat(start, many * many)
        inner = np.repeat(first, many * many) + within % np.repeat(many, many * many)
        squares = ((points[:, outer] - points[:, inner]) ** 2).sum(axis=0)
        most[begin:end] = np.maximum.reduceat(squares, start)
        begin = end
    return most


def _side(rows: Rows, x: Indices) -> Chain:
    """Rightmost points of the diamonds around the pixels in column ``x`` of each row."""
    objects = np.repeat(rows.object, 3)
    y = np.repeat(2 * rows.y, 3) + np.tile([-1, 0, 1], len(rows.y))
    points = np.repeat(2 * x, 3) + np.tile([0, 1, 0], len(x))
    same = (np.diff(objects, append=-1) == 0) & (np.diff(y, append=0) == 0)
    twice = np.flatnonzero(same)  # the lower point of one row and the upper one of the next
    points[twice + 1] = np.maximum(points[twice], points[twice + 1])
    return Chain(objects, y, points).keep(np.flatnonzero(~same))


def _envelope(chain: Chain) -> Chain:
    """Keep the corners of the hull on the right side.

    Each object is cut into short pieces whose hulls are found in lockstep; what is left is cut
    again, until every object is one piece.
    """
    while True:
        first = np.flatnonzero(np.diff(chain.object, prepend=-1))
        sizes = np.diff(first, append=len(chain.object))
        within = np.arange(len(chain.object)) - np.repeat(first, sizes)
        pieces = np.flatnonzero(within % _SEGMENT == 0)
        chain = chain.keep(_scan(chain, pieces, np.diff(pieces, append=len(chain.object))))
        if len(pieces) == len(first):
            return chain


def _scan(chain: Chain, first: Indices, sizes: Indices) -> Indices:
    """Andrew's monotone chain on all pieces at once; which points remain."""
    order = np.argsort(-sizes, kind="stable")
    first, sizes = first[order], sizes[order]
    stack = np.zeros(len(chain.y), np.int64)
    height = np.zeros(len(first), np.int64)
    longest = int(sizes[0]) if len(sizes) else 0
    active_at = np.searchsorted(-sizes, -np.arange(longest), side="left")
    for step in range(longest):
        active = int(active_at[step])
        point = first[:active] + step
        check = np.flatnonzero(height[:active] >= 2)
        while len(check):
            top = first[check] + height[check] - 1
            check = check[_turns_out(chain, stack[top - 1], stack[top], point[check])]
            height[check] -= 1
            check = check[height[check] >= 2]
        stack[point - step + height[:active]] = point
        height[:active] += 1
    kept = (
        np.repeat(first, height)
        + np.arange(height.sum())
        - np.repeat(np.cumsum(height) - height, height)
    )
    return np.sort(stack[kept])


def _turns_out(chain: Chain, a: Indices, b: Indices, c: Indices) -> NDArray[np.bool_]:
    """Whether b lies on the line from a to c or left of it, so that it is no corner."""
    dy, dx = chain.y[c] - chain.y[a], chain.x[c] - chain.x[a]
    return (chain.x[b] - chain.x[a]) * dy <= dx * (chain.y[b] - chain.y[a])


def _inside(side: Chain, objects: Indices, y: Indices) -> Indices:
    """Last column whose centre is inside, for each row: floor(x / 2) on the edge of the hull."""
    span = int(side.y.max(initial=0)) + 4
    corner = np.searchsorted(side.object * span + side.y + 1, objects * span + 2 * y + 1, "right")
    a, b = corner - 1, corner
    dy = side.y[b] - side.y[a]
    doubled = side.x[a] * dy + (side.x[b] - side.x[a]) * (2 * y - side.y[a])
    columns: Indices = doubled // (2 * dy)
    return columns
