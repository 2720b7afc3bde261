"""Merge objects that touch, where a trained forest says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_spinney.classifiers.base import Classifier, ModelState
from napari_spinney.classifiers.rows import annotated_rows, rows_of, train_rows
from napari_spinney.forest.annotation import check_annotation
from napari_spinney.objects.contacts import touching_pixels
from napari_spinney.objects.measure import split_channels
from napari_spinney.objects.painting import paint
from napari_spinney.objects.pairs import measure_pairs_of, pair_words
from napari_spinney.objects.regions import Regions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray


class ObjectMerger(Classifier):
    """Classify the borders between touching objects; merge those of one class.

    Borders are annotated by strokes across them: a pair of objects takes the class most painted
    on both sides of its border, pixel against pixel (the lowest number wins a tie).

    Parameters
    ----------
    features : str or sequence of str, optional
        Names from `PAIR_MEASUREMENTS`, or a measurement of one object with ``_difference`` behind
        it. All of `PAIR_MEASUREMENTS` that labels (and image) have, if not given.
    merge_class : int
        The class of borders that are removed; APOC's is 1, and 2 keeps them.
    n_trees, max_depth, kind, balance, min_leaf, seed
        As in `ObjectClassifier`.
    """

    def __init__(
        self,
        features: str | Sequence[str] | None = None,
        *,
        merge_class: int = 1,
        n_trees: int = 100,
        max_depth: int | None = None,
        kind: str = "random_forest",
        balance: str = "sqrt",
        min_leaf: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.features = features
        self.merge_class = merge_class
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
        spacing: Sequence[float] | None = None,
    ) -> Self:
        """Train on borders.

        Parameters
        ----------
        labels : (Y, X) or (Z, Y, X) array of whole numbers
            Objects, some of which touch.
        annotation : array or mapping
            Strokes across borders, in the shape of the labels; or {(label, label): class}.
        image : array, optional
            For intensities; as in `measure_pairs`.
        add : bool
            Learn from these borders besides those learnt before.
        channel_axis, spacing
            As in `measure_pairs`.

        Raises
        ------
        ValueError
            If shapes do not fit, a pair does not touch, or there are no two classes of borders.
        """
        adding = add and self.is_fitted
        if adding and spacing is None:
            spacing = self.state_.spacing
        regions, channels = _checked(labels, image, channel_axis, spacing)
        words = list(self.feature_names_) if adding else self._words(channels)
        pairs = measure_pairs_of(regions, channels, words)
        names = self.feature_names_ if adding else tuple(map(str, pairs.columns[2:]))
        if isinstance(annotation, Mapping):
            classes = _classes_by_pair(pairs, annotation)
        else:
            painted = check_annotation(annotation, regions.shape)
            classes = painted_borders(regions, pairs, painted)
        table = annotated_rows(rows_of(pairs, names), classes, names)
        features = self.state_.stages[0].features if adding else " ".join(words)
        state = train_rows(
            self,
            table,
            features=features,
            add=add,
            ndim=regions.ndim,
            n_channels=len(channels),
            spacing=None if spacing is None else tuple(regions.spacing.tolist()),
        )
        self._set_state(state)
        return self

    def predict(
        self,
        labels: Any,
        image: Any = None,
        *,
        channel_axis: int | None = None,
        spacing: Sequence[float] | None = None,
    ) -> NDArray[Any]:
        """Merge objects over the borders of ``merge_class``.

        Returns
        -------
        array
            Shape and type of the labels; objects that were merged take the smallest of their
            labels.

        Raises
        ------
        ValueError
            If ``merge_class`` was never annotated.
        """
        if self.merge_class not in self.classes_:
            raise ValueError(
                f"merge_class={self.merge_class} is none of the classes learnt: "
                f"{self.classes_.tolist()}"
            )
        regions, channels = _checked(labels, image, channel_axis, self._spacing(spacing))
        pairs = measure_pairs_of(regions, channels, list(self.feature_names_))
        merged = pairs[self.predict_table(pairs) == self.merge_class]
        return paint(regions.image, regions.labels, _joined(regions, merged))

    def measure(
        self,
        labels: Any,
        image: Any = None,
        *,
        channel_axis: int | None = None,
        spacing: Sequence[float] | None = None,
    ) -> pd.DataFrame:
        """Measure what this classifier decides by, one row per pair of touching objects."""
        regions, channels = _checked(labels, image, channel_axis, self._spacing(spacing))
        return measure_pairs_of(regions, channels, list(self.feature_names_))

    def predict_table(self, pairs: pd.DataFrame) -> NDArray[np.unsignedinteger]:
        """Class of each row of a table of pairs, (n,)."""
        return self.forest_.predict(rows_of(pairs, self.feature_names_))

    def predict_proba(self, pairs: pd.DataFrame) -> NDArray[np.float64]:
        """Probability of each class for each pair, (n, n_classes), in the order of `classes_`."""
        return self.forest_.predict_proba(rows_of(pairs, self.feature_names_))

    @classmethod
    def from_state(cls, state: ModelState) -> Self:
        """Build a classifier from what a file holds."""
        classifier = super().from_state(state)
        classifier.features = state.stages[0].features or list(state.stages[0].names)
        return classifier

    def _words(self, channels: list[NDArray[Any]]) -> list[str]:
        return pair_words(self.features, bool(channels))

    def _spacing(self, spacing: Sequence[float] | None) -> Sequence[float] | None:
        return self.state_.spacing if spacing is None else spacing


def _checked(
    labels: Any, image: Any, channel_axis: int | None, spacing: Sequence[float] | None
) -> tuple[Regions, list[NDArray[Any]]]:
    regions = Regions(labels, spacing)
    return regions, split_channels(image, channel_axis, regions.shape)


def _pair_keys(regions: Regions, pairs: pd.DataFrame) -> NDArray[np.int64]:
    """One rising number per row, from the positions of the two labels."""
    first = np.searchsorted(regions.labels, pairs["label"].to_numpy())
    second = np.searchsorted(regions.labels, pairs["other_label"].to_numpy())
    return first.astype(np.int64) * len(regions) + second


def painted_borders(
    regions: Regions, pairs: pd.DataFrame, painted: NDArray[Any]
) -> NDArray[np.uint32]:
    """Class most painted on both sides of each border."""
    keys = _pair_keys(regions, pairs)
    classes = np.unique(painted[painted > 0]).astype(np.int64)
    votes = np.zeros((len(keys), len(classes)), np.int64)
    for a, b, ((here, there),) in touching_pixels(regions.core, painted):
        both = (a > 0) & (b > 0) & (here == there) & (here > 0)
        low, high = np.minimum(a, b)[both] - 1, np.maximum(a, b)[both] - 1
        row = np.searchsorted(keys, low.astype(np.int64) * len(regions) + high)
        np.add.at(votes, (row, np.searchsorted(classes, here[both])), 1)
    result = np.zeros(len(keys), np.uint32)
    found = votes.any(axis=1)
    if found.any():
        result[found] = classes[votes[found].argmax(axis=1)]
    return result


def _classes_by_pair(pairs: pd.DataFrame, classes: Mapping[Any, int]) -> NDArray[np.uint32]:
    wanted = {tuple(sorted(pair)): number for pair, number in classes.items()}
    keys = list(zip(pairs["label"].tolist(), pairs["other_label"].tolist(), strict=True))
    unknown = set(wanted) - set(keys)
    if unknown:
        raise ValueError(f"the objects {sorted(unknown)[0]} do not touch, so they have no border")
    numbers = np.array([wanted.get(key, 0) for key in keys])
    return check_annotation(numbers, (len(keys),)).astype(np.uint32)


def _joined(regions: Regions, pairs: pd.DataFrame) -> NDArray[Any]:
    """Smallest label of the group that each object is in."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(regions)
    first, second = np.divmod(_pair_keys(regions, pairs), max(n, 1))
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(n, n))
    _, group = connected_components(graph, directed=False)
    _, smallest = np.unique(group, return_index=True)
    return np.asarray(regions.labels[smallest[group]])
