"""Live work: train on a stroke, predict what is in view, then outwards. Generators over values."""

from __future__ import annotations

import itertools
import math
import time as clock
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from napari_spinney.interaction.orders import (
    TELL_EVERY,
    Paced,
    Region,
    Slices,
    ViewOrder,
    around,
    paced,
    result_index,
)
from napari_spinney.interaction.tasks import TrainOrder, plainly, train_in_steps
from napari_spinney.pace import Pace
from napari_spinney.session import TrainedModel

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from napari_spinney.compute.kept import KeptFeatures

TILE = {2: (1024, 1024), 3: (64, 256, 256)}
"""What is predicted outwards of the view, piece by piece."""

FIRST_TREES = 10
"""Trees of the first, quick answer."""

COARSE_FROM = 4 * 2**20
"""Pixels in view from which a coarse answer is given first."""

COARSE_SIZE = 2**20
"""Pixels of a coarse answer, about."""


@dataclass(frozen=True, slots=True)
class ViewDone:
    """All that was in view is predicted, for now by the first trees only if ``coarse``.

    ``region`` was written last; it is told of here, so that no drawing comes between the two.
    """

    coarse: bool = False
    region: Region | None = None


Step: TypeAlias = TrainedModel | Region | ViewDone | Paced | None


def follow(order: TrainOrder, view: ViewOrder) -> Generator[Step, None, None]:
    """Train, then predict from the view outwards; yields the model, then what was written.

    The first answer comes from the first trees of the forest, so that it comes soon.
    """
    yield None
    n_trees = order.recipe.n_trees
    for model in train_in_steps(order, (FIRST_TREES,) if n_trees > 2 * FIRST_TREES else ()):
        yield None
        if model.classifier.forest_.n_trees == n_trees:
            yield model
            yield from outwards(model, view)
            return
        with plainly("predicting"), view.writing:
            regions = _regions(model, view, view.box, kept=view.kept)
            yield ViewDone(coarse=True, region=(yield from _merged(regions, coarse=True)))


def outwards(model: TrainedModel, view: ViewOrder) -> Generator[Step, None, None]:
    """Predict the view, then the rest of the image, nearest first; tell how long it took."""
    pace = Pace()
    with plainly("predicting"), view.writing:
        if _size(view.box) > COARSE_FROM and view.entry.ndim == 2:
            yield from _coarse(model, view)
        yield ViewDone(region=(yield from _merged(_regions(model, view, view.box, kept=view.kept))))
        for tile in tiles_outwards(view.entry.spatial_shape, view.box):
            key = tile_key(view, tile)
            if key in view.covered:
                continue
            if not _inside(tile, view.box):
                yield (yield from _merged(_regions(model, view, tile, pace)))
            view.covered.add(key)
        if pace.per_megapixel is None:  # all was in view, where features are kept: time some anew
            for _ in _regions(model, view, _part(view.box), pace):
                yield None
        yield paced(model, view, pace)


def _part(box: Slices) -> Slices:
    """The corner of a box: up to half a tile along each axis."""
    sizes = (n // 2 for n in TILE[len(box)])
    return tuple(slice(s.start, min(s.stop, s.start + n)) for s, n in zip(box, sizes, strict=True))


def tile_key(view: ViewOrder, tile: Slices) -> tuple[Any, ...]:
    """Under what a tile of a time point is noted as done."""
    return (view.time, *((s.start, s.stop) for s in tile))


def tiles_outwards(shape: tuple[int, ...], box: Slices) -> list[Slices]:
    """Tiles that cover an image, those nearest to the middle of ``box`` first."""
    sizes = TILE[len(shape)]
    middle = [(s.start + s.stop) / 2 for s in box]
    edges = [
        [slice(a, min(a + size, n)) for a in range(0, n, size)]
        for n, size in zip(shape, sizes, strict=True)
    ]

    def distance(tile: Slices) -> float:
        return math.hypot(*((t.start + t.stop) / 2 - m for t, m in zip(tile, middle, strict=True)))

    return sorted(itertools.product(*edges), key=distance)


def _regions(
    model: TrainedModel,
    view: ViewOrder,
    region: Slices,
    pace: Pace | None = None,
    kept: KeptFeatures | None = None,
) -> Iterator[tuple[int | slice, ...]]:
    entry = view.entry
    steps = model.classifier.iter_predict(
        entry.data,
        out=view.out,
        region=region,
        times=None if view.time is None else [view.time],
        channel_axis=entry.channel_axis,
        time_axis=entry.time_axis,
        spacing=entry.spacing if view.use_spacing else None,
        device=view.device,
        kept=kept,
    )
    for progress in steps if pace is None else pace.over(steps):
        yield progress.index


def _merged(
    regions: Iterator[tuple[int | slice, ...]], *, coarse: bool = False
) -> Generator[Step, None, Region | None]:
    """Tell of what was written a few times a second, as one box around it; return the last one."""
    pending: list[tuple[int | slice, ...]] = []
    last = clock.perf_counter()
    for index in regions:
        pending.append(index)
        now = clock.perf_counter()
        if now - last > TELL_EVERY:
            yield Region(around(pending), coarse)
            pending, last = [], clock.perf_counter()
    return Region(around(pending), coarse) if pending else None


def _coarse(model: TrainedModel, view: ViewOrder) -> Generator[Step, None, None]:
    """Predict every n-th pixel with sizes n times smaller, shown as blocks of n pixels: a guess.

    Left out where the features cannot be made that small.
    """
    entry = view.entry
    step = math.ceil(math.sqrt(_size(view.box) / COARSE_SIZE))
    spatial = [a for a, name in enumerate(entry.axes) if name not in "ct"]
    index: list[Any] = [slice(None)] * len(entry.axes)
    for axis, part in zip(spatial, view.box, strict=True):
        index[axis] = slice(part.start, part.stop, step)
    if entry.time_axis is not None:
        index[entry.time_axis] = view.time
    shrunk = _shrunk(model, step)
    if shrunk is None:
        return
    channel = entry.channel_axis
    if channel is not None and entry.time_axis is not None and channel > entry.time_axis:
        channel -= 1
    small = shrunk.predict(
        np.asarray(entry.data[tuple(index)]), channel_axis=channel, device=view.device
    )
    shape = [s.stop - s.start for s in view.box]
    full = np.repeat(np.repeat(small, step, 0), step, 1)[: shape[0], : shape[1]]
    target = result_index(view, view.box)
    view.out[target] = full
    yield Region(tuple(slice(i, i + 1) if isinstance(i, int) else i for i in target), coarse=True)


def _shrunk(model: TrainedModel, step: int) -> Any:
    """The same forest on features whose sizes in pixels are ``step`` times smaller."""
    from napari_spinney.features.feature import FeatureSet

    state = model.classifier.state_
    if len(state.stages) > 1:
        return None
    features = FeatureSet.parse(state.stages[0].features)
    smaller = tuple(
        replace(f, number=tuple(n / step for n in f.number)) if f.unit == "pixel" else f
        for f in features
    )
    try:
        stage = replace(state.stages[0], features=str(FeatureSet(smaller)))
        return type(model.classifier).from_state(replace(state, stages=(stage,)))
    except ValueError:
        return None


def _size(box: Slices) -> int:
    return math.prod(s.stop - s.start for s in box)


def _inside(tile: Slices, box: Slices) -> bool:
    return all(b.start <= t.start and t.stop <= b.stop for t, b in zip(tile, box, strict=True))
