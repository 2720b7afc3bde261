"""The third dock: which model, what to make, of which images, and where it is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QPushButton, QWidget

from napari_spinney.interaction.messages import fit_of
from napari_spinney.widgets.device_choice import DeviceChoice
from napari_spinney.widgets.dock import Dock
from napari_spinney.widgets.exporting import ExportRow
from napari_spinney.widgets.links import link
from napari_spinney.widgets.model_row import ModelRow
from napari_spinney.widgets.output_form import OutputForm
from napari_spinney.widgets.saving import SaveRow

if TYPE_CHECKING:
    from napari import Viewer

WHERE = {
    "current image": "current",
    "all images": "all",
    "visible region": "visible",
    "time point in view": "time point",
}


class PredictDock(Dock):
    """Model, results, images, device; one button."""

    needs_image = False

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.model = ModelRow(self.workspace)
        self.outputs = OutputForm(self.workspace)
        self.where = QComboBox()
        for text, value in WHERE.items():
            self.where.addItem(text, value)
        self.where.setToolTip("Which images, or which part of the current one, are classified.")
        self.device = DeviceChoice(self.workspace)
        self.fit = QLabel()
        self.fit.setWordWrap(True)
        self.predict = QPushButton("Predict")
        self.predict.setToolTip("Makes the results that are ticked.")
        self.saving = SaveRow(self.workspace)
        self.exporting = ExportRow(self.workspace, self.outputs.wish)
        form = QWidget()
        layout = QFormLayout(form)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addRow("On", self.where)
        for widget in (
            self.model,
            self.outputs,
            form,
            self.device,
            self.fit,
            self.predict,
            self.saving,
            self.exporting,
        ):
            self.rows.addWidget(widget)
        self.rows.addStretch(1)
        self._connect()
        self._refresh()

    def _connect(self) -> None:
        self.predict.clicked.connect(self._on_predict_clicked)
        link(self, self._refresh, self.session.model_changed)
        link(self, self._refresh, self.session.images_changed)
        link(self, self._refresh, self.session.activity_changed)
        link(self, self._refresh, self.workspace.binding.current_changed)

    def _refresh(self) -> None:
        model, current = self.session.model, self.workspace.binding.current
        entry = self.session.images.get(current) if current is not None else None
        misfit = "" if model is None or entry is None else fit_of(model, entry)
        self.fit.setText(misfit)
        self.fit.setVisible(bool(misfit))
        busy = self.session.activity.kind == "predicting" and not self.session.live
        self.predict.setEnabled(model is not None and not busy)

    def _on_predict_clicked(self) -> None:
        if self.workspace.binding.current is None:
            self.workspace.begin()
        self.workspace.wish = self.outputs.wish(where=self.where.currentData())
        self.workspace.predict_all()
