"""What was done, step by step, as values: what a session records and an export tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_spinney.session import ImageEntry


@dataclass(frozen=True, slots=True, eq=False)
class Train:
    """A classifier of pixels learnt from strokes.

    Parameters
    ----------
    classifier : PixelClassifier
        As it was after training; it holds parameters, classes and strokes.
    images : tuple of ImageEntry
        The images it was trained on, in their order.
    """

    classifier: Any
    images: tuple[ImageEntry, ...]

    def strokes(self) -> list[NDArray[np.unsignedinteger]]:
        """What was painted on each image when it was trained, from the rows learnt from.

        Raises
        ------
        ValueError
            If the rows are gone, or are those of other images.
        """
        table = self.classifier.table_
        numbers = [] if table is None else np.unique(table.image).tolist()
        if table is None or len(numbers) != len(self.images):
            raise ValueError(
                f"the model learnt from {len(numbers)} image(s), and {len(self.images)} are known: "
                "train it again on the images that are there"
            )
        painted = []
        for number, entry in zip(numbers, self.images, strict=True):
            of = table.image == number
            flat = np.zeros(int(np.prod(entry.annotation_shape)), np.min_scalar_type(table.y.max()))
            flat[table.position[of]] = table.y[of]
            painted.append(flat.reshape(entry.annotation_shape))
        return painted


@dataclass(frozen=True, slots=True, eq=False)
class OpenModel:
    """A classifier of pixels was read from a file.

    Parameters
    ----------
    classifier : PixelClassifier
        What the file held.
    path : str
        The file.
    """

    classifier: Any
    path: str


@dataclass(frozen=True, slots=True, eq=False)
class Validate:
    """The error of the classifier was estimated on what was held out."""

    folds: int = 5


@dataclass(frozen=True, slots=True, eq=False)
class Predict:
    """The classifier was applied to an image.

    Parameters
    ----------
    image : ImageEntry
        The image.
    what : {"classes", "probability", "probabilities", "uncertainty", "objects"}
        What was made.
    target_class : int or None
        The class of "probability" and "objects".
    region, time
        Only this part (slices) and this time point; all if None.
    use_spacing : bool
        Whether features were computed with the pixel size of the image.
    split, min_size, clear_border
        How objects were made, see `ObjectSegmenter`.
    """

    image: ImageEntry
    what: str = "classes"
    target_class: int | None = None
    region: tuple[slice, ...] | None = None
    time: int | None = None
    use_spacing: bool = False
    split: str | None = None
    min_size: int = 0
    clear_border: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ClassifyObjects:
    """Objects were measured, some were given a class, and all were classified.

    Parameters
    ----------
    classifier : ObjectClassifier
        As it was after training.
    labels : ImageEntry
        The objects.
    classes : mapping
        {label: class}, with a time axis {(frame, label): class}.
    image : ImageEntry or None
        What intensities were measured in.
    """

    classifier: Any
    labels: ImageEntry
    classes: Mapping[Any, int] = field(default_factory=dict)
    image: ImageEntry | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ApplyToObjects:
    """A model of objects was read from a file and applied to objects.

    Parameters
    ----------
    classifier : ObjectClassifier, ObjectMapper or ObjectMerger
        What the file held.
    path : str
        The file.
    labels : ImageEntry
        The objects.
    image : ImageEntry or None
        What intensities are measured in.
    """

    classifier: Any
    path: str
    labels: ImageEntry
    image: ImageEntry | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """Objects were measured.

    Parameters
    ----------
    labels : ImageEntry
        The objects.
    features : str
        Names of measurements or groups, as in `napari_spinney.measure`.
    image : ImageEntry or None
        What intensities were measured in.
    tracks : (n, 1 + ndim) array or None
        Tracks of the objects over time, as `napari_spinney.measure` takes them.
    """

    labels: ImageEntry
    features: str
    image: ImageEntry | None = None
    tracks: Any = None


Step: TypeAlias = (
    Train | OpenModel | Validate | Predict | ClassifyObjects | ApplyToObjects | Measure
)


def with_step(steps: tuple[Step, ...], step: Step) -> tuple[Step, ...]:
    """Add what was done.

    What nothing came of is left out: a model that another one follows before anything was
    predicted, its estimates of the error, and a step that only repeats the one before it.
    """
    kept = list(steps)
    if isinstance(step, Train | OpenModel):
        while kept and isinstance(kept[-1], Train | OpenModel | Validate):
            kept.pop()
    elif kept and _repeats(kept[-1], step):
        kept.pop()
    return (*kept, step)


def _repeats(last: Step, new: Step) -> bool:
    if isinstance(last, Predict) and isinstance(new, Predict):
        same = ("what", "target_class", "region", "time")
        return last.image.id == new.image.id and all(
            getattr(last, name) == getattr(new, name) for name in same
        )
    if isinstance(last, Measure) and isinstance(new, Measure):
        return last.labels.id == new.labels.id and last.features == new.features
    return type(last) is type(new) and isinstance(new, (Validate, ClassifyObjects, ApplyToObjects))
