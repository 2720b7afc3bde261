"""The list of files of the Batch dock: how far each is; takes what is dropped on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QPainter
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

if TYPE_CHECKING:
    from pathlib import Path

    from qtpy.QtGui import QDragMoveEvent, QDropEvent, QPaintEvent

    from napari_spinney.widgets.batch_work import BatchWork

HEAD = ("Image", "State")
TIPS = (
    "The file; its folder is in the tip of each row.",
    "Waiting, how far, made now, kept from before (same model, image and options), or failed.",
)
HINT = "Drop images or folders here"
KEYS_OPEN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
KEYS_REMOVE = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class BatchModel(QAbstractTableModel):
    """Files and their states for Qt."""

    def __init__(self, work: BatchWork) -> None:
        super().__init__()
        self._work = work
        self._rows: dict[Path, int] = {}

    def reset(self) -> None:
        """Show another list."""
        self.beginResetModel()
        self._rows = {image: row for row, image in enumerate(self._work.images)}
        self.endResetModel()

    def update_rows(self, images: set[Path]) -> None:
        """Show these files anew."""
        rows = [self._rows[image] for image in images if image in self._rows]
        if rows:
            last = len(HEAD) - 1
            self.dataChanged.emit(self.index(min(rows), 0), self.index(max(rows), last))

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Number of files."""
        return len(self._rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Name and state."""
        return len(HEAD)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text or tip of a cell."""
        image = self._work.images[index.row()]
        file = self._work.record.files.get(image)
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join([str(image), *(file.reasons if file is not None else [])])
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if index.column() == 0:
            return image.name
        return "waiting" if file is None else file.text(self._work.record.n_results)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Names of the columns, and what they mean."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.ToolTipRole:
            return TIPS[section]
        return HEAD[section] if role == Qt.ItemDataRole.DisplayRole else None


class BatchTable(QTableView):
    """Files, in the order in which they are predicted.

    Double-click or Return opens, Delete removes, dropped files are added.
    """

    opened = Signal(object)
    removed = Signal(list)
    dropped = Signal(list)

    def __init__(self, work: BatchWork) -> None:
        super().__init__()
        self._work = work
        self.rows = BatchModel(work)
        self.setModel(self.rows)
        self.setToolTip(
            "Double-click (or Return) shows an image with its results; Delete takes it off."
        )
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setAcceptDrops(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        head = self.horizontalHeader()
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        head.setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        head.resizeSection(1, self.fontMetrics().horizontalAdvance("waiting") + 40)
        self.setMinimumHeight(7 * (self.fontMetrics().height() + 8))
        self.doubleClicked.connect(self._on_double_clicked)

    def chosen(self) -> list[Path]:
        """Files whose rows are selected."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self._work.images[row] for row in rows]

    def keyPressEvent(self, event: Any) -> None:
        """Return opens, Delete removes."""
        if event.key() in KEYS_OPEN and self.chosen():
            self.opened.emit(self.chosen()[0])
        elif event.key() in KEYS_REMOVE:
            self.removed.emit(self.chosen())
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: Any) -> None:
        """Take files."""
        self.dragMoveEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent | None) -> None:
        """Take files, unless they are being predicted."""
        if event.mimeData().hasUrls() and not self._work.is_busy:
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Add what was dropped."""
        paths = [url.toLocalFile() for url in event.mimeData().urls()]
        self.dropped.emit([path for path in paths if path])
        event.acceptProposedAction()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Say what an empty list is for."""
        super().paintEvent(event)
        if not self.rows.rowCount():
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().placeholderText().color())
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, HINT)
            painter.end()

    def _on_double_clicked(self, index: QModelIndex) -> None:
        self.opened.emit(self._work.images[index.row()])
