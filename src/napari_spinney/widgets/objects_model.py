"""What the Objects dock knows: values, no Qt and no layers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from napari_spinney.classifiers.rows import IDENTITY_COLUMNS
from napari_spinney.objects.tracks import labels_persist, labels_under

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from napari_spinney.classifiers.base import Classifier
    from napari_spinney.classifiers.object_images import ObjectImage

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
    """

    objects: ObjectImage
    table: pd.DataFrame

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

    def measurements(self) -> list[str]:
        """Columns that can be learnt from, drawn and correlated."""
        numbers = self.table.select_dtypes("number").columns
        return [str(n) for n in numbers if n not in (*IDENTITY_COLUMNS, *ANSWERS)]

    def joined(self, other: pd.DataFrame) -> Measured:
        """Add the columns of another table by label (and frame); the newer column wins.

        Raises
        ------
        ValueError
            If the other table has no column ``label``, or an object twice.
        """
        on = [name for name in ("frame", "label") if name in self.table]
        missing = [name for name in on if name not in other]
        if missing:
            raise ValueError(
                f"a table is joined by {' and '.join(on)}; this one has no column "
                f"{', '.join(missing)}, but {list(other.columns)[:10]}"
            )
        if other.duplicated(on).any():
            raise ValueError("a table is joined by object; this one has an object twice")
        new = [name for name in other.columns if name not in on]
        kept = self.table.drop(columns=new, errors="ignore")
        return replace(self, table=kept.merge(other, on=on, how="left"))

    def with_answer(self, name: str, values: NDArray[Any]) -> Measured:
        """Put what a classifier says beside the label."""
        table = self.table.drop(columns=list(ANSWERS), errors="ignore")
        table.insert(list(table.columns).index("label") + 1, name, values)
        return replace(self, table=table)


@dataclass(frozen=True, slots=True, eq=False)
class TrackPoints:
    """Points of tracks, in pixels of the labels.

    Parameters
    ----------
    name : str
        Of the layer they come from.
    ids : (n,) array of int
        Track of each point.
    positions : (n, ndim) array of float
        One column per axis of the labels, time included.
    parents : dict of int to int
        Track that another one comes from, where it does.
    """

    name: str
    ids: NDArray[Any]
    positions: NDArray[Any]
    parents: Mapping[int, int] = field(default_factory=dict)


def with_tracks(measured: Measured, points: TrackPoints | None) -> Measured:
    """Add a column ``track`` to objects over time, where there are tracks.

    Objects take the track that has a point on them at their time point (the lowest number, if
    several have), and ``parent_track`` where tracks come from others. Without points, labels that
    last are tracks.
    """
    objects = measured.objects
    if objects.time_axis is None:
        return measured
    if points is None:
        n_frames = objects.labels.shape[objects.time_axis]
        if not labels_persist(objects.frame_of(objects.labels, t) for t in range(n_frames)):
            return measured
        return _with_column(measured, "track", measured.table["label"].to_numpy())
    under = labels_under(objects.labels, points.positions)
    frames = np.floor(points.positions[:, objects.time_axis] + 0.5).astype(np.int64)
    track: dict[Key, int] = {}
    for frame, label, number in zip(frames.tolist(), under.tolist(), points.ids, strict=True):
        if label:
            track[frame, label] = min(int(number), track.get((frame, label), int(number)))
    numbers = [track.get(key) for key in measured.object_keys()]
    result = _with_column(measured, "track", numbers)
    if not points.parents:
        return result
    parents = [None if number is None else points.parents.get(number) for number in numbers]
    return _with_column(result, "parent_track", parents, behind="track")


def _with_column(measured: Measured, name: str, values: Any, behind: str = "label") -> Measured:
    import pandas as pd

    table = measured.table.drop(columns=name, errors="ignore")
    column: Any = pd.array(values, dtype="Int64") if isinstance(values, list) else values
    table.insert(list(table.columns).index(behind) + 1, name, column)
    return replace(measured, table=table)


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
        What made it: model, objects, image, versions.
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
