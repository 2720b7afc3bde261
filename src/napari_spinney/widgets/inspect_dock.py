"""The fourth dock: why the classifier decides as it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QComboBox, QStackedWidget, QTabWidget

from napari_spinney.widgets.dock import Dock
from napari_spinney.widgets.importance_chart import ImportanceChart
from napari_spinney.widgets.level_table import LevelTable
from napari_spinney.widgets.links import link
from napari_spinney.widgets.report_view import ReportView
from napari_spinney.widgets.tree_view import TreeView

if TYPE_CHECKING:
    from napari import Viewer

    from napari_spinney.widgets.jobs import Jobs

OF_PIXELS, OF_OBJECTS = "pixel classifier", "object classifier"


class InspectDock(Dock):
    """Importance, features by tree level, single trees, report: of pixels, or of objects."""

    needs_image = False

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.which = QComboBox()
        self.which.addItems([OF_PIXELS, OF_OBJECTS])
        self.which.setToolTip("Which of the two classifiers is looked at.")
        self.pages = QStackedWidget()
        self.tabs = Tabs(self.workspace, self.workspace.jobs)
        self.objects = Tabs(self.workspace.objects, self.workspace.jobs)
        for page in (self.tabs, self.objects):
            self.pages.addWidget(page)
        self.importance, self.levels = self.tabs.importance, self.tabs.levels
        self.trees, self.report = self.tabs.trees, self.tabs.report
        self.rows.addWidget(self.which)
        self.rows.addWidget(self.pages, 1)
        self.which.currentIndexChanged.connect(self._on_chosen)
        link(self, self._on_objects_model, self.workspace.objects.session.model_changed)
        link(self, self._on_pixels_model, self.session.model_changed)
        self._has_objects = self._has_pixels = False
        self._on_pixels_model()
        self._on_objects_model()

    def _on_objects_model(self) -> None:
        had, self._has_objects = self._has_objects, self.workspace.objects.session.model is not None
        self.which.setVisible(self._has_objects)
        if self._has_objects != had:
            self.which.setCurrentText(OF_OBJECTS if self._has_objects else OF_PIXELS)

    def _on_pixels_model(self) -> None:
        had, self._has_pixels = self._has_pixels, self.session.model is not None
        if self._has_pixels and not had:
            self.which.setCurrentText(OF_PIXELS)

    def _on_chosen(self, index: int) -> None:
        self.pages.setCurrentIndex(index)
        self.status.setVisible(index == 0)


class Tabs(QTabWidget):
    """What is to see of one classifier.

    Parameters
    ----------
    of : Workspace or ObjectsWork
        Has a ``session`` with the model, and ``overlays`` that show a feature.
    jobs : Jobs
        Where features are compared.
    """

    def __init__(self, of: Any, jobs: Jobs) -> None:
        super().__init__()
        self.importance = ImportanceChart(of, jobs)
        self.levels = LevelTable(of)
        self.trees = TreeView(of)
        self.report = ReportView(of)
        for title, widget in (
            ("Importance", self.importance),
            ("By tree level", self.levels),
            ("Trees", self.trees),
            ("Report", self.report),
        ):
            self.addTab(widget, title)
        self.setUsesScrollButtons(True)
