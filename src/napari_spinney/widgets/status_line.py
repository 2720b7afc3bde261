"""The one sentence at the foot of each dock, with progress and a way to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QHBoxLayout,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_spinney.interaction.messages import Message, status_of
from napari_spinney.widgets.links import link
from napari_spinney.widgets.still_text import StillText

if TYPE_CHECKING:
    from napari_spinney.widgets.workspace import Workspace

MARKS = {"hint": "", "busy": "", "good": "✓ ", "old": "↻ ", "bad": "⚠ "}


class StatusRow(QWidget):
    """A sentence, a bar, a button to stop, and one that shows what exactly went wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.text = StillText()
        self.bar = QProgressBar()
        self.bar.setMaximumHeight(14)
        self.bar.setToolTip("How far the work is.")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stops the work; what is done so far stays.")
        self.details = QPushButton("Details …")
        self.details.setToolTip("Shows what exactly went wrong.")
        self._message = Message("")
        running = QHBoxLayout()
        running.addWidget(self.bar, 1)
        running.addWidget(self.cancel)
        running.addWidget(self.details)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 6)
        layout.addWidget(self.text)
        layout.addLayout(running)
        self.details.clicked.connect(self._show_details)

    def show_message(self, message: Message, done: float | None, *, working: bool) -> None:
        """Say a sentence; while working also how far it is, 0 to 1, where that is known."""
        self._message = message
        self.text.setText(MARKS[message.mood] + message.text)
        self.text.setToolTip(message.text)
        self.bar.setVisible(working)
        self.cancel.setVisible(working)
        self.details.setVisible(message.mood == "bad" and bool(message.details))
        if working:
            self.bar.setRange(0, 0 if done is None else 100)
            self.bar.setValue(int(100 * (done or 0)))

    def _show_details(self) -> None:
        box = QMessageBox(self)
        box.setWindowTitle("What went wrong")
        box.setText(self._message.text)
        box.setInformativeText(self._message.details)
        box.open()


class StatusLine(StatusRow):
    """Says what is missing, what runs, or what is known."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._session = session = workspace.session
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
        self.cancel.clicked.connect(workspace.predicting.cancel)
        self.refresh()

    def refresh(self) -> None:
        """Say it anew."""
        message = status_of(self._session)
        working = message.mood == "busy" and not self._session.live
        self.show_message(message, self._session.activity.done, working=working)
