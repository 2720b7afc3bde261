"""Keeps strokes in the cache folder while one paints, and finds those of a session that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_spinney.interaction.autosave import Autosave, Kept
from napari_spinney.interaction.tasks import Snapshot, plainly

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_spinney.session import ImageEntry, Session
    from napari_spinney.widgets.jobs import Jobs

KEEP_AFTER = 2000
"""Milliseconds after a stroke until it is written to the cache folder."""


class Keeping:
    """Writes annotations to the cache folder shortly after they change."""

    def __init__(self, session: Session, jobs: Jobs, autosave: Autosave | None = None) -> None:
        self._session = session
        self._jobs = jobs
        self.autosave = Autosave() if autosave is None else autosave
        self._changed: set[str] = set()
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(KEEP_AFTER)
        self._timer.timeout.connect(self.save)
        session.annotation_changed.connect(self._on_annotation_changed)

    def save(self) -> None:
        """Write what changed, in the background."""
        for image_id in self._changed & set(self._session.annotations):
            annotation = Snapshot.of(self._session.annotations[image_id])
            entry = self._session.images[image_id]
            classes = self._session.classes.values()
            self._jobs.start(
                f"keep {image_id}",
                _save,
                self.autosave,
                entry,
                annotation,
                {c.number: c.name for c in classes},
                {c.number: c.color for c in classes},
            )
        self._changed.clear()

    def find(self, image_id: str) -> Kept | None:
        """Strokes kept for an image by a session that is gone."""
        return self.autosave.find(self._session.images[image_id].data)

    def close(self) -> None:
        """Write what is not written yet."""
        self._timer.stop()
        for image_id in self._changed & set(self._session.annotations):
            classes = self._session.classes.values()
            entry = self._session.images[image_id]
            annotation = Snapshot.of(self._session.annotations[image_id], limit=0)
            for _ in _save(
                self.autosave,
                entry,
                annotation,
                {c.number: c.name for c in classes},
                {c.number: c.color for c in classes},
            ):
                pass
        self._changed.clear()

    def _on_annotation_changed(self, image_id: str) -> None:
        self._changed.add(image_id)
        self._timer.start()


def _save(
    autosave: Autosave,
    entry: ImageEntry,
    annotation: Snapshot,
    names: dict[int, str],
    colors: dict[int, str],
) -> Generator[None, None, Any]:
    yield
    with plainly("keeping the strokes in the cache folder"):
        return autosave.save(
            entry.data,
            annotation.take(),
            image_name=entry.name,
            class_names=names,
            class_colors=colors,
        )
