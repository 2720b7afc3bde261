"""How the forest is grown: defaults that work, for those who want to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QSpinBox, QWidget

from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from napari_spinney.session import Session

KINDS = {"default": None, "extremely random": "extra_trees", "random forest": "random_forest"}
BALANCES = {"default": None, "as painted": "none", "in between": "sqrt", "equal": "balanced"}


class ForestForm(QWidget):
    """Trees, depth, kind, balance, seed, stages.

    Parameters
    ----------
    session : Session
        Whose recipe is shown and changed.
    what : str
        What is given a class, in the words of the tooltips: "strokes" or "objects".
    """

    def __init__(self, session: Session, what: str = "strokes") -> None:
        super().__init__()
        self._session = session
        self.trees = _spin(1, 1000, 100, "Number of trees. More are steadier and slower.")
        self.max_depth = _spin(
            0, 100, 0, "Largest number of questions a tree asks. Unlimited is most often best."
        )
        self.max_depth.setSpecialValueText("unlimited")
        self.kind = _box(KINDS, "How trees are grown.")
        self.balance = _box(
            BALANCES,
            f"How much a class counts: as painted (a class with more {what} is found more often), "
            "equal (rare classes are found as readily as common ones), or in between.",
        )
        self.seed = _spin(0, 2**31 - 1, 0, "The same number gives the same forest again.")
        self.stages = QCheckBox("look twice")
        self.stages.setToolTip(
            "Trains a second forest that also sees what the first one found nearby: better on "
            "textures, twice as slow."
        )
        layout = QFormLayout(self)
        for label, widget in (
            ("Trees", self.trees),
            ("Depth", self.max_depth),
            ("Kind", self.kind),
            ("Classes count", self.balance),
            ("Seed", self.seed),
            ("", self.stages),
        ):
            layout.addRow(label, widget)
        layout.setRowVisible(self.stages, what == "strokes")  # only pixels have a neighbourhood
        layout.setContentsMargins(0, 0, 0, 0)
        self.refresh()
        self._connect()

    def _connect(self) -> None:
        for spin in (self.trees, self.max_depth, self.seed):
            spin.valueChanged.connect(self._on_changed)
        for box in (self.kind, self.balance):
            box.currentIndexChanged.connect(self._on_changed)
        self.stages.toggled.connect(self._on_changed)
        link(self, self.refresh, self._session.recipe_changed)

    def refresh(self) -> None:
        """Show the recipe of the session."""
        recipe = self._session.recipe
        numbers = {
            self.trees: recipe.n_trees,
            self.max_depth: recipe.max_depth or 0,
            self.seed: recipe.seed,
        }
        for spin, number in numbers.items():
            with QSignalBlocker(spin):
                spin.setValue(number)
        for box, word in ((self.kind, recipe.kind), (self.balance, recipe.balance)):
            with QSignalBlocker(box):
                box.setCurrentIndex(max(0, box.findData(word)))
        with QSignalBlocker(self.stages):
            self.stages.setChecked(recipe.stages > 1)

    def _state(self) -> dict[str, Any]:
        return {
            "n_trees": self.trees.value(),
            "max_depth": self.max_depth.value() or None,
            "kind": self.kind.currentData(),
            "balance": self.balance.currentData(),
            "seed": self.seed.value(),
            "stages": 2 if self.stages.isChecked() else 1,
        }

    def _on_changed(self, value: Any = None) -> None:
        self._session.set_recipe(**self._state())


def _spin(low: int, high: int, value: int, tip: str) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(low, high)
    spin.setValue(value)
    spin.setToolTip(tip)
    spin.setKeyboardTracking(False)
    return spin


def _box(choices: dict[str, str | None], tip: str) -> QComboBox:
    box = QComboBox()
    for text, value in choices.items():
        box.addItem(text, value)
    box.setToolTip(tip)
    return box
