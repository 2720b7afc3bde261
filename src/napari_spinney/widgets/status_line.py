"""The one sentence at the foot of each dock, with progress and a way to stop."""

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

from napari_spinney.messages import Message, status_of
from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from napari_spinney.widgets.workspace import Workspace

MARKS = {"hint": "", "busy": "", "good": "✓ ", "old": "↻ ", "bad": "⚠ "}


class StatusLine(QWidget):
    """Says what is missing, what runs, or what is known."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._session = workspace.session
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setMaximumHeight(14)
        self.bar.setToolTip("How far the work is.")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stops the work; what is done so far stays.")
        self.details = QPushButton("Details …")
        self.details.setToolTip("Shows what exactly went wrong.")
        running = QHBoxLayout()
        running.addWidget(self.bar, 1)
        running.addWidget(self.cancel)
        running.addWidget(self.details)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 6)
        layout.addWidget(self.text)
        layout.addLayout(running)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        session = self._session
        for signal in (
            session.classes_changed,
            session.images_changed,
            session.annotation_changed,
            session.counts_changed,
            session.recipe_changed,
            session.model_changed,
            session.report_changed,
            session.activity_changed,
        ):
            link(self, self.refresh, signal)
        self.cancel.clicked.connect(self._workspace.predicting.cancel)
        self.details.clicked.connect(self._show_details)

    def refresh(self) -> None:
        """Say it anew."""
        message = status_of(self._session)
        self.text.setText(MARKS[message.mood] + message.text)
        self.text.setToolTip(message.text)
        activity = self._session.activity
        working = message.mood == "busy" and not self._session.live
        self.bar.setVisible(working)
        self.cancel.setVisible(working)
        self.details.setVisible(message.mood == "bad" and bool(message.details))
        if working:
            self.bar.setRange(0, 0 if activity.done is None else 100)
            self.bar.setValue(int(100 * (activity.done or 0)))

    def _show_details(self) -> None:
        message: Message = status_of(self._session)
        box = QMessageBox(self)
        box.setWindowTitle("What went wrong")
        box.setText(message.text)
        box.setInformativeText(message.details)
        box.open()
