"""Label images with what lies under and on them, as classifiers of objects take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.forest.annotation import check_annotation
from napari_spinney.objects.measure import measure_regions, split_channels
from napari_spinney.objects.painting import paint, painted_classes
from napari_spinney.objects.regions import Regions
from napari_spinney.objects.request import columns_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from napari_spinney.objects.painting import Rule
    from napari_spinney.objects.request import Words


@dataclass(frozen=True, slots=True, eq=False)
class ObjectImage:
    """Labels and the image under them.

    Parameters
    ----------
    labels : array
        (Y, X) or (Z, Y, X), with a time axis where it is named.
    channels : list of arrays
        Images of the shape of the labels.
    time_axis : int or None
        Axis of the labels that holds time points.
    spacing : tuple of float or None
        Size of a pixel along each spatial axis.
    """

    labels: NDArray[Any]
    channels: list[NDArray[Any]]
    time_axis: int | None = None
    spacing: tuple[float, ...] | None = None

    @classmethod
    def of(
        cls,
        labels: ArrayLike,
        image: ArrayLike | None,
        *,
        channel_axis: int | None,
        time_axis: int | None,
        spacing: Sequence[float] | None,
    ) -> ObjectImage:
        """Check that labels and image lie on each other."""
        array = np.asarray(labels)
        if array.dtype == np.bool_:
            array = array.view(np.uint8)
        if time_axis is not None and not -array.ndim <= time_axis < array.ndim:
            raise ValueError(
                f"time_axis must be an axis of the labels, which have {array.ndim}; got {time_axis}"
            )
        if array.ndim - (time_axis is not None) not in (2, 3):
            raise ValueError(
                f"labels must have 2 or 3 spatial axes, (Y, X) or (Z, Y, X); got the shape "
                f"{array.shape}. Name the time axis of a series with time_axis"
            )
        size = None if spacing is None else tuple(float(s) for s in spacing)
        return cls(array, split_channels(image, channel_axis, array.shape), time_axis, size)

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return self.labels.ndim - (self.time_axis is not None)

    def names(self, features: Words) -> tuple[str, ...]:
        """Names of the columns that these words stand for here."""
        columns = columns_of(features, ndim=self.ndim, n_channels=len(self.channels))
        return tuple(column.name for column in columns)

    def frames(self) -> Iterator[tuple[int, Regions, list[NDArray[Any]]]]:
        """Objects and channels of each time point; one without a time axis."""
        if self.time_axis is None:
            yield 0, Regions(self.labels, self.spacing), self.channels
            return
        for time in range(self.labels.shape[self.time_axis]):
            yield (
                time,
                Regions(self.frame_of(self.labels, time), self.spacing),
                [self.frame_of(channel, time) for channel in self.channels],
            )

    def frame_of(self, array: NDArray[Any], time: int) -> NDArray[Any]:
        """One time point of an array of the shape of the labels (a view)."""
        if self.time_axis is None:
            return array
        frame: NDArray[Any] = np.moveaxis(array, self.time_axis, 0)[time]
        return frame

    def measure(self, features: Words) -> pd.DataFrame:
        """Measure the objects; with a column ``frame`` where there is a time axis."""
        steps = self.iter_measure(features)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                table: pd.DataFrame = end.value
                return table

    def iter_measure(self, features: Words) -> Generator[tuple[int, int], None, pd.DataFrame]:
        """Measure the objects of one time point after the other; returns what `measure` does.

        Yields
        ------
        done, total : int
            Time points that are measured.
        """
        import pandas as pd

        tables = []
        for time, regions, channels in self.frames():
            table = measure_regions(regions, channels, features)
            if self.time_axis is not None:
                table.insert(0, "frame", time)
            tables.append(table)
            yield time + 1, len(self._times())
        return pd.concat(tables, ignore_index=True) if len(tables) != 1 else tables[0]

    def classes_of(self, table: pd.DataFrame, annotation: Any, rule: Rule) -> NDArray[np.uint32]:
        """Class of each row of the table of `measure`, 0 where there is none.

        Parameters
        ----------
        table : DataFrame
            From `measure`.
        annotation : array, mapping or Series
            Painted classes, in the shape of the labels; or {label: class}, with a time axis
            {(frame, label): class}.
        rule : {"most", "largest"}
            See `painted_classes`.

        Raises
        ------
        ValueError
            If shapes differ, or a mapping has a label that is not there.
        """
        if isinstance(annotation, Mapping):
            return self._classes_by_label(table, annotation)
        if hasattr(annotation, "to_dict"):  # a Series of pandas, by label
            return self._classes_by_label(table, annotation.to_dict())
        painted = check_annotation(annotation, self.labels.shape)
        parts = [
            painted_classes(
                self.frame_of(self.labels, time),
                self.frame_of(painted, time),
                self._labels_in(table, time),
                rule,
            )
            for time in self._times()
        ]
        return np.concatenate(parts)

    def _times(self) -> range:
        return range(1 if self.time_axis is None else self.labels.shape[self.time_axis])

    def _labels_in(self, table: pd.DataFrame, time: int) -> NDArray[Any]:
        labels = table["label"].to_numpy()
        return labels if self.time_axis is None else labels[table["frame"].to_numpy() == time]

    def _classes_by_label(
        self, table: pd.DataFrame, classes: Mapping[Any, int]
    ) -> NDArray[np.uint32]:
        keys = table["label"].tolist()
        if self.time_axis is not None:
            keys = list(zip(table["frame"].tolist(), keys, strict=True))
        unknown = set(classes) - set(keys)
        if unknown:
            raise ValueError(
                f"there is no object {', '.join(map(str, sorted(unknown)[:5]))} to give a class to"
            )
        numbers = np.array([classes.get(key, 0) for key in keys])
        return check_annotation(numbers, (len(keys),)).astype(np.uint32)

    def paint(self, table: pd.DataFrame, values: NDArray[Any]) -> NDArray[Any]:
        """Paint a value per row of the table of `measure` onto the labels; 0 elsewhere."""
        if self.time_axis is None:
            return paint(self.labels, table["label"].to_numpy(), values)
        frame = table["frame"].to_numpy()
        painted = [
            paint(self.frame_of(self.labels, t), self._labels_in(table, t), values[frame == t])
            for t in self._times()
        ]
        return np.stack(painted, axis=self.time_axis)


def object_images(labels: Any, image: Any, **options: Any) -> list[ObjectImage]:
    """Pair label images and images: one each, or lists of them.

    Raises
    ------
    ValueError
        If there are not as many images as label images.
    """
    if not is_several(labels):
        return [ObjectImage.of(labels, image, **options)]
    images = [None] * len(labels) if image is None else list(image)
    if len(images) != len(labels):
        raise ValueError(
            f"every label image needs its image: got {len(labels)} label image(s) and "
            f"{len(images)} image(s)"
        )
    if not len(labels):
        raise ValueError("there are no objects to learn from: the list of label images is empty")
    return [ObjectImage.of(*pair, **options) for pair in zip(labels, images, strict=True)]


def is_several(labels: Any) -> bool:
    """Whether these are several images in a list."""
    return isinstance(labels, (list, tuple)) and all(hasattr(each, "shape") for each in labels)
