"""Make one result of one image, block by block. Generators over values."""

from __future__ import annotations

import time as clock
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.interaction.orders import (
    TELL_EVERY,
    Paced,
    Region,
    Slices,
    around,
    check_channels,
    paced,
)
from napari_spinney.interaction.tasks import plainly
from napari_spinney.origins import origin_of_order
from napari_spinney.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_spinney.session import ImageEntry, TrainedModel


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
                region = None if order.what == "objects" else Region(around(pending))
                yield Share(progress.done, progress.total, region)
                pending, last = [], clock.perf_counter()
        yield paced(order.model, order, pace)
        if order.what == "objects":
            _make_objects(order, made)
        return replace(order, origin=origin_of_order(order))


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
