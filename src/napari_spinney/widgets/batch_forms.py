"""Parts of the Batch dock that fold away: learn from files, and score results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_spinney.widgets.links import link
from napari_spinney.widgets.objects_table import FrameModel

if TYPE_CHECKING:
    from napari_spinney.widgets.batch_work import BatchWork

TABLES = "Tables (*.csv *.tsv *.parquet)"


class FolderRow(QWidget):
    """A folder, typed or chosen."""

    def __init__(self, hint: str, tip: str) -> None:
        super().__init__()
        self.path = QLineEdit()
        self.path.setPlaceholderText(hint)
        self.path.setToolTip(tip)
        self.choose = QPushButton("…")
        self.choose.setToolTip(f"Chooses it: {tip[0].lower()}{tip[1:]}")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.path, 1)
        layout.addWidget(self.choose)
        self.choose.clicked.connect(self._on_choose_clicked)

    @property
    def text(self) -> str:
        """What is named."""
        return self.path.text().strip()

    def _on_choose_clicked(self) -> None:
        dialog = QFileDialog(self, self.path.placeholderText())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.path.setText)
        dialog.open()


class LearnForm(QWidget):
    """Train a model on a folder of images and a folder of masks."""

    def __init__(self, work: BatchWork) -> None:
        super().__init__()
        self._work = work
        self.images = FolderRow(
            "folder, or pairs.csv", "The images, or a table of two columns, image and mask."
        )
        self.masks = FolderRow(
            "folder of masks", "Masks of the same names: 0 where nobody knows, else the class."
        )
        self.train = QPushButton("Train on these files")
        self.train.setToolTip(
            "Learns with the features and the forest chosen under Train; the model becomes that of "
            "this session."
        )
        form = QFormLayout(self)
        form.addRow("Images", self.images)
        form.addRow("Masks", self.masks)
        form.addRow(self.train)
        self.train.clicked.connect(self._on_train_clicked)

    def _on_train_clicked(self) -> None:
        self._work.learn(self.images.text, self.masks.text)


class ScoreForm(QWidget):
    """Compare results with the truth: a table that can be saved."""

    def __init__(self, work: BatchWork) -> None:
        super().__init__()
        self._work = work
        self.truth = FolderRow(
            "folder of the truth", "Classes (or objects) as they should be, named as the images."
        )
        self.sparse = QCheckBox("0 means nobody knows")
        self.sparse.setToolTip("Pixels that are 0 in the truth count nowhere; for classes only.")
        self.score = QPushButton("Score")
        self.score.setToolTip(
            "Dice and Jaccard of classes; of objects, where they are made, precision, recall, F1."
        )
        self.save = QPushButton("Save scores …")
        self.save.setToolTip("Writes the table as .csv, .tsv or .parquet.")
        self.rows = FrameModel()
        self.table = QTableView()
        self.table.setModel(self.rows)
        self.table.setToolTip("Scores of each file, and of all of them taken together.")
        self.table.verticalHeader().setVisible(False)
        self.table.setMinimumHeight(120)
        self._lay_out()
        self.score.clicked.connect(self._on_score_clicked)
        self.save.clicked.connect(self._on_save_clicked)
        link(self, self._refresh, work.scored)
        self._refresh()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.score)
        buttons.addWidget(self.save)
        layout = QVBoxLayout(self)
        layout.addWidget(self.truth)
        layout.addWidget(self.sparse)
        layout.addLayout(buttons)
        layout.addWidget(self.table)

    def _refresh(self) -> None:
        scores = self._work.scores
        self.save.setEnabled(scores is not None)
        self.table.setVisible(scores is not None)
        if scores is not None:
            self.rows.show(scores, np.arange(len(scores)))
            self.table.resizeColumnsToContents()

    def _on_score_clicked(self) -> None:
        self._work.score(self.truth.text, sparse=self.sparse.isChecked())

    def _on_save_clicked(self) -> None:
        dialog: Any = QFileDialog(self, "Save the scores", "", TABLES)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.fileSelected.connect(self._work.save_scores)
        dialog.open()
