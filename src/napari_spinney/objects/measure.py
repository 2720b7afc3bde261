"""Measure objects: labels and an image to a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.objects.intensity import Channel
from napari_spinney.objects.regions import Regions
from napari_spinney.objects.request import Column, Words, columns_of
from napari_spinney.objects.shapes import Shapes
from napari_spinney.objects.tracks import TrackPoints, with_tracks

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

DEFAULT_FEATURES = "size shape intensity position"


def measure(
    labels: ArrayLike,
    image: ArrayLike | None = None,
    *,
    features: Words = DEFAULT_FEATURES,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    time_axis: int | None = None,
    tracks: ArrayLike | TrackPoints | None = None,
) -> pd.DataFrame:
    """Measure labelled objects.

    Parameters
    ----------
    labels : (Y, X) or (Z, Y, X) array of whole numbers, one axis more with ``time_axis``
        0 is background. Labels may have gaps and any size; an object need not be connected.
    image : array of the same shape, one axis more with ``channel_axis``; optional
        What intensities are measured in. NaN pixels are left out; an object of NaN alone
        measures NaN. An infinite pixel makes what cannot be told of its object infinite or NaN.
    features : str or sequence of str
        Names of measurements or of groups: "size", "shape", "intensity", "texture", "position",
        "neighbours", or "all". `measurement_table` lists them.
    spacing : sequence of float, optional
        Size of a pixel along Y, X or Z, Y, X: lengths, areas and centroids are then in its unit;
        bounding boxes stay in pixels. Without it everything is in pixels.
    channel_axis : int, optional
        Axis of the image that holds channels. Columns of channel 1, 2, ... end with _1, _2, ...
    time_axis : int, optional
        Axis of *the labels* that holds time points: each is measured by itself, and the table has
        a column ``frame``.
    tracks : (n, 4) or (n, 5) array, optional
        What the data of a tracks layer of napari are: track, time point, then y, x or z, y, x,
        in pixels. The table gets a column ``track``: the track that has a point on the object at
        its time point, the lowest number where several have, NA where none has. `TrackPoints`
        with parents give a column ``parent_track``, too.

    Returns
    -------
    pandas.DataFrame
        One row per object, ``label`` first (after ``frame``, before ``track``), then one float64
        column per measurement.

    Raises
    ------
    TypeError
        If labels are no whole numbers.
    ValueError
        If shapes do not fit, a name is unknown or needs what is not there, or there are tracks
        but no time axis.
    """
    label_image = np.asarray(labels)
    channels = split_channels(image, channel_axis, label_image.shape)
    if time_axis is None:
        if tracks is not None:
            raise ValueError("tracks run through time: name the time axis with time_axis")
        return measure_regions(Regions(label_image, spacing), channels, features)
    if tracks is None:
        return _measure_frames(label_image, channels, features, spacing, time_axis)
    points = TrackPoints.from_data(tracks, ndim=label_image.ndim, time_axis=time_axis)
    table = _measure_frames(label_image, channels, features, spacing, time_axis)
    return with_tracks(table, label_image, time_axis, points)


def measure_regions(
    regions: Regions, channels: Sequence[NDArray[Any]], features: Words
) -> pd.DataFrame:
    """Measure objects that have been found already.

    Parameters
    ----------
    regions : Regions
        The objects.
    channels : sequence of arrays
        Images of the shape of the labels.
    features : str or sequence of str
        As in `measure`.
    """
    import pandas as pd

    columns = columns_of(features, ndim=regions.ndim, n_channels=len(channels))
    source = _Sources(Shapes(regions), [Channel(regions, c) for c in channels])
    table = {column.name: source.values(column) for column in columns}
    return pd.DataFrame({"label": regions.labels} | table | {"label": regions.labels})


def split_channels(
    image: ArrayLike | None, channel_axis: int | None, shape: tuple[int, ...]
) -> list[NDArray[Any]]:
    """Cut an image into channels and check that they lie on the labels.

    Raises
    ------
    ValueError
        If a channel has another shape than the labels.
    """
    if image is None:
        return []
    array = np.asarray(image)
    if array.dtype.kind not in "uifb":
        raise TypeError(f"image must hold real numbers; got {array.dtype}")
    if channel_axis is not None and not -array.ndim <= channel_axis < array.ndim:
        raise ValueError(
            f"channel_axis must be an axis of the image, which has {array.ndim}; got {channel_axis}"
        )
    channels = [array] if channel_axis is None else list(np.moveaxis(array, channel_axis, 0))
    for channel in channels:
        if channel.shape != shape:
            raise ValueError(
                f"labels of shape {shape} and an image of shape {array.shape} do not lie on each "
                f"other: bring one to the scale of the other (skimage.transform.resize, order 0 "
                f"for labels), or name the axis of channels with channel_axis"
            )
    return channels


@dataclass(frozen=True, slots=True)
class _Sources:
    """What columns are computed from."""

    shapes: Shapes
    channels: list[Channel]

    def values(self, column: Column) -> NDArray[np.float64]:
        if not len(self.shapes.regions):
            return np.zeros(0)
        entry = column.measurement
        source = self.channels[column.channel] if entry.per_channel else self.shapes
        with np.errstate(invalid="ignore", over="ignore"):  # of infinite pixels
            return np.asarray(entry.compute(source, column.number), np.float64)


def _measure_frames(
    labels: NDArray[Any],
    channels: Sequence[NDArray[Any]],
    features: Words,
    spacing: Sequence[float] | None,
    time_axis: int,
) -> pd.DataFrame:
    import pandas as pd

    if not -labels.ndim <= time_axis < labels.ndim:
        raise ValueError(
            f"time_axis must be an axis of the labels, which have {labels.ndim}; got {time_axis}"
        )
    frames = np.moveaxis(labels, time_axis, 0)
    moved = [np.moveaxis(channel, time_axis, 0) for channel in channels]
    tables = []
    for number, frame in enumerate(frames):
        table = measure_regions(Regions(frame, spacing), [m[number] for m in moved], features)
        table.insert(0, "frame", number)
        tables.append(table)
    if not tables:
        raise ValueError(f"labels have no time point: their shape is {labels.shape}")
    return pd.concat(tables, ignore_index=True)
