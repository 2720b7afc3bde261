"""Filling the holes of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_spinney.objects.regions import Regions, Values


def filled_count(regions: Regions) -> Values:
    """Count the pixels of each object with its holes filled, (n,).

    A hole is background of the object (other objects included) with no way out of its bounding
    box, diagonal steps included, as in scikit-image. Only objects with two runs in one row can
    have one; these are looked at one by one.
    """
    from scipy.ndimage import binary_fill_holes

    counts = regions.count.copy()
    everything_touches = np.ones((3,) * regions.ndim, np.bool_)
    core = regions.core
    for k in _may_have_holes(regions):
        low, high = regions.bbox_min[:, k], regions.bbox_max[:, k]
        box = core[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))]
        counts[k] = np.count_nonzero(binary_fill_holes(box == k + 1, everything_touches))
    return counts


def _may_have_holes(regions: Regions) -> list[int]:
    run = regions.runs
    line = run.start // regions.shape[-1]
    order = np.lexsort((line, run.object))
    same = (np.diff(run.object[order]) == 0) & (np.diff(line[order]) == 0)
    found: list[int] = np.unique(run.object[order][1:][same]).tolist()
    return found
