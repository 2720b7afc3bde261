"""From images and strokes to a trained state."""

from __future__ import annotations

import datetime
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.classifiers.base import ModelState, StageState
from napari_spinney.compute.run import executor_that_can
from napari_spinney.compute.source import ImageSource
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import Plan, build_plan
from napari_spinney.forest.annotation import painted_positions
from napari_spinney.forest.rows import RowCache, gather_rows
from napari_spinney.forest.training import (
    TrainingTable,
    check_annotation,
    grow_forest,
    strokes_at,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from napari_spinney.classifiers.pixels import DeviceLike, PixelClassifier
    from napari_spinney.compute.program import Executor


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """An image and what was painted on it.

    Parameters
    ----------
    source : ImageSource
        The image.
    annotation : array of unsigned int
        Of the shape ``source.result_shape``; 0 where nothing is annotated.
    cache : RowCache or None
        Rows computed before.
    """

    source: ImageSource
    annotation: NDArray[np.unsignedinteger]
    cache: RowCache | None = None


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
        _example(*example, channel_axis, time_axis)
        for example in zip(images, annotations, rows, strict=True)
    ]


def _example(
    image: Any,
    annotation: Any,
    cache: RowCache | None,
    channel_axis: int | None,
    time_axis: int | None,
) -> Example:
    values = check_annotation(annotation)
    shape = np.shape(image) if not hasattr(image, "shape") else tuple(image.shape)
    rgb = channel_axis is None and time_axis is None and shape[-1:] in ((3,), (4,))
    if rgb and shape[:-1] == values.shape:
        raise ValueError(
            f"the image has shape {shape} and the annotation {values.shape}: if the last axis "
            f"holds {shape[-1]} colours or channels, say channel_axis=-1"
        )
    source = ImageSource.of(image, channel_axis=channel_axis, time_axis=time_axis)
    if values.shape != source.result_shape:
        raise ValueError(
            f"the annotation has shape {values.shape}, but the image, without its channels, has "
            f"{source.result_shape}: they must be the same"
        )
    return Example(source, values, cache)


def iter_train(
    classifier: PixelClassifier,
    examples: Sequence[Example],
    *,
    spacing: Sequence[float] | None,
    device: DeviceLike,
    previous: ModelState | None,
    steps: tuple[int, ...] = (),
) -> Iterator[ModelState]:
    """Train a forest (or two, for autocontext) and say what was learnt, first by its first trees.

    Parameters
    ----------
    previous : ModelState, optional
        What was learnt before and is kept: its rows are added to the new ones.
    steps : tuple of int
        Numbers of trees, rising, after which a state is yielded; the whole state comes last, and
        alone where there are two stages.

    Raises
    ------
    ValueError
        If images do not go together, nothing or one class is annotated, or the model cannot be
        added to.
    """
    if classifier.stages not in (1, 2):
        raise ValueError(f"stages={classifier.stages!r} must be 1 or 2")
    options = classifier.options
    features = FeatureSet.of(classifier.features)
    first = examples[0].source
    used = _spacing(spacing, first.ndim, previous)
    _check_alike(examples, features, previous)
    plan = build_plan(features, ndim=first.ndim, n_channels=first.n_channels, spacing=used)
    executor = executor_that_can((plan,), device)
    table = table_of(examples, plan, executor)
    if previous is not None:
        table = _kept(previous, 0).concat(table)
    provenance = _provenance(examples, executor, previous)
    for fitted in grow_forest(table, options, steps=steps if classifier.stages == 1 else ()):
        stage = StageState(str(features), plan.names, fitted.forest, fitted.importances, table)
        stages = [stage]
        if classifier.stages == 2:
            from napari_spinney.classifiers.autocontext import second_stage

            before = None if previous is None else _kept(previous, 1)
            stages.append(
                second_stage(stage, examples, plan, features, used, executor, options, before)
            )
        yield _state(classifier, first, stages, used, provenance)


def _state(
    classifier: PixelClassifier,
    source: ImageSource,
    stages: Sequence[StageState],
    spacing: tuple[float, ...] | None,
    provenance: dict[str, Any],
) -> ModelState:
    return ModelState(
        kind=type(classifier).__name__,
        parameters={k: v for k, v in classifier.get_params().items() if k != "features"},
        stages=tuple(stages),
        class_names=dict(classifier.class_names),
        class_colors=dict(classifier.class_colors),
        ndim=source.ndim,
        n_channels=source.n_channels,
        channel_axis=source.channel_axis,
        time_axis=source.time_axis,
        spacing=spacing,
        provenance=provenance,
    )


def table_of(examples: Sequence[Example], plan: Plan, executor: Executor) -> TrainingTable:
    """Rows of every annotated pixel of these images, as one table."""
    tables = [_table(example, plan, executor) for example in examples]
    result = tables[0]
    for table in tables[1:]:
        result = result.concat(table)
    return result


def _table(example: Example, plan: Plan, executor: Executor) -> TrainingTable:
    flat = example.annotation.ravel()
    position = painted_positions(flat)
    values = flat[position]
    strokes = strokes_at(position, values, example.annotation.shape, _time_axis(example.source))
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


def _kept(previous: ModelState, number: int) -> TrainingTable:
    table = previous.stages[number].table if number < len(previous.stages) else None
    if table is None:
        raise ValueError(
            "the model holds no training rows to add to (a .cl file has none, and a model of one "
            "stage has none for a second): fit it anew with all images"
        )
    return table


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


def _check_alike(
    examples: Sequence[Example], features: FeatureSet, previous: ModelState | None
) -> None:
    """All images, and what was learnt before, must have the same dimensions and channels."""
    first = examples[0].source
    for number, example in enumerate(examples[1:], 2):
        source = example.source
        if (source.ndim, source.n_channels) != (first.ndim, first.n_channels):
            raise ValueError(
                f"image 1 is {first.ndim}D with {first.n_channels} channel(s), image {number} is "
                f"{source.ndim}D with {source.n_channels}: images learnt together must be alike"
            )
    if previous is None:
        return
    if (previous.ndim, previous.n_channels) != (first.ndim, first.n_channels):
        raise ValueError(
            f"the model was trained on {previous.ndim}D images with {previous.n_channels} "
            f"channel(s); this image is {first.ndim}D with {first.n_channels}"
        )
    if previous.stages[0].features != str(features):
        raise ValueError(
            f"the model was trained with the features {previous.stages[0].features!r}; "
            f"{str(features)!r} differ: strokes can only be added to the same features"
        )


def _provenance(
    examples: Sequence[Example], executor: Executor, previous: ModelState | None
) -> dict[str, Any]:
    images = [] if previous is None else list(previous.provenance.get("images", []))
    images += [
        {"shape": list(e.source.image.shape), "dtype": str(e.source.image.dtype)} for e in examples
    ]
    device = executor.device
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": {
            "napari-spinney": version("napari-spinney"),
            "numpy": np.__version__,
            "python": platform.python_version(),
            "scikit-learn": version("scikit-learn"),
        },
        "device": {k: v for k, v in asdict(device).items() if k in ("name", "type", "platform")},
        "images": images,
    }
