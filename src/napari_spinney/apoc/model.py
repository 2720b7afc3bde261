"""What all classifiers of this module do alike: they live in a `.cl` file."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.apoc.forest import grow_forest
from napari_spinney.classifiers.base import ModelState, StageState

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

    from napari_spinney.forest.training import TrainingTable

CUSTOM = "Custom/unkown"  # APOC's spelling, for feature images made by hand
"""Specification of features that were given as images."""


class FileClassifier:
    """A classifier that is read from its file when it is first needed, and written by training.

    Parameters
    ----------
    opencl_filename : path-like
        The file. It need not exist; nothing is read or written yet.
    max_depth : int or None
        Levels of decisions in a tree.
    num_ensembles : int
        Number of trees.
    overwrite_classname : str, optional
        Kind of classifier that the file must hold, where it is not that of the class.
    """

    def __init__(
        self,
        opencl_filename: str | PathLike[str],
        max_depth: int | None = 2,
        num_ensembles: int = 100,
        overwrite_classname: str | None = None,
    ) -> None:
        self.opencl_filename = opencl_filename
        self.max_depth = max_depth
        self.num_ensembles = num_ensembles
        self.classname = overwrite_classname or type(self).__name__
        self._learnt: ModelState | None = None

    # ------------------------------------------------------------ what was learnt

    @property
    def opencl_file(self) -> str | PathLike[str]:
        """The file, by its other name."""
        return self.opencl_filename

    @property
    def feature_specification(self) -> str:
        """Features that were trained with, as words."""
        learnt = self._known()
        if learnt is None:
            return CUSTOM
        return learnt.stages[0].features or " ".join(learnt.stages[0].names)

    @property
    def num_features(self) -> int:
        """Number of columns of the forest; 0 before training."""
        learnt = self._known()
        return 0 if learnt is None else len(learnt.stages[0].names)

    @property
    def num_ground_truth_dimensions(self) -> int:
        """Axes of the annotation; 0 before training."""
        learnt = self._known()
        return 0 if learnt is None else learnt.ndim or 1

    def feature_importances(self) -> dict[str, float]:
        """Mean decrease of impurity by feature; they add up to 1. Empty before training."""
        learnt = self._known()
        if learnt is None:
            return {}
        return dict(zip(self._column_names(), learnt.stages[0].importances.tolist(), strict=True))

    def statistics(self) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """How often each feature decides, by level of the trees.

        Returns
        -------
        ratios, counts : dict of str to (n_levels,) array
            Share of all decisions of the level, and number of decisions.
        """
        use = self._state().stages[0].forest.statistics()
        levels = max(self._state().parameters["max_depth"] or 0, len(use.counts))
        missing = ((0, levels - len(use.counts)), (0, 0))
        names = self._column_names()
        ratios, counts = (np.pad(table, missing).T for table in (use.shares, use.counts))
        return dict(zip(names, ratios, strict=True)), dict(zip(names, counts, strict=True))

    def _column_names(self) -> list[str]:
        """Names of the columns, one each."""
        return list(self._state().stages[0].names)

    def _known(self) -> ModelState | None:
        """What was learnt or is in the file; None if there is neither."""
        if self._learnt is None and not Path(self.opencl_filename).exists():
            return None
        return self._state()

    def _state(self) -> ModelState:
        """What was learnt, read from the file if it was not trained here.

        Raises
        ------
        ValueError
            If it was not trained and there is no file, or the file is none of APOC's.
        TypeError
            If the file holds another kind of classifier.
        """
        if self._learnt is None:
            path = Path(self.opencl_filename)
            if not path.exists():
                raise ValueError(
                    f"this {self.classname} has learnt nothing yet, and there is no file {path}: "
                    "call train first"
                )
            self._learnt = self._read(path)
        return self._learnt

    def _read(self, path: Path) -> ModelState:
        from napari_spinney.files.apoc_cl import read_cl

        state = read_cl(path)
        found = state.provenance["classifier"]
        is_named = state.provenance.get("classifier_named", True)
        if is_named and found != self.classname:
            raise TypeError(
                f"{path} holds a {found}, which cannot be used as a {self.classname}: choose "
                f"another file, or open it with {found}"
            )
        return state

    # -------------------------------------------------------------------- training

    def _table(self, *given: Any, **named: Any) -> tuple[TrainingTable, dict[str, Any]]:
        """Rows to learn from, and facts about them, from the arguments of ``train``."""
        raise NotImplementedError

    def _learn(self, table: TrainingTable, facts: dict[str, Any], continue_training: bool) -> None:
        """Train on the rows of a table (and those before it), and write the file."""
        if continue_training:
            table = self._continued(table)
        fitted = grow_forest(table, n_trees=self.num_ensembles, max_depth=self.max_depth)
        features = facts.pop("features")
        stage = StageState(features, table.names, fitted.forest, fitted.importances, table)
        parameters = {
            "n_trees": self.num_ensembles,
            "max_depth": self.max_depth,
            "kind": "random_forest",
            "balance": "none",
            "min_leaf": 1,
            **facts.pop("parameters", {}),
        }
        self._learnt = ModelState(self.classname, parameters, (stage,), **facts)
        self._write_after_training()

    def _continued(self, table: TrainingTable) -> TrainingTable:
        before = None if self._learnt is None else self._learnt.stages[0].table
        if before is None:
            warnings.warn(
                "Cannot continue training if it wasn't trained before (a file keeps no training "
                "data). Will train from scratch instead.",
                stacklevel=5,
            )
            return table
        return before.concat(table)

    def _write_after_training(self) -> None:
        self.to_opencl_file(self.opencl_filename)

    def to_opencl_file(
        self,
        filename: str | PathLike[str],
        extra_information: str | None = None,
        overwrite_classname: str | None = None,
    ) -> None:
        """Write the classifier to a file, whole or not at all, and keep it there from now on.

        Parameters
        ----------
        filename : path-like
            A ``.cl`` file that APOC can read.
        extra_information : str, optional
            Further lines ``key = value`` for the header.
        overwrite_classname : str, optional
            Kind of classifier that the file shall be taken for.
        """
        from napari_spinney.files.apoc_cl import write_cl

        state = self._to_write()
        write_cl(
            replace(state, kind=overwrite_classname or self.classname),
            filename,
            extra=extra_information or "",
        )
        self.opencl_filename = filename

    def _to_write(self) -> ModelState:
        return self._state()

    # ------------------------------------------------------------------------ text

    def __str__(self) -> str:
        learnt = self._known()
        words = self.feature_specification.split()
        lines = {
            "Classifier type": self.classname,
            "Used features for training": self.feature_specification,
            "Ground truth dimensions": self.num_ground_truth_dimensions,
            "Maximum depth": self.max_depth,
            "Number of ensembles": self.num_ensembles,
            "Number of classes": "" if learnt is None else len(learnt.stages[0].forest.classes),
            "Number of features": self.num_features,
            "Number of channels": self.num_features // len(words),
        }
        text = [f"{name}: {value}" for name, value in lines.items()]
        text.insert(1, "--- Random forest info ---")
        return "\n".join([*text, *self._further_lines()])

    def __repr__(self) -> str:
        return str(self)

    def info(self) -> str:
        """The same text as of ``str``, by the name it had in early versions of APOC."""
        return str(self)

    def __getattr__(self, name: str) -> Any:
        message = f"{type(self).__name__!r} object has no attribute {name!r}"
        if name == "classifier":
            message += (
                ": no forest of scikit-learn is kept; napari_spinney.load(opencl_file).forest_ has "
                "the trees"
            )
        raise AttributeError(message)

    def _further_lines(self) -> list[str]:
        return []


def erase_classifier(filename: str | PathLike[str]) -> None:
    """Delete a file, if it is there."""
    Path(filename).unlink(missing_ok=True)
