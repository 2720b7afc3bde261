"""Measure, learn and classify objects from files: what the command line does."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from napari_spinney.batch.files import NOTHING_NAMED, Layout, open_picture
from napari_spinney.batch.folders import Outcome, each_file
from napari_spinney.classifiers.objects import ObjectClassifier, ObjectMapper, ObjectMerger
from napari_spinney.objects.measure import DEFAULT_FEATURES, measure
from napari_spinney.provenance import facts_now, file_fact, origin_of, same_origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from napari_spinney.objects.request import Words


OfObjects: TypeAlias = ObjectClassifier | ObjectMapper | ObjectMerger


@dataclass(frozen=True, slots=True, eq=False)
class ObjectFiles:
    """A label image that was read, and the image under it.

    Parameters
    ----------
    path : Path
        File of the labels.
    labels : array
        The labels.
    image : array or None
        The image.
    axes : str
        Axes of the labels.
    options : dict
        Keywords of `measure`: channel_axis, time_axis, spacing.
    """

    path: Path
    labels: NDArray[Any]
    image: NDArray[Any] | None
    axes: str
    options: dict[str, Any]

    @property
    def image_axes(self) -> str:
        """Axes of the image, in small letters: those of the labels and, perhaps, the channels."""
        letters, channel = list(self.axes.lower()), self.options["channel_axis"]
        if channel is not None:
            letters.insert(channel, "c")
        return "".join(letters)


def open_objects(
    labels: Path, image: Path | None = None, layout: Layout = NOTHING_NAMED
) -> ObjectFiles:
    """Read a label image and, perhaps, the image under it.

    Parameters
    ----------
    labels : Path
        An image of whole numbers; its axes and spacing are those of the image where there is one.
    image : Path, optional
        What intensities are measured in; the same file as the labels means none.
    layout : Layout
        What the files do not say.

    Raises
    ------
    ValueError
        If a file is no image, or the two have different shapes; both are named.
    """
    numbers = open_picture(labels, Layout(None, layout.time_axis, layout.spacing))
    data = np.asarray(numbers.image.data)
    axes, spacing = numbers.image.axes, numbers.image.spacing
    if image is None or image == labels:
        time_axis = axes.index("T") if "T" in axes else None
        options = {"channel_axis": None, "time_axis": time_axis, "spacing": spacing}
        return ObjectFiles(labels, data, None, axes, options)
    picture = open_picture(image, layout)
    axes = picture.image.axes.replace("C", "")
    pixels = np.asarray(picture.image.data)
    without = _without(pixels.shape, picture.options["channel_axis"])
    if data.size != np.prod(without) or np.squeeze(data).shape != tuple(
        n for n in without if n != 1
    ):
        raise ValueError(
            f"{labels} has shape {data.shape}, but {image}, without its channels, has {without}: "
            f"labels and image must lie on each other"
        )
    time_axis = axes.index("T") if "T" in axes else None
    options = {
        "channel_axis": picture.options["channel_axis"],
        "time_axis": time_axis,
        "spacing": picture.image.spacing or spacing,
    }
    return ObjectFiles(labels, data.reshape(without), pixels, axes, options)


def _without(shape: tuple[int, ...], axis: int | None) -> tuple[int, ...]:
    return shape if axis is None else shape[:axis] + shape[axis + 1 :]


def measure_files(
    labels: Sequence[Path],
    images: Sequence[Path] = (),
    *,
    tracks: Sequence[Path] = (),
    features: Words = DEFAULT_FEATURES,
    layout: Layout = NOTHING_NAMED,
) -> pd.DataFrame:
    """Measure the objects of several files as one table; a column ``file`` where there are some.

    Raises
    ------
    ValueError
        If there are images (or tracks), but not one for each label image.
    """
    import pandas as pd

    from napari_spinney.files.tables import read_tracks

    tables = []
    under, along = paired(labels, images), paired(labels, tracks, "tracks")
    for path, image, track in zip(labels, under, along, strict=True):
        one = open_objects(path, image, layout)
        points = None if track is None else read_tracks(track)
        table = measure(one.labels, one.image, features=features, tracks=points, **one.options)
        if len(labels) > 1:
            table.insert(0, "file", str(path))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def origin_of_table(
    labels: Sequence[Path],
    images: Sequence[Path] = (),
    *,
    tracks: Sequence[Path] = (),
    features: Words = DEFAULT_FEATURES,
    layout: Layout = NOTHING_NAMED,
) -> dict[str, Any]:
    """What makes the table of `measure_files`, in JSON values: versions, files, options."""
    files = {"labels": labels, "images": images, "tracks": tracks}
    return {
        **facts_now(),
        **{name: [file_fact(path) for path in paths] for name, paths in files.items() if paths},
        "options": asdict(layout),
        "measurements": features if isinstance(features, str) else " ".join(features),
    }


def paired(
    labels: Sequence[Path], images: Sequence[Path], what: str = "image"
) -> Sequence[Path | None]:
    """Take one file (``what`` is in it) for each label image, or none at all.

    Raises
    ------
    ValueError
        If there are others.
    """
    if not images:
        return [None] * len(labels)
    if len(images) != len(labels):
        raise ValueError(
            f"every label image needs its {what}: got {len(labels)} label image(s) and "
            f"{len(images)} file(s) of {what}"
        )
    return images


def train_objects(
    model: ObjectClassifier,
    labels: Sequence[Path],
    annotations: Sequence[Path],
    images: Sequence[Path] = (),
    *,
    layout: Layout = NOTHING_NAMED,
) -> ObjectClassifier:
    """Train a model on label images and annotation files, in pairs; adds to what it knows.

    Raises
    ------
    ValueError
        If there are not as many annotations as label images, or a file or a pair is unfit.
    """
    from napari_spinney.files.images import read_image

    if len(labels) != len(annotations):
        raise ValueError(
            f"every label image needs its annotation: got {len(labels)} label image(s) and "
            f"{len(annotations)} annotation(s)"
        )
    groups: dict[str, list[tuple[ObjectFiles, NDArray[Any]]]] = {}
    for path, image, painted in zip(labels, paired(labels, images), annotations, strict=True):
        one = open_objects(path, image, layout)
        annotation = np.asarray(read_image(painted).data)
        if annotation.size != one.labels.size:
            raise ValueError(
                f"{painted} has shape {annotation.shape}, but {path} has {one.labels.shape}: an "
                f"annotation needs one number for each pixel"
            )
        pair = (one, annotation.reshape(one.labels.shape))
        groups.setdefault(repr(one.options), []).append(pair)
    for together in groups.values():
        files, painted_on = zip(*together, strict=True)
        pixels = None if files[0].image is None else [file.image for file in files]
        model.fit(
            [file.labels for file in files],
            list(painted_on),
            pixels,
            add=model.is_fitted,
            **files[0].options,
        )
    return model


def load_object_model(path: Path) -> ObjectClassifier:
    """Load a model that classifies objects.

    Raises
    ------
    ValueError
        If the file is no model, or a model of something else.
    """
    from napari_spinney.classifiers.base import load

    model = load(path)
    if not isinstance(model, ObjectClassifier):
        raise ValueError(f"{path} holds a {type(model).__name__}, which classifies no objects")
    return model


def predict_objects(model: OfObjects, files: ObjectFiles) -> tuple[NDArray[Any], Any]:
    """Classify objects, predict a value of each, or merge them.

    Returns
    -------
    picture : array
        What the model predicts: classes, the objects that a selector keeps, values, or the
        objects that a merger makes.
    table : DataFrame
        The measurements it decides by, of objects (of the sides of borders for a merger); the
        value, or the class and the probability of each class.
    """
    options = dict(files.options)
    if model.state_.spacing is None:  # it measures in pixels, whatever their size
        options["spacing"] = None
    picture = model.predict(files.labels, files.image, **options)
    table = model.measure(files.labels, files.image, **options)
    if isinstance(model, ObjectMapper):
        return picture, table.assign(value=model.predict_table(table))
    probabilities = {
        f"probability_of_{number}": column
        for number, column in zip(model.classes_, model.predict_proba(table).T, strict=True)
    }
    return picture, table.assign(**{"class": model.predict_table(table)}, **probabilities)


def predict_object_files(
    model: OfObjects,
    model_fact: Mapping[str, str],
    labels: Sequence[Path],
    images: Sequence[Path],
    results: Sequence[Path],
    *,
    layout: Layout = NOTHING_NAMED,
    again: bool = False,
) -> Iterator[Outcome]:
    """Predict label images one after the other, each into a picture and a table (.csv) beside it.

    What fails does not stop the others; what is there already, of the same model and files, is kept
    unless ``again``.

    Raises
    ------
    ValueError
        If there are images, but not one for each label image.
    OSError
        If the disk is full.
    """
    from napari_spinney.files.images import write_image
    from napari_spinney.files.tables import write_table

    under = dict(zip(labels, paired(labels, images), strict=True))

    def make(path: Path, result: Path) -> bool:
        image, table_path = under[path], result.with_suffix(".csv")
        options = {**asdict(layout), "under": None if image is None else file_fact(image)}
        origin = origin_of(model.state_, model=model_fact, image=file_fact(path), options=options)
        if not again and table_path.exists() and same_origin(result, origin):
            return False
        files = open_objects(path, image, layout)
        picture, table = predict_objects(model, files)
        result.parent.mkdir(parents=True, exist_ok=True)
        write_table(table_path, table)  # the picture comes last: where it is, both are
        write_image(result, picture, files.axes, files.options["spacing"], origin)
        return True

    return each_file(zip(labels, results, strict=True), make)
