"""A table of measurements that sorts, filters, and tells which row is chosen."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import (  # type: ignore[attr-defined]
    QAbstractTableModel,
    QModelIndex,
    Qt,
    Signal,
)
from qtpy.QtWidgets import QAbstractItemView, QLineEdit, QTableView, QVBoxLayout, QWidget

from napari_spinney.objects.request import definition_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray
    from qtpy.QtGui import QKeyEvent


class FrameModel(QAbstractTableModel):
    """Rows of a DataFrame for Qt; reads cells when they are shown, and sorts by a whole column."""

    def __init__(self) -> None:
        super().__init__()
        self._frame: pd.DataFrame | None = None
        self._shown: NDArray[np.int64] = np.zeros(0, np.int64)
        self._by: tuple[str, bool] = ("", True)
        self.rows: NDArray[np.int64] = np.zeros(0, np.int64)
        """Row of the frame at each place."""

    def show(self, frame: pd.DataFrame, rows: NDArray[np.int64]) -> None:
        """Show these rows of another frame, sorted as before."""
        self.beginResetModel()
        self._frame, self._shown = frame, rows
        self._sort()
        self.endResetModel()

    def place_of(self, row: int) -> int:
        """Where a row of the frame is shown; -1 if it is not."""
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if len(found) else -1

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Number of rows."""
        return len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Number of columns."""
        return 0 if self._frame is None else self._frame.shape[1]

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text of a cell; empty without a value."""
        if role != Qt.ItemDataRole.DisplayRole or self._frame is None:
            return None
        value = self._frame.iat[int(self.rows[index.row()]), index.column()]
        if is_missing(value):
            return ""
        return f"{value:.5g}" if isinstance(value, (float, np.floating)) else str(value)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Names of columns, and what they are."""
        if orientation != Qt.Orientation.Horizontal or self._frame is None:
            return None
        name = str(self._frame.columns[section])
        if role == Qt.ItemDataRole.ToolTipRole:
            return definition_of(name)
        return name if role == Qt.ItemDataRole.DisplayRole else None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; rows without a value come last, equal ones stay in order."""
        if self._frame is None or not 0 <= column < self._frame.shape[1]:
            return
        self._by = (str(self._frame.columns[column]), order == Qt.SortOrder.AscendingOrder)
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        rows = [int(self.rows[index.row()]) for index in before]
        self._sort()
        after = [
            self.index(self.place_of(row), index.column())
            for row, index in zip(rows, before, strict=True)
        ]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _sort(self) -> None:
        name, rising = self._by
        self.rows = self._shown
        if self._frame is not None and name in self._frame:
            values = self._frame[name].iloc[self._shown].reset_index(drop=True)
            order = values.sort_values(ascending=rising, kind="stable", na_position="last")
            self.rows = self._shown[order.index.to_numpy()]


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
        self._model = FrameModel()
        self.view.setModel(self._model)
        self.view.setSortingEnabled(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.filter)
        layout.addWidget(self.view, 1)
        self._frame: pd.DataFrame | None = None
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
        self._telling = False
        self._model.show(self._frame, shown.index.to_numpy(np.int64))
        self._telling = True
        if chosen >= 0:
            self.choose(chosen)

    def chosen_row(self) -> int:
        """Row of the table that is selected; -1 if none is."""
        return self._row_at(self.view.currentIndex())

    def _row_at(self, index: QModelIndex) -> int:
        return int(self._model.rows[index.row()]) if index.isValid() else -1

    def choose(self, row: int) -> None:
        """Select a row of the table (if the filter shows it) without telling anybody."""
        place = self._model.place_of(row)
        if place < 0:
            return
        self._telling = False
        self.view.selectRow(place)
        self.view.scrollTo(self._model.index(place, 0))
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


def _quoted(words: str, names: Sequence[str]) -> str:
    """Mark names of columns that Python would take for something else, as ``moments_hu-0``."""
    odd = [name for name in names if not name.isidentifier() or keyword.iskeyword(name)]
    if not odd:
        return words
    longest_first = "|".join(re.escape(name) for name in sorted(odd, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{longest_first})(?!\w)", r"`\g<0>`", words)


def _filtered(frame: pd.DataFrame, words: str) -> tuple[pd.DataFrame, str]:
    """Rows for which the words are true, and what is wrong with the words.

    Only names of columns, numbers and comparisons: what could call something is refused.
    """
    quoted = _quoted(words, [str(name) for name in frame.columns])
    bare = re.sub(r"`[^`]*`|\d+\.\d*", "0", quoted)
    if "`" in words or re.search(
        r"[^\w\s<>=!&|~()+*/-]|\w\s*\(", re.sub(r"\b(and|or|not)\b", "&", bare)
    ):
        return frame, "Use names of columns, numbers, comparisons, 'and', 'or' and 'not' only."
    try:
        return frame.query(quoted, engine="python"), ""
    except (ValueError, SyntaxError, NameError, TypeError, KeyError) as error:
        return frame, f"This is no condition: {error}"
