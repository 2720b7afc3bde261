"""Operations on a neighbourhood of several axes at once."""

# mypy: allow-untyped-defs, no-check-untyped-defs

from __future__ import annotations

import numpy as np
from numba import njit

from napari_spinney.compute.cpu.kernels import extend_row
from napari_spinney.compute.cpu.vectors import (
    WIDTH,
    add,
    count_below,
    fma,
    from_keys,
    item,
    load,
    multiply,
    splat,
    square_root,
    store,
    subtract,
    to_keys,
    where_at_most,
    with_bit,
)

_ONE = np.uint32(1)
_ZERO = np.uint32(0)
_TWO = np.float32(2.0)


@njit(nogil=True, cache=True)
def extend(arena, source, rows_in, columns, before, after, target, pitch):
    """Copy a plane, continued past its borders, into rows of ``pitch`` pixels."""
    for row in range(len(rows_in)):
        extend_row(arena, source + item(rows_in, row), target + row * pitch, columns, before, after)


@njit(nogil=True, cache=True)
def keys_of(arena, source, keys, n):
    """Numbers that sort as the floats do, with every NaN last."""
    for i in range(0, n, WIDTH):
        store(keys, i, to_keys(load(arena, source + i)))


@njit(nogil=True, cache=True)
def median(keys, window, corners, arena, target, rows_out, width):
    """Median of a window: ``window`` holds the positions of its pixels from its first one.

    ``corners`` are the positions in ``keys`` of the first window of each row. The median is found
    bit by bit, from the highest: it is the largest number with at most half of the window below.
    """
    half = splat(np.uint32(len(window) // 2))
    for row in range(len(rows_out)):
        for x in range(0, width, WIDTH):
            corner = item(corners, row) + x
            found = splat(_ZERO)
            for bit in range(31, -1, -1):
                trial = with_bit(found, splat(np.uint32(_ONE << np.uint32(bit))))
                below = splat(_ZERO)
                for i in window:
                    below = count_below(below, load(keys, corner + i), trial)
                found = where_at_most(below, half, trial, found)
            store(arena, target + item(rows_out, row) + x, from_keys(found))


@njit(nogil=True, cache=True)
def standard_deviation(arena, extended, window, corners, mean, rows_mean, target, rows_out, width):
    """Root of the mean squared difference from the window's mean."""
    share = splat(np.float32(1.0) / np.float32(len(window)))
    for row in range(len(rows_out)):
        for x in range(0, width, WIDTH):
            corner = extended + item(corners, row) + x
            centre = load(arena, mean + item(rows_mean, row) + x)
            squares = splat(np.float32(0.0))
            for i in window:
                difference = subtract(load(arena, corner + i), centre)
                squares = fma(difference, difference, squares)
            store(arena, target + item(rows_out, row) + x, square_root(multiply(squares, share)))


@njit(nogil=True, cache=True)
def laplace_box(arena, extended, window, corners, target, rows_out, width):
    """Sum of (centre - neighbour) over the window, in memory order."""
    middle = len(window) // 2
    for row in range(len(rows_out)):
        for x in range(0, width, WIDTH):
            corner = extended + item(corners, row) + x
            centre = load(arena, corner + item(window, middle))
            total = splat(np.float32(0.0))
            for k in range(len(window)):
                if k != middle:
                    total = add(total, subtract(centre, load(arena, corner + item(window, k))))
            store(arena, target + item(rows_out, row) + x, total)


@njit(nogil=True, cache=True)
def sobel_2d(arena, extended, window, corners, target, rows_out, width):
    """Magnitude of the unnormalised 3 x 3 Sobel gradient."""
    for row in range(len(rows_out)):
        for x in range(0, width, WIDTH):
            corner = extended + item(corners, row) + x
            along_y = subtract(
                _smooth_x(arena, corner + item(window, 6)),
                _smooth_x(arena, corner + item(window, 0)),
            )
            along_x = _smooth(
                _across_x(arena, corner + item(window, 0)),
                _across_x(arena, corner + item(window, 3)),
                _across_x(arena, corner + item(window, 6)),
            )
            squares = fma(along_x, along_x, multiply(along_y, along_y))
            store(arena, target + item(rows_out, row) + x, square_root(squares))


@njit(nogil=True, cache=True)
def sobel_3d(arena, extended, window, corners, target, rows_out, width):
    """Magnitude of the unnormalised 3 x 3 x 3 Sobel gradient."""
    for row in range(len(rows_out)):
        for x in range(0, width, WIDTH):
            c = extended + item(corners, row) + x
            s00, s01, s02 = _smooth_rows(
                arena, c, item(window, 0), item(window, 3), item(window, 6)
            )
            s10, _s11, s12 = _smooth_rows(
                arena, c, item(window, 9), item(window, 12), item(window, 15)
            )
            s20, s21, s22 = _smooth_rows(
                arena, c, item(window, 18), item(window, 21), item(window, 24)
            )
            along_z = subtract(_smooth(s20, s21, s22), _smooth(s00, s01, s02))
            along_y = subtract(_smooth(s02, s12, s22), _smooth(s00, s10, s20))
            along_x = _smooth(
                _across_rows(arena, c, item(window, 0), item(window, 3), item(window, 6)),
                _across_rows(arena, c, item(window, 9), item(window, 12), item(window, 15)),
                _across_rows(arena, c, item(window, 18), item(window, 21), item(window, 24)),
            )
            squares = fma(along_x, along_x, multiply(along_y, along_y))
            squares = fma(along_z, along_z, squares)
            store(arena, target + item(rows_out, row) + x, square_root(squares))


@njit(nogil=True, cache=True)
def _smooth(a, b, c):
    return add(add(a, multiply(splat(_TWO), b)), c)


@njit(nogil=True, cache=True)
def _smooth_x(arena, i):
    return _smooth(load(arena, i), load(arena, i + 1), load(arena, i + 2))


@njit(nogil=True, cache=True)
def _across_x(arena, i):
    return subtract(load(arena, i + 2), load(arena, i))


@njit(nogil=True, cache=True)
def _smooth_rows(arena, corner, first, second, third):
    return (
        _smooth_x(arena, corner + first),
        _smooth_x(arena, corner + second),
        _smooth_x(arena, corner + third),
    )


@njit(nogil=True, cache=True)
def _across_rows(arena, corner, first, second, third):
    return _smooth(
        _across_x(arena, corner + first),
        _across_x(arena, corner + second),
        _across_x(arena, corner + third),
    )
