"""APOC's classifiers of pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.apoc.features import PredefinedFeatureSet, parse_features
from napari_spinney.apoc.images import as_array, as_whole_numbers, channels_first
from napari_spinney.apoc.model import CUSTOM, FileClassifier
from napari_spinney.classifiers import pixels as engine
from napari_spinney.features.feature import FeatureSet

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_spinney.classifiers.base import ModelState
    from napari_spinney.forest.training import TrainingTable


class PixelClassifier(FileClassifier):
    """Classify every pixel of an image.

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
        opencl_filename: str | PathLike[str] = "temp_pixel_classifier.cl",
        max_depth: int | None = 2,
        num_ensembles: int = 100,
        overwrite_classname: str | None = None,
    ) -> None:
        super().__init__(opencl_filename, max_depth, num_ensembles, overwrite_classname)

    def train(
        self, features: Any, ground_truth: Any, image: Any = None, continue_training: bool = False
    ) -> None:
        """Train, and write the file.

        Parameters
        ----------
        features : str, PredefinedFeatureSet or list of images
            Words such as ``"original gaussian_blur=2"``, computed from ``image``; or the feature
            images themselves. None: original, Gaussian 2 and Sobel of it.
        ground_truth : (Y, X) or (Z, Y, X) array
            0 where nothing is annotated, else the number of a class.
        image : array or list of arrays
            Of the shape of the annotation; one axis more, or a list, for channels.
        continue_training : bool
            Add to what this object was trained with before.

        Raises
        ------
        ValueError
            If a feature is unknown, shapes differ, or fewer than two classes are annotated.
        TypeError
            If features are named and there is no image.
        """
        table, facts = self._table(features, ground_truth, image)
        self._learn(table, facts, continue_training)

    def _table(
        self, features: Any, ground_truth: Any, image: Any
    ) -> tuple[TrainingTable, dict[str, Any]]:
        """Rows to learn from, and facts about them."""
        from napari_spinney.classifiers import learning
        from napari_spinney.compute.run import executor_that_can
        from napari_spinney.features.plan import build_plan

        annotation = as_whole_numbers(ground_truth)
        words, pixels = _split(features, image)
        array, axis = channels_first(pixels, annotation.ndim, shape=annotation.shape)
        examples = learning.examples_of(array, annotation, channel_axis=axis)
        source = examples[0].source
        plan = build_plan(words, ndim=source.ndim, n_channels=source.n_channels)
        table = learning.table_of(examples, plan, executor_that_can((plan,), None))
        facts = {
            "features": str(words),
            "parameters": self._parameters_for(table),
            "ndim": source.ndim,
            "n_channels": source.n_channels,
            "channel_axis": None if axis is None else 0,
            "provenance": {"custom": not _are_named(features)},
        }
        return table, facts

    def _parameters_for(self, table: TrainingTable) -> dict[str, Any]:
        """Further parameters of the engine's classifier."""
        return {}

    def predict(self, image: Any = None, features: Any = None) -> NDArray[Any]:
        """Predict the class of every pixel.

        Parameters
        ----------
        image : array or list of arrays
            As in `train`.
        features : str, PredefinedFeatureSet or list of images, optional
            Those of training if not given.

        Returns
        -------
        uint32 array of the image's shape without channels
        """
        classifier, array, axis = self._ready(image, features)
        return classifier.predict(array, channel_axis=axis).astype(np.uint32)

    def _predict_cpu(self, image: Any = None, features: Any = None) -> NDArray[Any]:
        """What APOC's own tests compare `predict` with: here all devices decide alike."""
        return PixelClassifier.predict(self, image, features)

    def _ready(self, image: Any, features: Any) -> tuple[engine.PixelClassifier, Any, int | None]:
        """The engine's classifier for these features, the pixels, and their channel axis."""
        if isinstance(image, str):
            raise TypeError(
                f"the image must be an array, not the text {image[:80]!r}: predict takes the image "
                "first, then the features"
            )
        state = self._state()
        words = FeatureSet.parse(state.stages[0].features)
        if features is not None:
            words, image = _split(features, image)
        n_columns = len(state.stages[0].names)
        n_channels, rest = divmod(n_columns, len(words.for_ndim(state.ndim or 2)))
        if rest:
            raise ValueError(
                f"the classifier reads {n_columns} feature images, which {str(words)!r} does not "
                "make of any number of channels; leave features out to use those of training"
            )
        array, axis = channels_first(image, state.ndim or 2, n_channels=n_channels)
        found = 1 if axis is None else array.shape[axis]
        if found != n_channels:
            raise ValueError(
                f"the classifier was trained on {n_channels} channel(s) (or feature images); got "
                f"{found}"
            )
        names = words.names(n_channels, state.ndim or 2)
        stage = replace(state.stages[0], features=str(words), names=names)
        state = replace(state, stages=(stage,), n_channels=n_channels, channel_axis=None)
        return engine.PixelClassifier.from_state(state), array, axis

    def _column_names(self) -> list[str]:
        state = self._state()
        names = list(state.stages[0].names)
        if not state.provenance.get("custom"):
            return names
        return [CUSTOM if i == 0 else f"{CUSTOM}_{i}" for i in range(len(names))]

    @property
    def feature_specification(self) -> str:
        """Features that were trained with, as words."""
        learnt = self._known()
        if learnt is None or learnt.provenance.get("custom"):
            return CUSTOM
        return learnt.stages[0].features

    def _read(self, path: Path) -> ModelState:
        """Read a file; feature images made by hand become the channels of an image."""
        state = super()._read(path)
        stage = state.stages[0]
        if stage.features:
            return state
        n_channels = len(stage.names)
        names = FeatureSet.parse("original").names(n_channels, state.ndim or 2)
        return replace(
            state,
            stages=(replace(stage, features="original", names=names),),
            n_channels=n_channels,
            provenance={**state.provenance, "custom": True},
        )

    def _to_write(self) -> ModelState:
        state = super()._to_write()
        if not state.provenance.get("custom"):
            return state
        return replace(state, stages=(replace(state.stages[0], features=""),))


class ObjectSegmenter(PixelClassifier):
    """Classify pixels, then number the connected objects of one class.

    Parameters
    ----------
    opencl_filename, max_depth, num_ensembles
        As in `PixelClassifier`.
    positive_class_identifier : int
        The class that objects are made of. For prediction the one in the file counts.
    """

    def __init__(
        self,
        opencl_filename: str | PathLike[str] = "temp_object_segmenter.cl",
        max_depth: int | None = 2,
        num_ensembles: int = 100,
        positive_class_identifier: int = 2,
    ) -> None:
        super().__init__(opencl_filename, max_depth, num_ensembles)
        self.positive_class_identifier = positive_class_identifier

    def _parameters_for(self, table: TrainingTable) -> dict[str, Any]:
        return {"target_class": int(self.positive_class_identifier)}

    def _read(self, path: Path) -> ModelState:
        state = super()._read(path)
        target = {"target_class": int(self.positive_class_identifier)}
        return replace(state, parameters={**target, **state.parameters})

    def predict(self, image: Any = None, features: Any = None) -> NDArray[np.uint32]:
        """Number the objects of the positive class, 1 .. n (uint32); edges connect, corners not.

        They are numbered along x first, then y, then z, as pyclesperanto does.

        Raises
        ------
        ValueError
            If the positive class was never annotated.
        """
        from scipy import ndimage

        state = self._state()
        check_target(state, "positive_class_identifier")
        mask = super().predict(image, features) == state.parameters["target_class"]
        labels, _ = ndimage.label(mask.T)
        return np.ascontiguousarray(labels.T, np.uint32)

    def _further_lines(self) -> list[str]:
        return [f"Positive class identifier: {self.positive_class_identifier}"]


class ProbabilityMapper(PixelClassifier):
    """Map the probability of one class.

    Parameters
    ----------
    opencl_filename, max_depth, num_ensembles
        As in `PixelClassifier`.
    output_probability_of_class : int
        The class, 1 or more. The default of APOC, 0, is none ("not annotated"): for a file it
        stands for the class that the file was made for; training refuses it.
    """

    def __init__(
        self,
        opencl_filename: str | PathLike[str] = "temp_probability_mapper.cl",
        max_depth: int | None = 2,
        num_ensembles: int = 100,
        output_probability_of_class: int = 0,
    ) -> None:
        super().__init__(opencl_filename, max_depth, num_ensembles)
        self.output_probability_of_class = output_probability_of_class

    def _table(
        self, features: Any, ground_truth: Any, image: Any
    ) -> tuple[TrainingTable, dict[str, Any]]:
        if not self.output_probability_of_class:
            raise ValueError(
                "output_probability_of_class=0: class 0 means 'not annotated' and has no "
                "probability (APOC writes class numbers then); name the class that is to be "
                "mapped, e.g. output_probability_of_class=2"
            )
        return super()._table(features, ground_truth, image)

    def _parameters_for(self, table: TrainingTable) -> dict[str, Any]:
        target = int(self.output_probability_of_class)
        if target not in table.classes and len(table):
            raise ValueError(
                f"output_probability_of_class={target} is none of the classes annotated: "
                f"{table.classes.tolist()}"
            )
        return {"target_class": target}

    def predict(self, image: Any = None, features: Any = None) -> NDArray[np.float32]:
        """Probability of the class at every pixel, float32, 0 to 1.

        Raises
        ------
        ValueError
            If no class is named, or one that was never annotated.
        """
        state = self._state()
        target = int(self.output_probability_of_class) or state.parameters.get("target_class", 0)
        state = replace(state, parameters={**state.parameters, "target_class": target})
        check_target(state, "output_probability_of_class")
        classifier, array, axis = self._ready(image, features)
        steps = classifier.iter_predict(
            array, "probability", target_class=target, channel_axis=axis
        )
        return engine.exhaust(steps)

    def _further_lines(self) -> list[str]:
        return [f"Output probability of class: {self.output_probability_of_class}"]


def check_target(state: ModelState, argument: str) -> None:
    """Refuse a class that was never annotated."""
    target, classes = state.parameters.get("target_class"), state.stages[0].forest.classes.tolist()
    if target not in classes:
        raise ValueError(f"{argument}={target} is none of the classes learnt: {classes}")


def _are_named(features: Any) -> bool:
    return features is None or isinstance(features, (str, PredefinedFeatureSet))


def _split(features: Any, image: Any) -> tuple[FeatureSet, Any]:
    """Features and the pixels they are computed from; images of features are channels."""
    if _are_named(features):
        return parse_features(features), image
    return FeatureSet.parse("original"), [as_array(plane) for plane in features]
