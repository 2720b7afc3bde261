"""Features under the strokes: rows for training, computed only where somebody painted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.compute.blocks import BUDGET, Block, Slices, fit_lanes
from napari_spinney.compute.run import clip_reach, in_flight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_spinney.compute.program import Executor
    from napari_spinney.compute.source import ImageSource
    from napari_spinney.features.plan import Plan

TILE = {2: (256, 256), 3: (48, 64, 64)}
"""Strokes are gathered tile by tile; a tile is cut down to the box of the pixels in it."""


class RowCache:
    """Rows of one image computed before, so that a further stroke costs only its own pixels.

    Whoever holds a cache must drop it when the pixels of the image change: it cannot see that.
    """

    def __init__(self) -> None:
        self._plan: Plan | None = None
        self._position: NDArray[np.int64] = np.empty(0, np.int64)
        self._rows: NDArray[np.float32] = np.empty((0, 0), np.float32)

    def known(self, plan: Plan, position: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these positions are held for this very plan."""
        if self._plan != plan or not len(self._position):
            return np.zeros(len(position), bool)
        at = np.searchsorted(self._position, position).clip(max=len(self._position) - 1)
        return np.asarray(self._position[at] == position)

    def rows(self, position: NDArray[np.int64]) -> NDArray[np.float32]:
        """Rows of positions that are all known."""
        return self._rows[np.searchsorted(self._position, position)]

    def keep(self, plan: Plan, position: NDArray[np.int64], rows: NDArray[np.float32]) -> None:
        """Hold these rows, in place of all others; ``position`` rises."""
        self._plan, self._position, self._rows = plan, position, rows


@dataclass(frozen=True, slots=True, eq=False)
class _Tile:
    """Rows of the result that one block gives: ``rows[k]`` is pixel ``inner_index[k]``."""

    time: int
    block: Block
    rows: NDArray[np.intp]
    pixel: tuple[NDArray[np.intp], ...]


def gather_rows(
    source: ImageSource,
    position: NDArray[np.int64],
    plan: Plan,
    executor: Executor,
    cache: RowCache | None = None,
) -> NDArray[np.float32]:
    """Features of single pixels.

    Parameters
    ----------
    source : ImageSource
        The image.
    position : (n,) int64
        Flat indices into an array of ``source.result_shape``, rising.
    plan : Plan
        The features.
    executor : Executor
        Where they are computed.
    cache : RowCache, optional
        Rows known from before; holds all rows of this call afterwards.

    Returns
    -------
    (n, n_features) float32
        The same bits that prediction computes for these pixels.
    """
    if cache is None:
        return _compute_rows(source, position, plan, executor)
    known = cache.known(plan, position)
    rows = np.empty((len(position), len(plan.outputs)), np.float32)
    if known.any():
        rows[known] = cache.rows(position[known])
    if not known.all():
        rows[~known] = _compute_rows(source, position[~known], plan, executor)
    cache.keep(plan, position, rows)
    return rows


def _compute_rows(
    source: ImageSource, position: NDArray[np.int64], plan: Plan, executor: Executor
) -> NDArray[np.float32]:
    result = np.empty((len(position), len(plan.outputs)), np.float32)

    def work(tile: _Tile) -> None:
        block = source.read(tile.time, tile.block.outer)
        planes = executor.features(plan, block, tile.block.inner)
        index: tuple[Any, ...] = (slice(None), *tile.pixel)
        result[tile.rows] = planes[index].T

    tiles, lanes = _tiles(source, position, plan, executor)
    for _ in in_flight(work, tiles, lanes):
        pass
    return result


def _tiles(
    source: ImageSource, position: NDArray[np.int64], plan: Plan, executor: Executor
) -> tuple[list[_Tile], int]:
    """Tiles that hold all positions, and how many of them to have in flight."""
    reach = clip_reach(plan.reach, source.shape)
    tile, lanes = fit_lanes(
        source.shape,
        TILE[source.ndim],
        reach,
        lambda outer: executor.block_bytes(plan, outer),
        BUDGET,
        executor.parallel,
    )
    return list(_cut_up(source, position, tile, reach)), lanes


def _cut_up(
    source: ImageSource,
    position: NDArray[np.int64],
    tile: tuple[int, ...],
    reach: tuple[int, ...],
) -> Iterator[_Tile]:
    time, pixel = _unravel(source, position)
    keys = [time, *(p // t for p, t in zip(pixel, tile, strict=True))]
    order = np.lexsort(keys[::-1])
    changes = np.any([np.diff(key[order]) != 0 for key in keys], axis=0)
    for rows in np.split(order, np.flatnonzero(changes) + 1):
        if not len(rows):
            continue
        target = _box([p[rows] for p in pixel])
        block = Block.around(target, source.shape, reach)
        inside = tuple(p[rows] - t.start for p, t in zip(pixel, target, strict=True))
        yield _Tile(int(time[rows[0]]), block, rows, inside)


def _unravel(
    source: ImageSource, position: NDArray[np.int64]
) -> tuple[NDArray[np.intp], list[NDArray[np.intp]]]:
    """Time points and pixel coordinates of flat indices into the result."""
    index = list(np.unravel_index(position, source.result_shape))
    if source.time_axis is None:
        return np.zeros(len(position), np.intp), index
    before = source.channel_axis is not None and source.channel_axis < source.time_axis
    return index.pop(source.time_axis - before), index


def _box(pixel: list[NDArray[np.intp]]) -> Slices:
    return tuple(slice(int(p.min()), int(p.max()) + 1) for p in pixel)
