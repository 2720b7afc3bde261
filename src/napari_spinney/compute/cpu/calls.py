"""Steps as calls of kernels: which rows they read and write."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.compute.cpu import eigenvalues, kernels, refinement, windows
from napari_spinney.compute.cpu.arena import Positions, row_pitch
from napari_spinney.compute.cpu.kernels import CHUNK
from napari_spinney.compute.cpu.sites import Call, Site
from napari_spinney.features.steps import (
    Boundary,
    Combine,
    Correlate,
    Extremum,
    Magnitude,
    Product,
    Refine,
    Stencil,
    Step,
    Window,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.compute.cpu.arena import Plane


def call_for(step: Step, site: Site) -> Call:
    """The call that computes a step; for eigenvalues see `eigenvalue_call`."""
    match step:
        case Correlate():
            return _correlate(step, site)
        case Refine():
            return _refine(step, site)
        case Extremum():
            return _extremum(step, site)
        case Combine():
            weights = np.asarray(step.weights, np.float32)
            return Call(kernels.combine, (*_pointwise(site), weights))
        case Product():
            return Call(kernels.product, _pointwise(site))
        case Magnitude():
            return Call(kernels.magnitude, _pointwise(site))
        case Stencil():
            return _stencil(step, site)
        case Window(kind="median"):
            return _median(step, site)
        case Window():
            return _standard_deviation(step, site)
        case _:
            raise TypeError(f"no kernel for a step of type {type(step).__name__}")


def copy_call(site: Site) -> Call:
    """Copy the region from the input to the target."""
    return Call(kernels.copy, _pointwise(site))


def eigenvalue_call(site: Site, targets: list[Plane | None]) -> Call:
    """Write each eigenvalue, largest first, that has a target; all targets have one region."""
    kernel = eigenvalues.eigenvalues_2x2 if len(targets) == 2 else eigenvalues.eigenvalues_3x3
    inputs, _, rows_in, rows_out, width = _pointwise(site)
    positions = [-1 if target is None else target.at(site.column) for target in targets]
    return Call(kernel, (inputs, np.asarray(positions, np.int64), rows_in, rows_out, width))


def _pointwise(site: Site) -> tuple[Any, ...]:
    inputs = np.asarray([plane.at(site.column) for plane in site.inputs], np.int64)
    rows_in = np.stack([plane.all_rows(site.region) for plane in site.inputs])
    rows_out = site.target.all_rows(site.region)
    return inputs, site.target.at(site.column), rows_in, rows_out, site.width


def _correlate(step: Correlate, site: Site) -> Call:
    weights = np.asarray(step.weights, np.float32)
    axis = step.axis + 3 - site.ndim
    runs = np.asarray([0, len(weights)], np.int64)
    if axis == 2:
        columns = _columns(site, step.radius, step.boundary)
        width = site.region.shape[2]
        return Call(kernels.correlate_columns, (*columns, width, weights, runs, step.dilation))
    *lines, rows_in, rows_out, width = _rows(site, axis, step.radius, step.boundary)
    # Rows that are read together are `dilation` apart: by themselves, they follow one another.
    parts: list[tuple[Any, ...]] = []
    for i in range(min(step.dilation, len(rows_out))):
        every = (rows_in[i :: step.dilation].copy(), rows_out[i :: step.dilation].copy())
        parts.append((*lines, *every, width, weights, runs))

    def correlate(arena: NDArray[np.float32]) -> None:
        for part in parts:
            kernels.correlate_rows(arena, *part)

    return Call(correlate, ())


def _refine(step: Refine, site: Site) -> Call:
    axis = step.axis + 3 - site.ndim
    if axis == 2:
        return _refine_columns(step, site)
    coarse, source = (replace(site, inputs=(plane,)) for plane in site.inputs)
    c, t, lines_coarse, lines_out, rows_coarse, rows_out, width = _rows(
        coarse, axis, step.fine_radius, "nearest"
    )
    s, _, lines_source, _, rows_source, _, _ = _rows(source, axis, step.radius, step.boundary)
    before, after = site.past_border(axis, step.fine_radius)
    pitch = row_pitch(width)
    return Call(
        refinement.refine_rows,
        (
            *(c, s, t, lines_coarse, lines_source, lines_out, rows_coarse, rows_source, rows_out),
            *(before, after, site.scratch((before + after) * pitch), pitch, width),
            *_refinement_runs(step, len(rows_coarse)),
        ),
    )


def _refine_columns(step: Refine, site: Site) -> Call:
    (coarse, source), (start, stop) = site.inputs, (site.region.start[2], site.region.stop[2])
    columns = site.continued(2, step.radius, step.boundary) - source.left
    n_coarse = stop - start + 2 * step.fine_radius
    coarse_before, coarse_after = site.past_border(2, step.fine_radius)
    offset = n_coarse + 2 * CHUNK
    rows = (plane.all_rows(site.region) for plane in (coarse, source, site.target))
    return Call(
        refinement.refine_columns,
        (
            coarse.at(start - step.fine_radius + coarse_before),
            *(source.position, site.target.at(start), *rows, n_coarse, columns),
            *(coarse_before, coarse_after, *site.past_border(2, step.radius)),
            *(site.scratch(offset + len(columns) + 2 * CHUNK), offset, stop - start),
            *_refinement_runs(step, offset),
        ),
    )


def _refinement_runs(step: Refine, offset: int) -> tuple[Any, ...]:
    """Weights and runs of the fine pass with its ends, and of the coarse pass.

    Positions along the axis are counted from the first of the coarse plane that the fine pass
    reads; those of the source begin at ``offset``.
    """
    half, n_coarse = len(step.ends) // 2, len(step.coarse)
    right = offset + 2 * step.radius + 1 - half
    first = step.radius - step.fine_radius - n_coarse // 2 * step.dilation
    return (
        np.asarray(step.weights + step.ends, np.float32),
        np.asarray([0, len(step.weights), offset, half, right, half], np.int64),
        np.asarray(step.coarse, np.float32),
        np.asarray([first, n_coarse], np.int64),
        step.dilation,
    )


def _extremum(step: Extremum, site: Site) -> Call:
    sign = np.float32(1.0 if step.kind == "maximum" else -1.0)
    axis = step.axis + 3 - site.ndim
    if axis == 2:
        columns = _columns(site, step.radius, step.boundary)
        return Call(kernels.extremum_columns, (*columns, site.region.shape[2], sign))
    return Call(kernels.extremum_rows, (*_rows(site, axis, step.radius, step.boundary), sign))


def _rows(site: Site, axis: int, radius: int, boundary: Boundary) -> tuple[Any, ...]:
    """Arguments of a pass along another axis than the last."""
    (source,), target = site.inputs, site.target
    along = site.continued(axis, radius, boundary)
    other = site.range(1 - axis)
    if axis == 1:
        lines, rows = (source.slices(other), target.slices(other)), source.rows(along)
        rows_out = target.rows(site.range(axis))
    else:
        lines, rows = (source.rows(other), target.rows(other)), source.slices(along)
        rows_out = target.slices(site.range(axis))
    return source.at(site.column), target.at(site.column), *lines, rows, rows_out, site.width


def _columns(site: Site, radius: int, boundary: Boundary) -> tuple[Any, ...]:
    """Arguments of a pass along the last axis."""
    (source,), target = site.inputs, site.target
    columns = site.continued(2, radius, boundary) - source.left
    return (
        source.position,
        target.at(site.region.start[2]),
        source.all_rows(site.region),
        target.all_rows(site.region),
        columns,
        *site.past_border(2, radius),
        site.scratch(len(columns) + 2 * CHUNK),
    )


def _extended(
    site: Site, radius: tuple[int, ...], boundary: Boundary
) -> tuple[tuple[Any, ...], Positions, Positions, int]:
    """A copy of the first input, continued past the block's border, in scratch memory.

    Returns
    -------
    arguments of `windows.extend`; positions of a window's pixels from its first one; position of
    the first window of each row; floats in the copy
    """
    source = site.inputs[0]
    z, y, x = (site.continued(axis, radius[axis], boundary) for axis in range(3))
    rows = (source.slices(z)[:, None] + source.rows(y)).ravel()
    pitch = row_pitch(len(x))
    size = len(rows) * pitch
    copy = (
        source.position,
        rows,
        x - source.left,
        *site.past_border(2, radius[2]),
        site.scratch(size),
        pitch,
    )
    slices = np.arange(len(z), dtype=np.int64) * len(y) * pitch
    lines = np.arange(len(y), dtype=np.int64) * pitch
    d, h, w = (2 * r + 1 for r in radius)
    window = slices[:d, None, None] + lines[:h, None] + np.arange(w, dtype=np.int64)
    n_z, n_y, _ = site.region.shape
    corners = slices[:n_z, None] + lines[:n_y]
    return copy, window.ravel(), corners.ravel(), size


def _volume_radius(radius: tuple[int, ...]) -> tuple[int, ...]:
    return (0,) * (3 - len(radius)) + radius


def _target(site: Site) -> tuple[Any, ...]:
    """Position, rows and length of rows that begin with the region's first column."""
    start = site.region.start[2]
    return site.target.at(start), site.target.all_rows(site.region), site.region.shape[2]


def _stencil(step: Stencil, site: Site) -> Call:
    copy, window, corners, _ = _extended(site, _volume_radius((1,) * site.ndim), "nearest")
    kernel = {
        ("laplace_box", 2): windows.laplace_box,
        ("laplace_box", 3): windows.laplace_box,
        ("sobel", 2): windows.sobel_2d,
        ("sobel", 3): windows.sobel_3d,
    }[step.kind, site.ndim]
    target = _target(site)

    def run(arena: NDArray[np.float32]) -> None:
        windows.extend(arena, *copy)
        kernel(arena, copy[-2], window, corners, *target)

    return Call(run, ())


def _median(step: Window, site: Site) -> Call:
    copy, window, corners, size = _extended(site, _volume_radius(step.radius), step.boundary)
    extended, target = copy[-2], _target(site)

    def run(arena: NDArray[np.float32]) -> None:
        windows.extend(arena, *copy)
        keys = arena[extended:].view(np.uint32)
        windows.keys_of(arena, extended, keys, size)
        windows.median(keys, window, corners, arena, *target)

    return Call(run, ())


def _standard_deviation(step: Window, site: Site) -> Call:
    copy, window, corners, _ = _extended(site, _volume_radius(step.radius), step.boundary)
    target, mean = _target(site), site.inputs[1]
    means = mean.at(site.region.start[2]), mean.all_rows(site.region)

    def run(arena: NDArray[np.float32]) -> None:
        windows.extend(arena, *copy)
        windows.standard_deviation(arena, copy[-2], window, corners, *means, *target)

    return Call(run, ())
