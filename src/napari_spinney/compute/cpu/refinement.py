"""Second half of a long correlation: a fine pass over a coarse plane, and taps on its source.

See `napari_spinney.features.steps.Refine`. Both planes are laid side by side, as rows of one table
or in one buffer, so that all weights are those of a single correlation. Where the fine pass reads
past the border, the coarse pass is computed there, in scratch memory.
"""

# mypy: allow-untyped-defs, no-check-untyped-defs

from __future__ import annotations

import numpy as np
from numba import njit

from napari_spinney.compute.cpu.kernels import (
    correlate_line,
    correlate_one,
    correlate_row,
    extend_row,
)
from napari_spinney.compute.cpu.vectors import WIDTH, item, load, store


@njit(nogil=True, cache=True)
def refine_rows(
    arena,
    coarse,
    source,
    target,
    lines_coarse,
    lines_source,
    lines_out,
    rows_coarse,
    rows_source,
    rows_out,
    before,
    after,
    scratch,
    pitch,
    width,
    weights,
    runs,
    coarse_weights,
    coarse_runs,
    dilation,
):
    """Refine along an axis other than the last.

    The first ``before`` and the last ``after`` of ``rows_coarse`` lie past the border: what is
    there is computed in ``scratch``; ``coarse_runs`` count from ``rows_source[i]`` for row ``i``.
    ``runs`` count the rows of the coarse plane and then those of the source.
    """
    n = len(rows_coarse)
    rows = np.empty(n + len(rows_source), np.int64)
    for line in range(len(lines_out)):
        c = coarse + item(lines_coarse, line)
        s = source + item(lines_source, line)
        place = scratch
        for i in range(n):
            if before <= i < n - after:
                rows[i] = c + rows_coarse[i]
                continue
            correlate_one(
                arena, s, place, rows_source, i, width, coarse_weights, coarse_runs, dilation
            )
            rows[i] = place
            place += pitch
        for i in range(len(rows_source)):
            rows[n + i] = s + rows_source[i]
        t = target + item(lines_out, line)
        correlate_line(arena, 0, t, rows, rows_out, width, weights, runs)


@njit(nogil=True, cache=True)
def refine_columns(
    arena,
    coarse,
    source,
    target,
    rows_coarse,
    rows_source,
    rows_out,
    n_coarse,
    columns,
    coarse_before,
    coarse_after,
    before,
    after,
    buffer,
    offset,
    width,
    weights,
    runs,
    coarse_weights,
    coarse_runs,
    dilation,
):
    """Refine along the last axis.

    ``buffer`` takes ``n_coarse`` pixels of the coarse row, of which the first ``coarse_before`` and
    the last ``coarse_after`` are computed there; from ``offset`` on, it takes ``columns`` of the
    row of the source. ``coarse`` is the position of the first coarse pixel that is in its plane.
    """
    end = n_coarse - coarse_after
    extended = buffer + offset
    for row in range(len(rows_out)):
        s = source + item(rows_source, row)
        c = coarse + item(rows_coarse, row) - coarse_before
        extend_row(arena, s, extended, columns, before, after)
        # Each part goes on past its end: those after it put that right.
        correlate_row(arena, extended, buffer, coarse_before, coarse_weights, coarse_runs, dilation)
        for x in range(coarse_before, end, WIDTH):
            store(arena, buffer + x, load(arena, c + x))
        correlate_row(
            arena,
            extended + end,
            buffer + end,
            coarse_after,
            coarse_weights,
            coarse_runs,
            dilation,
        )
        t = target + item(rows_out, row)
        correlate_row(arena, buffer, t, width, weights, runs, 1)
