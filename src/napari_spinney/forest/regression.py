"""Forests that predict a number instead of a class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_spinney.forest.folds import make_folds
from napari_spinney.forest.forest import Forest
from napari_spinney.forest.structure import trees_from_estimators
from napari_spinney.forest.training import importances_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.forest.table import TrainingTable
    from napari_spinney.forest.training import ForestOptions

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Regression:
    """A forest of one "class" whose probability is the value, from low (0) to high (1).

    Parameters
    ----------
    forest : Forest
        Leaves hold ``(mean value - low) / (high - low)``.
    low, high : float
        Smallest and largest value trained on.
    importances : (n_features,) float64
        Mean decrease of variance by each feature.
    n_rows : int
        Rows trained on.
    out_of_bag_r2 : float or None
        R2 of rows predicted by the trees that did not see them; None for too few rows.
    """

    forest: Forest
    low: float
    high: float
    importances: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    n_rows: int = 0
    out_of_bag_r2: float | None = None

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Value of each row, (n,)."""
        share = self.forest.predict_proba(X)[:, 0]
        return np.asarray(self.low + (self.high - self.low) * share)


@dataclass(frozen=True, slots=True)
class RegressionReport:
    """How well values are predicted of rows that were held out.

    Parameters
    ----------
    r2 : float or None
        1 - squared error / squared difference from the mean; None where all values are equal.
    mean_error : float
        Mean absolute difference, in the unit of the values.
    spread : float
        Mean absolute difference from the mean value: the error of who always says the mean.
    n_rows, n_folds, n_groups : int
        Rows, folds, and how many objects or images were held out as a whole.
    grouped_by : {"objects", "images"}
        What was held out as a whole.
    """

    r2: float | None
    mean_error: float
    spread: float
    n_rows: int
    n_folds: int
    n_groups: int
    grouped_by: str

    def summary(self, what: str = "objects") -> str:
        """Say it in one sentence; ``what`` the rows are."""
        share = "" if self.r2 is None else f" (R2 {self.r2:.2f})"
        return (
            f"Values of {self.n_rows} {what} are {self.mean_error:.4g} off on average{share} when "
            f"{'whole ' if self.grouped_by == 'images' else ''}{self.grouped_by} are held out "
            f"({self.n_groups} in {self.n_folds} folds); always saying the mean would be "
            f"{self.spread:.4g} off. Objects unlike any of them may be worse."
        )


def validate_regression(
    table: TrainingTable, y: NDArray[np.float64], options: ForestOptions, folds: int = 5
) -> RegressionReport:
    """Train without some objects, predict those, in turn for all.

    Parameters
    ----------
    table : TrainingTable
        Rows, all of class 1; whole images are held out where there are several.
    y : (n,) float64
        Value of each row.
    options : ForestOptions
        As in `fit_regression`.
    folds : int
        Most folds.

    Raises
    ------
    ValueError
        If there are fewer than three rows, or two images of which one has a single row.
    """
    if len(y) < 3:
        raise ValueError(
            f"values of at least three objects are needed to hold out some; got {len(y)}"
        )
    parts = make_folds(table, folds, seed=options.seed)
    predicted = np.zeros(len(y))
    for number in range(parts.n_folds):
        held_out = parts.fold == number
        regression = fit_regression(table.X[~held_out], y[~held_out], options)
        predicted[held_out] = regression.predict(table.X[held_out])
    spread = float(((y - y.mean()) ** 2).sum())
    return RegressionReport(
        r2=None if spread == 0 else 1.0 - float(((y - predicted) ** 2).sum()) / spread,
        mean_error=float(np.abs(y - predicted).mean()),
        spread=float(np.abs(y - y.mean()).mean()),
        n_rows=len(y),
        n_folds=parts.n_folds,
        n_groups=parts.n_groups,
        grouped_by="images" if parts.grouped_by == "images" else "objects",
    )


def fit_regression(
    X: NDArray[np.float32], y: NDArray[np.float64], options: ForestOptions
) -> Regression:
    """Train a forest on rows and their values.

    Parameters
    ----------
    X : (n, n_features) float32
        NaN is allowed.
    y : (n,) float64
        Finite values.
    options : ForestOptions
        ``kind`` and ``balance`` are not used.

    Raises
    ------
    ValueError
        If there are fewer than two rows, or a value is not finite.
    """
    from sklearn.ensemble import RandomForestRegressor

    if len(y) < 2 or not np.all(np.isfinite(y)):
        raise ValueError(f"values of at least two objects are needed, all finite; got {y.tolist()}")
    low, high = float(y.min()), float(y.max())
    scaled = (y - low) / (high - low) if high > low else np.zeros(len(y))
    model = RandomForestRegressor(
        n_estimators=options.n_trees,
        max_depth=options.max_depth,
        min_samples_leaf=options.min_leaf,
        max_features=1 / 3,
        random_state=options.seed,
    )
    model.fit(np.clip(X, -_LARGEST, _LARGEST), scaled)
    trees = trees_from_estimators(model.estimators_, X.shape[1])
    return Regression(
        forest=Forest(trees, np.array([1], np.uint8)),
        low=low,
        high=high,
        importances=importances_of(model),
        n_rows=len(y),
        out_of_bag_r2=_out_of_bag_r2(model, X, scaled),
    )


def _out_of_bag_r2(model: object, X: NDArray[np.float32], y: NDArray[np.float64]) -> float | None:
    """R2 over the rows that at least one tree did not see."""
    sums, votes = np.zeros((2, len(y)))
    for tree, drawn in zip(model.estimators_, model.estimators_samples_, strict=True):  # type: ignore[attr-defined]
        unseen = np.setdiff1d(np.arange(len(y)), drawn)
        if len(unseen):
            sums[unseen] += tree.predict(np.clip(X[unseen], -_LARGEST, _LARGEST))
            votes[unseen] += 1
    seen = votes > 0
    spread = float(((y[seen] - y[seen].mean()) ** 2).sum()) if seen.sum() > 1 else 0.0
    if spread == 0:
        return None
    return 1.0 - float(((y[seen] - sums[seen] / votes[seen]) ** 2).sum()) / spread
