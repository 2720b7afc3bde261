"""APOC's merger of objects that touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.apoc.forest import without_missing
from napari_spinney.apoc.images import as_array, as_whole_numbers
from napari_spinney.apoc.model import FileClassifier
from napari_spinney.classifiers.merging import painted_borders
from napari_spinney.classifiers.rows import annotated_rows, rows_of
from napari_spinney.objects.measure import split_channels
from napari_spinney.objects.painting import paint
from napari_spinney.objects.pairs import measure_pairs, pair_words
from napari_spinney.objects.regions import Regions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import pandas as pd
    from numpy.typing import NDArray

    from napari_spinney.forest.training import TrainingTable

MERGE = 1


class ObjectMerger(FileClassifier):
    """Merge objects that touch, where strokes of class 1 across borders taught it to.

    Parameters
    ----------
    opencl_filename : path-like
        File that the classifier is read from and written to.
    max_depth : int or None
        Levels of decisions in a tree.
    num_ensembles : int
        Number of trees.
    overwrite_classname : str, optional
        Not used, as in APOC.
    """

    def __init__(
        self,
        opencl_filename: str | PathLike[str] = "temp_label_merger.cl",
        max_depth: int | None = 2,
        num_ensembles: int = 100,
        overwrite_classname: str | None = None,
    ) -> None:
        super().__init__(opencl_filename, max_depth, num_ensembles)

    def train(
        self,
        features: str,
        labels: Any,
        sparse_annotation: Any,
        image: Any = None,
        continue_training: bool = False,
    ) -> None:
        """Train, and write the file.

        Parameters
        ----------
        features : str
            Of ``touch_portion touch_count mean_touch_intensity centroid_distance
            mean_intensity_difference standard_deviation_intensity_difference area_difference
            mean_max_distance_to_centroid_ratio_difference``.
        labels : array of whole numbers
            Objects, some of which touch.
        sparse_annotation : array of whole numbers
            Strokes across borders: 1 merge, 2 do not merge.
        image : array, optional
            What intensities are measured in.
        continue_training : bool
            Add to what this object was trained with before.

        Raises
        ------
        ValueError
            If a measurement is unknown or needs an image, or borders of fewer than two classes
            are annotated.
        """
        table, facts = self._table(features, labels, sparse_annotation, image)
        self._learn(table, facts, continue_training)

    def _table(
        self, features: str, labels: Any, sparse_annotation: Any, image: Any = None
    ) -> tuple[TrainingTable, dict[str, Any]]:
        objects = as_whole_numbers(labels)
        names = pair_words(features, image is not None)
        painted = as_whole_numbers(sparse_annotation)
        painted = np.where(painted <= 2, painted, 0)
        regions = Regions(objects, None)
        split_channels(painted, None, regions.shape)
        sides = _both_sides(objects, image, names)
        classes = _classes_of(sides, regions, painted)
        table = annotated_rows(rows_of(sides, names), classes, names)
        return without_missing(table), {"features": " ".join(names), "ndim": regions.ndim}

    @property
    def num_ground_truth_dimensions(self) -> int:
        """Axes of what is classified: a matrix of pairs; 0 before training."""
        return 0 if self._known() is None else 2

    def predict(self, labels: Any, image: Any = None) -> NDArray[np.uint32]:
        """Merge objects; what is left is numbered 1 .. n, uint32.

        Raises
        ------
        ValueError
            If merging (class 1) was never annotated.
        """
        stage = self._state().stages[0]
        if MERGE not in stage.forest.classes:
            raise ValueError(
                f"class {MERGE} (merge) was never annotated, so nothing can be merged; annotated "
                f"are {stage.forest.classes.tolist()}"
            )
        objects = as_whole_numbers(labels)
        pair_words(stage.names, image is not None)
        sides = _both_sides(objects, image, stage.names)
        chosen = stage.forest.predict(rows_of(sides, stage.names)) == MERGE
        numbers = np.unique(objects[objects > 0])
        return paint(objects, numbers, _joined(numbers, sides[chosen]))


def _both_sides(objects: NDArray[Any], image: Any, names: Sequence[str]) -> pd.DataFrame:
    """Measure every border from both of its objects: the portion that touches is not the same.

    Rows come in the order of APOC's matrices: by ``other_label``, then by ``label``, whose
    portion it is.
    """
    import pandas as pd

    pixels = None if image is None else as_array(image)
    there = measure_pairs(objects, pixels, features=names)
    mirror = int(objects.max(initial=0)) + 1
    # Labels in reverse order: each border is measured from its other object.
    reverse = np.where(objects > 0, mirror - objects.astype(np.int64), 0)
    back = measure_pairs(reverse, pixels, features=names)
    back[["label", "other_label"]] = mirror - back[["label", "other_label"]]
    both = pd.concat([there, back], ignore_index=True)
    return both.sort_values(["other_label", "label"], ignore_index=True)


def _classes_of(sides: pd.DataFrame, regions: Regions, painted: NDArray[Any]) -> NDArray[np.uint32]:
    """Class painted on the border of each row, the same for both of its sides."""
    ends = sides[["label", "other_label"]].to_numpy()
    pairs = sides.assign(label=ends.min(axis=1), other_label=ends.max(axis=1))
    once = pairs.drop_duplicates(["label", "other_label"]).sort_values(["label", "other_label"])
    found = once.assign(annotated=painted_borders(regions, once, painted))
    keys = ["label", "other_label"]
    return pairs[keys].merge(found[[*keys, "annotated"]], how="left")["annotated"].to_numpy()


def _joined(numbers: NDArray[Any], merged: pd.DataFrame) -> NDArray[np.uint32]:
    """New number of each object; groups are numbered in the order of their largest labels."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(numbers)
    ends = [np.searchsorted(numbers, merged[name]) for name in ("label", "other_label")]
    graph = coo_array((np.ones(len(merged), np.int8), tuple(ends)), shape=(n, n))
    n_groups, group = connected_components(graph, directed=False)
    largest = np.zeros(n_groups, np.int64)
    np.maximum.at(largest, group, np.arange(n))
    return np.asarray((np.argsort(np.argsort(largest))[group] + 1).astype(np.uint32))
