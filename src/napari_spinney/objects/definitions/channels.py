"""Measurements of an image under the labels, once per channel."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from napari_spinney.objects.catalogue import Measurement
from napari_spinney.objects.geometry import ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_spinney.objects.intensity import Channel
    from napari_spinney.objects.regions import Values

_intensity = partial(Measurement, group="intensity", per_channel=True)
_texture = partial(Measurement, group="texture", unit="none", per_channel=True)


def _along(channel: Channel, axis: str) -> Values:
    regions = channel.regions
    at = regions.ndim - 1 - "xyz".index(axis)
    if at < 0:
        return np.zeros(len(regions))
    return np.asarray(channel.mass_centre[at] * regions.spacing[at])


def _mass_centre(axis: str) -> Callable[[Channel, float], Values]:
    return lambda c, _: _along(c, axis)


def _weighted_sum(axis: str) -> Callable[[Channel, float], Values]:
    return lambda c, _: _along(c, axis) * c.total


def _mean_distance(channel: Channel) -> Values:
    return channel.mass_centre_distances[0] / channel.regions.count


INTENSITY = (
    _intensity(
        name="mean_intensity",
        unit="intensity",
        definition="Mean of the pixels.",
        compute=lambda c, _: c.mean,
    ),
    _intensity(
        name="standard_deviation_intensity",
        unit="intensity",
        definition="Standard deviation of the pixels (of the population).",
        compute=lambda c, _: c.standard_deviation,
    ),
    _intensity(
        name="min_intensity",
        unit="intensity",
        definition="Smallest pixel.",
        compute=lambda c, _: c.extremes[0],
    ),
    _intensity(
        name="max_intensity",
        unit="intensity",
        definition="Largest pixel.",
        compute=lambda c, _: c.extremes[1],
    ),
    _intensity(
        name="sum_intensity",
        unit="intensity",
        definition="Sum of the pixels.",
        compute=lambda c, _: c.total,
    ),
    _intensity(
        name="median_intensity",
        unit="intensity",
        definition="Median of the pixels.",
        compute=lambda c, _: c.quantile(0.5),
    ),
    _intensity(
        name="percentile_{}_intensity",
        unit="intensity",
        definition="Intensity below which so many percent of the pixels lie, linear in between.",
        compute=lambda c, percent: c.quantile(percent / 100),
        numbers=(5.0, 25.0, 75.0, 95.0),
    ),
    _intensity(
        name="skewness_intensity",
        unit="none",
        definition="Third central moment / standard deviation ** 3; NaN for equal pixels.",
        compute=lambda c, _: ratio(c.moments[1], c.moments[0] ** 1.5),
    ),
    _intensity(
        name="kurtosis_intensity",
        unit="none",
        definition="Fourth central moment / standard deviation ** 4 - 3; NaN for equal pixels.",
        compute=lambda c, _: ratio(c.moments[2], c.moments[0] ** 2) - 3,
    ),
    *(
        _intensity(
            name=f"mass_center_{axis}",
            unit="length",
            definition=f"Mean {axis} weighted by intensity{'; 0 in 2D' if axis == 'z' else ''}.",
            compute=_mass_centre(axis),
            grouped=(),
        )
        for axis in "xyz"
    ),
    *(
        _intensity(
            name=f"sum_intensity_times_{axis}",
            unit="none",
            definition=f"Sum of intensity times {axis}.",
            compute=_weighted_sum(axis),
            grouped=(),
        )
        for axis in "xyz"
    ),
    _intensity(
        name="sum_distance_to_mass_center",
        unit="length",
        definition="Sum of the distances of all pixels from the centre of mass.",
        compute=lambda c, _: c.mass_centre_distances[0],
        grouped=(),
    ),
    _intensity(
        name="mean_distance_to_mass_center",
        unit="length",
        definition="Mean distance of pixels from the centre of mass.",
        compute=lambda c, _: _mean_distance(c),
    ),
    _intensity(
        name="max_distance_to_mass_center",
        unit="length",
        definition="Largest distance of a pixel from the centre of mass.",
        compute=lambda c, _: c.mass_centre_distances[1],
    ),
    _intensity(
        name="mean_max_distance_to_mass_center_ratio",
        unit="none",
        definition="max_distance_to_mass_center / mean_distance_to_mass_center.",
        compute=lambda c, _: ratio(c.mass_centre_distances[1], _mean_distance(c)),
    ),
)

TEXTURE = (
    _texture(
        name="entropy_intensity",
        unit="bit",
        definition="Entropy of 16 grey levels over the object's own range of intensities.",
        compute=lambda c, _: c.entropy,
    ),
    _texture(
        name="texture_contrast",
        definition="Mean squared difference of the grey levels of neighbouring pixels.",
        compute=lambda c, _: c.co_occurrence.contrast,
    ),
    _texture(
        name="texture_dissimilarity",
        definition="Mean absolute difference of the grey levels of neighbouring pixels.",
        compute=lambda c, _: c.co_occurrence.dissimilarity,
    ),
    _texture(
        name="texture_homogeneity",
        definition="Mean of 1 / (1 + squared difference of the levels of neighbouring pixels).",
        compute=lambda c, _: c.co_occurrence.homogeneity,
    ),
    _texture(
        name="texture_energy",
        definition="Root of the sum of squared shares of pairs of levels; 1 for equal pixels.",
        compute=lambda c, _: c.co_occurrence.energy,
    ),
    _texture(
        name="texture_entropy",
        unit="bit",
        definition="Entropy of the pairs of levels of neighbouring pixels.",
        compute=lambda c, _: c.co_occurrence.entropy,
    ),
    _texture(
        name="texture_correlation",
        definition="Correlation of the levels of neighbouring pixels; 1 for equal pixels.",
        compute=lambda c, _: c.co_occurrence.correlation,
    ),
)
