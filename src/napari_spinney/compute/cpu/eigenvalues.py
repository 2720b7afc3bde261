"""Eigenvalues of a symmetric matrix per pixel, in closed form."""

# mypy: allow-untyped-defs, no-check-untyped-defs

from __future__ import annotations

import math

import numpy as np
from numba import njit

from napari_spinney.compute.cpu.vectors import (
    WIDTH,
    absolute,
    add,
    divide,
    fma,
    item,
    load,
    multiply,
    narrow,
    smaller,
    splat,
    square_root,
    store,
    subtract,
    where_negative,
    where_zero,
    widen,
)

_HALF = np.float32(0.5)
_SQRT_3 = math.sqrt(3.0)
# arccos(x) = sqrt(1 - x) * polynomial, 0 <= x <= 1, error below 2e-8: Abramowitz & Stegun 4.4.46.
_ARCCOS = (
    1.5707963050,
    -0.2145988016,
    0.0889789874,
    -0.0501743046,
    0.0308918810,
    -0.0170881256,
    0.0066700901,
    -0.0012624911,
)
_COS = tuple((-1) ** k / math.factorial(2 * k) for k in range(8))
_SIN = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(8))


@njit(nogil=True, cache=True)
def eigenvalues_2x2(arena, inputs, targets, rows_in, rows_out, width):
    """Write those eigenvalues, largest first, whose target is not negative.

    ``mean -/+ sqrt(((yy - xx) / 2)**2 + yx**2)`` of the matrix (yy, yx, xx).
    """
    half = splat(_HALF)
    for row in range(len(rows_out)):
        for x in range(0, width, WIDTH):
            yy = load(arena, item(inputs, 0) + item(rows_in[0], row) + x)
            yx = load(arena, item(inputs, 1) + item(rows_in[1], row) + x)
            xx = load(arena, item(inputs, 2) + item(rows_in[2], row) + x)
            mean = multiply(half, add(yy, xx))
            difference = multiply(half, subtract(yy, xx))
            root = square_root(fma(difference, difference, multiply(yx, yx)))
            t = item(rows_out, row) + x
            if targets[0] >= 0:
                store(arena, targets[0] + t, add(mean, root))
            if targets[1] >= 0:
                store(arena, targets[1] + t, subtract(mean, root))


@njit(nogil=True, cache=True)
def _polynomial(coefficients, x):
    value = splat(coefficients[7])
    value = fma(value, x, splat(coefficients[6]))
    value = fma(value, x, splat(coefficients[5]))
    value = fma(value, x, splat(coefficients[4]))
    value = fma(value, x, splat(coefficients[3]))
    value = fma(value, x, splat(coefficients[2]))
    value = fma(value, x, splat(coefficients[1]))
    return fma(value, x, splat(coefficients[0]))


@njit(nogil=True, cache=True)
def _arccos(x):
    """Arc cosine of a number in [-1, 1]."""
    size = absolute(x)
    angle = multiply(square_root(subtract(splat(1.0), size)), _polynomial(_ARCCOS, size))
    return where_negative(x, subtract(splat(math.pi), angle), angle)


@njit(nogil=True, cache=True)
def eigenvalues_3x3(arena, inputs, targets, rows_in, rows_out, width):
    """Write those eigenvalues, largest first, whose target is not negative.

    In float64, after O. K. Smith, "Eigenvalues of a symmetric 3 x 3 matrix", Comm. ACM 4 (1961).
    """
    one, third, sixth, zero = splat(1.0), splat(1.0 / 3.0), splat(1.0 / 6.0), splat(0.0)
    for row in range(len(rows_out)):
        for x in range(0, width, WIDTH):
            zz = widen(load(arena, item(inputs, 0) + item(rows_in[0], row) + x))
            zy = widen(load(arena, item(inputs, 1) + item(rows_in[1], row) + x))
            zx = widen(load(arena, item(inputs, 2) + item(rows_in[2], row) + x))
            yy = widen(load(arena, item(inputs, 3) + item(rows_in[3], row) + x))
            yx = widen(load(arena, item(inputs, 4) + item(rows_in[4], row) + x))
            xx = widen(load(arena, item(inputs, 5) + item(rows_in[5], row) + x))
            mean = multiply(third, add(add(zz, yy), xx))
            a, b, c = subtract(zz, mean), subtract(yy, mean), subtract(xx, mean)
            outside = add(add(multiply(zy, zy), multiply(zx, zx)), multiply(yx, yx))
            squares = add(add(multiply(a, a), multiply(b, b)), multiply(c, c))
            scale = square_root(multiply(sixth, add(squares, add(outside, outside))))
            determinant = subtract(
                add(
                    multiply(a, subtract(multiply(b, c), multiply(yx, yx))),
                    multiply(zx, subtract(multiply(zy, yx), multiply(b, zx))),
                ),
                multiply(zy, subtract(multiply(zy, c), multiply(yx, zx))),
            )
            cube = multiply(multiply(scale, scale), scale)
            ratio = divide(multiply(splat(0.5), determinant), where_zero(cube, one, cube))
            size = smaller(absolute(ratio), one)
            angle = multiply(third, _arccos(where_negative(ratio, subtract(zero, size), size)))
            square = multiply(angle, angle)
            cosine = multiply(scale, _polynomial(_COS, square))
            sine = multiply(
                multiply(scale, splat(_SQRT_3)), multiply(angle, _polynomial(_SIN, square))
            )
            t = item(rows_out, row) + x
            if targets[0] >= 0:
                store(arena, targets[0] + t, narrow(add(mean, add(cosine, cosine))))
            if targets[1] >= 0:
                store(arena, targets[1] + t, narrow(add(mean, subtract(sine, cosine))))
            if targets[2] >= 0:
                store(arena, targets[2] + t, narrow(subtract(mean, add(sine, cosine))))
