"""The code of one step, to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_spinney.export import code
from napari_spinney.history import (
    ApplyToObjects,
    ClassifyObjects,
    OpenModel,
    Predict,
    Train,
    Validate,
)

if TYPE_CHECKING:
    from napari_spinney.history import Step


def snippet(step: Step) -> str:
    """Code of one step, for variables ``image``, ``strokes``, ``labels`` and ``clf``.

    Parameters
    ----------
    step : Train, OpenModel, Validate, Predict, ClassifyObjects or Measure
        What was done.
    """
    start = "import napari_spinney as spinney\n\n"
    if isinstance(step, Train):
        n = len(step.images)
        numbers = [""] if n == 1 else [f"_{i + 1}" for i in range(n)]
        return start + code.train_code(
            step, [f"image{i}" for i in numbers], [f"strokes{i}" for i in numbers]
        )
    if isinstance(step, OpenModel):
        return start + code.open_code(step, repr(step.path))
    if isinstance(step, Validate):
        return f"print(clf.validate(folds={step.folds}).summary())"
    if isinstance(step, Predict):
        return start + code.predict_code(step, "image", step.what)
    image = None if step.image is None else "image"
    if isinstance(step, ClassifyObjects):
        return start + code.classify_code(step, "labels", image, "classes")
    if isinstance(step, ApplyToObjects):
        answer = code.answer_of(step.classifier)
        return start + code.apply_code(step, repr(step.path), "labels", image, answer)
    return start + code.measure_code(step, "labels", image)
