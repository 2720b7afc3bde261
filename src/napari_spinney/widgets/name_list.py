"""A list of names, some of which are ticked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QListWidget, QListWidgetItem

if TYPE_CHECKING:
    from collections.abc import Sequence

ROWS = 5


class NameList(QListWidget):
    """Names with a box each; space ticks."""

    changed = Signal()

    def __init__(self, tip: str) -> None:
        super().__init__()
        self.setToolTip(tip)
        self.setFixedHeight(ROWS * (self.fontMetrics().height() + 4) + 6)
        self.itemChanged.connect(self._on_item_changed)

    def names(self) -> list[str]:
        """Names that are ticked, in the order of the list."""
        items = [self.item(row) for row in range(self.count())]
        return [item.text() for item in items if item.checkState() == Qt.CheckState.Checked]

    def set_names(self, names: Sequence[str], n_first: int) -> None:
        """List other names; those that were ticked stay so, else the first ones are."""
        ticked = [name for name in self.names() if name in names] or list(names[:n_first])
        self.blockSignals(True)
        self.clear()
        for name in names:
            item = QListWidgetItem(name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if name in ticked else Qt.CheckState.Unchecked)
            self.addItem(item)
        self.blockSignals(False)

    def tick(self, names: Sequence[str]) -> None:
        """Tick these names, and no others."""
        self.blockSignals(True)
        for row in range(self.count()):
            item = self.item(row)
            wanted = item.text() in names
            item.setCheckState(Qt.CheckState.Checked if wanted else Qt.CheckState.Unchecked)
        self.blockSignals(False)
        self.changed.emit()

    def _on_item_changed(self, item: Any) -> None:
        self.changed.emit()
