"""Look into an image: where a model is unsure, and what a feature shows. Generators over values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.interaction.orders import ViewOrder, result_index
from napari_spinney.interaction.tasks import plainly

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_spinney.session import TrainedModel

NEIGHBOURHOOD = 15
"""Pixels over which doubt is averaged."""


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
        part = doubt[result_index(view, view.box)]
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
        index = result_index(view, view.box)
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
