"""Measure, give classes, learn: the state of the Objects dock and what changes it; no layers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_spinney.classifiers.base import load
from napari_spinney.classifiers.objects import ObjectMapper, ObjectMerger
from napari_spinney.provenance import file_fact
from napari_spinney.session import PALETTE, ClassEntry, TrainedModel
from napari_spinney.widgets.objects_jobs import LANES, PAINTING, ObjectsJobs
from napari_spinney.widgets.objects_messages import Situation
from napari_spinney.widgets.objects_model import Answer, GivenClasses
from napari_spinney.widgets.objects_steps import (
    OF_OBJECTS,
    applying,
    learning,
    measuring,
    misfit,
    painting,
)

if TYPE_CHECKING:
    from napari_spinney.classifiers.base import Classifier
    from napari_spinney.objects.tracks import TrackPoints
    from napari_spinney.widgets.jobs import Jobs
    from napari_spinney.widgets.objects_model import Key, Measured
    from napari_spinney.widgets.objects_source import UnreadObjects
    from napari_spinney.widgets.objects_steps import Counts

CLASSES = range(1, 10)
"""Classes that can be given; a model may bring others."""


class ObjectsWork(ObjectsJobs):
    """Objects of one viewer: what was measured, which have a class, and what was learnt.

    Classes, model and report are kept in a `Session` of their own, so that what inspects a pixel
    classifier inspects an object classifier too. ``source`` is the layer that was measured, and
    ``strokes`` gives what is painted (not copied yet); both are only kept here.
    """

    table_changed = Signal()
    given_changed = Signal()
    answered = Signal()
    feature_chosen = Signal(str)
    painted = Signal(object)

    def __init__(self, jobs: Jobs) -> None:
        super().__init__(jobs)
        self.session.classes = {n: ClassEntry(n, f"class {n}", PALETTE[n - 1]) for n in CLASSES}
        self.measured: Measured | None = None
        self.answer: Answer | None = None
        self.given = GivenClasses()
        self.live = True
        self.strokes: Any = None
        self.source: Any = None
        self._painted_counts: dict[int, int] = {}
        self._waiting: tuple[Classifier, str] | None = None
        self._measuring = self._learn_next = False
        self.session.activity_changed.connect(self.changed.emit)
        self.session.classes_changed.connect(self.changed.emit)
        self.session.recipe_changed.connect(self.note_change)

    @property
    def situation(self) -> Situation:
        """Where the person is, for the status line."""
        return Situation(
            activity=self.session.activity,
            n_objects=None if self.measured is None else len(self.measured.table),
            given=self._painted_counts if self.strokes is not None else self.given.counts(),
            strokes=self.strokes is not None,
            answer=self.answer,
            stale=self.session.is_stale,
            names={n: entry.name for n, entry in self.session.classes.items()},
            note=self._note,
        )

    @property
    def overlays(self) -> ObjectsWork:
        """Who shows a feature that is chosen."""
        return self

    def show(self, feature: str) -> None:
        """Show a measurement on the objects."""
        self.feature_chosen.emit(feature)

    def cancel(self) -> None:
        """Stop what runs; what is there stays."""
        self._waiting = None
        self._measuring = self._learn_next = False
        super().cancel()

    # ------------------------------------------------------------------ measure

    def measure(self, objects: UnreadObjects, features: str, points: TrackPoints | None) -> None:
        """Read and measure objects in the background; then learn, if live."""
        self._measuring, self._learn_next = True, self.live
        self._begin("Measuring …", self._on_measured, measuring, objects, features, points)

    def forget_classes(self) -> None:
        """Begin anew, with the objects of another layer."""
        self.given = GivenClasses()
        self.answer = None
        self.session.model = None
        self.session.model_changed.emit()

    def _on_measured(self, measured: Measured) -> None:
        self._end()
        self._measuring = False
        self.set_measured(measured)
        if self._waiting is not None:
            self.use(*self._waiting)
        elif self._learn_next and self._is_taught():
            self.learn()
        elif self.session.model is not None and self.session.model.path is not None:
            self.use(self.session.model.classifier, self.session.model.path)

    def _on_failed(self, error: Exception) -> None:
        self._measuring = False
        super()._on_failed(error)

    def set_measured(self, measured: Measured, note: str = "") -> None:
        """Take another table."""
        self.measured = measured
        self._note = note
        if self.session.model is not None:
            self.session.generation += 1
        self.table_changed.emit()
        self.changed.emit()

    # ------------------------------------------------------------------ classes

    def give(self, key: Key, number: int) -> None:
        """Give an object a class (0 or the same again: take it away), and learn if live."""
        if self.measured is None or self.measured.row_of(key) is None:
            return
        self.given.give(key, number)
        self.note_change()

    def note_change(self) -> None:
        """Classes were given, strokes painted or options changed: learn if live."""
        self._note = ""
        self.session.generation += 1
        self._forgive()
        self.given_changed.emit()
        self.changed.emit()
        if self.live and self._is_taught() and self.measured is not None:
            self.learn()

    def _is_taught(self) -> bool:
        return len(self.given.counts()) > 1 or self.strokes is not None

    def learn(self) -> None:
        """Learn from what has a class, in the background; older work is dropped."""
        if self._measuring:
            self._learn_next = True
            return
        if self.measured is None:
            self.fail(ValueError("Press Measure first: classes are told apart by measurements."))
            return
        generation = self.session.generation
        self._begin(
            "Learning …",
            lambda answer: self._on_answer(answer, generation),
            learning,
            self.measured,
            dict(self.given.by_object),
            None if self.strokes is None else self.strokes(),
            {n: entry.name for n, entry in self.session.classes.items()},
            self.session.recipe.forest(),
            on_yield=lambda step: self._on_step(step, generation),
        )

    def _on_step(self, step: Counts | Answer | None, generation: int) -> None:
        if isinstance(step, Answer):
            self._on_prediction(step, generation)
        elif step is not None:
            self._painted_counts = step

    def _on_answer(self, answer: Answer | None, generation: int, path: str | None = None) -> None:
        self._end()
        if answer is None:  # there are no two classes
            self.changed.emit()
            return
        if self.answer is None or self.answer.measured is not answer.measured:
            self._on_prediction(answer, generation, path)
        self.answer = answer
        self.session.set_report(answer.report, generation)
        self.changed.emit()

    def _on_prediction(self, answer: Answer, generation: int, path: str | None = None) -> None:
        self.answer, self.measured = answer, answer.measured
        for number in answer.classifier.classes_.tolist():
            if number not in self.session.classes:
                self.session.add_class(number)
        fact = None if path is None or self.session.model is None else self.session.model.fact
        self.session.model = TrainedModel(answer.classifier, generation, path, fact=fact)
        self.session.report = None
        self.session.model_changed.emit()
        self.answered.emit()
        self.table_changed.emit()
        self.changed.emit()

    def paint(self, column: str) -> None:
        """Paint a column of the table onto the objects, in the background."""
        if self.measured is not None:
            self._jobs.start(
                PAINTING,
                painting,
                self.measured,
                column,
                self.answer,
                on_return=self.painted.emit,
                on_error=self.fail,
            )

    # ------------------------------------------------------------------- models

    def open(self, path: str) -> None:
        """Take a model of objects from a file, and use it as soon as objects are measured."""
        try:
            model = load(path)
            if not isinstance(model, OF_OBJECTS):
                raise ValueError(
                    f"{path} holds a {type(model).__name__}, which is no model of objects: open "
                    "it under Predict"
                )
        except (ValueError, OSError) as error:
            self.fail(error)
            return
        self.take(model, path)

    def take(self, model: Classifier, path: str) -> None:
        """Use a model; wait with it for objects where none are measured yet."""
        if not isinstance(model, (ObjectMapper, ObjectMerger)):
            named = {int(n): model.class_names.get(int(n), "") for n in model.classes_}
            self.session.set_classes(named, dict(model.class_colors))
        fact = file_fact(Path(path))
        self.session.model = TrainedModel(model, self.session.generation, path, fact=fact)
        self.session.report = None
        self.session.model_changed.emit()
        if self.measured is None or self._measuring:
            self._waiting = (model, path)
            self._note = f"Model from {path}: choose the objects and press Measure to use it."
            self.changed.emit()
        else:
            self.use(model, path)

    def use(self, model: Classifier, path: str) -> None:
        """Say what a model from a file says of the objects."""
        if self.measured is None:
            return
        reason = misfit(self.measured, model)
        if reason:
            self._waiting = (model, path)
            self.fail(ValueError(reason))
            return
        self._waiting = None
        generation = self.session.generation
        self._begin(
            "Predicting …",
            lambda answer: self._on_answer(answer, generation, path),
            applying,
            self.measured,
            model,
            None if self.session.model is None else self.session.model.fact,
        )

    def save(self, path: str) -> None:
        """Write the classifier."""
        if self.answer is None:
            self.fail(ValueError("There is no model to save yet: give classes and press Train."))
            return
        try:
            self.answer.classifier.save(path)
        except (ValueError, OSError) as error:
            self.fail(error)
            return
        self.tell(f"Saved {path}")

    def close(self) -> None:
        """Let go of everything."""
        self._jobs.cancel(*LANES)
        for signal in (self.table_changed, self.given_changed, self.answered, self.changed):
            signal.disconnect()
        for chosen in (self.feature_chosen, self.painted):
            chosen.disconnect()
        self.session.close()
        self.measured = self.answer = self.strokes = self.source = None
