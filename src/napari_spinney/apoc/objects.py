"""APOC's classifiers of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.apoc.forest import without_missing
from napari_spinney.apoc.images import as_array, as_whole_numbers
from napari_spinney.apoc.model import FileClassifier
from napari_spinney.apoc.pixels import check_target
from napari_spinney.classifiers.object_images import ObjectImage
from napari_spinney.classifiers.rows import annotated_rows, rows_of

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd
    from numpy.typing import NDArray

    from napari_spinney.forest.training import TrainingTable


class ObjectClassifier(FileClassifier):
    """Classify labelled objects by what is measured of them.

    Parameters
    ----------
    opencl_filename : path-like
        File that the classifier is read from and written to.
    max_depth : int or None
        Levels of decisions in a tree.
    num_ensembles : int
        Number of trees.
    overwrite_classname : str, optional
        Kind of classifier that the file must hold.
    """

    def __init__(
        self,
        opencl_filename: str | PathLike[str] = "temp_object_classifier.cl",
        max_depth: int | None = 2,
        num_ensembles: int = 100,
        overwrite_classname: str | None = None,
    ) -> None:
        super().__init__(opencl_filename, max_depth, num_ensembles, overwrite_classname)

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
            Measurements, with blanks or commas between them; see
            `list_available_object_classification_features`.
        labels : array of whole numbers
            Objects; 0 is background.
        sparse_annotation : array of whole numbers
            An object takes the largest class that was painted inside it; 0 is none.
        image : array, optional
            What intensities are measured in.
        continue_training : bool
            Add to what this object was trained with before.

        Raises
        ------
        ValueError
            If a measurement is unknown or needs an image, shapes differ, or objects of fewer
            than two classes are annotated.
        """
        table, facts = self._table(features, labels, sparse_annotation, image)
        self._learn(table, facts, continue_training)

    def _table(
        self, features: str, labels: Any, sparse_annotation: Any, image: Any = None
    ) -> tuple[TrainingTable, dict[str, Any]]:
        one = _object_image(labels, image)
        names = one.names(features)
        measured = one.measure(names)
        classes = one.classes_of(measured, as_whole_numbers(sparse_annotation), "largest")
        table = without_missing(annotated_rows(rows_of(measured, names), classes, names))
        facts = {
            "features": " ".join(names),
            "parameters": self._parameters_for(),
            "ndim": one.ndim,
        }
        return table, facts

    def _make_features(
        self, features: str, labels: Any, annotation: Any = None, image: Any = None
    ) -> tuple[dict[str, NDArray[Any]], NDArray[Any] | None]:
        """Measurements by name, as APOC's own tests ask for them.

        Of the annotated objects, with the class of each; without an annotation of background (0)
        and all objects.
        """
        one = _object_image(labels, image)
        names = one.names(features)
        measured = one.measure(names)
        rows, classes = rows_of(measured, names), None
        if annotation is None:
            rows = np.vstack([np.zeros_like(rows, shape=(1, len(names))), rows])
        else:
            classes = one.classes_of(measured, as_whole_numbers(annotation), "largest")
            rows, classes = rows[classes > 0], classes[classes > 0]
        return dict(zip(names, rows.T, strict=True)), classes

    def _parameters_for(self) -> dict[str, Any]:
        """Further parameters of the engine's classifier."""
        return {}

    @property
    def num_ground_truth_dimensions(self) -> int:
        """Axes of what is classified: a list of objects; 0 before training."""
        return 0 if self._known() is None else 1

    def predict(self, labels: Any, image: Any = None) -> NDArray[np.uint32]:
        """Paint the class of each object, uint32.

        Background is 0, and so is an object for which a measurement is not defined.
        """
        one, measured, classes = self._classes_of(labels, image)
        return one.paint(measured, classes)

    def _classes_of(
        self, labels: Any, image: Any
    ) -> tuple[ObjectImage, pd.DataFrame, NDArray[np.uint32]]:
        """Objects, their measurements, and the class of each."""
        stage = self._state().stages[0]
        one = _object_image(labels, image)
        measured = one.measure(stage.names)
        rows = rows_of(measured, stage.names)
        classes = stage.forest.predict(rows).astype(np.uint32)
        classes[np.isnan(rows).any(axis=1)] = 0
        return one, measured, classes


class ObjectSelector(ObjectClassifier):
    """Classify objects and keep those of one class.

    Parameters
    ----------
    opencl_filename, max_depth, num_ensembles
        As in `ObjectClassifier`.
    positive_class_identifier : int
        The class that is kept. For prediction the one in the file counts.
    """

    def __init__(
        self,
        opencl_filename: str | PathLike[str] = "temp_object_classifier.cl",
        max_depth: int | None = 2,
        num_ensembles: int = 100,
        positive_class_identifier: int = 2,
    ) -> None:
        super().__init__(opencl_filename, max_depth, num_ensembles)
        self.positive_class_identifier = positive_class_identifier

    def _parameters_for(self) -> dict[str, Any]:
        return {"target_class": int(self.positive_class_identifier)}

    def predict(self, labels: Any, image: Any = None) -> NDArray[np.uint32]:
        """Keep the objects of the positive class, numbered 1 .. n, uint32.

        Raises
        ------
        ValueError
            If the positive class was never annotated.
        """
        state = self._state()
        check_target(state, "positive_class_identifier")
        one, measured, classes = self._classes_of(labels, image)
        kept = classes == state.parameters["target_class"]
        return one.paint(measured, np.where(kept, np.cumsum(kept), 0).astype(np.uint32))

    def _further_lines(self) -> list[str]:
        return [f"Positive class identifier: {self.positive_class_identifier}"]


def _object_image(labels: Any, image: Any) -> ObjectImage:
    return ObjectImage.of(
        as_whole_numbers(labels),
        None if image is None else as_array(image),
        channel_axis=None,
        time_axis=None,
        spacing=None,
    )
