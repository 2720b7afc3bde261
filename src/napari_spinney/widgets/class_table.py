"""The list of classes: number and colour, name, painted pixels and strokes, shown or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QHeaderView,
    QMenu,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from qtpy.QtCore import QPoint

    from napari_spinney.session import ClassEntry
    from napari_spinney.widgets.workspace import Workspace

_HEAD = ("", "class", "px", "strokes", "shown")
_NUMBER, _NAME, _PIXELS, _STROKES, _SHOWN = range(5)


class ClassTable(QTableWidget):
    """Shows and edits the classes of a session; the selected row is what the brush paints."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(0, len(_HEAD))
        self._workspace = workspace
        self._session = workspace.session
        self._filling = False
        self.setHorizontalHeaderLabels(_HEAD)
        self.verticalHeader().hide()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setIconSize(QSize(14, 14))
        self.setShowGrid(False)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        self.setToolTip(
            "Select a class to paint it (Alt+1 … Alt+9). Double-click its name to rename it, "
            "its colour to recolour it; right-click to merge or delete it."
        )
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        session = self._session
        link(self, self.refresh, session.classes_changed)
        link(self, self.refresh, session.counts_changed)
        link(self, self.refresh, session.images_changed)
        link(self, self._select_row, session.selected_class_changed)
        self.itemSelectionChanged.connect(self._on_row_selected)
        self.itemChanged.connect(self._on_item_changed)
        self.cellDoubleClicked.connect(self._on_double_clicked)
        self.customContextMenuRequested.connect(self._open_menu)

    def refresh(self) -> None:
        """Show the classes and counts of the session."""
        self._filling = True
        try:
            self.setRowCount(len(self._session.classes))
            for row, entry in enumerate(self._session.classes.values()):
                self._fill(row, entry)
        finally:
            self._filling = False
        self._select_row()
        rows = min(max(3, self.rowCount()), 9)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows * 30 + 4)

    def number_at(self, row: int) -> int:
        """Class in a row."""
        return list(self._session.classes)[row]

    def _fill(self, row: int, entry: ClassEntry) -> None:
        count = self._session.count(entry.number)
        self._put(row, _NUMBER, str(entry.number), icon=_swatch(entry.color))
        self._put(row, _NAME, entry.name, editable=True)
        self._put(row, _PIXELS, f"{count.pixels:,}", right=True)
        self._put(row, _STROKES, f"{count.strokes}", right=True)
        shown = self._put(row, _SHOWN, "")
        shown.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
        shown.setCheckState(Qt.CheckState.Checked if entry.visible else Qt.CheckState.Unchecked)
        shown.setToolTip("Shows or hides this class in strokes and results.")

    def _put(
        self,
        row: int,
        column: int,
        text: str,
        *,
        icon: QIcon | None = None,
        editable: bool = False,
        right: bool = False,
    ) -> QTableWidgetItem:
        item = self.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            self.setItem(row, column, item)
        if item.text() != text:
            item.setText(text)
        if icon is not None:
            item.setIcon(icon)
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        item.setFlags(flags | Qt.ItemFlag.ItemIsEditable if editable else flags)
        if right:
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return item

    def _select_row(self, number: int | None = None) -> None:
        numbers = list(self._session.classes)
        self.selectRow(numbers.index(self._session.selected_class))

    def _on_row_selected(self) -> None:
        rows = self.selectionModel().selectedRows()
        if rows and not self._filling and rows[0].row() < len(self._session.classes):
            self._session.select_class(self.number_at(rows[0].row()))

    def _on_item_changed(self, item: QTableWidgetItem) -> None:
        if self._filling:
            return
        number = self.number_at(item.row())
        if item.column() == _SHOWN:
            self._session.change_class(number, visible=item.checkState() == Qt.CheckState.Checked)
        elif item.column() == _NAME:
            if item.text().strip():
                self._session.change_class(number, name=item.text().strip())
            else:
                self.refresh()

    def _on_double_clicked(self, row: int, column: int) -> None:
        if column == _NUMBER:
            self.choose_color(self.number_at(row))

    def choose_color(self, number: int) -> None:
        """Ask for a new colour of a class."""
        dialog = QColorDialog(QColor(self._session.classes[number].color), self)
        dialog.colorSelected.connect(
            lambda color: self._session.change_class(number, color=color.name())
        )
        dialog.open()

    def _open_menu(self, position: QPoint) -> None:
        row = self.rowAt(position.y())
        if row < 0:
            return
        menu = self.menu_for(self.number_at(row), self)
        menu.popup(self.viewport().mapToGlobal(position))

    def menu_for(self, number: int, parent: QWidget) -> QMenu:
        """What can be done with a class."""
        menu = QMenu(parent)
        row = list(self._session.classes).index(number)
        menu.addAction("Rename", lambda: self.editItem(self.item(row, _NAME)))
        menu.addAction("Colour …", lambda: self.choose_color(number))
        merge = menu.addMenu("Merge into")
        for other in self._session.classes.values():
            if other.number != number:
                merge.addAction(
                    other.name,
                    lambda into=other.number: self._workspace.editing.merge(number, into),
                )
        merge.setEnabled(len(self._session.classes) > 1)
        delete = menu.addAction(
            "Delete class and its strokes", lambda: self._workspace.editing.delete(number)
        )
        delete.setEnabled(len(self._session.classes) > 1)
        return menu


def _swatch(color: str) -> QIcon:
    pixmap = QPixmap(14, 14)
    pixmap.fill(QColor(color))
    return QIcon(pixmap)
