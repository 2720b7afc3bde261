"""A table of measurements that sorts, filters, and tells which row is chosen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import (  # type: ignore[attr-defined]
    QAbstractTableModel,
    QModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from qtpy.QtWidgets import QAbstractItemView, QLineEdit, QTableView, QVBoxLayout, QWidget

from napari_spinney.objects.request import definition_of

if TYPE_CHECKING:
    import pandas as pd
    from qtpy.QtGui import QKeyEvent

_SORT = Qt.ItemDataRole.UserRole


class FrameModel(QAbstractTableModel):
    """A DataFrame for Qt; reads cells when they are shown."""

    def __init__(self, frame: pd.DataFrame) -> None:
        super().__init__()
        self.frame = frame

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Number of rows."""
        return len(self.frame)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Number of columns."""
        return self.frame.shape[1]

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text of a cell, or its value for sorting."""
        if role not in (Qt.ItemDataRole.DisplayRole, _SORT):
            return None
        value = self.frame.iat[index.row(), index.column()]
        if is_missing(value):
            return float("inf") if role == _SORT else ""
        if role == _SORT:
            return float(value) if isinstance(value, (int, float, np.number)) else str(value)
        return f"{value:.5g}" if isinstance(value, (float, np.floating)) else str(value)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Names of columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        name = str(self.frame.columns[section])
        if role == Qt.ItemDataRole.ToolTipRole:
            return definition_of(name)
        return name if role == Qt.ItemDataRole.DisplayRole else None


class Rows(QTableView):
    """Rows of a table; a digit gives a class to the row."""

    digit_pressed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setMinimumHeight(160)
        self.setToolTip(
            "Click a row (or go up and down) to go to its object; 1 to 9 give it a class, 0 takes "
            "it away. Click a heading to sort."
        )

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Take digits; leave the rest to Qt."""
        if event is not None and event.text().isdigit() and self.currentIndex().isValid():
            self.digit_pressed.emit(int(event.text()))
            return
        super().keyPressEvent(event)


class ObjectsTable(QWidget):
    """The table, and a line to filter it by."""

    row_chosen = Signal(int)
    class_pressed = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("filter, e.g. area > 50 and solidity < 0.9")
        self.filter.setToolTip("Shows only rows for which this is true; pandas' query language.")
        self.filter.setClearButtonEnabled(True)
        self.view = Rows()
        self._proxy = QSortFilterProxyModel(self)
        self._proxy.setSortRole(_SORT)
        self.view.setModel(self._proxy)
        self.view.setSortingEnabled(True)
        self.view.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.filter)
        layout.addWidget(self.view, 1)
        self._frame: pd.DataFrame | None = None
        self._rows: np.ndarray = np.zeros(0, np.int64)
        self._telling = True
        self.filter.editingFinished.connect(self.refresh)
        self.view.selectionModel().currentRowChanged.connect(self._on_row_changed)
        self.view.digit_pressed.connect(self._on_digit_pressed)

    def show_frame(self, frame: pd.DataFrame) -> None:
        """Show another table."""
        self._frame = frame
        self.refresh()

    def refresh(self) -> None:
        """Apply the filter."""
        if self._frame is None:
            return
        chosen = self.chosen_row()
        words = self.filter.text().strip()
        shown, reason = self._frame, ""
        if words:
            shown, reason = _filtered(self._frame, words)
        self.filter.setStyleSheet("color: #d9534f" if reason else "")
        self.filter.setToolTip(reason or "Shows only rows for which this is true.")
        self._rows = shown.index.to_numpy()
        self._telling = False
        self._proxy.setSourceModel(FrameModel(shown))
        self._telling = True
        if chosen >= 0:
            self.choose(chosen)

    def chosen_row(self) -> int:
        """Row of the table that is selected; -1 if none is."""
        return self._row_at(self.view.currentIndex())

    def _row_at(self, index: QModelIndex) -> int:
        return int(self._rows[self._proxy.mapToSource(index).row()]) if index.isValid() else -1

    def choose(self, row: int) -> None:
        """Select a row of the table (if the filter shows it) without telling anybody."""
        shown = np.flatnonzero(self._rows == row)
        if not len(shown):
            return
        source = self._proxy.sourceModel()
        index = self._proxy.mapFromSource(source.index(int(shown[0]), 0))
        self._telling = False
        self.view.selectRow(index.row())
        self.view.scrollTo(index)
        self._telling = True

    def _on_row_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if self._telling and current.isValid():
            self.row_chosen.emit(self._row_at(current))

    def _on_digit_pressed(self, number: int) -> None:
        row = self.chosen_row()
        if row >= 0:
            self.class_pressed.emit(row, number)


def is_missing(value: Any) -> bool:
    """Whether a cell holds no value: None, NaN, or pandas' NA."""
    import pandas as pd

    return value is pd.NA or bool(pd.isna(value))


def _filtered(frame: pd.DataFrame, words: str) -> tuple[pd.DataFrame, str]:
    """Rows for which the words are true, and what is wrong with the words.

    Only names of columns, numbers and comparisons: what could call something is refused.
    """
    bare = re.sub(r"\d+\.\d*", "0", words)
    if re.search(r"[^\w\s<>=!&|~()+*/-]|\w\s*\(", re.sub(r"\b(and|or|not)\b", "&", bare)):
        return frame, "Use names of columns, numbers, comparisons, 'and', 'or' and 'not' only."
    try:
        return frame.query(words, engine="python"), ""
    except (ValueError, SyntaxError, NameError, TypeError, KeyError) as error:
        return frame, f"This is no condition: {error}"
