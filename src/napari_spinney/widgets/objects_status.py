"""The sentence at the foot of the Objects dock, with progress and a way to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_spinney.widgets.links import link
from napari_spinney.widgets.objects_messages import status_of_objects
from napari_spinney.widgets.status_line import StatusRow

if TYPE_CHECKING:
    from napari_spinney.widgets.objects_work import ObjectsWork


class ObjectsStatus(StatusRow):
    """Says what is missing, what runs, or what is known."""

    def __init__(self, work: ObjectsWork) -> None:
        super().__init__()
        self._work = work
        self.cancel.clicked.connect(work.cancel)
        link(self, self.refresh, work.changed)
        self.refresh()

    def refresh(self) -> None:
        """Say it anew."""
        message = status_of_objects(self._work.situation)
        done = self._work.session.activity.done
        self.show_message(message, done, working=message.mood == "busy")
