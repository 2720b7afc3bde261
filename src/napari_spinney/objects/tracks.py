"""Objects over time: whether labels last, and which object a point of a track lies on."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray


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
