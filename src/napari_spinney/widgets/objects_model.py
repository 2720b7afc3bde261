"""What the Objects dock knows: values, no Qt and no layers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from napari_spinney.classifiers.rows import IDENTITY_COLUMNS
from napari_spinney.objects.tracks import labels_persist, with_tracks

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from napari_spinney.classifiers.base import Classifier
    from napari_spinney.classifiers.object_images import ObjectImage
    from napari_spinney.objects.tracks import TrackPoints

Key: TypeAlias = int | tuple[int, int]
"""An object: its label; with a time axis (frame, label)."""

CLASS = "class"
VALUE = "value"
ANSWERS = (CLASS, VALUE)
"""Columns that hold what a classifier says; nothing is learnt from them."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Objects and their table.

    Parameters
    ----------
    objects : ObjectImage
        A copy of the labels, and the image under them.
    table : DataFrame
        One row per object; measurements, and columns imported from elsewhere.
    middles : (n, spatial axes) array of float, or None
        Centroid of each object, in pixels.
    points : TrackPoints or None
        Tracks that were chosen.
    """

    objects: ObjectImage
    table: pd.DataFrame
    middles: NDArray[np.float64] | None = None
    points: TrackPoints | None = None

    def object_keys(self) -> list[Key]:
        """The object of each row."""
        labels: list[int] = self.table["label"].tolist()
        if "frame" not in self.table:
            return list(labels)
        return list(zip(self.table["frame"].tolist(), labels, strict=True))

    def row_of(self, key: Key) -> int | None:
        """Row of an object, if there is one."""
        where = self.object_keys()
        return where.index(key) if key in where else None

    def key_of(self, row: int) -> Key:
        """The object of a row."""
        label = int(self.table["label"].iloc[row])
        return (int(self.table["frame"].iloc[row]), label) if "frame" in self.table else label

    def middle_of(self, row: int) -> list[float]:
        """Middle of the object of a row, in pixels of the layer."""
        if self.middles is None:
            raise ValueError("these objects were measured without their middles")
        place = [float(value) for value in self.middles[row]]
        if self.objects.time_axis is not None:
            frame = float(self.table["frame"].iloc[row])
            place.insert(self.objects.time_axis % self.objects.labels.ndim, frame)
        return place

    def painted(self, column: str) -> Painted:
        """Paint a column of the table onto the objects; takes long where they are large."""
        values = self.table[column].to_numpy(np.float64, na_value=np.nan)
        finite = values[np.isfinite(values)]
        low, high = (0.0, 1.0) if not len(finite) else (float(finite.min()), float(finite.max()))
        kind = np.uint8 if column == CLASS else np.float32
        picture = self.objects.paint(self.table, values.astype(kind))
        return Painted(column, picture, (low, high if high > low else low + 1))

    def measurements(self) -> list[str]:
        """Columns that can be learnt from, drawn and correlated."""
        numbers = self.table.select_dtypes("number").columns
        return [str(n) for n in numbers if n not in (*IDENTITY_COLUMNS, *ANSWERS)]

    def with_answer(self, name: str, values: NDArray[Any]) -> Measured:
        """Put what a classifier says beside the label."""
        table = self.table.drop(columns=list(ANSWERS), errors="ignore")
        table.insert(list(table.columns).index("label") + 1, name, values)
        return replace(self, table=table)


def tracked(measured: Measured, points: TrackPoints | None) -> Measured:
    """Add a column ``track`` to objects over time, where there are tracks.

    Without points, labels that last are the tracks.
    """
    objects, table = measured.objects, measured.table
    if objects.time_axis is None:
        return measured
    if points is not None:
        table = with_tracks(table, objects.labels, objects.time_axis, points)
        return replace(measured, table=table, points=points)
    n_frames = objects.labels.shape[objects.time_axis]
    if not labels_persist(objects.frame_of(objects.labels, t) for t in range(n_frames)):
        return measured
    table = table.drop(columns="track", errors="ignore")
    table.insert(list(table.columns).index("label") + 1, "track", table["label"].to_numpy())
    return replace(measured, table=table)


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """A column of the table, painted onto the objects.

    Parameters
    ----------
    column : str
        Which.
    picture : array
        In the shape of the labels, 0 elsewhere: uint8 for classes, float32 for all else.
    limits : tuple of float
        Smallest and largest value.
    origin : mapping or None
        What made it, see `napari_spinney.provenance`.
    """

    column: str
    picture: NDArray[Any]
    limits: tuple[float, float]
    origin: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a classifier says of all objects.

    Parameters
    ----------
    classifier : Classifier
        Trained here, or from a file.
    measured : Measured
        The objects, and their table with what it says, where that is one thing for each object.
    column : str
        "class" or "value"; empty where objects were merged.
    picture : array or None
        Objects that were merged.
    report : ValidationReport or None
        How well it does on objects held out.
    reason : str
        Why there is no report.
    origin : dict or None
        What made it: model, objects, image, versions; None where it was taught here.
    """

    classifier: Classifier
    measured: Measured
    column: str = CLASS
    picture: NDArray[Any] | None = None
    report: Any = None
    reason: str = ""
    origin: dict[str, Any] | None = None

    @property
    def values(self) -> NDArray[Any]:
        """What it says of each row; empty where objects were merged."""
        return self.measured.table[self.column].to_numpy() if self.column else np.zeros(0)


@dataclass(slots=True)
class GivenClasses:
    """Classes given to single objects, by clicks or keys."""

    by_object: dict[Key, int] = field(default_factory=dict)

    def give(self, key: Key, number: int) -> None:
        """Give an object a class; 0, or the class it has already, takes it away."""
        if number in (0, self.by_object.get(key)):
            self.by_object.pop(key, None)
        else:
            self.by_object[key] = number

    def counts(self) -> dict[int, int]:
        """Number of objects of each class."""
        given = list(self.by_object.values())
        return {number: given.count(number) for number in sorted(set(given))}


def classes_given(
    measured: Measured, given: Mapping[Key, int], painted: NDArray[Any] | None
) -> NDArray[np.uint32]:
    """Class of each row: by click or key, or else by what was painted; 0 without."""
    classes = np.zeros(len(measured.table), np.uint32)
    if painted is not None:
        classes = measured.objects.classes_of(measured.table, painted, "most")
    by_hand = np.array([given.get(key, 0) for key in measured.object_keys()], np.uint32)
    return np.where(by_hand > 0, by_hand, classes)
