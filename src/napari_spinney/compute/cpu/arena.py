"""Where the planes of one block lie in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from napari_spinney.compute.cpu.kernels import CHUNK
from napari_spinney.compute.cpu.vectors import WIDTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Triple: TypeAlias = tuple[int, int, int]
Positions: TypeAlias = "NDArray[np.int64]"

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


@dataclass(frozen=True, slots=True)
class Plane:
    """A region of one plane in the arena, row by row.

    Rows begin at a multiple of a cache line, counted from the block's first column, and have room
    for whole chunks past their end.
    """

    position: int
    region: Region

    @property
    def left(self) -> int:
        """Column of the block with which rows begin."""
        return aligned_down(self.region.start[2])

    @property
    def pitch(self) -> int:
        """Floats from one row to the next."""
        return row_pitch(self.region.stop[2] - self.left)

    @property
    def slab(self) -> int:
        """Floats from one slice to the next."""
        return self.region.shape[1] * self.pitch

    @property
    def size(self) -> int:
        """Floats taken."""
        return self.region.shape[0] * self.slab

    def at(self, x: int) -> int:
        """Position in the arena of a column of the block, in the first row."""
        return self.position + x - self.left

    def slices(self, z: Positions) -> Positions:
        """Positions of slices of the block, from the first."""
        return (z - self.region.start[0]) * self.slab

    def rows(self, y: Positions) -> Positions:
        """Positions of rows of the block in a slice, from the first."""
        return (y - self.region.start[1]) * self.pitch

    def all_rows(self, region: Region) -> Positions:
        """Positions of every row of a region, from this plane's first."""
        z = self.slices(np.arange(region.start[0], region.stop[0], dtype=np.int64))
        y = self.rows(np.arange(region.start[1], region.stop[1], dtype=np.int64))
        return (z[:, None] + y).ravel()

    def view(self, arena: NDArray[np.float32], region: Region) -> NDArray[np.float32]:
        """A region of this plane as an array (Z, Y, X) that shares the arena's memory."""
        whole = arena[self.position : self.position + self.size]
        volume = whole.reshape(*self.region.shape[:2], self.pitch)
        origin = (*self.region.start[:2], self.left)
        return volume[
            tuple(
                slice(a - o, b - o)
                for a, b, o in zip(region.start, region.stop, origin, strict=True)
            )
        ]


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
        holes = sorted([*self._holes, (position, position - (-size // LINE) * LINE)])
        merged = holes[:1]
        for start, stop in holes[1:]:
            if start == merged[-1][1]:
                merged[-1] = (merged[-1][0], stop)
            else:
                merged.append((start, stop))
        self._holes = merged


def row_pitch(n: int) -> int:
    """Floats from one row of ``n`` to the next.

    An odd number of cache lines, so that the rows of a column do not compete for the same place
    in the cache.
    """
    lines = -(-n // LINE) + CHUNK // LINE + 1
    return (lines | 1) * LINE


def aligned_down(x: int) -> int:
    """Last multiple of a cache line that is not above ``x``."""
    return x // LINE * LINE


def new_arena(size: int) -> NDArray[np.float32]:
    """Zeros, beginning at a cache line."""
    raw = np.zeros(size + 2 * LINE + CHUNK + WIDTH, np.float32)
    first = -(raw.ctypes.data // 4) % LINE
    return raw[first:]
