"""What the Objects dock knows: values and steps of work, no Qt and no layers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.classifiers.objects import ObjectClassifier

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from napari_spinney.classifiers.object_images import ObjectImage

Key = int | tuple[int, int]
"""An object: its label; with a time axis (frame, label)."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a trained classifier says of all objects."""

    classifier: ObjectClassifier
    classes: NDArray[Any]
    picture: NDArray[Any]
    report: str = ""


@dataclass(slots=True)
class ClickedClasses:
    """Classes given by clicks."""

    by_object: dict[Key, int] = field(default_factory=dict)

    def give(self, key: Key, number: int) -> None:
        """Give an object a class; the class it has already takes it away."""
        if self.by_object.get(key) == number:
            del self.by_object[key]
        else:
            self.by_object[key] = number


def measuring(objects: ObjectImage, features: str) -> Generator[None, None, Measured]:
    """Measure in the background."""
    yield
    return Measured(objects, objects.measure(features))


def classes_given(
    measured: Measured, clicked: Mapping[Key, int], painted: NDArray[Any] | None
) -> NDArray[np.uint32]:
    """Class of each row: by click, or else by what was painted; 0 without."""
    classes = np.zeros(len(measured.table), np.uint32)
    if painted is not None:
        classes = measured.objects.classes_of(measured.table, painted, "most")
    by_click = np.array([clicked.get(key, 0) for key in measured.object_keys()], np.uint32)
    return np.where(by_click > 0, by_click, classes)


def learning(
    measured: Measured, classes: NDArray[np.uint32], columns: list[str]
) -> Generator[None, None, Answer]:
    """Train on the table, predict all rows, and estimate the error, in the background."""
    yield
    first = [name for name in ("frame", "label") if name in measured.table]
    table = measured.table[[*first, *columns]]
    objects = measured.objects
    classifier = ObjectClassifier()
    classifier.fit_table(
        table,
        classes,
        ndim=objects.ndim,
        n_channels=max(1, len(objects.channels)),
        spacing=objects.spacing,
    )
    yield
    found = classifier.predict_table(table)
    picture = objects.paint(measured.table, found)
    return Answer(classifier, found, picture, _report(classifier))


def _report(classifier: ObjectClassifier) -> str:
    """The estimated error in words, or why there is none."""
    try:
        report = classifier.validate()
    except ValueError as reason:
        return f"No estimate of the error: {reason}"
    return (
        f"{report.error:.0%} of the {sum(report.support)} objects with a class are wrong when "
        f"whole {'images' if report.grouped_by == 'images' else 'objects'} are held out."
    )
