"""Images and what was painted on them, as training takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.compute.source import ImageSource
from napari_spinney.forest.annotation import Painted, strokes_at
from napari_spinney.forest.rows import RowCache, gather_rows
from napari_spinney.forest.table import joined_tables
from napari_spinney.forest.training import TrainingTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_spinney.compute.program import Executor
    from napari_spinney.features.plan import Plan


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """An image and what was painted on it.

    Parameters
    ----------
    source : ImageSource
        The image.
    painted : Painted
        Of the shape ``source.result_shape``.
    cache : RowCache or None
        Rows computed before.
    spacing : sequence of float or None
        Micrometres per pixel, where they are this image's own.
    """

    source: ImageSource
    painted: Painted
    cache: RowCache | None = None
    spacing: Sequence[float] | None = None


def examples_of(
    image: Any,
    annotation: Any,
    *,
    channel_axis: int | None = None,
    time_axis: int | None = None,
    caches: Sequence[RowCache] | None = None,
) -> list[Example]:
    """Pair images and annotations, each checked.

    Raises
    ------
    ValueError
        If there are not as many annotations as images, or a pair differs in shape.
    """
    several = isinstance(image, (list, tuple)) and all(hasattr(i, "shape") for i in image)
    images = list(image) if several else [image]
    annotations = list(annotation) if several else [annotation]
    if not images:
        raise ValueError("there is no image to learn from: the list of images is empty")
    if len(images) != len(annotations):
        raise ValueError(
            f"every image needs its annotation: got {len(images)} image(s) and "
            f"{len(annotations)} annotation(s)"
        )
    if caches is not None and len(caches) != len(images):
        raise ValueError(f"got {len(caches)} cache(s) for {len(images)} image(s); one each")
    rows: Sequence[RowCache | None] = caches or [None] * len(images)
    return [
        example_of(picture, painted, cache, channel_axis=channel_axis, time_axis=time_axis)
        for picture, painted, cache in zip(images, annotations, rows, strict=True)
    ]


def example_of(
    image: Any,
    annotation: Any,
    cache: RowCache | None = None,
    *,
    channel_axis: int | None = None,
    time_axis: int | None = None,
    spacing: Sequence[float] | None = None,
) -> Example:
    """Check that an image and an annotation are a pair.

    Raises
    ------
    ValueError
        If their shapes differ, or the annotation holds no whole numbers.
    """
    painted = annotation if isinstance(annotation, Painted) else Painted.of(annotation)
    shape = np.shape(image) if not hasattr(image, "shape") else tuple(image.shape)
    rgb = channel_axis is None and time_axis is None and shape[-1:] in ((3,), (4,))
    if rgb and shape[:-1] == painted.shape:
        raise ValueError(
            f"the image has shape {shape} and the annotation {painted.shape}: if the last axis "
            f"holds {shape[-1]} colours or channels, say channel_axis=-1"
        )
    source = ImageSource.of(image, channel_axis=channel_axis, time_axis=time_axis)
    if painted.shape != source.result_shape:
        raise ValueError(
            f"the annotation has shape {painted.shape}, but the image, without its channels, has "
            f"{source.result_shape}: they must be the same"
        )
    return Example(source, painted, cache, spacing)


def table_of(examples: Sequence[Example], plan: Plan, executor: Executor) -> TrainingTable:
    """Rows of every annotated pixel of these images, as one table."""
    return joined_tables([table_of_one(example, plan, executor) for example in examples])


def table_of_one(example: Example, plan: Plan, executor: Executor) -> TrainingTable:
    """Rows of every annotated pixel of one image."""
    painted = example.painted
    position, values = painted.position, painted.values
    strokes = strokes_at(position, values, painted.shape, _time_axis(example.source))
    rows = gather_rows(example.source, position, plan, executor, example.cache)
    return TrainingTable(
        X=rows,
        y=values.astype(np.uint32),
        stroke=strokes,
        image=np.zeros(len(position), np.int32),
        position=position,
        names=plan.names,
    )


def _time_axis(source: ImageSource) -> int | None:
    """Position of the time axis in a result, which has no channels."""
    if source.time_axis is None:
        return None
    before = source.channel_axis is not None and source.channel_axis < source.time_axis
    return source.time_axis - before
