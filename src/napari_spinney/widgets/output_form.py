"""What to make: classes, probabilities, objects, uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_spinney.widgets.dock import section
from napari_spinney.widgets.links import link
from napari_spinney.widgets.predicting import Where, Wish

if TYPE_CHECKING:
    from napari_spinney.widgets.workspace import Workspace


class OutputForm(QWidget):
    """Check boxes for results, and how objects are made."""

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._session = workspace.session
        self.classes = _check("classes", "Each pixel gets the class that is most likely.")
        self.classes.setChecked(True)
        self.probability = _check("probability of", "How likely this class is, from 0 to 1.")
        self.all_probabilities = _check("all probabilities", "One layer per class, from 0 to 1.")
        self.objects = _check("objects of", "Connected pixels of this class, each with a number.")
        self.uncertainty = _check(
            "uncertainty", "1 where the two likeliest classes are as likely as each other."
        )
        self.target = QComboBox()
        self.target.setToolTip("The class for the probability and the objects.")
        self.split = _check("split touching objects", "Parts objects along the necks between them.")
        self.split.setChecked(True)
        self.min_size = QSpinBox()
        self.min_size.setRange(0, 10**6)
        self.min_size.setValue(20)
        self.min_size.setSuffix(" px")
        self.min_size.setToolTip("Smaller objects are dropped.")
        self.border = _check(
            "drop those at the border", "Drops objects that touch the border of the image."
        )
        self._lay_out()
        self._connect()
        link(self, self._fill_classes, self._session.classes_changed)
        link(self, self._fill_classes, self._session.model_changed)
        self._fill_classes()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel("<b>Make</b>"))
        layout.addWidget(self.classes)
        row = QHBoxLayout()
        boxes = QVBoxLayout()
        boxes.addWidget(self.probability)
        boxes.addWidget(self.objects)
        row.addLayout(boxes)
        row.addWidget(self.target, 1)
        layout.addLayout(row)
        layout.addWidget(self.all_probabilities)
        layout.addWidget(self.uncertainty)
        options = QWidget()
        form = QFormLayout(options)
        form.addRow(self.split)
        form.addRow("Smallest", self.min_size)
        form.addRow(self.border)
        layout.addWidget(section("Objects", options))

    def _connect(self) -> None:
        for box in (
            self.classes,
            self.probability,
            self.all_probabilities,
            self.objects,
            self.uncertainty,
            self.split,
            self.border,
        ):
            box.toggled.connect(self._on_changed)
        self.min_size.valueChanged.connect(self._on_changed)
        self.target.activated.connect(self._on_changed)

    def _on_changed(self, value: Any = None) -> None:
        self.changed.emit()

    def wish(self, where: Where = "current") -> Wish:
        """What is ticked, as a value."""
        ticked: dict[str, Any] = {
            "classes": self.classes,
            "probability": self.probability,
            "probabilities": self.all_probabilities,
            "objects": self.objects,
            "uncertainty": self.uncertainty,
        }
        return Wish(
            what=tuple(name for name, box in ticked.items() if box.isChecked()),
            target=self.target.currentData(),
            where=where,
            split=self.split.isChecked(),
            min_size=self.min_size.value(),
            clear_border=self.border.isChecked(),
        )

    def _fill_classes(self) -> None:
        chosen = self.target.currentData()
        self.target.clear()
        for entry in self._session.classes.values():
            self.target.addItem(entry.name, entry.number)
        index = self.target.findData(chosen)
        self.target.setCurrentIndex(index if index >= 0 else self.target.count() - 1)


def _check(text: str, tip: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setToolTip(tip)
    return box
