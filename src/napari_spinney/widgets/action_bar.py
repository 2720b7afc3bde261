"""Live, Train, Predict: under the class list, so that most people stay on the first tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from napari_spinney.widgets.workspace import Workspace


class ActionBar(QWidget):
    """Three buttons."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._session = workspace.session
        self.live = QPushButton("● Live")
        self.live.setCheckable(True)
        self.live.setToolTip(
            "Trains anew after each stroke and shows the result of what is in view at once (Alt+L)."
        )
        self.train = QPushButton("Train")
        self.train.setToolTip("Learns from all strokes (Alt+T).")
        self.predict = QPushButton("Predict all")
        self.predict.setToolTip("Classifies the whole image with what was learnt.")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for button in (self.live, self.train, self.predict):
            layout.addWidget(button, 1)
        self._connect()
        self._refresh()

    def _connect(self) -> None:
        self.live.toggled.connect(self._session.set_live)
        self.train.clicked.connect(self._workspace.training.train)
        self.predict.clicked.connect(self._workspace.predict_all)
        link(self, self._on_live_changed, self._session.live_changed)
        for signal in (
            self._session.model_changed,
            self._session.activity_changed,
            self._session.counts_changed,
        ):
            link(self, self._refresh, signal)

    def _on_live_changed(self, live: bool) -> None:
        self.live.setChecked(live)

    def _refresh(self) -> None:
        busy = self._session.activity.kind == "training" and not self._session.live
        self.train.setEnabled(not busy)
        self.predict.setEnabled(self._session.model is not None)
