"""Which image is worked on, and which layer is painted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Labels
from qtpy.QtWidgets import QComboBox, QFileDialog, QFormLayout, QHBoxLayout, QToolButton, QWidget

from napari_spinney.widgets.links import link
from napari_spinney.widgets.results import KEY

if TYPE_CHECKING:
    from napari_spinney.widgets.workspace import Workspace


class ImageChoice(QWidget):
    """Two lists: the image, and the layer with its strokes."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._binding = workspace.binding
        self.image = QComboBox()
        self.image.setToolTip("The image to paint on and to classify.")
        self.strokes = QComboBox()
        self.strokes.setToolTip(
            "The layer that holds the strokes. Choose another labels layer of the same shape to "
            "use it as strokes: its values are class numbers."
        )
        self.new = QToolButton()
        self.new.setText("New")
        self.new.setToolTip("Begins with an empty layer to paint on; the old one stays as it is.")
        self.load = QToolButton()
        self.load.setText("File …")
        self.load.setToolTip("Reads strokes from an image file: 0 is unpainted, else a class.")
        for box in (self.image, self.strokes):
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.setMinimumContentsLength(8)
        row = QHBoxLayout()
        row.addWidget(self.strokes, 1)
        row.addWidget(self.new)
        row.addWidget(self.load)
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addRow("Image", self.image)
        layout.addRow("Paint on", row)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        self.image.activated.connect(self._on_image_chosen)
        self.strokes.activated.connect(self._on_strokes_chosen)
        self.new.clicked.connect(self._on_new_clicked)
        self.load.clicked.connect(self._on_load_clicked)
        link(self, self.refresh, self._binding.current_changed)
        link(self, self.refresh, self._workspace.session.images_changed)
        link(self, self._on_annotation_changed, self._workspace.session.annotation_changed)
        layers = self._workspace.viewer.layers.events
        for event in (layers.inserted, layers.removed, layers.renamed, layers.reordered):
            link(self, self.refresh, event)

    def refresh(self, event: Any = None) -> None:
        """List the layers there are."""
        current = self._binding.current
        source = self._binding.images[current][0] if current in self._binding.images else None
        _fill(self.image, self._binding.candidates(), source)
        annotation = None if current is None else self._binding.annotations.get(current)
        _fill(self.strokes, self._possible_strokes(), annotation)

    def _possible_strokes(self) -> list[Labels]:
        current = self._binding.current
        if current not in self._binding.images:
            return []
        shape = self._workspace.session.images[current].annotation_shape
        return [
            layer
            for layer in self._workspace.viewer.layers
            if isinstance(layer, Labels)
            and not layer.multiscale
            and tuple(layer.data.shape) == shape
            and layer.metadata.get(KEY, {}).get("image", current) == current
            and "what" not in layer.metadata.get(KEY, {})
        ]

    def _on_image_chosen(self, index: int) -> None:
        self._binding.annotate(self._binding.use_image(self.image.itemData(index)))

    def _on_strokes_chosen(self, index: int) -> None:
        current = self._binding.current
        if current is not None:
            self._binding.adopt(current, self.strokes.itemData(index))
            self._binding.take_brush(current)

    def _on_new_clicked(self) -> None:
        if self._binding.current is not None:
            self._binding.renew(self._binding.current)

    def _on_load_clicked(self) -> None:
        dialog = QFileDialog(self, "Open strokes")
        dialog.fileSelected.connect(self._workspace.import_strokes)
        dialog.open()

    def _on_annotation_changed(self, image_id: str) -> None:
        if self.strokes.currentIndex() < 0:
            self.refresh()


def _fill(box: QComboBox, layers: list[Any], chosen: Any) -> None:
    box.clear()
    for layer in layers:
        box.addItem(layer.name, layer)
    box.setCurrentIndex(layers.index(chosen) if chosen in layers else -1)
