"""Measurements of size, shape and position: of labels alone."""

from __future__ import annotations

from functools import partial
from math import pi
from typing import TYPE_CHECKING

import numpy as np

from napari_spinney.objects.catalogue import Measurement
from napari_spinney.objects.geometry import eccentricity, orientation, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_spinney.objects.regions import Values
    from napari_spinney.objects.shapes import Shapes

_size = partial(Measurement, group="size")
_shape = partial(Measurement, group="shape")
_position = partial(Measurement, group="position")


def _row_of(name: str, k: int) -> Callable[[Shapes, float], Values]:
    return lambda s, _: getattr(s, name)[k]


def _centroid(axis: str) -> Callable[[Shapes, float], Values]:
    return lambda s, _: s.along_in_units(s.regions.centre, axis)


def _sum_of(axis: str) -> Callable[[Shapes, float], Values]:
    return lambda s, _: s.along_in_units(s.regions.centre, axis) * s.regions.count


def _bbox(end: str, axis: str) -> Callable[[Shapes, float], Values]:
    return lambda s, _: s.along(getattr(s.regions, f"bbox_{end}"), axis)


def _mean_distance(s: Shapes) -> Values:
    return s.regions.centroid_distances[0] / s.regions.count


SIZE = (
    _size(
        name="area",
        unit="area",
        definition="Number of pixels times the size of a pixel; in 3D it is the volume.",
        compute=lambda s, _: s.area,
    ),
    _size(
        name="area_bbox",
        unit="area",
        definition="Area of the upright bounding box.",
        compute=lambda s, _: s.area_bbox,
    ),
    _size(
        name="area_convex",
        unit="area",
        definition="Area of the pixels whose centre lies in the convex hull.",
        compute=lambda s, _: s.area_convex,
    ),
    _size(
        name="area_filled",
        unit="area",
        definition="Area with holes filled.",
        compute=lambda s, _: s.area_filled,
    ),
    _size(
        name="equivalent_diameter_area",
        unit="length",
        definition="(2 ndim area / pi) ** (1 / ndim): diameter of the disc (ball) of this area.",
        compute=lambda s, _: (2 * s.regions.ndim * s.area / pi) ** (1 / s.regions.ndim),
    ),
    _size(
        name="axis_major_length",
        unit="length",
        definition="Longest axis of the ellipse (ellipsoid) with the same second moments.",
        compute=lambda s, _: s.axes[0],
    ),
    _size(
        name="axis_minor_length",
        unit="length",
        definition="Shortest axis of the ellipse (ellipsoid) with the same second moments.",
        compute=lambda s, _: s.axes[-1],
    ),
    _size(
        name="feret_diameter_max",
        unit="length",
        definition="Largest distance of two points on the outline of the convex hull.",
        compute=lambda s, _: s.feret_diameter_max,
    ),
    _size(
        name="perimeter",
        unit="length",
        definition="Length of the outline through the centres of border pixels; 0 for one pixel. "
        "Where pixels are not square: perimeter_crofton.",
        compute=lambda s, _: s.perimeter,
        ndims=(2,),
        grouped=(2,),
    ),
    _size(
        name="perimeter_crofton",
        unit="length",
        definition="Length of the outline by Crofton's formula in 4 directions.",
        compute=lambda s, _: s.crofton,
        ndims=(2,),
        grouped=(2,),
    ),
    _size(
        name="surface_area",
        unit="area",
        definition="Area of the surface by Crofton's formula in 13 directions.",
        compute=lambda s, _: s.crofton,
        ndims=(3,),
        grouped=(3,),
    ),
    _size(
        name="bbox_width",
        unit="pixel",
        definition="Pixels of the bounding box along x.",
        compute=lambda s, _: s.along(s.regions.bbox_max - s.regions.bbox_min + 1, "x"),
    ),
    _size(
        name="bbox_height",
        unit="pixel",
        definition="Pixels of the bounding box along y.",
        compute=lambda s, _: s.along(s.regions.bbox_max - s.regions.bbox_min + 1, "y"),
    ),
    _size(
        name="bbox_depth",
        unit="pixel",
        definition="Pixels of the bounding box along z; 1 in 2D.",
        compute=lambda s, _: np.maximum(
            s.along(s.regions.bbox_max - s.regions.bbox_min + 1, "z"), 1.0
        ),
        grouped=(3,),
    ),
    _size(
        name="sum_distance_to_centroid",
        unit="length",
        definition="Sum of the distances of all pixels from the centroid.",
        compute=lambda s, _: s.regions.centroid_distances[0],
        grouped=(),
    ),
    _size(
        name="mean_distance_to_centroid",
        unit="length",
        definition="Mean distance of pixels from the centroid.",
        compute=lambda s, _: _mean_distance(s),
    ),
    _size(
        name="max_distance_to_centroid",
        unit="length",
        definition="Largest distance of a pixel from the centroid.",
        compute=lambda s, _: s.regions.centroid_distances[1],
    ),
)

SHAPE = (
    _shape(
        name="solidity",
        unit="none",
        definition="area / area_convex.",
        compute=lambda s, _: ratio(s.area, s.area_convex),
    ),
    _shape(
        name="extent",
        unit="none",
        definition="area / area_bbox.",
        compute=lambda s, _: s.area / s.area_bbox,
    ),
    _shape(
        name="eccentricity",
        unit="none",
        definition="Eccentricity of the ellipse with the same second moments; 0 is a circle.",
        compute=lambda s, _: eccentricity(s.eigenvalues),
        ndims=(2,),
        grouped=(2,),
    ),
    _shape(
        name="circularity",
        unit="none",
        definition="4 pi area / perimeter ** 2; about 1 for a disc, NaN for one pixel.",
        compute=lambda s, _: ratio(4 * pi * s.area, s.perimeter**2),
        ndims=(2,),
        grouped=(2,),
    ),
    _shape(
        name="sphericity",
        unit="none",
        definition="Surface of the ball of the same volume / surface_area; about 1 for a ball.",
        compute=lambda s, _: ratio(pi ** (1 / 3) * (6 * s.area) ** (2 / 3), s.crofton),
        ndims=(3,),
        grouped=(3,),
    ),
    _shape(
        name="roundness",
        unit="none",
        definition="4 area / (pi axis_major_length ** 2); 1 for a disc, NaN for one pixel.",
        compute=lambda s, _: ratio(4 * s.area, pi * s.axes[0] ** 2),
        ndims=(2,),
        grouped=(2,),
    ),
    _shape(
        name="aspect_ratio",
        unit="none",
        definition="axis_major_length / axis_minor_length; NaN for a straight line of pixels.",
        compute=lambda s, _: ratio(s.axes[0], s.axes[-1]),
    ),
    _shape(
        name="mean_max_distance_to_centroid_ratio",
        unit="none",
        definition="max_distance_to_centroid / mean_distance_to_centroid; NaN for one pixel.",
        compute=lambda s, _: ratio(s.regions.centroid_distances[1], _mean_distance(s)),
    ),
    _shape(
        name="euler_number",
        unit="count",
        definition="Parts minus holes; in 3D parts minus tunnels plus cavities. Corners connect.",
        compute=lambda s, _: s.euler_number,
    ),
    *(
        _shape(
            name=f"inertia_tensor_eigvals-{k}",
            unit="area",
            definition=f"Eigenvalue {k} of the inertia tensor, the largest first.",
            compute=_row_of("eigenvalues", k),
            ndims=ndims,
            grouped=ndims,
        )
        for k, ndims in enumerate([(2, 3), (2, 3), (3,)])
    ),
    _shape(
        name="orientation",
        unit="radian",
        definition="Angle from the y axis to the major axis, -pi/2 .. pi/2.",
        compute=lambda s, _: orientation(s.regions),
        ndims=(2,),
        grouped=(),
    ),
    *(
        _shape(
            name=f"moments_hu-{k}",
            unit="none",
            definition=f"Hu's invariant moment {k}.",
            compute=_row_of("hu", k),
            ndims=(2,),
            grouped=(),
        )
        for k in range(7)
    ),
)

POSITION = (
    *(
        _position(
            name=f"centroid_{axis}",
            unit="length",
            definition=f"Mean {axis} of the pixels{'; 0 in 2D' if axis == 'z' else ''}.",
            compute=_centroid(axis),
            grouped=(3,) if axis == "z" else (2, 3),
        )
        for axis in "xyz"
    ),
    *(
        _position(
            name=f"bbox_{end}_{axis}",
            unit="pixel",
            definition=f"{'First' if end == 'min' else 'Last'} index of the object along {axis}"
            f"{'; 0 in 2D' if axis == 'z' else ''}.",
            compute=_bbox(end, axis),
            grouped=(3,) if axis == "z" else (2, 3),
        )
        for end in ("min", "max")
        for axis in "xyz"
    ),
    _position(
        name="distance_to_border",
        unit="pixel",
        definition="Pixels between the bounding box and the nearest border of the image.",
        compute=lambda s, _: s.distance_to_border,
    ),
    _position(
        name="touches_border",
        unit="none",
        definition="1 if the object has a pixel on the border of the image, else 0.",
        compute=lambda s, _: (s.distance_to_border == 0).astype(np.float64),
    ),
    *(
        _position(
            name=f"sum_{axis}",
            unit="length",
            definition=f"Sum of {axis} over the pixels.",
            compute=_sum_of(axis),
            grouped=(),
        )
        for axis in "xyz"
    ),
    *(
        _position(
            name=name,
            unit="none",
            definition="The number of the object in the label image.",
            compute=lambda s, _: s.regions.labels.astype(np.float64),
            grouped=(),
        )
        for name in ("label", "original_label")
    ),
)
