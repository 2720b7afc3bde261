"""Offers strokes that were kept when napari ended, by a crash or otherwise."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from napari_spinney.interaction.autosave import Kept
    from napari_spinney.widgets.workspace import Workspace


class RestoreBar(QWidget):
    """Appears when there are strokes for the current image from an earlier time."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._kept: Kept | None = None
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.restore = QPushButton("Restore")
        self.restore.setToolTip("Takes these strokes as the strokes of this image.")
        self.dismiss = QPushButton("Not now")
        self.dismiss.setToolTip("Hides this offer; the strokes stay in the cache folder.")
        row = QHBoxLayout()
        row.addWidget(self.restore)
        row.addWidget(self.dismiss)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)
        layout.addLayout(row)
        self.restore.clicked.connect(self._on_restore_clicked)
        self.dismiss.clicked.connect(self.hide)
        link(self, self._look, workspace.binding.current_changed)
        link(self, self._on_counts_changed, workspace.session.counts_changed)
        self.hide()
        self._look()

    def _look(self) -> None:
        image_id = self._workspace.binding.current
        self._kept = None if image_id is None else self._workspace.keeping.find(image_id)
        if self._kept is None:
            self.hide()
            return
        when = datetime.datetime.fromtimestamp(self._kept.saved).astimezone()
        self.text.setText(
            f"Strokes painted on this image until {when:%d %b %Y, %H:%M} were kept "
            f"({self._kept.n_pixels:,} px)."
        )
        self.show()

    def _on_counts_changed(self) -> None:
        if self._workspace.session.painted():
            self.hide()

    def _on_restore_clicked(self) -> None:
        image_id = self._workspace.binding.current
        if self._kept is None or image_id is None:
            return
        self._workspace.session.set_classes(self._kept.class_names, self._kept.class_colors)
        self._workspace.binding.annotate(image_id, self._kept.load())
        self.hide()
