"""Buttons of the Objects dock that open and save: models, tables, layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFileDialog, QGridLayout, QPushButton, QWidget

from napari_spinney.batch.result_files import saving_results
from napari_spinney.objects.joining import join_table
from napari_spinney.widgets.objects_model import ANSWERS
from napari_spinney.widgets.objects_steps import exporting_table

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import pandas as pd

    from napari_spinney.batch.result_files import Result
    from napari_spinney.widgets.objects_model import Measured
    from napari_spinney.widgets.objects_work import ObjectsWork

TABLES = "Tables (*.csv *.tsv *.parquet)"
MODELS = "Models (*.spinney *.cl)"


class ObjectsFiles(QWidget):
    """Open and save models; export, join tables."""

    def __init__(self, work: ObjectsWork, results: Callable[[], dict[str, Result]]) -> None:
        super().__init__()
        self._work = work
        self._results = results
        self.open = _button(
            "Open model …", "Uses a model of objects (.spinney, or APOC's .cl) on these objects."
        )
        self.save = _button(
            "Save model …", "Saves the model as .spinney, for Python and the command line."
        )
        self.export = _button("Export table …", "Writes the table as .csv, .tsv or .parquet.")
        self.layers = _button(
            "Save layers …",
            "Writes the layers made of these objects as TIFF files that say what made them.",
        )
        self.join = _button(
            "Join table …",
            "Adds the columns of a table from elsewhere, by label (and frame); of CellProfiler by "
            "ObjectNumber.",
        )
        self.notebook = _button(
            "Export notebook …", "Writes a notebook that measures and classifies these objects."
        )
        self.script = _button(
            "Export script …", "Writes a Python script that measures and classifies these objects."
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        buttons = (
            self.open,
            self.save,
            self.join,
            self.export,
            self.notebook,
            self.script,
            self.layers,
        )
        for place, button in enumerate(buttons):
            grid.addWidget(button, *divmod(place, 2))
        self.open.clicked.connect(self._on_open_clicked)
        self.save.clicked.connect(self._on_save_clicked)
        self.layers.clicked.connect(self._on_layers_clicked)
        self.export.clicked.connect(self._on_export_clicked)
        self.join.clicked.connect(self._on_join_clicked)
        self.notebook.clicked.connect(self._on_notebook_clicked)
        self.script.clicked.connect(self._on_script_clicked)

    def export_table(self, path: str) -> None:
        """Write the table, and beside it what made it."""
        work = self._work
        if work.measured is None:
            work.fail(ValueError("There is no table yet: press Measure first."))
            return
        order = exporting_table, work.measured, work.answer, path
        work.run_file(f"Writing {path} …", work.tell, *order)

    def save_layers(self, folder: str) -> None:
        """Write the layers that were made of the objects as TIFF files into a folder."""
        results, work = self._results(), self._work
        if not results:
            work.fail(ValueError("There are no layers of results yet: press As layer first."))
            return
        work.run_file(f"Writing into {folder} …", work.tell, saving_results, results, Path(folder))

    def join_table(self, path: str) -> None:
        """Add the columns of a table by label."""
        if self._work.measured is None:
            self._work.fail(
                ValueError("Press Measure first: a table is joined to the objects by label.")
            )
            return
        self._work.run_file(
            f"Reading {path} …", lambda table: self._join(path, table), _reading, path
        )

    def _join(self, path: str, table: pd.DataFrame) -> None:
        measured = self._work.measured
        if measured is None:
            return
        try:
            joined = join_table(measured.table, table, kept=ANSWERS)
        except ValueError as error:
            self._work.fail(error)
            return
        note = f"Joined {path}: {len(joined.new)} columns more."
        if joined.unknown:
            note += f" It lacks {joined.unknown} of {len(joined.table)} objects."
        self._work.set_measured(replace(measured, table=joined.table), note)

    def export_notebook(self, path: str) -> None:
        """Write a notebook that measures and classifies these objects."""
        self._export_steps("notebook", path)

    def export_script(self, path: str) -> None:
        """Write a script that measures and classifies these objects."""
        self._export_steps("script", path)

    def _export_steps(self, kind: str, path: str) -> None:
        work = self._work
        if work.measured is None:
            work.fail(ValueError("There is nothing to export yet: press Measure first."))
            return
        classifier = None if work.answer is None else work.answer.classifier
        opened = None if work.session.model is None else work.session.model.path
        order = kind, work.measured, classifier, opened, path
        work.run_file(f"Writing {path} …", work.tell, _exporting, *order)

    def _on_notebook_clicked(self) -> None:
        self._ask(
            "Export notebook", "Jupyter notebook (*.ipynb)", self.export_notebook, saving=True
        )

    def _on_script_clicked(self) -> None:
        self._ask("Export script", "Python script (*.py)", self.export_script, saving=True)

    def _on_open_clicked(self) -> None:
        self._ask("Open model", MODELS, self._work.open, saving=False)

    def _on_save_clicked(self) -> None:
        self._ask("Save model", MODELS, self._work.save, saving=True)

    def _on_export_clicked(self) -> None:
        self._ask("Export the table", TABLES, self.export_table, saving=True)

    def _on_layers_clicked(self) -> None:
        dialog = QFileDialog(self, "Save layers into a folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.save_layers)
        dialog.open()

    def _on_join_clicked(self) -> None:
        self._ask("Join a table", TABLES, self.join_table, saving=False)

    def _ask(self, title: str, kinds: str, then: Any, *, saving: bool) -> None:
        dialog = QFileDialog(self, title, "", kinds)
        if saving:
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(then)
        dialog.open()


def _reading(path: str) -> Generator[None, None, pd.DataFrame]:
    from napari_spinney.files.tables import read_table

    yield
    return read_table(path)


def _exporting(
    kind: str, measured: Measured, classifier: Any, opened: str | None, path: str
) -> Generator[None, None, str]:
    from napari_spinney import export
    from napari_spinney.widgets.exporting import object_steps

    yield
    write = export.notebook if kind == "notebook" else export.script
    written = write(object_steps(measured, classifier, opened), path, title="Objects")
    return f"Saved {written}, and a folder beside it with what it reads"


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
