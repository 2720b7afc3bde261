"""Where objects lie to each other."""

from __future__ import annotations

from functools import cached_property
from math import pi
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.objects.contacts import Contacts, dilate, find_contacts
from napari_spinney.objects.geometry import ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.objects.regions import Regions, Values

_FEW = 64


class Neighbourhood:
    """Touches and distances of the objects of one label image, perhaps after dilation.

    Distances are between centroids, in units of the spacing.

    Parameters
    ----------
    regions : Regions
        The objects.
    radius : int
        Pixels by which objects grow first; see `dilate`.
    """

    def __init__(self, regions: Regions, radius: int = 0) -> None:
        self.n = len(regions)
        image = regions.core if radius == 0 else dilate(regions.core, radius)
        self.contacts: Contacts = find_contacts(image, self.n)
        centre = regions.centre if radius == 0 else _centroids(image, self.n)
        self.points = (centre * regions.spacing[:, None]).T

    def touching_distance(self, how: str) -> Values:
        """Distance to touching objects: their "minimum", "mean" or "maximum"; 0 without any."""
        contacts = self.contacts
        inner = contacts.between_objects
        distance = np.zeros(len(contacts.object))
        ends = self.points[contacts.object[inner] - 1], self.points[contacts.other[inner] - 1]
        distance[inner] = np.linalg.norm(ends[0] - ends[1], axis=1)
        return contacts.reduce(distance, how)

    def touching_distance_ratio(self) -> Values:
        """Largest divided by smallest distance to touching objects; NaN without any."""
        return ratio(self.touching_distance("maximum"), self.touching_distance("minimum"))

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree

        return cKDTree(self.points)

    def nearest(self, n: int) -> Values:
        """Distances to the nearest ``n`` other objects (or as many as there are), (objects, k)."""
        available = min(n, self.n - 1)
        if available < 1:
            return np.full((self.n, 1), np.nan)
        distance: Values = self._tree.query(self.points, k=available + 1)[0]
        return distance[:, 1:]

    def count_within(self, radius: float) -> Values:
        """Number of other objects whose centroid is at most this far away."""
        found = self._tree.query_ball_point(self.points, radius, return_length=True)
        return np.asarray(found, np.float64) - 1

    def farthest(self) -> Values:
        """Distance to the most distant object; NaN without others."""
        from scipy.spatial.distance import cdist

        if self.n < 2:
            return np.full(self.n, np.nan)
        corners = _extreme_points(self.points)
        step = max(1, (1 << 22) // len(corners))
        parts = [
            cdist(self.points[at : at + step], corners).max(axis=1) for at in range(0, self.n, step)
        ]
        return np.concatenate(parts)

    def density(self, n: int) -> Values:
        """``n`` divided by the area (volume) of the disc (ball) that holds the n nearest."""
        distance = self.nearest(n)
        radius = distance[:, -1]
        content = pi * radius**2 if self.points.shape[1] == 2 else 4 / 3 * pi * radius**3
        return ratio(np.full(self.n, float(distance.shape[1])), content)


def _centroids(image: NDArray[np.int32], n: int) -> Values:
    """Centroids in pixels of objects 1 .. n, (ndim, n)."""
    from napari_spinney.objects.regions import Regions

    found = Regions(image)
    centre = np.full((image.ndim, n), np.nan)
    centre[:, found.labels.astype(np.int64) - 1] = found.centre
    return centre


def _extreme_points(points: Values) -> Values:
    """Corners of the convex hull: the most distant point is always one of them."""
    from scipy.spatial import ConvexHull, QhullError

    if len(points) <= _FEW:
        return points
    try:
        return np.asarray(points[ConvexHull(points).vertices])
    except QhullError:  # all on one line or plane: they have no hull, so keep all
        return points
