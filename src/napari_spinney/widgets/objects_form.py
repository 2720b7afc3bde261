"""Which objects, which image, which measurements, which class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QGridLayout, QWidget

from napari_spinney.objects.catalogue import GROUPS
from napari_spinney.session import ClassEntry
from napari_spinney.widgets.results import KEY

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer

GROUPS_AT_FIRST = ("size", "shape", "intensity")
N_CLASSES = 9
TIPS = {
    "size": "Area or volume, axes, perimeter or surface, Feret diameter, convex hull.",
    "shape": "Solidity, eccentricity, circularity, aspect ratio, Euler number, ...",
    "intensity": "Mean, spread, extremes and percentiles of each channel.",
    "texture": "How grey levels of neighbouring pixels differ inside the object.",
    "position": "Centroid, bounding box, distance to the border of the image.",
    "neighbours": "Touching objects, distances to the nearest, local density.",
}


class ObjectsForm(QWidget):
    """Lists of layers, groups of measurements, and the class that a click gives."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.labels = _box("The layer whose objects are measured and classified.")
        self.image = _box("The image that intensities and textures are measured in.")
        self.strokes = _box(
            "A labels layer whose numbers are classes painted on the objects: an object takes "
            "the class with most pixels inside it. Clicks count before strokes."
        )
        self.click_class = _box("The class that a click on an object gives; again takes it away.")
        for number in range(1, N_CLASSES + 1):
            entry = ClassEntry.default(number)
            self.click_class.addItem(_swatch(entry.color), f"class {number}", number)
        self.click_class.addItem("no class, look only", 0)
        self.groups = {name: QCheckBox(name) for name in GROUPS}
        grid = QGridLayout()
        for place, (name, check) in enumerate(self.groups.items()):
            check.setChecked(name in GROUPS_AT_FIRST)
            check.setToolTip(TIPS[name])
            grid.addWidget(check, *divmod(place, 2))
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        rows.addRow("Objects", self.labels)
        rows.addRow("Image", self.image)
        rows.addRow("Measure", grid)
        rows.addRow("Click gives", self.click_class)
        rows.addRow("Strokes", self.strokes)
        for event in (viewer.layers.events.inserted, viewer.layers.events.removed):
            event.connect(self.refresh)
        self.refresh()

    def close_connections(self) -> None:
        """Hear nothing more of the viewer."""
        for event in (self._viewer.layers.events.inserted, self._viewer.layers.events.removed):
            event.disconnect(self.refresh)

    def refresh(self, event: Any = None) -> None:
        """List the layers there are, keeping what is chosen."""
        labels = [layer for layer in self._viewer.layers if isinstance(layer, Labels)]
        images = [layer for layer in self._viewer.layers if isinstance(layer, Image)]
        ours = [layer for layer in labels if KEY in layer.metadata]
        objects = [layer for layer in labels if layer not in ours or _holds_objects(layer)]
        _fill(self.labels, objects, none=False)
        _fill(self.image, images, none=True)
        _fill(self.strokes, labels, none=True)

    def features(self) -> str:
        """Groups that are ticked."""
        return " ".join(name for name, check in self.groups.items() if check.isChecked())


def _holds_objects(layer: Layer) -> bool:
    return bool(layer.metadata[KEY].get("what") == "objects")


def _box(tip: str) -> QComboBox:
    box = QComboBox()
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box


def _fill(box: QComboBox, layers: list[Any], *, none: bool) -> None:
    known = [box.itemData(k) for k in range(box.count())]
    chosen = box.currentData()
    wanted = [None, *layers] if none else layers
    if known == wanted and box.count():
        return
    box.clear()
    for layer in wanted:
        box.addItem("none" if layer is None else layer.name, layer)
    if chosen in wanted:
        box.setCurrentIndex(wanted.index(chosen))


def _swatch(color: str) -> QIcon:
    picture = QPixmap(14, 14)
    picture.fill(QColor(color))
    return QIcon(picture)
