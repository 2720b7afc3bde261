"""Notices what is painted on an annotation layer, however it got there, and counts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_spinney.interaction.tasks import Snapshot, Tally, counting

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_spinney.session import Session
    from napari_spinney.widgets.jobs import Jobs

COUNT_AFTER = 120
"""Milliseconds after which the strokes of a layer that was drawn anew are counted."""

COUNT_PAINTED_AFTER = 300
"""The same after a stroke, which was told of already: live work on it comes first."""


class StrokeWatcher:
    """Tells the session about strokes on one annotation layer.

    A stroke, a fill or a polygon is told at once. napari says nothing of an undo but that the
    layer was drawn anew, so then the strokes are counted and compared with what they were.
    """

    def __init__(self, image_id: str, layer: Labels, session: Session, jobs: Jobs) -> None:
        self._image_id = image_id
        self._layer = layer
        self._session = session
        self._jobs = jobs
        self._digest = 0
        self._painted = False
        self._refreshed = False
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._count)
        layer.events.paint.connect(self._on_painted)
        layer.events.set_data.connect(self._on_refreshed)
        layer.events.data.connect(self._on_replaced)
        self._count()

    @property
    def _lane(self) -> str:
        return f"count {self._image_id}"

    def close(self) -> None:
        """Stop watching."""
        self._timer.stop()
        self._jobs.cancel(self._lane)
        self._layer.events.paint.disconnect(self._on_painted)
        self._layer.events.set_data.disconnect(self._on_refreshed)
        self._layer.events.data.disconnect(self._on_replaced)

    def _on_painted(self, event: Any = None) -> None:
        self._painted = True
        self._tell()
        self._timer.start(COUNT_PAINTED_AFTER)

    def _on_refreshed(self, event: Any = None) -> None:
        self._refreshed = True
        self._timer.start(COUNT_PAINTED_AFTER if self._painted else COUNT_AFTER)

    def _on_replaced(self, event: Any = None) -> None:
        self._refreshed = self._painted = True
        self._timer.start(COUNT_AFTER)

    def _tell(self) -> None:
        expected = self._session.images[self._image_id].annotation_shape
        if tuple(self._layer.data.shape) == expected:
            self._session.set_annotation(self._image_id, self._layer.data)
        else:
            self._session.drop_annotation(self._image_id)

    def _count(self) -> None:
        snapshot = Snapshot(self._layer.data, copied=False)
        self._jobs.start(self._lane, counting, self._image_id, snapshot, on_return=self._on_counted)

    def _on_counted(self, tally: Tally) -> None:
        if self._timer.isActive():
            return
        changed = self._refreshed and (self._painted or tally.digest != self._digest)
        self._digest = tally.digest
        self._painted = self._refreshed = False
        self._session.set_counts(self._image_id, tally.counts)
        if changed:
            self._tell()
