"""Labelled objects as runs of pixels, and what measurements share about them.

Everything that depends on shape alone is computed from *runs* (stretches of one label along the
last axis): they are far fewer than pixels, and sums over a run have a closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike

Values: TypeAlias = NDArray[Any]
"""One float64 per object, (n,); or one row per axis, (ndim, n)."""
Indices: TypeAlias = NDArray[np.int64]

_PIXELS_AT_ONCE = 1 << 20
AXIS_NAMES = ("z", "y", "x")


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Stretches of one object along the last axis, in the order of the image.

    Parameters
    ----------
    object : (m,) int64
        Which object, 0 .. n - 1.
    start : (m,) int64
        Flat index of the first pixel.
    length : (m,) int64
        Number of pixels.
    position : (ndim, m) int64
        Coordinates of the first pixel.
    """

    object: Indices
    start: Indices
    length: Indices
    position: Indices


@dataclass(frozen=True, slots=True, eq=False)
class PixelBlock:
    """The pixels of some successive runs.

    Parameters
    ----------
    runs : slice
        Which runs.
    first : (runs in the block,) int64
        Where each run begins among the pixels of the block.
    index : (k,) int64
        Flat index of each pixel.
    step : (k,) int64
        Distance of each pixel from the first one of its run.
    run : (k,) int64
        Number of the run of each pixel.
    """

    runs: slice
    first: Indices
    index: Indices
    step: Indices
    run: Indices


class Regions:
    """The objects of one label image.

    Parameters
    ----------
    labels : (Y, X) or (Z, Y, X) array of whole numbers
        0 is background. Labels may have gaps and any size; an object need not be connected.
    spacing : sequence of float, optional
        Size of a pixel along each axis. Without it everything is measured in pixels.

    Attributes
    ----------
    labels : (n,) array
        Label of each object, rising.
    spacing : (ndim,) float64
        Ones where no spacing was given.
    """

    def __init__(self, labels: ArrayLike, spacing: Sequence[float] | None = None) -> None:
        self.image = checked_labels(labels)
        self.shape = self.image.shape
        self.ndim = self.image.ndim
        self.spacing = checked_spacing(spacing, self.ndim)
        label, start, length = _find_runs(self.image)
        self.labels, objects = np.unique(label, return_inverse=True)
        position = np.array(np.unravel_index(start, self.shape), dtype=np.int64)
        self.runs = Runs(
            objects.astype(np.int64), start, length, position.reshape(self.ndim, len(start))
        )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def pixel_size(self) -> float:
        """Area or volume of one pixel."""
        return float(np.prod(self.spacing))

    def total(self, per_run: NDArray[Any]) -> Values:
        """Sum a value per run over the runs of each object, (n,)."""
        weights = np.asarray(per_run, np.float64)
        return np.bincount(self.runs.object, weights, minlength=len(self))

    @cached_property
    def _by_object(self) -> tuple[Indices, Indices]:
        """Runs ordered by object, and where each object begins in that order."""
        order = np.argsort(self.runs.object, kind="stable")
        return order, np.searchsorted(self.runs.object[order], np.arange(len(self)))

    def smallest(self, per_run: NDArray[Any]) -> NDArray[Any]:
        """Take the minimum of a value per run over the runs of each object, (n,)."""
        order, first = self._by_object
        least: NDArray[Any] = np.minimum.reduceat(per_run[order], first)
        return least

    def largest(self, per_run: NDArray[Any]) -> NDArray[Any]:
        """Take the maximum of a value per run over the runs of each object, (n,)."""
        order, first = self._by_object
        most: NDArray[Any] = np.maximum.reduceat(per_run[order], first)
        return most

    @cached_property
    def count(self) -> Values:
        """Number of pixels of each object."""
        return self.total(self.runs.length)

    @cached_property
    def bbox_min(self) -> Indices:
        """First index of each object along each axis, (ndim, n)."""
        return np.stack([self.smallest(p) for p in self.runs.position])

    @cached_property
    def bbox_max(self) -> Indices:
        """Last index of each object along each axis, (ndim, n)."""
        last = self.runs.position.copy()
        last[-1] += self.runs.length - 1
        return np.stack([self.largest(p) for p in last])

    @cached_property
    def centre(self) -> Values:
        """Centroid in pixels, (ndim, n)."""
        run = self.runs
        local = run.position - self.bbox_min[:, run.object]
        sums = [self.total(local[axis] * run.length) for axis in range(self.ndim)]
        sums[-1] = sums[-1] + self.total(run.length * (run.length - 1) // 2)
        return np.stack(sums) / self.count + self.bbox_min

    @cached_property
    def numbered(self) -> NDArray[np.int32]:
        """The label image with objects numbered 1 .. n and a frame of background around it."""
        framed = np.zeros([size + 2 for size in self.shape], np.int32)
        flat = np.zeros(self.image.size, np.int32)
        for block in self.blocks():
            flat[block.index] = self.runs.object[block.run] + 1
        framed[(slice(1, -1),) * self.ndim] = flat.reshape(self.shape)
        return framed

    @property
    def core(self) -> NDArray[np.int32]:
        """The numbered label image without its frame."""
        return self.numbered[(slice(1, -1),) * self.ndim]

    def blocks(self) -> Iterator[PixelBlock]:
        """Go through the pixels of all objects, about a million at a time."""
        ends = np.cumsum(self.runs.length)
        begin = 0
        while begin < len(ends):
            before = int(ends[begin - 1]) if begin else 0
            end = int(np.searchsorted(ends, before + _PIXELS_AT_ONCE, side="right"))
            end = max(end, begin + 1)
            yield self._block(slice(begin, end), ends[begin:end] - before)
            begin = end

    def _block(self, runs: slice, ends: Indices) -> PixelBlock:
        length = self.runs.length[runs]
        first = ends - length
        run = np.repeat(np.arange(runs.start, runs.stop), length)
        step = np.arange(ends[-1]) - np.repeat(first, length)
        return PixelBlock(runs, first, self.runs.start[run] + step, step, run)

    def distances(self, centre: Values) -> tuple[Values, Values]:
        """Sum and maximum of the distances of an object's pixels from a point.

        Parameters
        ----------
        centre : (ndim, n) float64
            The point of each object, in pixels.

        Returns
        -------
        sums, largest : (n,) float64
            In units of the spacing.
        """
        sums, most = np.zeros((2, len(self.runs.object)))
        offset = (self.runs.position - centre[:, self.runs.object]) * self.spacing[:, None]
        fixed = (offset[:-1] ** 2).sum(axis=0)
        for block in self.blocks():
            along = offset[-1, block.run] + block.step * self.spacing[-1]
            distance = np.sqrt(along * along + fixed[block.run])
            sums[block.runs] = np.add.reduceat(distance, block.first)
            most[block.runs] = np.maximum.reduceat(distance, block.first)
        return self.total(sums), self.largest(most)

    @cached_property
    def centroid_distances(self) -> tuple[Values, Values]:
        """Sum and maximum of the distances of pixels from the centroid."""
        return self.distances(self.centre)


def checked_labels(labels: ArrayLike) -> NDArray[Any]:
    """Return a contiguous 2D or 3D array of whole numbers >= 0.

    Raises
    ------
    TypeError
        If the numbers are not whole (floating point), with the way out.
    ValueError
        If there are not 2 or 3 axes, or some label is negative.
    """
    image = np.ascontiguousarray(labels)
    if image.dtype == np.bool_:
        image = image.view(np.uint8)
    if image.dtype.kind not in "ui":
        raise TypeError(
            f"labels must be whole numbers; got {image.dtype}: convert with labels.astype('uint32')"
        )
    if image.ndim not in (2, 3):
        raise ValueError(
            f"labels must have 2 or 3 axes, (Y, X) or (Z, Y, X); got the shape {image.shape}. "
            f"Name the time axis of a series with time_axis"
        )
    if image.dtype.kind == "i" and image.size and int(image.min()) < 0:
        raise ValueError(f"labels must not be negative; got {int(image.min())}")
    return image


def checked_spacing(spacing: Sequence[float] | None, ndim: int) -> Values:
    """Return one positive number per axis; ones for None.

    Raises
    ------
    ValueError
        If the length is not ``ndim`` or a number is not positive and finite.
    """
    if spacing is None:
        return np.ones(ndim)
    numbers = np.asarray(spacing, np.float64)
    if numbers.shape != (ndim,) or not np.all(np.isfinite(numbers)) or np.any(numbers <= 0):
        raise ValueError(
            f"spacing must be {ndim} positive numbers, one per axis of the labels; got {spacing!r}"
        )
    return numbers


def _find_runs(image: NDArray[Any]) -> tuple[NDArray[Any], Indices, Indices]:
    """Label, first flat index and length of every run of foreground."""
    width = image.shape[-1]
    rows = image.reshape(-1, width) if image.size else image.reshape(0, 1)
    step = max(1, 4 * _PIXELS_AT_ONCE // max(width, 1))
    parts = [_runs_of_rows(rows[at : at + step], at * width) for at in range(0, len(rows), step)]
    if not parts:
        return image.reshape(-1), np.zeros(0, np.int64), np.zeros(0, np.int64)
    label, start, length = (np.concatenate(part) for part in zip(*parts, strict=True))
    return label, start, length


def _runs_of_rows(rows: NDArray[Any], offset: int) -> tuple[NDArray[Any], Indices, Indices]:
    flat = rows.reshape(-1)
    begins = np.empty(len(flat), np.bool_)
    np.not_equal(flat[1:], flat[:-1], out=begins[1:])
    begins[:: rows.shape[1]] = True
    start = np.flatnonzero(begins)
    length = np.diff(start, append=len(flat))
    label = flat[start]
    kept = label != 0
    return label[kept], start[kept] + offset, length[kept]
