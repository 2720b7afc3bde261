"""Where the planes of one block lie in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from napari_spinney.compute.cpu.kernels import CHUNK
from napari_spinney.compute.cpu.vectors import WIDTH
from napari_spinney.compute.regions import LINE, Region

if TYPE_CHECKING:
    from numpy.typing import NDArray

Positions: TypeAlias = "NDArray[np.int64]"


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


def padded_planes(n: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Make planes (n, *shape) whose rows begin at a cache line and may be read past their ends."""
    pitch = row_pitch(shape[-1])
    size = n * math.prod(shape[:-1]) * pitch
    return new_arena(size)[:size].reshape(n, *shape[:-1], pitch)[..., : shape[-1]]
