"""Which features are measured: a named set, or feature by sigma."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.sets import named_sets
from napari_spinney.interaction.messages import cost_of
from napari_spinney.widgets.dock import section
from napari_spinney.widgets.feature_grid import FeatureGrid
from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from napari_spinney.widgets.workspace import Workspace

OWN = "own choice"
Unit: TypeAlias = Literal["pixel", "micrometre"]
UNITS = {"pixels": "pixel", "micrometres": "micrometre"}


class FeatureChoice(QWidget):
    """Named sets, the grid, and what the choice costs."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._session = workspace.session
        self.sets = QComboBox()
        self.sets.addItems([*named_sets(), OWN])
        self.sets.setToolTip(
            'A ready-made set of features. "object_size" sets suit objects of about that size.'
        )
        self.unit = QComboBox()
        for text, unit in UNITS.items():
            self.unit.addItem(text, unit)
        self.unit.setToolTip(
            "Sizes in micrometres carry over to images of another pixel size; the layer's scale "
            "and units say how large a pixel is."
        )
        for box in (self.sets, self.unit):
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        self.cost = QLabel()
        self.cost.setWordWrap(True)
        self.cost.setToolTip(
            "How many features, how far they reach, and the memory they take. The time is that of "
            "the last prediction with them."
        )
        self.grid = FeatureGrid(workspace)
        form = QFormLayout()
        form.addRow("Set", self.sets)
        form.addRow("Sizes in", self.unit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        layout.addWidget(self.cost)
        self.choose = section("Choose", self.grid)
        layout.addWidget(self.choose)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        self.sets.textActivated.connect(self._on_set_chosen)
        self.unit.activated.connect(self._on_unit_chosen)
        link(self, self.refresh, self._session.recipe_changed)
        link(self, self.refresh, self._session.images_changed)
        link(self, self.refresh, self._session.pace_changed)
        link(self, self.refresh, self._workspace.binding.current_changed)

    def refresh(self) -> None:
        """Show the recipe of the session."""
        features = self._session.recipe.features
        self.sets.setCurrentText(features if features in named_sets() else OWN)
        current = self._workspace.binding.current
        entry = self._session.images.get(current) if current is not None else None
        self.cost.setText(cost_of(self._session.recipe, entry, self._session.pace_on(entry)))
        self.unit.setEnabled(entry is not None and entry.spacing is not None)

    def _on_set_chosen(self, name: str) -> None:
        if name != OWN:
            self.unit.setCurrentIndex(0)
            self._session.set_recipe(features=name, use_spacing=False)

    def _on_unit_chosen(self, index: int) -> None:
        current = self._workspace.binding.current
        entry = self._session.images.get(current) if current is not None else None
        if entry is None or entry.spacing is None:
            return
        unit = self.unit.itemData(index)
        features = in_unit(
            FeatureSet.parse(self._session.recipe.features), unit, entry.spacing[-1], entry.ndim
        )
        self._session.set_recipe(features=str(features), use_spacing=unit == "micrometre")


def in_unit(features: FeatureSet, unit: Unit, size: float, ndim: int) -> FeatureSet:
    """The same features with sizes in another unit; ``size`` is micrometres per pixel in x."""
    from dataclasses import replace

    factor = size if unit == "micrometre" else 1 / size
    return FeatureSet(
        tuple(
            replace(f, number=tuple(round(n * factor, 4) for n in f.number), unit=unit)
            if f.number and f.unit != unit
            else f
            for f in features
        )
    )
