"""The second dock: what is learnt from, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel

from napari_spinney.widgets.action_bar import ActionBar
from napari_spinney.widgets.dock import Dock, section
from napari_spinney.widgets.exporting import TrainingSnippet
from napari_spinney.widgets.feature_choice import FeatureChoice
from napari_spinney.widgets.forest_form import ForestForm
from napari_spinney.widgets.images_form import ImagesForm
from napari_spinney.widgets.learnt import LearntLine

if TYPE_CHECKING:
    from napari import Viewer


class TrainDock(Dock):
    """Features, images, forest; and what came of it."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.features = FeatureChoice(self.workspace)
        self.images = ImagesForm(self.workspace)
        self.forest = ForestForm(self.session)
        self.actions_bar = ActionBar(self.workspace)
        self.learnt = LearntLine(self.workspace)
        self.snippet = TrainingSnippet(self.workspace)
        self.rows.addWidget(_title("Features"))
        self.rows.addWidget(self.features)
        self.rows.addWidget(_title("Images"))
        self.rows.addWidget(self.images)
        self.rows.addWidget(section("Forest", self.forest))
        self.rows.addWidget(self.actions_bar)
        self.rows.addWidget(self.learnt)
        self.rows.addWidget(self.snippet)
        self.rows.addStretch(1)


def _title(text: str) -> QLabel:
    return QLabel(f"<b>{text}</b>")
