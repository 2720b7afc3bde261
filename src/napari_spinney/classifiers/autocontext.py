"""The second stage of a pixel classifier: it also sees what the first stage found around a pixel.

After Tu and Bai, "Auto-context and its application to high-level vision tasks", IEEE Transactions
on Pattern Analysis and Machine Intelligence 32 (2010). The probabilities that the second forest
learns from are those of forests that did not see the pixel's own stroke: otherwise it would learn
to trust a first stage that has learnt its strokes by heart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_spinney.classifiers.base import StageState
from napari_spinney.compute.blocks import Block, Slices
from napari_spinney.compute.program import Executor, Program, Stage
from napari_spinney.compute.run import clip_reach
from napari_spinney.compute.source import ImageSource
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import Plan, build_plan, join_plans
from napari_spinney.forest.folds import make_folds
from napari_spinney.forest.rows import gather_rows
from napari_spinney.forest.training import TrainingTable, fit_forest
from napari_spinney.forest.validation import fold_forests

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from napari_spinney.classifiers.examples import Example
    from napari_spinney.classifiers.lesson import Lesson
    from napari_spinney.forest.forest import Forest
    from napari_spinney.forest.training import ForestOptions

CONTEXT = "original gaussian_blur=2 gaussian_blur=4 gaussian_blur=8"
"""What the second stage measures on each probability map of the first."""

FOLDS = 3
"""Forests of the first stage that are trained to give probabilities out of sample."""


def second_plan(
    image_features: FeatureSet,
    context: FeatureSet,
    ndim: int,
    n_channels: int,
    n_classes: int,
    spacing: tuple[float, ...] | None,
) -> Plan:
    """Features of the second stage: those of the image, then those of the probability maps.

    The channels are those of the image and then the probability of each class.
    """
    image = build_plan(image_features, ndim=ndim, n_channels=n_channels, spacing=spacing)
    maps = build_plan(context, ndim=ndim, n_channels=n_classes, spacing=spacing)
    named = replace(maps, names=tuple(f"context {name}" for name in maps.names))
    return join_plans(image, named)


@dataclass(frozen=True, slots=True, eq=False)
class _WithContext(ImageSource):
    """An image whose further channels are the probabilities that a first stage gives."""

    executor: Executor | None = None
    program: Program | None = None

    def read(self, time: int, outer: Slices) -> NDArray[np.float32]:
        if self.executor is None or self.program is None:
            raise TypeError("a source with context needs an executor and a program")
        reach = clip_reach(self.program.reach, self.shape)
        block = Block.around(outer, self.shape, reach)
        image = ImageSource.read(self, time, block.outer)
        maps = self.executor.predict(self.program, image, block.inner, "probabilities")
        channels = np.concatenate([image[(slice(None), *block.inner)], maps])
        return np.ascontiguousarray(channels, dtype=np.float32)


def second_stage(
    first: StageState,
    examples: Iterable[Example],
    lesson: Lesson,
    options: ForestOptions,
    previous: TrainingTable | None = None,
) -> StageState:
    """Train the second stage.

    Parameters
    ----------
    first : StageState
        The first stage, trained on all strokes; its table ends with the rows of ``examples``.
    examples : iterable of Example
        The images that are new, once more.
    lesson : Lesson
        That gave the rows of ``examples`` for the first stage.
    options : ForestOptions
        How forests are grown.
    previous : TrainingTable, optional
        Rows of the second stage that were learnt before; they are kept as they are.
    """
    if first.table is None:
        raise ValueError("the first stage holds no training rows to learn a second stage from")
    folds = make_folds(first.table, FOLDS, seed=options.seed, single="cut")
    forests = list(fold_forests(first.table, options, folds))
    new = _parts(len(first.table), lesson.lengths)
    parts = [
        _rows_with_context(example, part, first, forests, lesson)
        for example, part in zip(examples, new, strict=True)
    ]
    X = np.concatenate([rows for rows, _ in parts])
    last = first.table.subset(np.arange(len(first.table)) >= new[0].start)
    table = replace(last, X=X, names=parts[0][1])
    if previous is not None:
        table = previous.concat(table)
    fitted = fit_forest(table, options)
    return StageState(
        str(FeatureSet.parse(CONTEXT)), table.names, fitted.forest, fitted.importances, table
    )


def _rows_with_context(
    example: Example,
    part: slice,
    first: StageState,
    forests: Sequence[tuple[NDArray[np.bool_], Forest]],
    lesson: Lesson,
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Rows of the second stage of one image, and the names of their columns.

    ``part`` is where its rows lie in the table of the first stage.
    """
    spacing = lesson.spacing_of(example)
    plan = lesson.plan(spacing)
    executor = lesson.executor(plan)
    context = FeatureSet.parse(CONTEXT)
    n_classes = len(first.forest.classes)
    joined = second_plan(lesson.features, context, plan.ndim, plan.n_channels, n_classes, spacing)
    rows = np.empty((part.stop - part.start, len(joined.outputs)), np.float32)
    image, axes = example.source.image, (example.source.channel_axis, example.source.time_axis)
    position = first.table.position[part] if first.table is not None else np.empty(0, np.int64)
    for inside, forest in forests:
        wanted = np.flatnonzero(inside[part])
        program = Program((Stage(plan, forest.trees),), first.forest.classes)
        source = _WithContext(image, *axes, executor, program)
        rows[wanted] = gather_rows(source, position[wanted], joined, executor)
    return rows, joined.names


def _parts(n_rows: int, lengths: Sequence[int]) -> list[slice]:
    """Where the rows of each image lie in a table that ends with them."""
    stops = n_rows - sum(lengths) + np.cumsum(lengths)
    return [slice(int(stop) - n, int(stop)) for stop, n in zip(stops, lengths, strict=True)]
