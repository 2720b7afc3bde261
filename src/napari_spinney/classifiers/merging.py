"""Merge objects that touch, where a trained forest says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_spinney.classifiers.base import Classifier, ModelState
from napari_spinney.classifiers.object_images import ObjectImage
from napari_spinney.classifiers.rows import annotated_rows, rows_of, train_rows
from napari_spinney.forest.annotation import check_annotation
from napari_spinney.objects.contacts import touching_pixels
from napari_spinney.objects.painting import paint
from napari_spinney.objects.pairs import measure_sides_of, pair_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from napari_spinney.forest.training import TrainingTable
    from napari_spinney.objects.regions import Regions


class ObjectMerger(Classifier):
    """Classify the borders between touching objects; merge those of one class.

    Borders are annotated by strokes across them: a pair of objects takes the class most painted
    on both sides of its border, pixel against pixel (the lowest number wins a tie).

    A border is measured from both of its objects, as in APOC: ``touch_portion`` is that of a small
    object in one row, and that of its large neighbour in the other. Both are learnt from, and two
    objects are merged if one of them says so.

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

    learns_from = "objects"

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
        time_axis: int | None = None,
        spacing: Sequence[float] | None = None,
    ) -> Self:
        """Train on borders.

        Parameters
        ----------
        labels : array of whole numbers
            (Y, X) or (Z, Y, X) objects, some of which touch; one axis more with ``time_axis``.
        annotation : array or mapping
            Strokes across borders, in the shape of the labels; or {(label, label): class}, with a
            time axis {(frame, label, label): class}.
        image : array, optional
            For intensities; as in `measure_pairs`.
        add : bool
            Learn from these borders besides those learnt before.
        channel_axis, time_axis, spacing
            As in `measure`.

        Raises
        ------
        ValueError
            If shapes do not fit, a pair does not touch, or there are no two classes of borders.
        """
        adding = add and self.is_fitted
        if adding and spacing is None:
            spacing = self.state_.spacing
        one = ObjectImage.of(
            labels, image, channel_axis=channel_axis, time_axis=time_axis, spacing=spacing
        )
        words = (
            list(self.feature_names_) if adding else pair_words(self.features, bool(one.channels))
        )
        sides, classes = _annotated_sides(one, words, annotation)
        names = self.feature_names_ if adding else tuple(map(str, sides.columns.drop(_IDS)))
        table = _training_table(sides, classes, names)
        state = train_rows(
            self,
            table,
            features=self.state_.stages[0].features if adding else " ".join(words),
            add=add,
            ndim=one.ndim,
            n_channels=len(one.channels),
            spacing=one.spacing,
        )
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
        one = self._object_image(labels, image, channel_axis, time_axis, spacing)
        merged = [self._merged(regions, channels) for _, regions, channels in one.frames()]
        return merged[0] if time_axis is None else np.stack(merged, axis=time_axis)

    def _merged(self, regions: Regions, channels: list[NDArray[Any]]) -> NDArray[Any]:
        sides = measure_sides_of(regions, channels, list(self.feature_names_))
        merged = sides[self.predict_table(sides) == self.merge_class]
        return paint(regions.image, regions.labels, _joined(regions, merged))

    def measure(
        self,
        labels: Any,
        image: Any = None,
        *,
        channel_axis: int | None = None,
        time_axis: int | None = None,
        spacing: Sequence[float] | None = None,
    ) -> pd.DataFrame:
        """Measure what this classifier decides by, two rows per pair of touching objects.

        Returns
        -------
        pandas.DataFrame
            ``frame`` with a time axis, ``label``, ``other_label``, then `feature_names_`. Each
            pair is there in both orders: ``touch_portion`` is that of the object ``label``.
        """
        one = self._object_image(labels, image, channel_axis, time_axis, spacing)
        return _sides_of(one, list(self.feature_names_))

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

    def _object_image(
        self,
        labels: Any,
        image: Any,
        channel_axis: int | None,
        time_axis: int | None,
        spacing: Sequence[float] | None,
    ) -> ObjectImage:
        return ObjectImage.of(
            labels,
            image,
            channel_axis=channel_axis,
            time_axis=time_axis,
            spacing=self.state_.spacing if spacing is None else spacing,
        )


_IDS = ["label", "other_label"]


def _sides_of(one: ObjectImage, words: list[str]) -> pd.DataFrame:
    """Both sides of all pairs, with a column ``frame`` where there is a time axis."""
    import pandas as pd

    tables = []
    for time, regions, channels in one.frames():
        sides = measure_sides_of(regions, channels, words)
        if one.time_axis is not None:
            sides.insert(0, "frame", time)
        tables.append(sides)
    return pd.concat(tables, ignore_index=True)


def _annotated_sides(
    one: ObjectImage, words: list[str], annotation: Any
) -> tuple[pd.DataFrame, NDArray[np.uint32]]:
    """Both sides of all pairs, all time points below each other, and the class of each."""
    import pandas as pd

    by_name = annotation if isinstance(annotation, Mapping) else None
    painted = None if by_name is not None else check_annotation(annotation, one.labels.shape)
    known: set[Any] = set()
    tables, classes = [], []
    for time, regions, channels in one.frames():
        sides = measure_sides_of(regions, channels, words)
        pairs = sides.iloc[: len(sides) // 2]
        keys = _keys(pairs, None if one.time_axis is None else time)
        known.update(keys)
        found = (
            _named_classes(keys, by_name or {})
            if painted is None
            else painted_borders(regions, pairs, one.frame_of(painted, time))
        )
        tables.append(sides)
        classes.append(np.tile(found, 2))
    if by_name is not None:
        _check_pairs(by_name, known)
    return pd.concat(tables, ignore_index=True), np.concatenate(classes)


def _training_table(
    sides: pd.DataFrame, classes: NDArray[np.uint32], names: Sequence[str]
) -> TrainingTable:
    """Rows with a class; the two sides of a border are held out together."""
    table = annotated_rows(rows_of(sides, names), classes, names)
    ends = np.sort(sides[_IDS].to_numpy(), axis=1)[table.position].astype(np.int64)
    _, border = np.unique(np.column_stack([ends, table.y]), axis=0, return_inverse=True)
    return replace(table, stroke=border.reshape(-1).astype(np.int32))


def _pair_keys(regions: Regions, pairs: pd.DataFrame) -> NDArray[np.int64]:
    """One number per row, rising with it, from the positions of the two labels."""
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


def _keys(pairs: pd.DataFrame, time: int | None) -> list[tuple[int, ...]]:
    ends = zip(pairs["label"].tolist(), pairs["other_label"].tolist(), strict=True)
    return [pair if time is None else (time, *pair) for pair in ends]


def _ordered(key: Any) -> tuple[int, ...]:
    """(smaller label, larger label), after the frame where there is one."""
    return (*key[:-2], *sorted(key[-2:]))


def _named_classes(keys: list[tuple[int, ...]], classes: Mapping[Any, int]) -> NDArray[np.uint32]:
    wanted = {_ordered(key): number for key, number in classes.items()}
    numbers = np.array([wanted.get(key, 0) for key in keys], dtype=object).astype(np.int64)
    return check_annotation(numbers, (len(keys),)).astype(np.uint32)


def _check_pairs(classes: Mapping[Any, int], known: set[Any]) -> None:
    unknown = {_ordered(key) for key in classes} - known
    if unknown:
        raise ValueError(f"the objects {sorted(unknown)[0]} do not touch, so they have no border")


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
