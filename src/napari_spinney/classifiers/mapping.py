"""Paint numbers onto objects: a measurement, or one that a forest predicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_spinney.classifiers.base import Classifier, ModelState, StageState
from napari_spinney.classifiers.object_images import ObjectImage
from napari_spinney.classifiers.rows import provenance_now, rows_of
from napari_spinney.forest.regression import Regression, fit_regression
from napari_spinney.objects.request import split_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray


class ObjectMapper(Classifier):
    """Paint a number onto each object.

    Without `fit` it paints the one measurement that ``features`` names. After `fit` it paints
    what a regression forest predicts from ``features``: a value that was given for some objects.

    Parameters
    ----------
    features : str or sequence of str
        One measurement to paint; or measurements and groups to predict from.
    n_trees, max_depth, min_leaf, seed
        As in `ObjectClassifier`; used by `fit`.
    """

    def __init__(
        self,
        features: str | Sequence[str] = "area",
        *,
        n_trees: int = 100,
        max_depth: int | None = None,
        min_leaf: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.features = features
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.min_leaf = min_leaf
        self.seed = seed

    def fit(
        self,
        labels: Any,
        values: Any,
        image: Any = None,
        *,
        channel_axis: int | None = None,
        time_axis: int | None = None,
        spacing: Sequence[float] | None = None,
    ) -> Self:
        """Learn to predict a value.

        Parameters
        ----------
        labels, image, channel_axis, time_axis, spacing
            As in `ObjectClassifier.fit`, one image.
        values : mapping or Series
            {label: value}, with a time axis {(frame, label): value}; at least two objects.

        Raises
        ------
        ValueError
            If a label is not there, a value is not finite, or there are fewer than two.
        """
        one = ObjectImage.of(
            labels, image, channel_axis=channel_axis, time_axis=time_axis, spacing=spacing
        )
        words = split_words(self.features)
        names = one.names(words)
        table = one.measure(names)
        known, y = _known_values(table, values)
        X = rows_of(table.iloc[known], names)
        regression = fit_regression(X, y, self.options)
        self._set_state(self._new_state(regression, " ".join(words), names, one))
        return self

    def predict(
        self,
        labels: Any,
        image: Any = None,
        *,
        channel_axis: int | None = None,
        time_axis: int | None = None,
        spacing: Sequence[float] | None = None,
    ) -> NDArray[np.float32]:
        """Paint the measurement, or the predicted value.

        Returns
        -------
        array of float32
            Shape of the labels; 0 where no object is.
        """
        if self.is_fitted and spacing is None:
            spacing = self.state_.spacing
        one = ObjectImage.of(
            labels, image, channel_axis=channel_axis, time_axis=time_axis, spacing=spacing
        )
        if self.is_fitted:
            table = one.measure(self.feature_names_)
            return one.paint(table, self.predict_table(table).astype(np.float32))
        names = one.names(self.features)
        if len(names) != 1:
            raise ValueError(
                f"an ObjectMapper that was not fitted paints one measurement; features="
                f"{self.features!r} stands for {len(names)}"
            )
        table = one.measure(names)
        return one.paint(table, table[names[0]].to_numpy(np.float32))

    def predict_table(self, table: pd.DataFrame) -> NDArray[np.float64]:
        """Predicted value of each row of a table that has the columns of `feature_names_`."""
        state = self.state_
        low, high = state.provenance["value_range"]
        regression = Regression(state.stages[0].forest, float(low), float(high))
        return regression.predict(rows_of(table, self.feature_names_))

    def _new_state(
        self, regression: Regression, features: str, names: tuple[str, ...], one: ObjectImage
    ) -> ModelState:
        stage = StageState(features, names, regression.forest, regression.importances)
        provenance = provenance_now(rows=regression.n_rows)
        return ModelState(
            kind=type(self).__name__,
            parameters={k: v for k, v in self.get_params().items() if k != "features"},
            stages=(stage,),
            ndim=one.ndim,
            n_channels=max(len(one.channels), 1),
            spacing=one.spacing,
            provenance={
                **provenance,
                "value_range": [regression.low, regression.high],
                "out_of_bag_r2": regression.out_of_bag_r2,
            },
        )

    def validate(self, folds: int = 5) -> Any:
        """Not for a regression: see ``provenance_["out_of_bag_r2"]`` instead.

        Raises
        ------
        ValueError
            Always.
        """
        r2 = self.provenance_["out_of_bag_r2"]
        raise ValueError(
            f"an ObjectMapper predicts values, and validate counts classes; objects left out of "
            f"single trees were predicted with R2 = {r2}"
        )


def _known_values(table: pd.DataFrame, values: Any) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Rows that a value was given for, and the values."""
    given = dict(values if isinstance(values, Mapping) else values.items())
    keys = table["label"].tolist()
    if "frame" in table:
        keys = list(zip(table["frame"].tolist(), keys, strict=True))
    unknown = set(given) - set(keys)
    if unknown:
        raise ValueError(f"there is no object {sorted(unknown)[0]} to give a value to")
    rows = np.array([row for row, key in enumerate(keys) if key in given], np.int64)
    return rows, np.array([given[keys[row]] for row in rows], np.float64)
