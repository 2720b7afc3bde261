"""Share of each feature among the decisions at each level of the trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from napari_spinney.widgets.workspace import Workspace

HEAD = 150
"""Width of the names in pixels; longer ones are shown in full under the mouse."""

LEVELS = 12
"""Levels shown; deeper ones hold few decisions each."""


class LevelTable(QTableWidget):
    """A coloured table: features by level, the first question of a tree at the left."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._session = workspace.session
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setToolTip(
            "How often a feature is asked at each level of the trees, in percent: level 0 is the "
            "first question."
        )
        link(self, self.refresh, self._session.model_changed)
        self.refresh()

    def refresh(self) -> None:
        """Take the statistics of the model at hand."""
        model = self._session.model
        if model is None:
            self.setRowCount(0)
            self.setColumnCount(0)
            return
        names = model.classifier.feature_names_
        shares = model.classifier.forest_.statistics().shares[:LEVELS]
        self.setColumnCount(len(shares))
        self.setRowCount(len(names))
        self.setVerticalHeaderLabels(list(names))
        self.setHorizontalHeaderLabels([str(level) for level in range(len(shares))])
        largest = float(shares.max(initial=0)) or 1.0
        for level, row in enumerate(shares.tolist()):
            for feature, share in enumerate(row):
                self.setItem(feature, level, _cell(share, largest))
        rows = self.verticalHeader()
        rows.setFixedWidth(HEAD)
        rows.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        for row, name in enumerate(names):
            self.verticalHeaderItem(row).setToolTip(name)
        for column in range(self.columnCount()):
            self.setColumnWidth(column, 30)


def _cell(share: float, largest: float) -> QTableWidgetItem:
    item = QTableWidgetItem(f"{100 * share:.0f}" if share else "")
    item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
    color = QColor("#56b4e9")
    color.setAlphaF(0.75 * share / largest)
    item.setBackground(color)
    return item
