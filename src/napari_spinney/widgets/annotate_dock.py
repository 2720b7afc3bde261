"""The first dock: paint, and see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from napari_spinney.widgets.action_bar import ActionBar
from napari_spinney.widgets.class_table import ClassTable
from napari_spinney.widgets.dock import Dock, section
from napari_spinney.widgets.help_card import HelpCard
from napari_spinney.widgets.image_choice import ImageChoice
from napari_spinney.widgets.restore_bar import RestoreBar

if TYPE_CHECKING:
    from napari import Viewer


class AnnotateDock(Dock):
    """Image, classes, and the three buttons."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.images = ImageChoice(self.workspace)
        self.restore = RestoreBar(self.workspace)
        self.classes = ClassTable(self.workspace)
        self.add_class = QPushButton("+ add class")
        self.add_class.setToolTip("Adds a class with the next number and takes it in hand.")
        self.actions_bar = ActionBar(self.workspace)
        self.rows.addWidget(self.images)
        self.rows.addWidget(self.restore)
        self.rows.addWidget(self.classes)
        self.rows.addWidget(_left(self.add_class))
        self.rows.addWidget(self.actions_bar)
        self.rows.addWidget(section("Keys", HelpCard()))
        self.rows.addStretch(1)
        self.add_class.clicked.connect(self._on_add_clicked)

    def _on_add_clicked(self) -> None:
        entry = self.session.add_class()
        self.session.select_class(entry.number)


def _left(widget: QWidget) -> QWidget:
    holder = QWidget()
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(widget)
    layout.addStretch(1)
    return holder
