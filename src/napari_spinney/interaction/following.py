"""Live work: train on a stroke, predict what is in view, then outwards. Generators over values."""

from __future__ import annotations

import itertools
import math
import time as clock
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from napari_spinney.compute.kept import KeptFeatures
from napari_spinney.interaction.tasks import Problem, TrainOrder, plainly, train_in_steps
from napari_spinney.origins import origin_of_order
from napari_spinney.pace import Pace, Setting
from napari_spinney.session import ImageEntry, TrainedModel

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

Slices: TypeAlias = tuple[slice, ...]

TILE = {2: (1024, 1024), 3: (64, 256, 256)}
"""What is predicted outwards of the view, piece by piece."""

FIRST_TREES = 15
"""Trees of the first, quick answer."""

NEIGHBOURHOOD = 15
"""Pixels over which doubt is averaged."""

TELL_EVERY = 0.1
"""Seconds between two messages to the screen: each has the window drawn anew, which takes processor
time from the answer where there is no GPU."""

COARSE_FROM = 4 * 2**20
"""Pixels in view from which a coarse answer is given first."""

COARSE_SIZE = 2**20
"""Pixels of a coarse answer, about."""


@dataclass(frozen=True, slots=True)
class Region:
    """Part of the result that was written, as an index into it; coarse ones are a guess."""

    index: tuple[int | slice, ...]
    coarse: bool = False


@dataclass(frozen=True, slots=True)
class ViewDone:
    """All that was in view is predicted, for now by the first trees only if ``coarse``."""

    coarse: bool = False


@dataclass(frozen=True, slots=True)
class Paced:
    """How long a megapixel took, in seconds, and with what; None if too little was predicted."""

    setting: Setting
    seconds: float | None


@dataclass(frozen=True, slots=True, eq=False)
class ViewOrder:
    """Where to predict.

    Parameters
    ----------
    entry : ImageEntry
        The image.
    box : tuple of slice
        What is in view, along the spatial axes.
    time : int or None
        The time point in view.
    out : array
        Written to; of the image's shape without channels.
    covered : set
        Tiles done for the model at hand; filled as work goes on.
    writing : Lock
        Held while ``out`` is written: work that was cancelled must not write after newer work.
    kept : KeptFeatures
        Features of what is in view, kept from one stroke to the next.
    """

    entry: ImageEntry
    box: Slices
    time: int | None
    out: Any
    device: str | None = None
    use_spacing: bool = False
    covered: set[tuple[Any, ...]] = field(default_factory=set)
    writing: Lock = field(default_factory=Lock)
    kept: KeptFeatures = field(default_factory=KeptFeatures)


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
            yield from _merged(_regions(model, view, view.box, kept=view.kept), coarse=True)
            yield ViewDone(coarse=True)


def outwards(model: TrainedModel, view: ViewOrder) -> Generator[Step, None, None]:
    """Predict the view, then the rest of the image, nearest first; tell how long it took."""
    pace = Pace()
    with plainly("predicting"), view.writing:
        if _size(view.box) > COARSE_FROM and view.entry.ndim == 2:
            yield from _coarse(model, view)
        yield from _merged(_regions(model, view, view.box, kept=view.kept))
        yield ViewDone()
        for tile in tiles_outwards(view.entry.spatial_shape, view.box):
            key = tile_key(view, tile)
            if key in view.covered:
                continue
            if not _inside(tile, view.box):
                yield from _merged(_regions(model, view, tile, pace))
            view.covered.add(key)
        if pace.per_megapixel is None:  # all was in view, where features are kept: time some anew
            for _ in _regions(model, view, _part(view.box), pace):
                yield None
        yield _paced(model, view, pace)


def _part(box: Slices) -> Slices:
    """The corner of a box: up to half a tile along each axis."""
    sizes = (n // 2 for n in TILE[len(box)])
    return tuple(slice(s.start, min(s.stop, s.start + n)) for s, n in zip(box, sizes, strict=True))


def _paced(model: TrainedModel, order: ViewOrder | PredictOrder, pace: Pace) -> Paced:
    setting = Setting.of(
        model.classifier, order.entry, device=order.device, use_spacing=order.use_spacing
    )
    return Paced(setting, pace.per_megapixel)


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
) -> Generator[Step, None, None]:
    """Tell of what was written a few times a second, as one box around it."""
    pending: list[tuple[int | slice, ...]] = []
    last = clock.perf_counter()
    for index in regions:
        pending.append(index)
        now = clock.perf_counter()
        if now - last > TELL_EVERY:
            yield Region(_around(pending), coarse)
            pending, last = [], clock.perf_counter()
    if pending:
        yield Region(_around(pending), coarse)


def _around(indices: list[tuple[int | slice, ...]]) -> tuple[int | slice, ...]:
    """Smallest box that holds all of these."""
    box: list[int | slice] = []
    for parts in zip(*indices, strict=True):
        slices = [p if isinstance(p, slice) else slice(p, p + 1) for p in parts]
        box.append(slice(min(s.start for s in slices), max(s.stop for s in slices)))
    return tuple(box)


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
    target = _result_index(view, view.box)
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


def _result_index(view: ViewOrder, box: Slices) -> tuple[int | slice, ...]:
    spatial = iter(box)
    return tuple(
        view.time if name == "t" and view.time is not None else next(spatial)
        for name in view.entry.axes
        if name != "c"
    )


def _size(box: Slices) -> int:
    return math.prod(s.stop - s.start for s in box)


def _inside(tile: Slices, box: Slices) -> bool:
    return all(b.start <= t.start and t.stop <= b.stop for t, b in zip(tile, box, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class PredictOrder:
    """One result to make of one image.

    Parameters
    ----------
    what : {"classes", "probability", "uncertainty", "objects"}
        Probabilities are those of ``target``; objects are made of it.
    region, time : tuple of slice, int or None
        Only this part and this time point; all unless given.
    split, min_size, clear_border
        How objects are made, see `ObjectSegmenter`.
    origin : dict, optional
        What made the result, once it is made.
    """

    model: TrainedModel
    entry: ImageEntry
    what: str
    out: Any
    target: int | None = None
    region: Slices | None = None
    time: int | None = None
    device: str | None = None
    use_spacing: bool = False
    split: bool = True
    min_size: int = 0
    clear_border: bool = False
    writing: Lock = field(default_factory=Lock)
    origin: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """How far a prediction is: blocks done and in all, and what was written since."""

    done: int
    total: int
    region: Region | None


def predicting(order: PredictOrder) -> Generator[Share | Paced, None, PredictOrder]:
    """Make one result, block by block; tell how long it took."""
    pace = Pace()
    with plainly("predicting"), order.writing:
        check_channels(order.model, order.entry)
        made = _classes_for(order) if order.what == "objects" else order.out
        steps = order.model.classifier.iter_predict(
            order.entry.data,
            "classes" if order.what == "objects" else order.what,
            out=made,
            region=order.region,
            times=None if order.time is None else [order.time],
            target_class=order.target if order.what == "probability" else None,
            channel_axis=order.entry.channel_axis,
            time_axis=order.entry.time_axis,
            spacing=order.entry.spacing if order.use_spacing else None,
            device=order.device,
        )
        pending: list[tuple[int | slice, ...]] = []
        last = clock.perf_counter()
        for progress in pace.over(steps):
            pending.append(progress.index)
            if clock.perf_counter() - last > TELL_EVERY or progress.done == progress.total:
                region = None if order.what == "objects" else Region(_around(pending))
                yield Share(progress.done, progress.total, region)
                pending, last = [], clock.perf_counter()
        yield _paced(order.model, order, pace)
        if order.what == "objects":
            _make_objects(order, made)
        return replace(order, origin=origin_of_order(order))


def check_channels(model: TrainedModel, entry: ImageEntry) -> None:
    """Raise a `Problem` that asks for channels if an image does not fit a model."""
    state = model.classifier.state_
    if state.ndim is not None and state.ndim != entry.ndim:
        raise Problem(
            f"The model was made for {state.ndim}D images; {entry.name} is {entry.ndim}D (axes "
            f"{entry.axes}). Choose what its axes are under Train, or open another model."
        )
    if state.n_channels != entry.n_channels:
        raise Problem(
            f"The model expects {state.n_channels} channel(s), {entry.name} has "
            f"{entry.n_channels}: which one is it? Choose the channels under Train."
        )


def _classes_for(order: PredictOrder) -> Any:
    return np.zeros(order.out.shape, order.model.classifier.program().labels.dtype)


def _make_objects(order: PredictOrder, classes: Any) -> None:
    from napari_spinney.classifiers.segmentation import segment_objects

    entry = order.entry
    letters = entry.axes.replace("c", "")
    times: list[int | None] = [None]
    if entry.time_axis is not None:
        times = (
            [order.time]
            if order.time is not None
            else list(range(order.out.shape[letters.index("t")]))
        )
    for time in times:
        index = tuple(time if name == "t" else slice(None) for name in letters)
        order.out[index] = segment_objects(
            classes[index] == order.target,
            split="watershed" if order.split else None,
            min_size=order.min_size,
            clear_border=order.clear_border,
            spacing=entry.spacing,
        )


def doubting(
    model: TrainedModel, view: ViewOrder, visited: tuple[tuple[int, ...], ...]
) -> Generator[None, None, tuple[int, ...] | None]:
    """Find the least sure place of a box, averaged over a neighbourhood, away from those visited.

    Returns
    -------
    tuple of int or None
        Position along the spatial axes; None if all of it was visited.
    """
    from scipy import ndimage

    with plainly("looking for unsure places"):
        entry = view.entry
        doubt = np.zeros(entry.annotation_shape, np.float32)
        steps = model.classifier.iter_predict(
            entry.data,
            "uncertainty",
            out=doubt,
            region=view.box,
            times=None if view.time is None else [view.time],
            channel_axis=entry.channel_axis,
            time_axis=entry.time_axis,
            spacing=entry.spacing if view.use_spacing else None,
            device=view.device,
        )
        for _ in steps:
            yield
        part = doubt[_result_index(view, view.box)]
        smooth = ndimage.uniform_filter(part, [min(n, NEIGHBOURHOOD) for n in part.shape])
        yield
        for place in visited:
            near = tuple(
                slice(max(0, p - b.start - 2 * NEIGHBOURHOOD), p - b.start + 2 * NEIGHBOURHOOD)
                for p, b in zip(place, view.box, strict=True)
            )
            smooth[near] = -1
        at = np.unravel_index(int(np.argmax(smooth)), smooth.shape)
        if smooth[at] <= 0:
            return None
        return tuple(int(i) + b.start for i, b in zip(at, view.box, strict=True))


def measuring(
    feature: str, view: ViewOrder
) -> Generator[None, None, tuple[Any, tuple[int | slice, ...]]]:
    """Measure one feature (all its members: the first) in a box.

    Returns
    -------
    values, index : array of float32, tuple
        The values, with one axis per axis of the image without channels, and where they lie.
    """
    from napari_spinney.compute.blocks import Block
    from napari_spinney.compute.run import clip_reach, executor_that_can
    from napari_spinney.compute.source import ImageSource

    yield
    with plainly(f"measuring {feature}"):
        entry = view.entry
        plan, column = _plan_for(feature, view)
        plan = plan.keep([column])
        source = ImageSource.of(
            entry.data, channel_axis=entry.channel_axis, time_axis=entry.time_axis
        )
        block = Block.around(view.box, source.shape, clip_reach(plan.reach, source.shape))
        executor = executor_that_can((plan,), view.device)
        planes = executor.features(plan, source.read(view.time or 0, block.outer), block.inner)
        index = _result_index(view, view.box)
        shape = [1 if isinstance(i, int) else i.stop - i.start for i in index]
        return planes[0].reshape(shape), index


def _plan_for(feature: str, view: ViewOrder) -> tuple[Any, int]:
    """A plan that holds this column, and its position."""
    from napari_spinney.features.feature import FeatureSet
    from napari_spinney.features.plan import build_plan

    entry = view.entry
    word, _, channel = feature.rpartition("_")
    if not (word and channel.isdigit() and int(channel) < entry.n_channels):
        word = feature
    plan = build_plan(
        FeatureSet.parse(word),
        ndim=entry.ndim,
        n_channels=entry.n_channels,
        spacing=entry.spacing if view.use_spacing else None,
    )
    return plan, plan.names.index(feature) if feature in plan.names else 0
