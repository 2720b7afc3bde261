"""From one example after the other to the rows that a forest learns from."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.classifiers.examples import table_of_one
from napari_spinney.compute.run import executor_that_can
from napari_spinney.features.plan import Plan, build_plan
from napari_spinney.versions import installed_versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_spinney.classifiers.base import ModelState
    from napari_spinney.classifiers.examples import Example
    from napari_spinney.classifiers.pixels import DeviceLike
    from napari_spinney.compute.device import Device
    from napari_spinney.compute.program import Executor
    from napari_spinney.compute.source import ImageSource
    from napari_spinney.features.feature import FeatureSet
    from napari_spinney.forest.table import TrainingTable


@dataclass(frozen=True, slots=True)
class _Alike:
    """What images learnt together share."""

    ndim: int
    n_channels: int
    channel_axis: int | None
    time_axis: int | None


class Lesson:
    """From one example after the other to rows: checks, plans, and what is to be remembered.

    Parameters
    ----------
    features : FeatureSet
        What is measured.
    spacing : sequence of float, optional
        Micrometres per pixel of examples that do not say it.
    device : str or Device, optional
        Where it is computed.
    previous : ModelState, optional
        What was learnt before.
    """

    def __init__(
        self,
        features: FeatureSet,
        spacing: Sequence[float] | None,
        device: DeviceLike,
        previous: ModelState | None,
    ) -> None:
        self.features = features
        self.lengths: list[int] = []
        self._asked = spacing
        self._device = device
        self._previous = previous
        self._alike: _Alike | None = None
        self._plans: dict[tuple[float, ...] | None, Plan] = {}
        self.spacing: tuple[float, ...] | None = None
        self._images: list[dict[str, Any]] = []

    @property
    def alike(self) -> _Alike:
        """What the images share.

        Raises
        ------
        ValueError
            If there was none.
        """
        if self._alike is None:
            raise ValueError("there is no image to learn from")
        return self._alike

    def rows_of(self, example: Example) -> TrainingTable:
        """Rows of every annotated pixel of the next image.

        Raises
        ------
        ValueError
            If it is not like those before it.
        """
        image = example.source.image
        self._check(example.source)
        if not self._images:
            self.spacing = self.spacing_of(example)
        plan = self.plan(self.spacing_of(example))
        table = table_of_one(example, plan, self.executor(plan))
        self._images.append({"shape": list(image.shape), "dtype": str(image.dtype)})
        self.lengths.append(len(table))
        return table

    def spacing_of(self, example: Example) -> tuple[float, ...] | None:
        """Micrometres per pixel of an example; those of the first where nobody says."""
        asked = self._asked if example.spacing is None else example.spacing
        return _spacing(asked, example.source.ndim, self._previous) or self.spacing

    def plan(self, spacing: tuple[float, ...] | None) -> Plan:
        """How features are computed of images with this spacing."""
        if spacing not in self._plans:
            self._plans[spacing] = build_plan(
                self.features,
                ndim=self.alike.ndim,
                n_channels=self.alike.n_channels,
                spacing=spacing,
            )
        return self._plans[spacing]

    def executor(self, plan: Plan) -> Executor:
        """Where a plan is computed."""
        return executor_that_can((plan,), self._device)

    def provenance(self) -> dict[str, Any]:
        """Versions, device, and the images learnt from, now and before."""
        device = self.executor(self.plan(self.spacing)).device
        return _provenance(self._images, device, self._previous)

    def _check(self, source: ImageSource) -> None:
        if self._alike is None:
            _check_previous(source, self.features, self._previous)
            self._alike = _Alike(
                source.ndim, source.n_channels, source.channel_axis, source.time_axis
            )
        first = self._alike
        if (source.ndim, source.n_channels) != (first.ndim, first.n_channels):
            raise ValueError(
                f"image 1 is {first.ndim}D with {first.n_channels} channel(s), image "
                f"{len(self._images) + 1} is {source.ndim}D with {source.n_channels}: images "
                "learnt together must be alike"
            )


def _spacing(
    spacing: Sequence[float] | None, ndim: int, previous: ModelState | None
) -> tuple[float, ...] | None:
    if spacing is None:
        return None if previous is None else previous.spacing
    values = tuple(float(s) for s in spacing)
    if len(values) != ndim or not all(np.isfinite(s) and s > 0 for s in values):
        raise ValueError(
            f"spacing={tuple(spacing)} must be {ndim} positive numbers, micrometres per pixel "
            "along each spatial axis"
        )
    return values


def _check_previous(source: ImageSource, features: FeatureSet, previous: ModelState | None) -> None:
    """An image must be like those learnt from before."""
    if previous is None:
        return
    if (previous.ndim, previous.n_channels) != (source.ndim, source.n_channels):
        raise ValueError(
            f"the model was trained on {previous.ndim}D images with {previous.n_channels} "
            f"channel(s); this image is {source.ndim}D with {source.n_channels}"
        )
    if previous.stages[0].features != str(features):
        raise ValueError(
            f"the model was trained with the features {previous.stages[0].features!r}; "
            f"{str(features)!r} differ: strokes can only be added to the same features"
        )


def _provenance(
    images: list[dict[str, Any]], device: Device, previous: ModelState | None
) -> dict[str, Any]:
    before = [] if previous is None else list(previous.provenance.get("images", []))
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": installed_versions("napari-spinney", "numpy", "scikit-learn"),
        "device": {k: v for k, v in asdict(device).items() if k in ("name", "type", "platform")},
        "images": before + images,
    }
