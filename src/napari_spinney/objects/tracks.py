"""Objects over time: whether labels last, and which object a point of a track lies on."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class TrackPoints:
    """Points of tracks, in pixels of the labels.

    Parameters
    ----------
    ids : (n,) array of int64
        Track of each point.
    positions : (n, ndim) array of float64
        One column per axis of the labels, in their order, time included.
    parents : mapping of int to int
        Track that another one comes from, where it does.
    """

    ids: NDArray[np.int64]
    positions: NDArray[np.float64]
    parents: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def from_data(cls, data: ArrayLike | Self, *, ndim: int, time_axis: int) -> TrackPoints:
        """Take tracks as a tracks layer of napari holds them.

        Parameters
        ----------
        data : (n, 1 + ndim) array, or TrackPoints
            Track, time point, then y, x or z, y, x; in pixels.
        ndim : int
            Axes of the labels, time included.
        time_axis : int
            Which of them is time.

        Raises
        ------
        ValueError
            If there are other columns, or a track has no whole number.
        """
        if isinstance(data, TrackPoints):
            return data
        points = np.asarray(data, np.float64)
        names = ", ".join(("track", "t", *"zyx"[-(ndim - 1) :]))
        if points.ndim != 2 or points.shape[1] != 1 + ndim:
            raise ValueError(
                f"tracks on labels with {ndim} axes need {1 + ndim} columns ({names}, in pixels); "
                f"got the shape {points.shape}"
            )
        ids = points[:, 0]
        if not np.all(np.isfinite(ids)) or np.any(ids != np.floor(ids)):
            raise ValueError(f"the first of the columns {names} holds whole numbers, the tracks")
        places = np.insert(points[:, 2:], time_axis % ndim, points[:, 1], axis=1)
        return cls(ids.astype(np.int64), places)

    def to_data(self, time_axis: int) -> NDArray[np.float64]:
        """Tracks as a tracks layer of napari holds them, see `from_data`; parents are left out."""
        time = self.positions[:, time_axis]
        places = np.delete(self.positions, time_axis, axis=1)
        return np.column_stack([self.ids, time, places])


def with_tracks(
    table: pd.DataFrame, labels: NDArray[Any], time_axis: int, points: TrackPoints
) -> pd.DataFrame:
    """Add a column ``track`` behind ``label``, and ``parent_track`` where tracks come from others.

    An object takes the track that has a point on it at its time point, the lowest number if
    several have; it has none (NA) where no point is on it.

    Parameters
    ----------
    table : DataFrame
        From `measure` with a time axis.
    labels : array of whole numbers
        The objects that were measured.
    time_axis : int
        Which axis of the labels is time.
    points : TrackPoints
        The tracks.
    """
    import pandas as pd

    under = labels_under(labels, points.positions)
    on = np.flatnonzero(under)
    if len(under) and not len(on) and len(table):
        _log.warning(
            "no point of the tracks lies on an object: tracks are given in pixels of the labels"
        )
    frames = np.floor(points.positions[on, time_axis] + 0.5).astype(np.int64)
    found = pd.DataFrame({"frame": frames, "label": under[on], "track": points.ids[on]})
    lowest = found.groupby(["frame", "label"])["track"].min()
    keys = pd.MultiIndex.from_frame(table[["frame", "label"]])
    track = pd.Series(lowest.reindex(keys).to_numpy(), dtype="Int64")
    place = list(table.columns).index("label") + 1
    result = table.drop(columns=["track", "parent_track"], errors="ignore")
    result.insert(place, "track", track)
    if points.parents:
        result.insert(place + 1, "parent_track", track.map(points.parents).astype("Int64"))
    return result


def labels_persist(frames: Iterable[NDArray[Any]]) -> bool:
    """Whether an object keeps its label from one time point to the next.

    Labels given anew at each time point coincide only by chance. Judged by the pixels that are
    of some object at two time points that follow each other: more than half of them must have
    the same label at both.

    Parameters
    ----------
    frames : iterable of arrays of whole numbers
        Label images of one shape, in the order of time.
    """
    same = both = 0
    for before, after in pairwise(frames):
        common = (before > 0) & (after > 0)
        both += int(np.count_nonzero(common))
        same += int(np.count_nonzero(before[common] == after[common]))
    return 2 * same > both


def labels_under(labels: NDArray[Any], positions: ArrayLike) -> NDArray[Any]:
    """Label at each position, 0 where there is none.

    Parameters
    ----------
    labels : array of whole numbers
        Any number of axes.
    positions : (n, labels.ndim) array of float
        In pixels; a pixel reaches half a pixel to each side of its number.

    Returns
    -------
    (n,) array
        Of the type of the labels; 0 outside of them.

    Raises
    ------
    ValueError
        If positions do not have one column per axis.
    """
    points = np.asarray(positions, np.float64)
    if points.ndim != 2 or points.shape[1] != labels.ndim:
        raise ValueError(
            f"positions need one column per axis of the labels, (n, {labels.ndim}); "
            f"got {points.shape}"
        )
    index = np.floor(points + 0.5)
    inside = np.all((index >= 0) & (index < labels.shape), axis=1)
    found = np.zeros(len(points), labels.dtype)
    found[inside] = labels[tuple(index[inside].astype(np.int64).T)]
    return found
