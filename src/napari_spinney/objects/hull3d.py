"""Convex hulls of 3D objects, one after the other with Qhull."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.objects.regions import Regions, Values

_TOLERANCE = 1e-10
_OFFSETS = np.concatenate([np.eye(3), -np.eye(3)]) / 2


def convex_hulls(regions: Regions) -> tuple[Values, Values]:
    """Measure the convex hull of each object.

    The object is the union of octahedra around its voxels (the middles of their six faces), as
    in scikit-image; flat and thin objects therefore have a hull too.

    Returns
    -------
    counts : (n,) float64
        Voxels whose centre lies in the hull or on its surface.
    diameters : (n,) float64
        Largest distance of two points on the outline of those voxels, in units of the spacing.
    """
    counts, diameters = np.zeros((2, len(regions)))
    run = regions.runs
    order = np.argsort(run.object, kind="stable")
    bounds = np.searchsorted(run.object[order], np.arange(len(regions) + 1))
    for k in range(len(regions)):
        runs = order[bounds[k] : bounds[k + 1]]
        lines = _convex_lines(run.position[:, runs].T, run.length[runs])
        counts[k] = np.sum(lines[:, 3] - lines[:, 2] + 1)
        diameters[k] = _diameter(_outline(lines), regions.spacing)
    return counts, diameters


def _convex_lines(first: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.int64]:
    """Lines (z, y, first x, last x) of the voxels in the convex hull."""
    ends = np.column_stack([first, first[:, 2] + length - 1])
    hull = _hull(_outline(ends))
    low, high = first.min(axis=0), first.max(axis=0)
    z, y = np.mgrid[low[0] : high[0] + 1, low[1] : high[1] + 1].reshape(2, -1)
    left, right = _span(hull.equations, z, y)
    found = np.column_stack([z, y, np.ceil(left), np.floor(right)])
    return found[found[:, 3] >= found[:, 2]].astype(np.int64)


def _outline(lines: NDArray[np.int64]) -> Values:
    """Middles of the faces of the first and last voxel of each line."""
    ends = np.concatenate([lines[:, [0, 1, 2]], lines[:, [0, 1, 3]]])
    return np.unique((ends[:, None, :] + _OFFSETS).reshape(-1, 3), axis=0)


def _hull(points: Values) -> Any:
    from scipy.spatial import ConvexHull

    return ConvexHull(points)


def _span(planes: Values, z: NDArray[np.int64], y: NDArray[np.int64]) -> tuple[Values, Values]:
    """Where each line along x enters and leaves the hull; leaves first where it misses."""
    room = _TOLERANCE - planes[:, 3] - z[:, None] * planes[:, 0] - y[:, None] * planes[:, 1]
    slope = planes[:, 2]
    rising, falling = slope > _TOLERANCE, slope < -_TOLERANCE
    right = np.min(room[:, rising] / slope[rising], axis=1, initial=np.inf)
    left = np.max(room[:, falling] / slope[falling], axis=1, initial=-np.inf)
    misses = np.any(room[:, ~(rising | falling)] < 0, axis=1)
    return np.where(misses, 0.0, left), np.where(misses, -1.0, right)


def _diameter(points: Values, spacing: Values) -> float:
    from scipy.spatial.distance import pdist

    corners = points[_hull(points).vertices] * spacing
    return float(np.sqrt(pdist(corners, "sqeuclidean").max()))
