"""Classify and select labelled objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_spinney.classifiers.base import Classifier
from napari_spinney.classifiers.mapping import ObjectMapper
from napari_spinney.classifiers.merging import ObjectMerger
from napari_spinney.classifiers.object_images import ObjectImage, is_several, object_images
from napari_spinney.classifiers.rows import (
    annotated_rows,
    feature_columns,
    rows_of,
    train_rows,
)
from napari_spinney.objects.request import columns_of, split_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from napari_spinney.forest.table import TrainingTable
    from napari_spinney.objects.painting import Rule

__all__ = ["ObjectClassifier", "ObjectMapper", "ObjectMerger", "ObjectSelector"]


class ObjectClassifier(Classifier):
    """Classify labelled objects by what `measure` says of them.

    A measurement that is not defined for an object (NaN) is kept and is itself something to
    decide by: each decision of a tree learns to which side it goes. No object is left out.

    Parameters
    ----------
    features : str or sequence of str
        Names of measurements or of groups, as in `measure`. A group means those of its
        measurements that the objects of the first `fit` have: without an image no intensities.
    rule : {"most", "largest"}
        Which class an object takes that several were painted on: the one with most pixels inside
        it (the lowest number wins a tie), or the largest number, which is APOC's rule.
    n_trees : int
        Number of trees.
    max_depth : int or None
        Levels of decisions in a tree; None for no limit.
    kind : {"random_forest", "extra_trees"}
        Thresholds searched for, or drawn at random.
    balance : {"none", "sqrt", "balanced"}
        Weight of an object of a class that has n of them: 1, n ** -0.5 or 1 / n.
    min_leaf : int
        Fewest objects in a leaf.
    seed : int
        Same seed, same objects: same forest.

    Examples
    --------
    >>> import numpy as np, napari_spinney as spinney
    >>> labels = np.zeros((9, 20), int)
    >>> labels[1:4, 1:4] = 1; labels[1:4, 6:9] = 2; labels[6, 1:9] = 3; labels[6, 11:19] = 4
    >>> clf = spinney.ObjectClassifier("area extent eccentricity", n_trees=10)
    >>> clf.fit(labels, {1: 1, 3: 2}).predict(labels).max(axis=1).tolist()
    [0, 1, 1, 1, 0, 0, 2, 0, 0]
    """

    learns_from = "objects"

    def __init__(
        self,
        features: str | Sequence[str] = "size shape intensity",
        *,
        rule: Rule = "most",
        n_trees: int = 100,
        max_depth: int | None = None,
        kind: str = "random_forest",
        balance: str = "sqrt",
        min_leaf: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.features = features
        self.rule = rule
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.kind = kind
        self.balance = balance
        self.min_leaf = min_leaf
        self.seed = seed

    def fit(
        self,
        labels: Any,
        annotation: Any,
        image: Any = None,
        *,
        add: bool = False,
        channel_axis: int | None = None,
        time_axis: int | None = None,
        spacing: Sequence[float] | None = None,
    ) -> Self:
        """Train on objects that strokes or clicks gave a class.

        Parameters
        ----------
        labels : array or list of arrays
            (Y, X) or (Z, Y, X) whole numbers, one axis more with ``time_axis``; 0 is background.
        annotation : array, mapping or Series, or list of them
            Classes painted on the objects, in the shape of the labels, 0 where nothing is
            painted; or {label: class}, with a time axis {(frame, label): class}.
        image : array or list of arrays, optional
            What intensities are measured in; as in `measure`.
        add : bool
            Learn from these objects besides those learnt before (also before it was saved).
        channel_axis, time_axis : int, optional
            As in `measure`.
        spacing : sequence of float, optional
            Size of a pixel along each spatial axis; measurements are then in its unit.

        Raises
        ------
        ValueError
            If shapes do not fit, a measurement is unknown, or there are no two classes.
        """
        adding = add and self.is_fitted
        if adding and spacing is None:
            spacing = self.state_.spacing
        images = object_images(
            labels, image, channel_axis=channel_axis, time_axis=time_axis, spacing=spacing
        )
        annotations = list(annotation) if is_several(labels) else [annotation]
        if len(annotations) != len(images):
            raise ValueError(
                f"every label image needs its annotation: got {len(images)} label image(s) and "
                f"{len(annotations)} annotation(s)"
            )
        words = self.feature_names_ if adding else split_words(self.features)
        names = self.feature_names_ if adding else images[0].names(words)
        table = self._table(images[0], annotations[0], names)
        for one, painted in zip(images[1:], annotations[1:], strict=True):
            table = table.concat(self._table(one, painted, names))
        state = train_rows(
            self,
            table,
            features=self.state_.stages[0].features if adding else " ".join(words),
            add=add,
            ndim=images[0].ndim,
            n_channels=len(images[0].channels),
            spacing=images[0].spacing,
        )
        self._set_state(state)
        return self

    def fit_table(
        self,
        table: pd.DataFrame,
        classes: Any,
        *,
        ndim: int | None = None,
        n_channels: int = 1,
        spacing: Sequence[float] | None = None,
    ) -> Self:
        """Train on a table that was measured before.

        Parameters
        ----------
        table : DataFrame
            From `napari_spinney.measure`. All its measurements are decided by; ``features``
            becomes their names.
        classes : (n,) whole numbers
            Class of each row, 0 where it has none.
        ndim, n_channels, spacing
            Of the images that were measured, where they are known.

        Raises
        ------
        ValueError
            If there are no two classes, or no measurement.
        """
        names = feature_columns(table, None)
        rows = annotated_rows(rows_of(table, names), classes, names)
        state = train_rows(
            self,
            rows,
            features=" ".join(names),
            add=False,
            ndim=ndim,
            n_channels=n_channels,
            spacing=None if spacing is None else tuple(float(s) for s in spacing),
        )
        self.features = list(names)
        self._set_state(state)
        return self

    def predict(
        self,
        labels: Any,
        image: Any = None,
        *,
        channel_axis: int | None = None,
        time_axis: int | None = None,
        spacing: Sequence[float] | None = None,
    ) -> NDArray[Any]:
        """Paint the class of each object.

        Parameters
        ----------
        labels, image, channel_axis, time_axis
            As in `fit`, one image.
        spacing : sequence of float, optional
            Size of a pixel; that of training if not given.

        Returns
        -------
        array
            Shape of the labels, smallest unsigned type that holds the classes; background is 0.
        """
        one = self._object_image(labels, image, channel_axis, time_axis, spacing)
        table = one.measure(self.feature_names_)
        return one.paint(table, self.predict_table(table))

    def measure(
        self,
        labels: Any,
        image: Any = None,
        *,
        channel_axis: int | None = None,
        time_axis: int | None = None,
        spacing: Sequence[float] | None = None,
    ) -> pd.DataFrame:
        """Measure what this classifier decides by: ``label`` (and ``frame``) and its columns."""
        one = self._object_image(labels, image, channel_axis, time_axis, spacing)
        table = one.measure(self.feature_names_)
        first = ["frame", "label"] if "frame" in table else ["label"]
        return table[list(dict.fromkeys([*first, *self.feature_names_]))]

    def predict_table(self, table: pd.DataFrame) -> NDArray[np.unsignedinteger]:
        """Class of each row of a table that has the columns of `feature_names_`, (n,)."""
        return self.forest_.predict(rows_of(table, self.feature_names_))

    def predict_proba(self, table: pd.DataFrame) -> NDArray[np.float64]:
        """Probability of each class for each row, (n, n_classes), in the order of `classes_`."""
        return self.forest_.predict_proba(rows_of(table, self.feature_names_))

    def predict_uncertainty(self, table: pd.DataFrame) -> NDArray[np.float64]:
        """1 - (best - second best probability) of each row, (n,)."""
        return self.forest_.uncertainty(rows_of(table, self.feature_names_))

    def _table(self, one: ObjectImage, annotation: Any, names: Sequence[str]) -> TrainingTable:
        table = one.measure(names)
        return annotated_rows(
            rows_of(table, names), one.classes_of(table, annotation, self.rule), names
        )

    def _object_image(
        self,
        labels: Any,
        image: Any,
        channel_axis: int | None,
        time_axis: int | None,
        spacing: Sequence[float] | None,
    ) -> ObjectImage:
        state = self.state_
        one = ObjectImage.of(
            labels,
            image,
            channel_axis=channel_axis,
            time_axis=time_axis,
            spacing=state.spacing if spacing is None else spacing,
        )
        if state.ndim not in (None, one.ndim):
            raise ValueError(
                f"the model was trained on {state.ndim}D objects; these labels are {one.ndim}D"
            )
        columns = columns_of(self.feature_names_, ndim=one.ndim, n_channels=len(one.channels))
        needs_image = any(column.measurement.per_channel for column in columns)
        if needs_image and state.ndim is not None and len(one.channels) != state.n_channels:
            raise ValueError(
                f"the model was trained on {state.n_channels} channel(s); this image has "
                f"{len(one.channels)}: name its axis with channel_axis"
            )
        return one


class ObjectSelector(ObjectClassifier):
    """Classify objects and keep those of one class.

    Takes the parameters of `ObjectClassifier`, and

    Parameters
    ----------
    target_class : int
        The class that is kept.
    renumber : bool
        Number the objects kept 1 .. n (at each time point) instead of keeping their labels.
    """

    def __init__(
        self,
        features: str | Sequence[str] = "size shape intensity",
        *,
        target_class: int = 2,
        renumber: bool = False,
        rule: Rule = "most",
        n_trees: int = 100,
        max_depth: int | None = None,
        kind: str = "random_forest",
        balance: str = "sqrt",
        min_leaf: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__(
            features,
            rule=rule,
            n_trees=n_trees,
            max_depth=max_depth,
            kind=kind,
            balance=balance,
            min_leaf=min_leaf,
            seed=seed,
        )
        self.target_class = target_class
        self.renumber = renumber

    def predict(
        self,
        labels: Any,
        image: Any = None,
        *,
        channel_axis: int | None = None,
        time_axis: int | None = None,
        spacing: Sequence[float] | None = None,
    ) -> NDArray[Any]:
        """Keep the objects of ``target_class``.

        Returns
        -------
        array
            The labels with all other objects 0; the same type, or uint32 if renumbered.

        Raises
        ------
        ValueError
            If ``target_class`` was never annotated.
        """
        if self.target_class not in self.classes_:
            raise ValueError(
                f"target_class={self.target_class} is none of the classes learnt: "
                f"{self.classes_.tolist()}"
            )
        one = self._object_image(labels, image, channel_axis, time_axis, spacing)
        table = one.measure(self.feature_names_)
        kept = self.predict_table(table) == self.target_class
        if not self.renumber:
            values = table["label"].to_numpy().astype(one.labels.dtype)
            return one.paint(table, np.where(kept, values, values.dtype.type(0)))
        frame = table["frame"] if "frame" in table else np.zeros(len(table))
        numbers = table.assign(kept=kept).groupby(frame)["kept"].cumsum().to_numpy()
        return one.paint(table, np.where(kept, numbers, 0).astype(np.uint32))
