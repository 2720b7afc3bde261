"""From images and strokes to a trained state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_spinney.classifiers.base import ModelState, StageState
from napari_spinney.classifiers.examples import Example, example_of, examples_of, table_of
from napari_spinney.classifiers.lesson import Lesson
from napari_spinney.features.feature import FeatureSet
from napari_spinney.forest.table import joined_tables
from napari_spinney.forest.training import TrainingTable, grow_forest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from napari_spinney.classifiers.pixels import DeviceLike, PixelClassifier

__all__ = ["Example", "example_of", "examples_of", "iter_train", "table_of"]


def iter_train(
    classifier: PixelClassifier,
    examples: Iterable[Example],
    *,
    spacing: Sequence[float] | None,
    device: DeviceLike,
    previous: ModelState | None,
    steps: tuple[int, ...] = (),
) -> Iterator[ModelState]:
    """Train a forest (or two, for autocontext) and say what was learnt, first by its first trees.

    Parameters
    ----------
    examples : iterable of Example
        Gone through once, for two stages twice; one of them is held at a time, so that an iterable
        that reads files as it goes needs memory for one image only.
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
    lesson = Lesson(FeatureSet.of(classifier.features), spacing, device, previous)
    table = joined_tables([lesson.rows_of(example) for example in examples])
    if previous is not None:
        table = _kept(previous, 0).concat(table)
    words = str(lesson.features)
    for fitted in grow_forest(table, options, steps=steps if classifier.stages == 1 else ()):
        stages = [StageState(words, table.names, fitted.forest, fitted.importances, table)]
        if classifier.stages == 2:
            from napari_spinney.classifiers.autocontext import second_stage

            before = None if previous is None else _kept(previous, 1)
            stages.append(second_stage(stages[0], examples, lesson, options, before))
        yield _state(classifier, stages, lesson)


def _state(classifier: PixelClassifier, stages: Sequence[StageState], lesson: Lesson) -> ModelState:
    return ModelState(
        kind=type(classifier).__name__,
        parameters={k: v for k, v in classifier.get_params().items() if k != "features"},
        stages=tuple(stages),
        class_names=dict(classifier.class_names),
        class_colors=dict(classifier.class_colors),
        ndim=lesson.alike.ndim,
        n_channels=lesson.alike.n_channels,
        channel_axis=lesson.alike.channel_axis,
        time_axis=lesson.alike.time_axis,
        spacing=lesson.spacing,
        provenance=lesson.provenance(),
    )


def _kept(previous: ModelState, number: int) -> TrainingTable:
    table = previous.stages[number].table if number < len(previous.stages) else None
    if table is None:
        raise ValueError(
            "the model holds no training rows to add to (a .cl file has none, and a model of one "
            "stage has none for a second): fit it anew with all images"
        )
    return table
