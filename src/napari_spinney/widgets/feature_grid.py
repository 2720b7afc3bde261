"""Feature by sigma, with check boxes; the selected one can be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_spinney.features.catalogue import CATALOGUE, FAMILIES
from napari_spinney.features.feature import Feature, FeatureSet
from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from napari_spinney.widgets.feature_choice import Unit
    from napari_spinney.widgets.workspace import Workspace

SIZES = (1, 2, 4, 8)
"""Sizes offered besides those that are chosen."""

COLUMN, HEAD = 29, 128
"""Widths in pixels: the grid fits a dock on a small screen."""


class FeatureGrid(QWidget):
    """One row per feature, one column per size."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._session = workspace.session
        self._filling = False
        self._features: dict[tuple[int, int], Feature] = {}
        self.table = QTableWidget()
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setToolTip("Tick what is measured: one row per feature, one column per size.")
        self.look = QPushButton("Look at the selected feature")
        self.look.setToolTip("Shows what this feature is on the part of the image in view.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        layout.addWidget(self.look)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        self.table.itemChanged.connect(self._on_item_changed)
        self.look.clicked.connect(self._on_look_clicked)
        link(self, self.refresh, self._session.recipe_changed)

    def refresh(self) -> None:
        """Tick the features of the session's recipe."""
        chosen = FeatureSet.parse(self._session.recipe.features)
        sizes = tuple(sorted({*SIZES, *(f.number[0] for f in chosen if len(f.number) == 1)}))
        unit: Unit = next((f.unit for f in chosen if f.number), "pixel")
        names = _names(chosen)
        self._filling = True
        try:
            self._lay_out(names, sizes)
            for row, name in enumerate(names):
                for column, size in enumerate(sizes):
                    self._put(row, column, _feature(name, size, unit), chosen)
        finally:
            self._filling = False

    def chosen(self) -> FeatureSet:
        """The features that are ticked, in the order of the grid; others of the recipe are kept."""
        ticked = [
            feature
            for place, feature in sorted(self._features.items())
            if self.table.item(*place).checkState() == Qt.CheckState.Checked
        ]
        shown = set(self._features.values())
        before = FeatureSet.parse(self._session.recipe.features)
        return FeatureSet((*ticked, *(f for f in before if f not in shown)))

    def _lay_out(self, names: list[str], sizes: tuple[float, ...]) -> None:
        table = self.table
        table.clear()
        self._features.clear()
        table.setRowCount(len(names))
        table.setColumnCount(len(sizes))
        table.setVerticalHeaderLabels([name.replace("_", " ") for name in names])
        table.setHorizontalHeaderLabels([f"{size:g}" for size in sizes])
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setDefaultSectionSize(COLUMN)
        header.setMinimumSectionSize(20)
        rows = table.verticalHeader()
        rows.setDefaultSectionSize(24)
        rows.setFixedWidth(HEAD)
        rows.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        for row, name in enumerate(names):
            table.verticalHeaderItem(row).setToolTip(f"{name}: {summary_of(name)}")
        table.setFixedHeight(24 * len(names) + 50)

    def _put(self, row: int, column: int, feature: Feature | None, chosen: FeatureSet) -> None:
        item = QTableWidgetItem()
        self.table.setItem(row, column, item)
        if feature is None or (not feature.number and column):
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            return
        self._features[row, column] = feature
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        item.setFlags(flags | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(Qt.CheckState.Checked if feature in chosen else Qt.CheckState.Unchecked)
        item.setToolTip(f"{feature}: {summary_of(feature.name)}")

    def _on_item_changed(self, item: QTableWidgetItem) -> None:
        if self._filling:
            return
        features = self.chosen()
        if len(features):
            self._session.set_recipe(features=str(features))
        else:
            self.refresh()

    def _on_look_clicked(self) -> None:
        item = self.table.currentItem()
        feature = None if item is None else self._features.get((item.row(), item.column()))
        if feature is not None:
            self._workspace.overlays.show(str(feature))


def summary_of(name: str) -> str:
    """What a feature is good for."""
    entry = CATALOGUE.get(name)
    if entry is not None:
        return entry.summary
    family = FAMILIES.get(name)
    return "" if family is None else CATALOGUE[family[0]].summary


def _names(chosen: FeatureSet) -> list[str]:
    """Rows: the catalogue, with families in place of their members, and what else is chosen."""
    members = {name for family in FAMILIES.values() for name in family}
    names = [name for name in CATALOGUE if name not in members] + list(FAMILIES)
    return list(dict.fromkeys([*names, *(f.name for f in chosen)]))


def _feature(name: str, size: float, unit: Unit) -> Feature | None:
    entry = CATALOGUE.get(name)
    if entry is not None and entry.parameter == "none":
        return Feature(name)
    try:
        return Feature(name, (float(size),), unit)
    except ValueError:
        return None
