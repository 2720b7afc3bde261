"""How the planes of one block lie in an arena."""

from __future__ import annotations

from dataclasses import dataclass

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""First and past-the-last position along z, y and x."""

ALIGNMENT = 16
"""Floats in a cache line, and in the widest vector."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes of a plane, in floats; see kernels/planes.cl.

    Parameters
    ----------
    shape : tuple of int
        Pixels along z, y and x; z is 1 for images of two axes.
    margin : int
        Floats before the first pixel of a row, and at least as many behind the last.
    pitch : int
        Floats from one row to the next.
    """

    shape: tuple[int, int, int]
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
        deep = (1,) * (3 - len(shape)) + tuple(shape)
        margin = _round_up(radius + ALIGNMENT)
        pitch = margin + _round_up(deep[2]) + margin
        # An odd number of cache lines: rows in a column do not compete for the same cache set.
        pitch += ALIGNMENT * (pitch // ALIGNMENT % 2 == 0)
        return cls((deep[0], deep[1], deep[2]), margin, pitch)

    @property
    def plane(self) -> int:
        """Floats from one plane to the next."""
        return self.shape[0] * self.shape[1] * self.pitch

    def header(self) -> list[int]:
        """The first 16 ints of a schedule's code."""
        nz, ny, nx = self.shape
        return [self.plane, self.pitch, self.margin, nx, ny, nz] + [0] * 10


def box_of(slices: tuple[slice, ...]) -> Box:
    """Box of one slice per spatial axis."""
    sides = [(0, 1)] * (3 - len(slices)) + [(s.start, s.stop) for s in slices]
    return (sides[0], sides[1], sides[2])


def grow(box: Box, reach: tuple[int, ...], shape: tuple[int, int, int]) -> Box:
    """Box with ``reach`` more pixels on both sides of each spatial axis, inside ``shape``."""
    deep = (0,) * (3 - len(reach)) + reach
    sides = [
        (max(0, start - r), min(n, stop + r))
        for (start, stop), r, n in zip(box, deep, shape, strict=True)
    ]
    return (sides[0], sides[1], sides[2])


def union(a: Box | None, b: Box) -> Box:
    """Smallest box that holds both."""
    if a is None:
        return b
    sides = [(min(p[0], q[0]), max(p[1], q[1])) for p, q in zip(a, b, strict=True)]
    return (sides[0], sides[1], sides[2])


def size(box: Box) -> tuple[int, int, int]:
    """Pixels along z, y and x."""
    (z0, z1), (y0, y1), (x0, x1) = box
    return (z1 - z0, y1 - y0, x1 - x0)


def _round_up(number: int) -> int:
    return -(-number // ALIGNMENT) * ALIGNMENT
