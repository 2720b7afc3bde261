"""An honest estimate of the error, from strokes or images that training did not see."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from napari_spinney.forest.folds import Folds, Grouping, make_folds
from napari_spinney.forest.training import check_classes, fit_forest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_spinney.forest.forest import Forest
    from napari_spinney.forest.table import TrainingTable
    from napari_spinney.forest.training import ForestOptions

__all__ = [
    "Folds",
    "ValidationReport",
    "fold_forests",
    "make_folds",
    "out_of_fold_proba",
    "validate",
]

Rows: TypeAlias = Literal["pixels", "objects"]
"""What the rows of a training table are."""

ROWS_FOR_REFERENCE = 10_000
"""More rows than these are predicted by the CPU kernel, which takes time to load."""


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """How well strokes that were held out are predicted.

    Parameters
    ----------
    error : float
        Share of annotated pixels that are wrong while their stroke is held out.
    error_mean, error_std : float
        Mean and standard deviation of the error over the folds.
    balanced_error : float
        1 - mean recall: the error if all classes had as many pixels.
    classes : tuple of int
        Class numbers, rising; the order of all that follows.
    precision, recall, f1 : tuple of float
        Per class, of all held-out pixels; 0 where undefined.
    support : tuple of int
        Annotated pixels per class.
    confusion : tuple of tuple of int
        Pixels by annotated class (rows) and predicted class (columns).
    fold_errors : tuple of float
        Error of each fold.
    grouped_by : {"strokes", "images"}
        What was held out as a whole.
    n_groups : int
        How many strokes or images there were.
    of : {"pixels", "objects"}
        What was annotated. A single object stands for a stroke.
    """

    error: float
    error_mean: float
    error_std: float
    balanced_error: float
    classes: tuple[int, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]
    support: tuple[int, ...]
    confusion: tuple[tuple[int, ...], ...]
    fold_errors: tuple[float, ...]
    grouped_by: Grouping
    n_groups: int
    of: Rows = "pixels"

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return len(self.fold_errors)

    def summary(self, what: Rows | None = None) -> str:
        """Say it in one sentence; ``what`` the rows are, where the report does not know it."""
        what = self.of if what is None else what
        worst = int(np.argmin(self.f1))
        alone = what == "objects" and self.grouped_by == "strokes"
        groups = "objects" if alone else self.grouped_by
        return (
            f"{100 * self.error:.1f} % of {sum(self.support)} annotated {what} are wrong when "
            f"{'' if alone else 'whole '}{groups} are held out ({self.n_groups} {groups} in "
            f"{self.n_folds} folds, {100 * min(self.fold_errors):.1f} to "
            f"{100 * max(self.fold_errors):.1f} %); class {self.classes[worst]} is the weakest "
            f"(F1 {self.f1[worst]:.2f}), and "
            f"{'places unlike any stroke' if what == 'pixels' else 'objects unlike any of them'} "
            "may be worse."
        )

    def to_dict(self) -> dict[str, Any]:
        """Values for JSON; see `from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ValidationReport:
        """Take values from `to_dict`, also after JSON made lists of the tuples.

        Raises
        ------
        ValueError
            If a value is missing or unknown.
        """
        known = {field.name for field in fields(cls)}
        if not known - {"of"} <= set(values) <= known:  # older reports are of pixels
            raise ValueError(
                f"a validation report has the values {sorted(known)}; got {sorted(values)}"
            )
        return cls(**{name: _as_tuple(value) for name, value in values.items()})


def validate(
    table: TrainingTable,
    options: ForestOptions | None = None,
    folds: int = 5,
    *,
    n_jobs: int | None = None,
) -> ValidationReport:
    """Train without some strokes, predict those, in turn for all; see `make_folds`.

    Parameters
    ----------
    table : TrainingTable
        At least two classes with two strokes each.
    options : ForestOptions, optional
        Options of the forests; their seed also draws the folds.
    folds : int
        Most folds.
    n_jobs : int, optional
        Threads; one per core if not given.

    Raises
    ------
    ValueError
        If a class has a single stroke, or only one class is annotated.
    """
    check_classes(table)
    parts = make_folds(table, folds, seed=options.seed if options else 0)
    predicted = np.zeros_like(table.y)
    for held_out, forest in fold_forests(table, options, parts, n_jobs=n_jobs):
        proba = _proba(forest, table.X[held_out])
        predicted[held_out] = forest.classes[np.argmax(proba, axis=1)]
    return _report(table.y, predicted, parts)


def fold_forests(
    table: TrainingTable,
    options: ForestOptions | None,
    folds: Folds,
    *,
    n_jobs: int | None = None,
) -> Iterator[tuple[NDArray[np.bool_], Forest]]:
    """Train one forest for each fold.

    Yields
    ------
    held_out : (n,) bool
        Rows that the forest did not see.
    forest : Forest
        Trained on all others; it knows every class of the table.
    """
    for number in range(folds.n_folds):
        held_out = folds.fold == number
        yield held_out, fit_forest(table.subset(~held_out), options, n_jobs=n_jobs).forest


def out_of_fold_proba(
    table: TrainingTable,
    options: ForestOptions | None,
    folds: Folds,
    *,
    n_jobs: int | None = None,
) -> NDArray[np.float64]:
    """Probabilities of every row, from the forest that did not see it.

    Returns
    -------
    (n, n_classes) float64
        Columns in the order of ``table.classes``.
    """
    proba = np.zeros((len(table), len(table.classes)))
    for held_out, forest in fold_forests(table, options, folds, n_jobs=n_jobs):
        columns = np.searchsorted(table.classes, forest.classes)
        proba[np.ix_(held_out, columns)] = _proba(forest, table.X[held_out])
    return proba


def _proba(forest: Forest, X: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities of many rows: the readable reference would take minutes for dense ones."""
    if len(X) <= ROWS_FOR_REFERENCE:
        return forest.predict_proba(X)
    from napari_spinney.compute.cpu.trees import pack, predict_planes

    proba = np.empty((len(forest.classes), 1, len(X)), np.float32)
    planes = np.ascontiguousarray(X.T)[:, None]
    predict_planes(pack(forest.trees), planes, proba, "probabilities")
    return proba[:, 0].T.astype(np.float64)


def _report(
    truth: NDArray[np.uint32], predicted: NDArray[np.uint32], folds: Folds
) -> ValidationReport:
    """Score the predictions of all folds together, and the error of each."""
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    classes = np.unique(truth)
    scores = precision_recall_fscore_support(truth, predicted, labels=classes, zero_division=0.0)
    precision, recall, f1, support = (values.tolist() for values in scores)
    wrong = truth != predicted
    rows = np.bincount(folds.fold, minlength=folds.n_folds)
    fold_errors = np.bincount(folds.fold, wrong, minlength=folds.n_folds) / np.maximum(rows, 1)
    return ValidationReport(
        error=float(wrong.mean()),
        error_mean=float(fold_errors.mean()),
        error_std=float(fold_errors.std()),
        balanced_error=1.0 - float(np.mean(recall)),
        classes=tuple(classes.tolist()),
        precision=tuple(precision),
        recall=tuple(recall),
        f1=tuple(f1),
        support=tuple(support),
        confusion=_as_tuple(confusion_matrix(truth, predicted, labels=classes).tolist()),
        fold_errors=tuple(fold_errors.tolist()),
        grouped_by=folds.grouped_by,
        n_groups=folds.n_groups,
    )


def _as_tuple(value: Any) -> Any:
    """Turn lists, however deep, into tuples."""
    return tuple(_as_tuple(each) for each in value) if isinstance(value, (list, tuple)) else value
