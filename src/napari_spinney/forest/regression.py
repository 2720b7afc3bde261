"""Forests that predict a number instead of a class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_spinney.forest.forest import Forest
from napari_spinney.forest.structure import trees_from_estimators

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
        importances=np.asarray(model.feature_importances_, np.float64),
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
