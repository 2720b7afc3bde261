"""What measurements of shape and neighbourhood share, each computed once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from napari_spinney.objects import geometry, outline
from napari_spinney.objects.holes import filled_count
from napari_spinney.objects.neighbours import Neighbourhood

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.objects.regions import Regions, Values


class Shapes:
    """The objects of one label image and what has been computed about them."""

    def __init__(self, regions: Regions) -> None:
        self.regions = regions
        self._neighbourhoods: dict[int, Neighbourhood] = {}

    @cached_property
    def area(self) -> Values:
        """Area (volume) in units of the spacing."""
        return self.regions.count * self.regions.pixel_size

    @cached_property
    def area_bbox(self) -> Values:
        """Area of the bounding box."""
        regions = self.regions
        sides = (regions.bbox_max - regions.bbox_min + 1).astype(np.float64)
        return np.asarray(sides.prod(axis=0) * regions.pixel_size)

    @cached_property
    def area_filled(self) -> Values:
        """Area with holes filled."""
        return filled_count(self.regions) * self.regions.pixel_size

    @cached_property
    def eigenvalues(self) -> Values:
        """Eigenvalues of the inertia tensor, falling, (ndim, n)."""
        return geometry.inertia_eigenvalues(self.regions)

    @cached_property
    def axes(self) -> Values:
        """Axes of the ellipse (ellipsoid) with the same second moments, falling, (ndim, n)."""
        return geometry.axis_lengths(self.eigenvalues)

    @cached_property
    def hu(self) -> Values:
        """Hu's moments, (7, n)."""
        return geometry.hu_moments(self.regions)

    @cached_property
    def perimeter(self) -> Values:
        """Length of the outline (2D)."""
        return outline.perimeter(self.regions)

    @cached_property
    def _configurations(self) -> NDArray[np.int64]:
        return outline.configurations(self.regions)

    @cached_property
    def crofton(self) -> Values:
        """Perimeter (2D) or surface area (3D) after Crofton."""
        return outline.crofton(self.regions, self._configurations)

    @cached_property
    def euler_number(self) -> Values:
        """Euler number."""
        return outline.euler_number(self.regions, self._configurations)

    @cached_property
    def _hull(self) -> tuple[Values, Values]:
        """Pixels of the convex hull and its largest diameter."""
        if self.regions.ndim == 3:
            from napari_spinney.objects.hull3d import convex_hulls

            return convex_hulls(self.regions)
        from napari_spinney.objects import hull

        convex = hull.convex_rows(hull.rows_of(self.regions))
        count = hull.convex_count(self.regions, convex)
        return count, hull.feret_diameter(self.regions, convex)

    @property
    def area_convex(self) -> Values:
        """Area of the convex hull."""
        return self._hull[0] * self.regions.pixel_size

    @property
    def feret_diameter_max(self) -> Values:
        """Largest diameter of the convex hull."""
        return self._hull[1]

    @property
    def distance_to_border(self) -> Values:
        """Pixels between the bounding box and the nearest border of the image."""
        regions = self.regions
        behind = np.array(regions.shape)[:, None] - 1 - regions.bbox_max
        return np.asarray(np.minimum(regions.bbox_min, behind).min(axis=0), np.float64)

    def along(self, values: Values, name: str) -> Values:
        """Row of an axis ("x", "y", "z") of (ndim, n) values; zeros where there is no such axis."""
        axis = self.regions.ndim - 1 - "xyz".index(name)
        return values[axis].astype(np.float64) if axis >= 0 else np.zeros(len(self.regions))

    def along_in_units(self, values: Values, name: str) -> Values:
        """The same in units of the spacing."""
        return self.along(values * self.regions.spacing[:, None], name)

    def neighbourhood(self, radius: float = 0) -> Neighbourhood:
        """Contacts and distances after growing objects by so many pixels."""
        steps = int(radius)
        if steps not in self._neighbourhoods:
            self._neighbourhoods[steps] = Neighbourhood(self.regions, steps)
        return self._neighbourhoods[steps]
