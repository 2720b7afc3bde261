"""What work on an image is ordered with and what it tells: values that all such work shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

from napari_spinney.compute.kept import KeptFeatures
from napari_spinney.interaction.tasks import Problem
from napari_spinney.pace import Pace, Setting

if TYPE_CHECKING:
    from napari_spinney.interaction.predicting import PredictOrder
    from napari_spinney.session import ImageEntry, TrainedModel

Slices: TypeAlias = tuple[slice, ...]

TELL_EVERY = 0.1
"""Seconds between two messages to the screen: each has the window drawn anew, which takes processor
time from the answer where there is no GPU."""


@dataclass(frozen=True, slots=True)
class Region:
    """Part of the result that was written, as an index into it; coarse ones are a guess."""

    index: tuple[int | slice, ...]
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


def paced(model: TrainedModel, order: ViewOrder | PredictOrder, pace: Pace) -> Paced:
    """Say how long a megapixel took with a model, on an image."""
    setting = Setting.of(
        model.classifier, order.entry, device=order.device, use_spacing=order.use_spacing
    )
    return Paced(setting, pace.per_megapixel)


def around(indices: list[tuple[int | slice, ...]]) -> tuple[int | slice, ...]:
    """Smallest box that holds all of these."""
    box: list[int | slice] = []
    for parts in zip(*indices, strict=True):
        slices = [p if isinstance(p, slice) else slice(p, p + 1) for p in parts]
        box.append(slice(min(s.start for s in slices), max(s.stop for s in slices)))
    return tuple(box)


def result_index(view: ViewOrder, box: Slices) -> tuple[int | slice, ...]:
    """Where a box of the time point in view lies in the result."""
    spatial = iter(box)
    return tuple(
        view.time if name == "t" and view.time is not None else next(spatial)
        for name in view.entry.axes
        if name != "c"
    )


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
