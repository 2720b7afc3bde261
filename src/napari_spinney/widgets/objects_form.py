"""Which objects, which image, which measurements, which class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Tracks
from psygnal import Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QWidget,
)

from napari_spinney.objects.catalogue import GROUPS
from napari_spinney.widgets.links import link
from napari_spinney.widgets.results import KEY

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer

    from napari_spinney.session import Session

GROUPS_AT_FIRST = ("size", "shape", "intensity")
LOOK_ONLY = 0
TIPS = {
    "size": "Area or volume, axes, perimeter or surface, Feret diameter, convex hull.",
    "shape": "Solidity, eccentricity, circularity, aspect ratio, Euler number, ...",
    "intensity": "Mean, spread, extremes and percentiles of each channel; needs an image.",
    "texture": "How grey levels of neighbouring pixels differ inside the object; needs an image.",
    "position": "Centroid, bounding box, distance to the border of the image.",
    "neighbours": "Touching objects, distances to the nearest, local density.",
}


class ObjectsForm(QWidget):
    """Lists of layers, groups of measurements, and the class that a click gives."""

    layers_changed = Signal()

    def __init__(self, viewer: Viewer, session: Session) -> None:
        super().__init__()
        self._viewer = viewer
        self._session = session
        self.labels = _box("The layer whose objects are measured and classified.")
        self.image = _box("The image that intensities and textures are measured in.")
        self.strokes = _box(
            "A labels layer whose numbers are classes painted on the objects: an object takes "
            "the class with most pixels inside it. Clicks count before strokes."
        )
        self.new_strokes = QPushButton("new")
        self.new_strokes.setToolTip(
            "Adds a layer to paint classes on, and takes the brush in hand."
        )
        self.tracks = _box(
            "Tracks that give objects over time a column 'track'; without, labels that last are "
            "the tracks."
        )
        self.click_class = _box(
            "The class that a click on an object gives; again takes it away. Type to rename it. "
            "In the table, keys 1 to 9 give a class to the row, 0 takes it away."
        )
        self.click_class.setEditable(True)
        self.click_class.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.click_class.setCompleter(None)
        self.groups = {name: QCheckBox(name) for name in GROUPS}
        self._image_chosen = False
        self._lay_out()
        self._connect()
        self.refresh()
        self.refresh_classes()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        for place, (name, check) in enumerate(self.groups.items()):
            check.setChecked(name in GROUPS_AT_FIRST)
            check.setToolTip(TIPS[name])
            grid.addWidget(check, *divmod(place, 3))
        self._rows = QFormLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        self._rows.addRow("Objects", self.labels)
        self._rows.addRow("Image", self.image)
        self._rows.addRow("Tracks", self.tracks)
        self._rows.addRow("Measure", grid)
        self._rows.addRow("Click gives", self.click_class)
        row = QHBoxLayout()
        row.addWidget(self.strokes, 1)
        row.addWidget(self.new_strokes)
        self._rows.addRow("Strokes", row)

    def _connect(self) -> None:
        events = self._viewer.layers.events
        link(self, self.refresh, events.inserted, events.removed)
        link(self, self.refresh_classes, self._session.classes_changed)
        self.click_class.lineEdit().editingFinished.connect(self._on_renamed)
        self.labels.currentIndexChanged.connect(self._propose_image)
        self.image.activated.connect(self._on_image_chosen)

    def refresh(self, event: Any = None) -> None:
        """List the layers there are, keeping what is chosen."""
        layers = list(self._viewer.layers)
        labels = [layer for layer in layers if isinstance(layer, Labels)]
        ours = [layer for layer in labels if KEY in layer.metadata]
        objects = [layer for layer in labels if layer not in ours or _holds_objects(layer)]
        images = [x for x in layers if isinstance(x, Image) and KEY not in x.metadata]
        tracks = [layer for layer in layers if isinstance(layer, Tracks)]
        _fill(self.labels, objects)
        _fill(self.image, images, none="none")
        _fill(self.strokes, labels, none="none")
        _fill(self.tracks, tracks, none="from the labels")
        self._rows.setRowVisible(self.tracks, bool(tracks))
        self._propose_image()
        self.layers_changed.emit()

    def refresh_classes(self) -> None:
        """List the classes."""
        chosen = self.click_number
        self.click_class.blockSignals(True)
        self.click_class.clear()
        for entry in self._session.classes.values():
            self.click_class.addItem(_swatch(entry.color), entry.name, entry.number)
        self.click_class.addItem("no class, look only", LOOK_ONLY)
        self.click_class.setCurrentIndex(max(0, self.click_class.findData(chosen)))
        self.click_class.blockSignals(False)

    @property
    def click_number(self) -> int:
        """Class that a click gives, 0 for none."""
        number = self.click_class.currentData()
        return 1 if number is None else int(number)

    def features(self) -> str:
        """Groups that are ticked."""
        return " ".join(name for name, check in self.groups.items() if check.isChecked())

    def _propose_image(self, index: int = -1) -> None:
        """Choose the image that has the size of the objects, until somebody chooses."""
        layer = self.labels.currentData()
        if self._image_chosen or layer is None or self.image.currentData() is not None:
            return
        for row in range(1, self.image.count()):
            image = self.image.itemData(row)
            if np.array_equal(image.extent.data[1][-layer.ndim :], layer.extent.data[1]):
                self.image.setCurrentIndex(row)
                return

    def _on_image_chosen(self, index: int) -> None:
        self._image_chosen = True

    def _on_renamed(self) -> None:
        row, name = self.click_class.currentIndex(), self.click_class.currentText().strip()
        if self.click_number and name and name != self.click_class.itemText(row):
            self._session.change_class(self.click_number, name=name)


def _holds_objects(layer: Layer) -> bool:
    return layer.metadata[KEY].get("what") in ("objects", "object merged objects")


def _box(tip: str) -> QComboBox:
    box = QComboBox()
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box


def _fill(box: QComboBox, layers: list[Any], *, none: str = "") -> None:
    known = [box.itemData(k) for k in range(box.count())]
    chosen = box.currentData()
    wanted = [None, *layers] if none else layers
    if known == wanted and box.count():
        return
    box.clear()
    for layer in wanted:
        box.addItem(none if layer is None else layer.name, layer)
    if chosen in wanted:
        box.setCurrentIndex(wanted.index(chosen))


def _swatch(color: str) -> QIcon:
    picture = QPixmap(14, 14)
    picture.fill(QColor(color))
    return QIcon(picture)
