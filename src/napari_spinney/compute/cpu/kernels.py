"""Passes along one axis, and combinations of planes.

All planes of a block lie in one flat array, the arena. A kernel is given positions in it: of
planes, and of their rows relative to a plane. Rows that lie past the border of the image are, in
these tables, the rows that continue it, so that no inner loop has a branch.

Every result is computed by the same operations in the same order wherever its pixel lies in a
block. Rows are written in whole vectors: what lands past their end is never read.
"""

# mypy: allow-untyped-defs, no-check-untyped-defs

from __future__ import annotations

import numpy as np
from numba import njit

from napari_spinney.compute.cpu.vectors import (
    WIDTH,
    fma,
    item,
    larger,
    load,
    multiply,
    splat,
    square_root,
    store,
)

ROWS = 8
"""Rows in flight at a time: enough to hide the latency of a multiply-add."""

CHUNK = 4 * WIDTH
"""Pixels of a row in flight at a time, in passes along the row."""

_NOTHING = np.float32(-0.0)
"""A sum to start with: the first product added to it is as it was, whatever its sign."""


@njit(nogil=True, cache=True)
def correlate_rows(
    arena, source, target, lines_in, lines_out, rows_in, rows_out, width, weights, runs
):
    """Correlate along an axis other than the last.

    ``rows_in`` holds the rows along that axis; ``runs`` count from the row with the number of the
    output's. ``lines_in`` and ``lines_out`` are positions along the remaining axis.
    """
    for line in range(len(lines_out)):
        s = source + item(lines_in, line)
        t = target + item(lines_out, line)
        correlate_line(arena, s, t, rows_in, rows_out, width, weights, runs)


@njit(nogil=True, cache=True)
def correlate_line(arena, s, t, rows_in, rows_out, width, weights, runs):
    """Correlate along one axis, at one position of the other."""
    n = len(rows_out)
    if n < ROWS:
        for row in range(n):
            correlate_one(arena, s, t + item(rows_out, row), rows_in, row, width, weights, runs, 1)
        return
    for start in range(0, n, ROWS):
        row = min(start, n - ROWS)
        for x in range(0, width, WIDTH):
            _correlate_eight(arena, s + x, t + x, rows_in, rows_out, row, weights, runs)


@njit(nogil=True, cache=True)
def correlate_one(arena, source, target, rows_in, row, width, weights, runs, step):
    """Compute one row; ``runs`` count from ``rows_in[row]``."""
    for x in range(0, width, WIDTH):
        a = splat(_NOTHING)
        k = 0
        for run in range(0, len(runs), 2):
            i = row + item(runs, run)
            for _ in range(item(runs, run + 1)):
                a = fma(splat(item(weights, k)), load(arena, source + item(rows_in, i) + x), a)
                i += step
                k += 1
        store(arena, target + x, a)


@njit(nogil=True, cache=True)
def _correlate_eight(arena, s, t, rows_in, rows_out, row, weights, runs):
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = splat(_NOTHING)
    k = 0
    for run in range(0, len(runs), 2):
        i = row + item(runs, run)
        for _ in range(item(runs, run + 1)):
            w = splat(item(weights, k))
            a0 = fma(w, load(arena, s + item(rows_in, i)), a0)
            a1 = fma(w, load(arena, s + item(rows_in, i + 1)), a1)
            a2 = fma(w, load(arena, s + item(rows_in, i + 2)), a2)
            a3 = fma(w, load(arena, s + item(rows_in, i + 3)), a3)
            a4 = fma(w, load(arena, s + item(rows_in, i + 4)), a4)
            a5 = fma(w, load(arena, s + item(rows_in, i + 5)), a5)
            a6 = fma(w, load(arena, s + item(rows_in, i + 6)), a6)
            a7 = fma(w, load(arena, s + item(rows_in, i + 7)), a7)
            i += 1
            k += 1
    store(arena, t + item(rows_out, row), a0)
    store(arena, t + item(rows_out, row + 1), a1)
    store(arena, t + item(rows_out, row + 2), a2)
    store(arena, t + item(rows_out, row + 3), a3)
    store(arena, t + item(rows_out, row + 4), a4)
    store(arena, t + item(rows_out, row + 5), a5)
    store(arena, t + item(rows_out, row + 6), a6)
    store(arena, t + item(rows_out, row + 7), a7)


@njit(nogil=True, cache=True)
def extend_row(arena, row, target, columns, before, after):
    """Copy a row, continued past its ends: ``columns`` are the positions in it to read.

    The first ``before`` and the last ``after`` of them lie past the border; those between rise by
    one.
    """
    n = len(columns)
    for i in range(before):
        arena[target + i] = arena[row + columns[i]]
    shift = row + columns[before] - before
    for i in range(before, n - after, WIDTH):
        store(arena, target + i, load(arena, shift + i))
    for i in range(n - after, n):
        arena[target + i] = arena[row + columns[i]]


@njit(nogil=True, cache=True)
def correlate_columns(
    arena,
    source,
    target,
    rows_in,
    rows_out,
    columns,
    before,
    after,
    buffer,
    width,
    weights,
    runs,
    step,
):
    """Correlate along the last axis; ``buffer`` is where a row can be continued past its ends.

    ``columns`` are the pixels of a row; ``runs`` count from that with the output's number.
    """
    for row in range(len(rows_out)):
        s = source + item(rows_in, row)
        if before + after > 0:
            extend_row(arena, s, buffer, columns, before, after)
            s = buffer
        else:
            s += columns[0]
        correlate_row(arena, s, target + item(rows_out, row), width, weights, runs, step)


@njit(nogil=True, cache=True)
def correlate_row(arena, s, t, width, weights, runs, step):
    """Correlate along a row; ``runs`` count from ``s + x`` for position ``t + x``."""
    for x in range(0, width, CHUNK):
        a0 = a1 = a2 = a3 = splat(_NOTHING)
        k = 0
        for run in range(0, len(runs), 2):
            i = s + x + item(runs, run)
            for _ in range(item(runs, run + 1)):
                w = splat(item(weights, k))
                a0 = fma(w, load(arena, i), a0)
                a1 = fma(w, load(arena, i + WIDTH), a1)
                a2 = fma(w, load(arena, i + 2 * WIDTH), a2)
                a3 = fma(w, load(arena, i + 3 * WIDTH), a3)
                i += step
                k += 1
        store(arena, t + x, a0)
        store(arena, t + x + WIDTH, a1)
        store(arena, t + x + 2 * WIDTH, a2)
        store(arena, t + x + 3 * WIDTH, a3)


@njit(nogil=True, cache=True)
def extremum_rows(arena, source, target, lines_in, lines_out, rows_in, rows_out, width, sign):
    """Largest of ``sign * value`` along an axis other than the last, times ``sign``."""
    taps = len(rows_in) - len(rows_out) + 1
    w = splat(sign)
    for line in range(len(lines_out)):
        for row in range(len(rows_out)):
            s = source + item(lines_in, line)
            t = target + item(lines_out, line) + item(rows_out, row)
            for x in range(0, width, CHUNK):
                i = s + item(rows_in, row) + x
                a0 = multiply(w, load(arena, i))
                a1 = multiply(w, load(arena, i + WIDTH))
                a2 = multiply(w, load(arena, i + 2 * WIDTH))
                a3 = multiply(w, load(arena, i + 3 * WIDTH))
                for k in range(1, taps):
                    i = s + item(rows_in, row + k) + x
                    a0 = larger(multiply(w, load(arena, i)), a0)
                    a1 = larger(multiply(w, load(arena, i + WIDTH)), a1)
                    a2 = larger(multiply(w, load(arena, i + 2 * WIDTH)), a2)
                    a3 = larger(multiply(w, load(arena, i + 3 * WIDTH)), a3)
                store(arena, t + x, multiply(w, a0))
                store(arena, t + x + WIDTH, multiply(w, a1))
                store(arena, t + x + 2 * WIDTH, multiply(w, a2))
                store(arena, t + x + 3 * WIDTH, multiply(w, a3))


@njit(nogil=True, cache=True)
def extremum_columns(
    arena, source, target, rows_in, rows_out, columns, before, after, buffer, width, sign
):
    """Largest of ``sign * value`` along the last axis, times ``sign``."""
    taps = len(columns) - width + 1
    w = splat(sign)
    for row in range(len(rows_out)):
        t = target + item(rows_out, row)
        extend_row(arena, source + item(rows_in, row), buffer, columns, before, after)
        for x in range(0, width, CHUNK):
            i = buffer + x
            a0 = multiply(w, load(arena, i))
            a1 = multiply(w, load(arena, i + WIDTH))
            a2 = multiply(w, load(arena, i + 2 * WIDTH))
            a3 = multiply(w, load(arena, i + 3 * WIDTH))
            for _ in range(1, taps):
                i += 1
                a0 = larger(multiply(w, load(arena, i)), a0)
                a1 = larger(multiply(w, load(arena, i + WIDTH)), a1)
                a2 = larger(multiply(w, load(arena, i + 2 * WIDTH)), a2)
                a3 = larger(multiply(w, load(arena, i + 3 * WIDTH)), a3)
            store(arena, t + x, multiply(w, a0))
            store(arena, t + x + WIDTH, multiply(w, a1))
            store(arena, t + x + 2 * WIDTH, multiply(w, a2))
            store(arena, t + x + 3 * WIDTH, multiply(w, a3))


@njit(nogil=True, cache=True)
def combine(arena, inputs, target, rows_in, rows_out, width, weights):
    """Linear combination of planes; ``item(rows_in, i)`` are the rows of input ``i``."""
    for row in range(len(rows_out)):
        for x in range(0, width, WIDTH):
            a = multiply(
                splat(item(weights, 0)), load(arena, item(inputs, 0) + item(rows_in[0], row) + x)
            )
            for k in range(1, len(inputs)):
                a = fma(
                    splat(item(weights, k)),
                    load(arena, item(inputs, k) + item(rows_in[k], row) + x),
                    a,
                )
            store(arena, target + item(rows_out, row) + x, a)


@njit(nogil=True, cache=True)
def product(arena, inputs, target, rows_in, rows_out, width):
    """Product of two planes."""
    for row in range(len(rows_out)):
        for x in range(0, width, WIDTH):
            a = load(arena, item(inputs, 0) + item(rows_in[0], row) + x)
            b = load(arena, item(inputs, 1) + item(rows_in[1], row) + x)
            store(arena, target + item(rows_out, row) + x, multiply(a, b))


@njit(nogil=True, cache=True)
def magnitude(arena, inputs, target, rows_in, rows_out, width):
    """Square root of the sum of squares."""
    for row in range(len(rows_out)):
        for x in range(0, width, WIDTH):
            a = load(arena, item(inputs, 0) + item(rows_in[0], row) + x)
            a = multiply(a, a)
            for k in range(1, len(inputs)):
                b = load(arena, item(inputs, k) + item(rows_in[k], row) + x)
                a = fma(b, b, a)
            store(arena, target + item(rows_out, row) + x, square_root(a))


@njit(nogil=True, cache=True)
def copy(arena, inputs, target, rows_in, rows_out, width):
    """Copy a plane."""
    for row in range(len(rows_out)):
        for x in range(0, width, WIDTH):
            a = load(arena, item(inputs, 0) + item(rows_in[0], row) + x)
            store(arena, target + item(rows_out, row) + x, a)
