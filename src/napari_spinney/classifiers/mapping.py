"""Paint numbers onto objects: a measurement, or one that a forest predicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_spinney.classifiers.base import Classifier, ModelState, StageState
from napari_spinney.classifiers.object_images import ObjectImage, is_several, object_images
from napari_spinney.classifiers.rows import (
    annotated_rows,
    check_same,
    kept_rows,
    provenance_now,
    rows_of,
)
from napari_spinney.forest.regression import (
    Regression,
    RegressionReport,
    fit_regression,
    validate_regression,
)
from napari_spinney.objects.request import split_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from napari_spinney.forest.training import TrainingTable


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
        add: bool = False,
        channel_axis: int | None = None,
        time_axis: int | None = None,
        spacing: Sequence[float] | None = None,
    ) -> Self:
        """Learn to predict a value.

        Parameters
        ----------
        labels, image, channel_axis, time_axis, spacing
            As in `ObjectClassifier.fit`: one image, or lists.
        values : mapping or Series, or list of them
            {label: value}, with a time axis {(frame, label): value}; at least two objects.
        add : bool
            Learn from these objects besides those learnt before (also before it was saved).

        Raises
        ------
        ValueError
            If a label is not there, a value is not finite, or there are fewer than two.
        """
        before = self.state_ if add and self.is_fitted else None
        if before is not None and spacing is None:
            spacing = before.spacing
        images = object_images(
            labels, image, channel_axis=channel_axis, time_axis=time_axis, spacing=spacing
        )
        given = list(values) if is_several(labels) else [values]
        if len(given) != len(images):
            raise ValueError(
                f"every label image needs its values: got {len(images)} label image(s) and values "
                f"for {len(given)}"
            )
        words = split_words(self.features)
        names = images[0].names(words) if before is None else before.stages[0].names
        table, y = _valued_rows(images[0], given[0], names)
        for one, known in zip(images[1:], given[1:], strict=True):
            more, values_of_more = _valued_rows(one, known, names)
            table, y = table.concat(more), np.concatenate([y, values_of_more])
        features = " ".join(words)
        if before is not None:
            check_same(before, table, images[0].ndim, len(images[0].channels), images[0].spacing)
            table, y = kept_rows(before).concat(table), np.concatenate([_values_of(before), y])
            features = before.stages[0].features
        regression = fit_regression(table.X, y, self.options)
        stage = StageState(features, names, regression.forest, regression.importances, table)
        self._set_state(self._new_state(regression, stage, y, images[0]))
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

    def measure(
        self,
        labels: Any,
        image: Any = None,
        *,
        channel_axis: int | None = None,
        time_axis: int | None = None,
        spacing: Sequence[float] | None = None,
    ) -> pd.DataFrame:
        """Measure what values are predicted by: ``label`` (and ``frame``) and its columns."""
        one = ObjectImage.of(
            labels,
            image,
            channel_axis=channel_axis,
            time_axis=time_axis,
            spacing=self.state_.spacing if spacing is None else spacing,
        )
        return one.measure(self.feature_names_)

    def predict_table(self, table: pd.DataFrame) -> NDArray[np.float64]:
        """Predicted value of each row of a table that has the columns of `feature_names_`."""
        state = self.state_
        low, high = state.provenance["value_range"]
        regression = Regression(state.stages[0].forest, float(low), float(high))
        return regression.predict(rows_of(table, self.feature_names_))

    def _new_state(
        self, regression: Regression, stage: StageState, y: NDArray[np.float64], one: ObjectImage
    ) -> ModelState:
        return ModelState(
            kind=type(self).__name__,
            parameters={k: v for k, v in self.get_params().items() if k != "features"},
            stages=(stage,),
            ndim=one.ndim,
            n_channels=max(len(one.channels), 1),
            spacing=one.spacing,
            provenance={
                **provenance_now(rows=regression.n_rows),
                "value_range": [regression.low, regression.high],
                "out_of_bag_r2": regression.out_of_bag_r2,
                "values": y.tolist(),
            },
        )

    def validate(self, folds: int = 5) -> RegressionReport:  # type: ignore[override]
        """Estimate how far off values are, on objects (or images) that were not learnt from.

        Raises
        ------
        ValueError
            If there are fewer than three objects, or the model holds no training rows.
        """
        return validate_regression(
            kept_rows(self.state_), _values_of(self.state_), self.options, folds
        )


def _values_of(state: ModelState) -> NDArray[np.float64]:
    """Values learnt from, one for each row of the training table."""
    return np.array(state.provenance["values"], np.float64)


def _valued_rows(
    one: ObjectImage, values: Any, names: Sequence[str]
) -> tuple[TrainingTable, NDArray[np.float64]]:
    """Rows that a value was given for (all of class 1), and the values."""
    table = one.measure(names)
    known, y = _known_values(table, values)
    marks = np.zeros(len(table), np.uint8)
    marks[known] = 1
    return annotated_rows(rows_of(table, names), marks, names), y


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
