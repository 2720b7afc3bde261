"""The dock for many files: which, what to make of them, and how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from napari_spinney.batch.messages import status_of_batch
from napari_spinney.widgets.batch_forms import LearnForm, ScoreForm
from napari_spinney.widgets.batch_layers import show_opened
from napari_spinney.widgets.batch_table import BatchTable
from napari_spinney.widgets.device_choice import DeviceChoice
from napari_spinney.widgets.dock import Dock, section
from napari_spinney.widgets.links import link
from napari_spinney.widgets.model_row import ModelRow
from napari_spinney.widgets.output_form import OutputForm
from napari_spinney.widgets.status_line import StatusRow

if TYPE_CHECKING:
    from napari import Viewer

    from napari_spinney.batch.plan import Opened

FORMATS = {
    "TIFF": "tif",
    "OME-Zarr": "zarr",
    "PNG (classes, objects)": "png",
    "NPY (pixels only)": "npy",
}


class BatchDock(Dock):
    """Files, model, results, folder, device; one button."""

    needs_image = False

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.work = self.workspace.batch
        self.table = BatchTable(self.work)
        self.files = FileButtons(self)
        self.model = ModelRow(self.workspace, self.work.fail)
        self.outputs = OutputForm(self.workspace)
        self.outputs.all_probabilities.setToolTip("One file with a channel for each class, 0 to 1.")
        self.into = IntoForm(self)
        self.learning = LearnForm(self.work)
        self.scoring = ScoreForm(self.work)
        self.device = DeviceChoice(self.workspace)
        self.again = QCheckBox("also make what is there")
        self.again.setToolTip(
            "Unless ticked, a result that the same model made of the same image with the same "
            "options is kept, so that a run that was stopped goes on where it was."
        )
        self.run = _button("Run", "Makes what is ticked of every file, in the background.")
        self.told = StatusRow()
        self._lay_out()
        self._connect()
        self.table.rows.reset()
        self._on_wish_changed()

    def _lay_out(self) -> None:
        self.rows.addWidget(self.table, 1)
        self.rows.addWidget(self.files)
        self.rows.addWidget(self.model)
        self.rows.addWidget(section("Learn from files", self.learning))
        for widget in (self.outputs, self.into, self.device):
            self.rows.addWidget(widget)
        self.rows.addWidget(section("Score", self.scoring))
        foot = _row(self.run, self.again)
        foot.layout().setContentsMargins(8, 2, 8, 0)
        self.layout().addWidget(foot)
        self.layout().addWidget(self.told)
        self.status.setVisible(False)

    def _connect(self) -> None:
        self.run.clicked.connect(self._on_run_clicked)
        self.told.cancel.clicked.connect(self.work.cancel)
        self.table.dropped.connect(self.work.add)
        self.table.removed.connect(self.work.remove)
        self.table.opened.connect(self.work.open)
        link(self, self._on_wish_changed, self.outputs.changed)
        link(self, self._on_opened, self.work.opened)
        link(self, self._on_files_changed, self.work.files_changed)
        link(self, self.table.rows.update_rows, self.work.rows_changed)
        link(self, self._refresh, self.work.changed)

    def _on_images_changed(self) -> None:
        self.status.setVisible(False)

    def _on_files_changed(self) -> None:
        self.table.rows.reset()
        self._refresh()

    def _on_wish_changed(self) -> None:
        what: Any = self.outputs.wish().what
        self.work.set_wish(what, self.into.format.currentData())
        self._refresh()

    def _on_run_clicked(self) -> None:
        self.work.run(self.outputs.wish(), again=self.again.isChecked())

    def _on_opened(self, opened: Opened) -> None:
        show_opened(self.workspace.viewer, opened, self.session.classes)

    def _refresh(self) -> None:
        busy, running = self.work.is_busy, self.work.is_running
        forms = (self.model, self.outputs, self.into, self.again, self.learning, self.scoring)
        for widget in (self.files, *forms):
            widget.setEnabled(not busy)
        self.run.setEnabled(self.work.can_run)
        self.into.show_folder(self.work.folder)
        message = status_of_batch(self.work.situation)
        done = self.work.record.share if running else None
        self.told.show_message(message, done, working=busy)


class FileButtons(QWidget):
    """Ways to add files to the list, and to take them off."""

    def __init__(self, dock: BatchDock) -> None:
        super().__init__()
        self._dock = dock
        self.add = _button("Add files …", "Adds images to the list.")
        self.folder = _button(
            "Add folder …", "Adds the images of a folder, without those of folders below."
        )
        self.remove = _button("Remove", "Takes the selected files off the list (Delete).")
        self.pattern = QLineEdit()
        self.pattern.setPlaceholderText("or a pattern: plate/**/*.tif")
        self.pattern.setToolTip(
            "Adds what a pattern names when Return is pressed: * is any name, ** any folders."
        )
        row = _row(self.add, self.folder, self.remove)
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addRow(row)
        layout.addRow(self.pattern)
        self.add.clicked.connect(self._on_add_clicked)
        self.folder.clicked.connect(self._on_folder_clicked)
        self.remove.clicked.connect(self._on_remove_clicked)
        self.pattern.returnPressed.connect(self._on_pattern_entered)

    def _on_add_clicked(self) -> None:
        dialog = QFileDialog(self, "Add images")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self._dock.work.add)
        dialog.open()

    def _on_folder_clicked(self) -> None:
        dialog = QFileDialog(self, "Add the images of a folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.filesSelected.connect(self._dock.work.add)
        dialog.open()

    def _on_remove_clicked(self) -> None:
        self._dock.work.remove(self._dock.table.chosen())

    def _on_pattern_entered(self) -> None:
        words = self.pattern.text().strip()
        if words:
            self._dock.work.add([str(Path(words).expanduser())])


class IntoForm(QWidget):
    """Where results go, and as what kind of file."""

    def __init__(self, dock: BatchDock) -> None:
        super().__init__()
        self._dock = dock
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("folder for the results")
        self.folder.setToolTip(
            "Where results go, named after their image and what they are; made if it is not there."
        )
        self.choose = _button("…", "Choose the folder for the results.")
        self.format = QComboBox()
        for text, suffix in FORMATS.items():
            self.format.addItem(text, suffix)
        self.format.setToolTip("TIFF and OME-Zarr keep axes, pixel size and what made the result.")
        holder = _row(self.folder, self.choose)
        holder.layout().setStretch(0, 1)
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addRow("Into", holder)
        layout.addRow("As", self.format)
        self.folder.editingFinished.connect(self._on_folder_entered)
        self.choose.clicked.connect(self._on_choose_clicked)
        self.format.activated.connect(self._on_format_chosen)

    def show_folder(self, folder: Path | None) -> None:
        """Show where results go, unless it is being typed."""
        if not self.folder.hasFocus():
            self.folder.setText("" if folder is None else str(folder))

    def _on_folder_entered(self) -> None:
        text = self.folder.text().strip()
        if text != str(self._dock.work.folder or ""):
            self._dock.work.set_folder(text)

    def _on_choose_clicked(self) -> None:
        dialog = QFileDialog(self, "Folder for the results")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self._dock.work.set_folder)
        dialog.open()

    def _on_format_chosen(self, index: int) -> None:
        self._dock._on_wish_changed()


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button


def _row(*widgets: QWidget) -> Any:
    holder = QWidget()
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    return holder
