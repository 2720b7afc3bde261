"""How the planes of one block lie in an arena."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_spinney.compute.regions import LINE, Region

if TYPE_CHECKING:
    from napari_spinney.compute.regions import Triple

TABLE_ENTRY = 4
"""Ints of a plane in the table of planes: its origin (two ints), rows in a slice, nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """Rows of one plane in the arena; see kernels/planes.cl.

    Parameters
    ----------
    position : int
        Of the first float.
    region : Region
        What is held. Rows are whole: only z and y are cut.
    """

    position: int
    region: Region


@dataclass(frozen=True, slots=True)
class Layout:
    """What all planes of a block have in common, in floats.

    Parameters
    ----------
    shape : tuple of int
        Pixels of the block along z, y and x; z is 1 for images of two axes.
    margin : int
        Floats before the first pixel of a row, and at least as many behind the last.
    pitch : int
        Floats from one row to the next.
    """

    shape: Triple
    margin: int
    pitch: int

    @classmethod
    def of(cls, shape: tuple[int, ...], radius: int) -> Layout:
        """Layout for blocks of this shape.

        Parameters
        ----------
        shape : tuple of int
            (Y, X) or (Z, Y, X).
        radius : int
            Largest radius of a step along x.
        """
        deep = volume(shape)
        # A vector may go past the pixels that are wanted.
        margin = _round_up(radius + LINE)
        pitch = margin + _round_up(deep[2]) + margin
        # An odd number of cache lines: rows in a column do not compete for the same cache set.
        return cls(deep, margin, pitch + LINE * (pitch // LINE % 2 == 0))

    @property
    def whole(self) -> Region:
        """The block."""
        return Region((0, 0, 0), self.shape)

    def size(self, region: Region) -> int:
        """Floats that a plane takes."""
        nz, ny, _ = region.shape
        return nz * ny * self.pitch

    def entry(self, place: Place) -> list[int]:
        """Entry of a plane in the table: where pixel (0, 0, 0) would be, and rows in a slice."""
        z, y, _ = place.region.start
        rows = place.region.shape[1]
        origin = place.position + self.margin - (z * rows + y) * self.pitch
        low = origin & 0xFFFFFFFF
        return [low - (low >> 31 << 32), origin >> 32, rows, 0]


def places_in_row(layout: Layout, region: Region, n: int, first: int) -> tuple[Place, ...]:
    """Places for planes of one region, one after the other."""
    return tuple(Place(first + i * layout.size(region), region) for i in range(n))


def volume(shape: tuple[int, ...]) -> Triple:
    """Shape along z, y and x; z is 1 for two axes."""
    z, y, x = (1,) * (3 - len(shape)) + tuple(shape)
    return z, y, x


def region_of(slices: tuple[slice, ...]) -> Region:
    """Region of one slice per spatial axis."""
    deep = (slice(0, 1),) * (3 - len(slices)) + slices
    z, y, x = (s.start for s in deep)
    k, j, i = (s.stop for s in deep)
    return Region((z, y, x), (k, j, i))


def _round_up(number: int) -> int:
    return -(-number // LINE) * LINE
