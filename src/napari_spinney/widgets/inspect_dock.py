"""The fourth dock: why the classifier decides as it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QTabWidget

from napari_spinney.widgets.dock import Dock
from napari_spinney.widgets.importance_chart import ImportanceChart
from napari_spinney.widgets.level_table import LevelTable
from napari_spinney.widgets.report_view import ReportView
from napari_spinney.widgets.tree_view import TreeView

if TYPE_CHECKING:
    from napari import Viewer


class InspectDock(Dock):
    """Importance, features by tree level, single trees, report."""

    needs_image = False

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.tabs = QTabWidget()
        self.importance = ImportanceChart(self.workspace)
        self.levels = LevelTable(self.workspace)
        self.trees = TreeView(self.workspace)
        self.report = ReportView(self.workspace)
        for title, widget in (
            ("Importance", self.importance),
            ("By tree level", self.levels),
            ("Trees", self.trees),
            ("Report", self.report),
        ):
            self.tabs.addTab(widget, title)
        self.tabs.setUsesScrollButtons(True)
        self.rows.addWidget(self.tabs, 1)
