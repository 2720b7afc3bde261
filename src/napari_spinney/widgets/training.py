"""Training on request, and the estimate of its error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_spinney.interaction.messages import ENOUGH_STROKES
from napari_spinney.interaction.tasks import Snapshot, TrainOrder, estimating, training
from napari_spinney.session import Activity, TrainedModel

if TYPE_CHECKING:
    from napari_spinney.session import Session
    from napari_spinney.widgets.jobs import Jobs

ESTIMATE_AFTER = 1200
"""Milliseconds without a stroke after which the error is estimated."""


class Training:
    """Starts training and takes its result to the session.

    Parameters
    ----------
    session : Session
    jobs : Jobs
    """

    def __init__(self, session: Session, jobs: Jobs) -> None:
        self._session = session
        self._jobs = jobs
        self._caches: dict[str, tuple[Any, Any]] = {}
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(ESTIMATE_AFTER)
        self._timer.timeout.connect(self._estimate)
        session.model_changed.connect(self._on_model_changed)
        session.annotation_changed.connect(self._on_annotation_changed)

    def order(self) -> TrainOrder:
        """What would be trained on now; annotations are copied."""
        session = self._session
        images = tuple(session.training_images())
        return TrainOrder(
            generation=session.generation,
            images=images,
            annotations=tuple(Snapshot.of(session.annotations[e.id]) for e in images),
            recipe=session.recipe,
            classes=tuple(session.classes.values()),
            caches=tuple(self._cache(e.id, e.data) for e in images),
        )

    def train(self) -> None:
        """Train on all strokes, in the background."""
        self._jobs.cancel("live", "report")
        self._timer.stop()
        self._session.set_activity(Activity("training", "Training on the strokes …"))
        self._jobs.start(
            "train",
            training,
            self.order(),
            on_return=self._on_trained,
            on_error=self.fail,
            description="Spinney: training",
        )

    def fail(self, error: Exception) -> None:
        """Show in words what went wrong; nothing is lost."""
        details = "" if error.__cause__ is None else repr(error.__cause__)
        self._session.set_activity(Activity("failed", str(error), details=details))

    def close(self) -> None:
        """Stop the clock."""
        self._timer.stop()
        self._caches.clear()

    def _cache(self, image_id: str, data: Any) -> Any:
        """Features of painted pixels computed before, as long as the image is the same array."""
        from napari_spinney.forest.rows import RowCache

        known, cache = self._caches.get(image_id, (None, None))
        if known is not data:
            cache = RowCache()
            self._caches[image_id] = (data, cache)
        return cache

    def _on_trained(self, model: TrainedModel) -> None:
        self._session.set_activity(Activity())
        self._session.accept(model)

    def _on_model_changed(self) -> None:
        self._timer.start()

    def _on_annotation_changed(self, image_id: str) -> None:
        self._jobs.cancel("report")
        self._timer.start()

    def _estimate(self) -> None:
        session = self._session
        model = session.model
        if model is None or model.path is not None or session.report is not None:
            return
        if session.activity.kind != "idle":
            self._timer.start()
            return
        if all(session.count(n).strokes >= ENOUGH_STROKES for n in session.painted()):
            self._jobs.start(
                "report", estimating, model, on_return=self._on_estimated, on_error=_say_nothing
            )

    def _on_estimated(self, found: tuple[Any, int]) -> None:
        self._session.set_report(*found)


def _say_nothing(error: Exception) -> None:
    """An estimate that cannot be made is not missed; the notification has told why."""
