"""Which part of each plane is needed, when, and where there is room for it in memory."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from napari_spinney.features.plan import input_reaches
from napari_spinney.features.steps import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_spinney.features.plan import Plan

Triple: TypeAlias = tuple[int, int, int]

LINE = 16
"""Floats in one cache line."""

_ENDLESS = 1 << 62


@dataclass(frozen=True, slots=True)
class Region:
    """Box of pixels of a block, along (Z, Y, X)."""

    start: Triple
    stop: Triple

    @property
    def shape(self) -> Triple:
        """Pixels along each axis."""
        z, y, x = (b - a for a, b in zip(self.start, self.stop, strict=True))
        return z, y, x

    def grown(self, margin: Sequence[int], limit: Triple) -> Region:
        """The box with a margin all around it, cut off at the block's border."""
        z, y, x = (max(0, a - m) for a, m in zip(self.start, margin, strict=True))
        k, j, i = (min(n, b + m) for b, m, n in zip(self.stop, margin, limit, strict=True))
        return Region((z, y, x), (k, j, i))

    def union(self, other: Region) -> Region:
        """Smallest box that holds both."""
        z, y, x = (min(a, b) for a, b in zip(self.start, other.start, strict=True))
        k, j, i = (max(a, b) for a, b in zip(self.stop, other.stop, strict=True))
        return Region((z, y, x), (k, j, i))


class Space:
    """Hands out places in an arena and takes them back; ``size`` is what was needed at most."""

    def __init__(self) -> None:
        self.size = 0
        self._holes: list[tuple[int, int]] = [(0, _ENDLESS)]

    def take(self, size: int) -> int:
        """Position of a free place for ``size`` floats, at the beginning of a cache line."""
        size = -(-size // LINE) * LINE
        i = next(i for i, (start, stop) in enumerate(self._holes) if stop - start >= size)
        start, stop = self._holes[i]
        self._holes[i] = (start + size, stop)
        self.size = max(self.size, start + size)
        return start

    def give(self, position: int, size: int) -> None:
        """Take back a place."""
        start, stop = position, position - (-size // LINE) * LINE
        at = bisect(self._holes, (start, stop))
        if at < len(self._holes) and self._holes[at][0] == stop:
            stop = self._holes.pop(at)[1]
        if at > 0 and self._holes[at - 1][1] == start:
            at -= 1
            start = self._holes.pop(at)[0]
        self._holes.insert(at, (start, stop))


def needed_regions(plan: Plan, outer: Triple, inner: Region) -> list[Region]:
    """Where each step has to be computed."""
    margins = [[0, 0, 0] for _ in plan.steps]
    for position in range(len(plan.steps) - 1, -1, -1):
        step = plan.steps[position]
        for i, along in zip(step.inputs, input_reaches(step, plan.ndim), strict=True):
            reach = (0,) * (3 - plan.ndim) + along
            margins[i] = [
                max(old, own + more)
                for old, own, more in zip(margins[i], margins[position], reach, strict=True)
            ]
    return [inner.grown(margin, outer) for margin in margins]


def frugal_order(plan: Plan) -> tuple[int, ...]:
    """Order of the steps in which planes do not wait long for their readers.

    Features that share passes follow one another, rather than all features of one name.
    """
    beginnings: list[int] = []
    for position, step in enumerate(plan.steps):
        own = len(plan.steps) if isinstance(step, Source) else position
        beginnings.append(min([own, *(beginnings[i] for i in step.inputs)]))
    order: dict[int, None] = {}

    def visit(position: int) -> None:
        if position not in order:
            for i in plan.steps[position].inputs:
                visit(i)
            order[position] = None

    for output in sorted(plan.outputs, key=lambda output: (beginnings[output], output)):
        visit(output)
    return tuple(order)
