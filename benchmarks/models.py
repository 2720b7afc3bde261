"""The same forest for scikit-learn and for Spinney."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sklearn.ensemble import RandomForestClassifier

from napari_spinney import PixelClassifier
from napari_spinney.forest.forest import Forest

if TYPE_CHECKING:
    import numpy as np


def same_forest(
    features: str, image: np.ndarray, annotation: np.ndarray, *, seed: int = 0, **options: object
) -> tuple[PixelClassifier, RandomForestClassifier]:
    """Train scikit-learn's forest on Spinney's rows, and make a Spinney classifier of it."""
    classifier = PixelClassifier(features, n_trees=1).fit(image, annotation, device="cpu")
    table = classifier.table_
    model = RandomForestClassifier(100, random_state=seed, n_jobs=-1, **options)
    model.fit(table.X, table.y)
    stage = replace(
        classifier.state_.stages[0],
        forest=Forest.from_sklearn(model),
        importances=model.feature_importances_,
    )
    state = replace(classifier.state_, stages=(stage,))
    return PixelClassifier.from_state(state), model
