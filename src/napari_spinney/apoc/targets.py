"""APOC's classifiers of pixels that make something of one class: its objects, its probability."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.apoc.pixels import PixelClassifier
from napari_spinney.classifiers import pixels as engine

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_spinney.classifiers.base import ModelState
    from napari_spinney.forest.training import TrainingTable


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
