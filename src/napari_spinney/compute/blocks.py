"""Cut an image into blocks with a halo, inside a memory budget."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Slices: TypeAlias = tuple[slice, ...]

BUDGET = 256 * 2**20
"""Bytes that all blocks in flight may take together, unless the caller says otherwise."""


class NoRoomError(ValueError):
    """Not even a block of one pixel fits the memory allowed; the message says how much would do."""


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of an image.

    Parameters
    ----------
    outer : tuple of slice
        What is read of the image: ``target`` and its halo, cut off at the image's border.
    inner : tuple of slice
        ``target`` as seen from ``outer``.
    target : tuple of slice
        What is written of the result.
    """

    outer: Slices
    inner: Slices
    target: Slices

    @classmethod
    def around(cls, target: Slices, shape: Sequence[int], reach: Sequence[int]) -> Block:
        """Block for ``target`` in an image of ``shape`` with a halo of ``reach`` pixels."""
        outer = tuple(
            slice(max(0, t.start - r), min(n, t.stop + r))
            for t, n, r in zip(target, shape, reach, strict=True)
        )
        inner = tuple(
            slice(t.start - o.start, t.stop - o.start) for t, o in zip(target, outer, strict=True)
        )
        return cls(outer, inner, target)

    @property
    def outer_shape(self) -> tuple[int, ...]:
        """Shape of what is read."""
        return tuple(s.stop - s.start for s in self.outer)

    @property
    def inner_shape(self) -> tuple[int, ...]:
        """Shape of what is written."""
        return tuple(s.stop - s.start for s in self.inner)

    def halves(self, shape: Sequence[int], reach: Sequence[int]) -> tuple[Block, Block]:
        """Cut in two along the longest axis of ``target``."""
        sizes = self.inner_shape
        axis = sizes.index(max(sizes))
        middle = self.target[axis].start + sizes[axis] // 2
        first, second = list(self.target), list(self.target)
        first[axis] = slice(self.target[axis].start, middle)
        second[axis] = slice(middle, self.target[axis].stop)
        return (
            Block.around(tuple(first), shape, reach),
            Block.around(tuple(second), shape, reach),
        )


def cut(
    region: Slices, inner: Sequence[int], shape: Sequence[int], reach: Sequence[int]
) -> Iterator[Block]:
    """Blocks of at most ``inner`` pixels that cover a region of an image, in memory order.

    The pieces along an axis are equal to within one pixel, so that none is a sliver.
    """
    edges = [_edges(part, size) for part, size in zip(region, inner, strict=True)]
    for target in itertools.product(*edges):
        yield Block.around(target, shape, reach)


@dataclass(frozen=True, slots=True)
class Blocks:
    """What to go through of an image.

    Parameters
    ----------
    items : list of (int, Block)
        Blocks in order, each with its time point.
    lanes : int
        How many are in flight at once.
    """

    items: list[tuple[int, Block]]
    lanes: int


def fit_lanes(
    shape: Sequence[int],
    preferred: Sequence[int],
    reach: Sequence[int],
    cost: Callable[[tuple[int, ...]], int],
    budget: int,
    most: int,
) -> tuple[tuple[int, ...], int]:
    """Inner shape of a block, and how many blocks to have in flight.

    ``most`` are in flight where the share of each holds a block half as wide as its halo, or of
    the shape preferred. Else there are fewer, or nearly all work would go into halos: on a machine
    of many cores, say.

    Parameters
    ----------
    shape, preferred, reach, cost
        As for `fit_inner`.
    budget : int
        Bytes that all of them may take together.
    most : int
        How many the executor can use.

    Raises
    ------
    NoRoomError
        If not even a single block of one pixel fits.
    """
    enough = [min(n, p, r // 2) for n, p, r in zip(shape, preferred, reach, strict=True)]
    for lanes in itertools.takewhile(lambda n: n > 1, (most >> k for k in itertools.count())):
        try:
            inner = fit_inner(shape, preferred, reach, cost, budget // lanes)
        except NoRoomError:
            continue
        if all(i >= e for i, e in zip(inner, enough, strict=True)):
            return inner, lanes
    return fit_inner(shape, preferred, reach, cost, budget), 1


def fit_inner(
    shape: Sequence[int],
    preferred: Sequence[int],
    reach: Sequence[int],
    cost: Callable[[tuple[int, ...]], int],
    budget: int,
) -> tuple[int, ...]:
    """Largest inner shape, up to ``preferred``, whose cost keeps within ``budget`` bytes.

    Parameters
    ----------
    shape, preferred, reach : sequence of int
        Of the image; of the block that runs fastest; of the halo. Pixels per axis.
    cost : callable
        Bytes that a block of a given outer shape takes.
    budget : int
        Bytes that one block may take.

    Raises
    ------
    NoRoomError
        If not even a block of one pixel fits.
    """
    inner = [min(n, p) for n, p in zip(shape, preferred, strict=True)]

    def outer() -> tuple[int, ...]:
        return tuple(min(n, i + 2 * r) for n, i, r in zip(shape, inner, reach, strict=True))

    while cost(outer()) > budget:
        axis = inner.index(max(inner))
        if inner[axis] == 1:
            raise NoRoomError(
                f"a block of one pixel with a halo of {tuple(reach)} pixels takes "
                f"{cost(outer()):,} bytes, more than the {budget:,} allowed for it: allow that "
                "many, or use features that reach less far"
            )
        inner[axis] = math.ceil(inner[axis] / 2)
    return tuple(inner)


def _edges(part: slice, size: int) -> list[slice]:
    n = part.stop - part.start
    pieces = math.ceil(n / size)
    cuts = [part.start + n * i // pieces for i in range(pieces + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(cuts)]
