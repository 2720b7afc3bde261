"""Forests as APOC grew them, when leaves of scikit-learn still held numbers of samples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.forest.forest import Forest
from napari_spinney.forest.training import (
    FittedForest,
    TrainingTable,
    check_classes,
    importances_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MANY_ROWS = 5000
"""From here on threads save more than they cost."""


def grow_forest(table: TrainingTable, *, n_trees: int, max_depth: int | None) -> FittedForest:
    """Train the forest of APOC: `RandomForestClassifier` with ``random_state=0``.

    Leaves vote with as many votes as they hold samples (scikit-learn before 1.4), added up in
    float32 in the order of the trees, as APOC's kernels do.

    Raises
    ------
    ValueError
        If there are no two classes, or the numbers of trees or levels make no sense.
    """
    from sklearn.ensemble import RandomForestClassifier

    check_classes(table)
    model = RandomForestClassifier(
        n_estimators=n_trees,
        max_depth=max_depth,
        random_state=0,
        n_jobs=-1 if len(table) > _MANY_ROWS else None,
    )
    model.fit(table.X, table.y)
    forest = Forest.from_sklearn(model)
    trees = replace(forest.trees, values=_counts(model), sums="float32")
    importances = importances_of(model)
    return FittedForest(Forest(trees, forest.classes), importances)


def _counts(model: Any) -> NDArray[np.float64]:
    """Samples of each class in each leaf, (n_leaves, n_classes), in the order of the nodes.

    Trees of limited depth are grown in preorder, as `Forest` keeps them.
    """
    counts = []
    for tree in (each.tree_ for each in model.estimators_):
        leaves = np.flatnonzero(tree.children_left < 0)
        samples = tree.weighted_n_node_samples[leaves, None]
        counts.append(np.rint(tree.value[leaves, 0, :] * samples))
    return np.concatenate(counts)


def without_missing(table: TrainingTable) -> TrainingTable:
    """Leave out rows with a missing value, as APOC does where it trains on tables."""
    return table.subset(~np.isnan(table.X).any(axis=1))
