"""Which images are trained on, what their axes are, and which layers are their channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_spinney.session import Activity
from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from napari_spinney.session import ImageEntry
    from napari_spinney.widgets.workspace import Workspace

AXES = {
    2: ("yx",),
    3: ("zyx", "tyx", "cyx", "yxc"),
    4: ("tzyx", "czyx", "tcyx", "zcyx", "zyxc", "tyxc"),
    5: ("tczyx", "tzcyx", "ctzyx", "tzyxc"),
}
_WORDS = {"t": "time", "c": "channel", "z": "z", "y": "y", "x": "x"}


class ImagesForm(QWidget):
    """The images of the session, and the current one's axes, channels and pixel size."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._session = workspace.session
        self._binding = workspace.binding
        self._filling = False
        self.images = QListWidget()
        self.images.setToolTip("Ticked images are trained on, each with its own strokes.")
        self.images.setMaximumHeight(84)
        self.add = QPushButton("+ add the other image layers")
        self.add.setToolTip("Gives each image layer that is open a layer to paint on.")
        self.channels = QListWidget()
        self.channels.setToolTip(
            "Layers of the same shape can be channels of one image: tick those to look at."
        )
        self.channels.setMaximumHeight(84)
        self.axes = QComboBox()
        self.axes.setToolTip(
            "What the axes of the image are. Time points are classified one by one."
        )
        self.pixel = QLabel()
        self.pixel.setToolTip("From the scale and the units of the layer.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.images)
        layout.addWidget(self.add)
        form = QFormLayout()
        form.addRow("Axes", self.axes)
        form.addRow("Pixel", self.pixel)
        form.addRow("Channels", self.channels)
        layout.addLayout(form)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        self.images.itemChanged.connect(self._on_image_ticked)
        self.channels.itemChanged.connect(self._on_channel_ticked)
        self.axes.activated.connect(self._on_axes_chosen)
        self.add.clicked.connect(self._on_add_clicked)
        link(self, self.refresh, self._session.images_changed)
        link(self, self.refresh, self._binding.current_changed)
        layers = self._workspace.viewer.layers.events
        for event in (layers.inserted, layers.removed, layers.renamed):
            link(self, self.refresh, event)

    def refresh(self, event: Any = None) -> None:
        """Show the images there are."""
        self._filling = True
        try:
            self._fill_images()
            current = self._binding.current
            entry = self._session.images.get(current) if current is not None else None
            if entry is not None and entry.id in self._binding.images:
                self._fill_axes(entry)
                self._fill_channels(entry)
                self.pixel.setText(_pixel_text(entry))
        finally:
            self._filling = False

    def _fill_images(self) -> None:
        self.images.clear()
        for entry in self._session.images.values():
            _add(self.images, entry.name, entry.id, entry.used)
        known = {layer for layers in self._binding.images.values() for layer in layers}
        self.add.setEnabled(any(x not in known for x in self._binding.candidates()))

    def _fill_axes(self, entry: ImageEntry) -> None:
        self.axes.clear()
        axes = self._binding.source_axes(entry.id)
        choices = AXES.get(len(axes), ())
        for choice in choices if axes in choices else (axes, *choices):
            self.axes.addItem(", ".join(_WORDS[a] for a in choice), choice)
        self.axes.setCurrentIndex(self.axes.findData(axes))
        several = len(self._binding.images[entry.id]) > 1
        self.axes.setEnabled(not several and self.axes.count() > 1)

    def _fill_channels(self, entry: ImageEntry) -> None:
        self.channels.clear()
        chosen = self._binding.images[entry.id]
        shape = chosen[0].data.shape
        for layer in self._binding.candidates():
            if not layer.multiscale and not layer.rgb and layer.data.shape == shape:
                _add(self.channels, layer.name, layer, layer in chosen)

    def _on_image_ticked(self, item: QListWidgetItem) -> None:
        if not self._filling:
            used = item.checkState() == Qt.CheckState.Checked
            self._session.change_image(item.data(Qt.ItemDataRole.UserRole), used=used)

    def _on_channel_ticked(self, item: QListWidgetItem) -> None:
        current = self._binding.current
        if self._filling or current is None:
            return
        items = [self.channels.item(row) for row in range(self.channels.count())]
        layers = [
            i.data(Qt.ItemDataRole.UserRole)
            for i in items
            if i.checkState() == Qt.CheckState.Checked
        ]
        self._binding.use_channels(current, layers)

    def _on_axes_chosen(self, index: int) -> None:
        if self._binding.current is None:
            return
        try:
            self._binding.set_axes(self._binding.current, self.axes.itemData(index))
        except ValueError as error:
            self._session.set_activity(Activity("failed", str(error)))
        else:
            self._binding.annotate(self._binding.current)

    def _on_add_clicked(self) -> None:
        current = self._binding.current
        for layer in self._binding.candidates():
            if self._binding.id_of(layer) is None:
                self._binding.annotate(self._binding.use_image(layer))
        if current is not None:
            self._binding.annotate(self._binding.use_image(self._binding.source(current)))


def _add(where: QListWidget, text: str, data: Any, ticked: bool) -> None:
    item = QListWidgetItem(text)
    item.setData(Qt.ItemDataRole.UserRole, data)
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
    item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
    where.addItem(item)


def _pixel_text(entry: ImageEntry) -> str:
    if entry.spacing is None:
        return "size not known; sizes are in pixels"
    return " × ".join(f"{size:g}" for size in entry.spacing) + " µm"
