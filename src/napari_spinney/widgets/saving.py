"""Saving models and results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_info
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QWidget

from napari_spinney.batch.result_files import Result, saving_results
from napari_spinney.interaction.tasks import plainly
from napari_spinney.widgets.links import link
from napari_spinney.widgets.results import ORIGIN

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from napari_spinney.widgets.workspace import Workspace

FILTERS = "Spinney model (*.spinney);;APOC classifier (*.cl)"


class SaveRow(QWidget):
    """Two buttons: the model, and the results of the current image."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.model = QPushButton("Save model …")
        self.model.setToolTip("As .spinney, with all that was learnt, or as .cl for APOC.")
        self.results = QPushButton("Save results …")
        self.results.setToolTip("Writes the result layers of the current image as TIFF files.")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.model)
        layout.addWidget(self.results)
        self.model.clicked.connect(self._on_model_clicked)
        self.results.clicked.connect(self._on_results_clicked)
        link(self, self._refresh, workspace.session.model_changed)
        self._refresh()

    def save_model(self, path: str) -> None:
        """Write the model of the session in the background."""
        model = self._workspace.session.model
        if model is None:
            return
        if not Path(path).suffix:
            path += ".spinney"
        self._workspace.jobs.start(
            "save", _save_model, model.classifier, path, on_return=_tell, on_error=self._fail
        )

    def save_results(self, folder: str) -> None:
        """Write the result layers of the current image as TIFF files into a folder."""
        current = self._workspace.binding.current
        if current is None:
            return
        layers = self._workspace.results.of_image(current)
        if not layers:
            show_info("This image has no results yet: press Predict.")
            return
        entry = self._workspace.session.images[current]
        axes = entry.axes.replace("c", "").upper()
        results = {
            layer.name: Result(layer.data, axes, entry.spacing, layer.metadata.get(ORIGIN))
            for layer in layers
        }
        self._workspace.jobs.start(
            "save",
            saving_results,
            results,
            Path(folder),
            on_return=_tell,
            on_error=self._fail,
        )

    def _fail(self, error: Exception) -> None:
        self._workspace.training.fail(error)

    def _refresh(self) -> None:
        self.model.setEnabled(self._workspace.session.model is not None)

    def _on_model_clicked(self) -> None:
        dialog = QFileDialog(self, "Save model", "", FILTERS)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("spinney")
        dialog.fileSelected.connect(self.save_model)
        dialog.open()

    def _on_results_clicked(self) -> None:
        dialog = QFileDialog(self, "Save results into a folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.save_results)
        dialog.open()


def _save_model(classifier: Any, path: str) -> Generator[None, None, str]:
    yield
    with plainly("saving the model"):
        classifier.save(path)
    return f"Saved {path}"


def _tell(text: str) -> None:
    show_info(text)
