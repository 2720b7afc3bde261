"""Train from files, and predict files: what the command line does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import numpy as np

from napari_spinney.batch.pairing import stem_of
from napari_spinney.classifiers import learning
from napari_spinney.classifiers.pixels import (
    ObjectSegmenter,
    PixelClassifier,
    ProbabilityMapper,
    Progress,
)
from napari_spinney.provenance import file_fact, forget_beside, write_beside

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_spinney.classifiers.base import Classifier
    from napari_spinney.classifiers.pixels import DeviceLike
    from napari_spinney.files.image_data import ImageData

Wanted: TypeAlias = Literal["classes", "probability", "uncertainty", "objects"]
Model = TypeVar("Model", bound=PixelClassifier)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the axes of an image are to be read where its file does not say, or says it wrong.

    Parameters
    ----------
    channel_axis, time_axis : int, optional
        Positions of these axes.
    spacing : tuple of float, optional
        Micrometres per pixel along each spatial axis; a single number is that of all.
    """

    channel_axis: int | None = None
    time_axis: int | None = None
    spacing: tuple[float, ...] | None = None


NOTHING_NAMED = Layout()


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image that was read, and its file."""

    path: Path
    image: ImageData

    @property
    def options(self) -> dict[str, Any]:
        """Keywords for `PixelClassifier.fit` and `predict`."""
        axes = self.image.axes
        return {
            "channel_axis": axes.index("C") if "C" in axes else None,
            "time_axis": axes.index("T") if "T" in axes else None,
            "spacing": self.image.spacing,
        }


def open_picture(path: Path, layout: Layout = NOTHING_NAMED) -> Picture:
    """Read an image; what ``layout`` names goes before what the file says.

    Raises
    ------
    ValueError
        If the file is no image, or its axes cannot be those named.
    """
    from napari_spinney.files.images import read_image

    image = read_image(path)
    axes = _axes(path, image.axes, image.data.shape, layout)
    spacing = layout.spacing or image.spacing
    if spacing is not None and len(spacing) == 1:
        spacing *= sum(axis in "ZYX" for axis in axes)
    return Picture(path, replace(image, axes=axes, spacing=spacing))


def _axes(path: Path, found: str, shape: tuple[int, ...], layout: Layout) -> str:
    """One letter per axis, those that were named put in their places."""
    named = {"C": layout.channel_axis, "T": layout.time_axis}
    places: dict[int, str] = {}
    for letter, axis in named.items():
        if axis is None:
            continue
        if not -len(shape) <= axis < len(shape):
            word = "channel" if letter == "C" else "time"
            raise ValueError(
                f"{path}: there is no axis {axis} for --{word}-axis in an image of shape {shape}"
            )
        places[axis % len(shape)] = letter
    if not places:
        return found
    # Named axes replace what the file calls channels and times; the others are space.
    kept = {i: letter for i, letter in enumerate(found) if letter in "CT"}
    places |= {i: a for i, a in kept.items() if i not in places and named[a] is None}
    n_spatial = len(shape) - len(places)
    spatial = iter("ZYX"[-n_spatial:] if n_spatial <= 3 else found)
    return "".join(places[i] if i in places else next(spatial) for i in range(len(shape)))


# ------------------------------------------------------------------- training


def train_files(
    model: Model,
    images: Sequence[Path],
    annotations: Sequence[Path],
    *,
    layout: Layout = NOTHING_NAMED,
    device: DeviceLike = None,
) -> Model:
    """Train a model on image files and annotation files, in pairs; adds to what it knows.

    One image is in memory at a time, and of those before it the rows that were annotated.

    Raises
    ------
    ValueError
        If there are not as many annotations as images, or a file or a pair is unfit.
    """
    if len(images) != len(annotations):
        raise ValueError(
            f"every image needs its annotation: got {len(images)} image(s) and "
            f"{len(annotations)} annotation(s)"
        )
    facts = list(model.provenance_.get("files", [])) if model.is_fitted else []
    pairs = _Pairs(model, tuple(zip(images, annotations, strict=True)), layout)
    previous = model.state_ if model.is_fitted else None
    (state,) = learning.iter_train(model, pairs, spacing=None, device=device, previous=previous)
    facts += [
        {"image": file_fact(image), "annotation": file_fact(annotation)}
        for image, annotation in pairs.files
    ]
    model._set_state(replace(state, provenance={**state.provenance, "files": facts}))
    return model


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Images and annotations, each pair read when it is its turn and let go then."""

    model: PixelClassifier
    files: tuple[tuple[Path, Path], ...]
    layout: Layout

    def __iter__(self) -> Iterator[learning.Example]:
        for image, annotation in self.files:
            picture = open_picture(image, self.layout)
            painted = _annotation(annotation, picture, self.model)
            yield learning.example_of(picture.image.data, painted, **picture.options)


def _annotation(path: Path, picture: Picture, model: PixelClassifier) -> Any:
    """Read an annotation; both paths are named where the shapes differ.

    Classes that have names get the numbers that the model has for them, and are new to it else.
    """
    from napari_spinney.files.elsewhere import read_labels

    wanted = _without(picture.image.data.shape, picture.options["channel_axis"])
    drawn = path.suffix.lower() == ".geojson"
    found = read_labels(path, shape=wanted if drawn else None)
    if found.names:
        found = found.renumbered(model.class_names)
        model.class_names = {**found.names, **model.class_names}
        model.class_colors = {**found.colors, **model.class_colors}
    data = np.squeeze(found.classes)
    if data.shape != tuple(n for n in wanted if n != 1) and data.shape != wanted:
        raise ValueError(
            f"{path} has shape {data.shape}, but {picture.path}, without its channels, has "
            f"{wanted}: an annotation needs one number for each pixel"
        )
    return data.reshape(wanted)


def _without(shape: tuple[int, ...], axis: int | None) -> tuple[int, ...]:
    return shape if axis is None else shape[:axis] + shape[axis + 1 :]


# ----------------------------------------------------------------- prediction


def load_pixel_model(path: Path) -> PixelClassifier:
    """Load a model that classifies pixels.

    Raises
    ------
    ValueError
        If the file is no model, or a model of something else.
    """
    from napari_spinney.classifiers.base import load

    model: Classifier = load(path)
    if not isinstance(model, PixelClassifier):
        raise ValueError(
            f"{path} holds a {type(model).__name__}, and only classifiers of pixels can predict "
            "images here; use it in Python (napari_spinney.load) or in napari"
        )
    return model


def default_output(model: PixelClassifier) -> Wanted:
    """What a model was made to predict."""
    if isinstance(model, ObjectSegmenter):
        return "objects"
    return "probability" if isinstance(model, ProbabilityMapper) else "classes"


def output_paths(images: Iterable[Path], folder: Path, what: str, suffix: str) -> list[Path]:
    """Where the result of each image goes; ``suffix`` is "tif", "png" or "npy".

    Raises
    ------
    ValueError
        If two images have the same name, so that one result would overwrite the other.
    """
    paths = [folder / f"{stem_of(image)}_{what}.{suffix}" for image in images]
    twice = [str(path) for path, count in Counter(paths).items() if count > 1]
    if twice:
        raise ValueError(
            f"several images would be written to {', '.join(twice)}: give them different names, "
            "or predict them one after the other into different folders"
        )
    return paths


def predict_file(
    model: PixelClassifier,
    picture: Picture,
    out: Path,
    what: Wanted,
    *,
    target_class: int | None = None,
    device: DeviceLike = None,
    origin: Mapping[str, Any] | None = None,
) -> Generator[Progress, None, None]:
    """Predict one image and write the result; yields after each block.

    Parameters
    ----------
    what : {"classes", "probability", "uncertainty", "objects"}
        "probability" is that of ``target_class`` (by default that of a `ProbabilityMapper`), or
        of all classes, as channels, where there is none.
    origin : mapping, optional
        What makes the result (see `napari_spinney.provenance.origin_of`): written into it; for NPY,
        which holds pixels only, beside it.
    """
    from napari_spinney.files.images import write_image

    data, options = picture.image.data, {**picture.options, "device": device}
    axes = picture.image.axes.replace("C", "")
    names: list[str] = []
    target = getattr(model, "target_class", None) if target_class is None else target_class
    result: NDArray[Any]
    if what == "objects":
        segmenter = model if isinstance(model, ObjectSegmenter) else segmenter_of(model)
        result = yield from _objects(segmenter, picture, options)
    elif what == "probability" and target is not None:
        result = yield from model.iter_predict(data, what, target_class=target, **options)
    elif what == "probability":
        result = yield from model.iter_predict(data, "probabilities", **options)
        axes = f"C{axes}"
        names = [model.class_names.get(int(c), f"class {c}") for c in model.classes_]
    else:
        result = yield from model.iter_predict(data, what, **options)
    out.parent.mkdir(parents=True, exist_ok=True)
    forget_beside(out)
    write_image(out, result, axes, picture.image.spacing, origin, channel_names=names)
    if origin and out.suffix.lower() == ".npy":
        write_beside(out, origin)


def _objects(
    segmenter: ObjectSegmenter, picture: Picture, options: dict[str, Any]
) -> Generator[Progress, None, NDArray[Any]]:
    from napari_spinney.classifiers.prediction import source_for

    classes = yield from segmenter.iter_predict(picture.image.data, "classes", **options)
    axes = {name: options[name] for name in ("channel_axis", "time_axis")}
    source = source_for(segmenter.state_, picture.image.data, **axes)
    return segmenter.objects_in(classes, source, options["spacing"])


def segmenter_of(
    model: PixelClassifier,
    *,
    target_class: int | None = None,
    split: bool | None = None,
    min_size: int | None = None,
    clear_border: bool | None = None,
) -> ObjectSegmenter:
    """A classifier that makes objects of what ``model`` learnt.

    Parameters
    ----------
    model : PixelClassifier
        A trained classifier of any kind; not changed.
    target_class, split, min_size, clear_border : optional
        Parameters of `ObjectSegmenter` (``split``: by watershed or not); None leaves them as
        they are in the model.

    Raises
    ------
    ValueError
        If the model has no such class.
    """
    segmenter = ObjectSegmenter.from_state(model.state_)
    wanted = {"target_class": target_class, "min_size": min_size, "clear_border": clear_border}
    segmenter.set_params(**{name: value for name, value in wanted.items() if value is not None})
    if split is not None:
        segmenter.split = "watershed" if split else None
    if segmenter.target_class not in segmenter.classes_:
        raise ValueError(
            f"class {segmenter.target_class} is none of the classes learnt, "
            f"{segmenter.classes_.tolist()}; name another with --target-class"
        )
    return segmenter
