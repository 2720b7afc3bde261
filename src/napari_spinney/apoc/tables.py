"""APOC's classifier of the rows of a table."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.apoc.forest import without_missing
from napari_spinney.apoc.model import FileClassifier
from napari_spinney.classifiers.rows import annotated_rows, rows_of
from napari_spinney.classifiers.tables import as_frame

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

    from napari_spinney.forest.training import TrainingTable


class TableRowClassifier(FileClassifier):
    """Classify the rows of a table.

    Parameters
    ----------
    opencl_filename : path-like
        File that the classifier is read from and written to.
    max_depth : int or None
        Levels of decisions in a tree.
    num_ensembles : int
        Number of trees.
    overwrite_classname : str, optional
        Kind of classifier that the file must hold.
    """

    def __init__(
        self,
        opencl_filename: str | PathLike[str] = "temp_table_row_classifier.cl",
        max_depth: int | None = 2,
        num_ensembles: int = 100,
        overwrite_classname: str | None = None,
    ) -> None:
        super().__init__(opencl_filename, max_depth, num_ensembles, overwrite_classname)

    def train(self, feature_table: Any, ground_truth: Any, continue_training: bool = False) -> None:
        """Train, and write the file.

        Parameters
        ----------
        feature_table : DataFrame or dict of columns
            All columns are decided by. Rows with a missing value are left out.
        ground_truth : (n,) whole numbers
            Class of each row, 0 where it has none.
        continue_training : bool
            Add to what this object was trained with before.

        Raises
        ------
        ValueError
            If a column holds no numbers or is called "ground_truth", or fewer than two classes
            are there.
        """
        table, facts = self._table(feature_table, ground_truth)
        self._learn(table, facts, continue_training)

    def _table(self, feature_table: Any, ground_truth: Any) -> tuple[TrainingTable, dict[str, Any]]:
        frame = as_frame(feature_table)
        frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
        if "ground_truth" in frame.columns:
            raise ValueError("feature_table must not contain a column named 'ground_truth'")
        names = tuple(frame.columns)
        rows = rows_of(frame, names)
        classes = np.nan_to_num(np.asarray(ground_truth))
        return without_missing(annotated_rows(rows, classes, names)), {"features": ""}

    def _write_after_training(self) -> None:
        from napari_spinney.files.errors import ClFileError

        try:
            super()._write_after_training()
        except ClFileError as error:
            warnings.warn(
                f"trained, but not written, and usable in this session only: {error}", stacklevel=4
            )

    @property
    def ordered_feature_names(self) -> list[str]:
        """Columns that are decided by, in order; empty before training."""
        return [] if self._known() is None else list(self._state().stages[0].names)

    @property
    def classifier_classname(self) -> str:
        """Kind of classifier that the file must hold."""
        return self.classname

    def predict(self, feature_table: Any) -> NDArray[np.uint32]:
        """Class of each row, (n,) uint32; 0 where a value is missing.

        Raises
        ------
        ValueError
            If a column is missing or holds no numbers.
        """
        stage = self._state().stages[0]
        rows = rows_of(as_frame(feature_table), stage.names)
        classes = stage.forest.predict(rows).astype(np.uint32)
        classes[np.isnan(rows).any(axis=1)] = 0
        return classes
