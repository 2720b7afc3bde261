"""The sentence at the foot of the Objects dock, with progress and a way to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_spinney.widgets.links import link
from napari_spinney.widgets.objects_messages import status_of_objects
from napari_spinney.widgets.status_line import MARKS

if TYPE_CHECKING:
    from napari_spinney.widgets.objects_work import ObjectsWork


class ObjectsStatus(QWidget):
    """Says what is missing, what runs, or what is known."""

    def __init__(self, work: ObjectsWork) -> None:
        super().__init__()
        self._work = work
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setMaximumHeight(14)
        self.bar.setToolTip("How far the work is.")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stops the work; what was there stays.")
        self.details = QPushButton("Details …")
        self.details.setToolTip("Shows what exactly went wrong.")
        running = QHBoxLayout()
        for widget, stretch in ((self.bar, 1), (self.cancel, 0), (self.details, 0)):
            running.addWidget(widget, stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 6)
        layout.addWidget(self.text)
        layout.addLayout(running)
        self.cancel.clicked.connect(work.cancel)
        self.details.clicked.connect(self._show_details)
        link(self, self.refresh, work.changed)
        self.refresh()

    def refresh(self) -> None:
        """Say it anew."""
        message = status_of_objects(self._work.situation)
        self.text.setText(MARKS[message.mood] + message.text)
        self.text.setToolTip(message.text)
        busy = message.mood == "busy"
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        self.details.setVisible(message.mood == "bad" and bool(message.details))
        done = self._work.session.activity.done
        self.bar.setRange(0, 0 if done is None else 100)
        self.bar.setValue(int(100 * (done or 0)))

    def _show_details(self) -> None:
        message = status_of_objects(self._work.situation)
        box = QMessageBox(self)
        box.setWindowTitle("What went wrong")
        box.setText(message.text)
        box.setInformativeText(message.details)
        box.open()
