"""What the Objects dock shows while there is no labels layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from napari import Viewer

SAMPLE = "shapes"


class NoObjects(QWidget):
    """One sentence, and a button that opens objects to try things out on."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        text = QLabel(
            "There are no objects yet: open a labels layer (of StarDist, Cellpose, ilastik, a "
            "file), or make objects under Predict."
        )
        text.setWordWrap(True)
        self.sample_button = QPushButton("Open sample objects")
        self.sample_button.setToolTip("Opens round and long objects to try things out on.")
        self.sample_button.clicked.connect(self._open_sample)
        layout = QVBoxLayout(self)
        layout.addWidget(text)
        layout.addWidget(self.sample_button)
        layout.addStretch(1)

    def _open_sample(self) -> None:
        from napari.layers import Layer

        from napari_spinney.samples import layers, load_sample

        for data in layers(load_sample(SAMPLE)):
            self._viewer.add_layer(Layer.create(*data))
