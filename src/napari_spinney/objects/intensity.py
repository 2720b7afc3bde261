"""One channel under the objects: sums, moments, order statistics, centre of mass."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.objects import texture
from napari_spinney.objects.geometry import ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.objects.regions import PixelBlock, Regions, Values

_EXACT_IN_FLOAT32 = ("b1", "u1", "u2", "i1", "i2", "f2", "f4")


class Channel:
    """The intensities of one channel, by object.

    NaN pixels are left out of every measurement; an object of NaN alone measures NaN.

    Parameters
    ----------
    regions : Regions
        The objects.
    image : array
        Same shape as the labels; any real type.
    """

    def __init__(self, regions: Regions, image: NDArray[Any]) -> None:
        self.regions = regions
        self.image = np.ascontiguousarray(image)
        self._flat = self.image.reshape(-1)

    def values(self, block: PixelBlock) -> Values:
        """Intensities of the pixels of a block."""
        return self._flat[block.index].astype(np.float64)

    @cached_property
    def _first(self) -> NDArray[np.float64]:
        """Per run: valid pixels, sum, sum times distance from its start, minimum, maximum."""
        per_run = np.zeros((5, len(self.regions.runs.object)))
        for block in self.regions.blocks():
            values = self.values(block)
            missing = np.isnan(values)
            if missing.any():
                low, high = np.where(missing, np.inf, values), np.where(missing, -np.inf, values)
                values = np.where(missing, 0.0, values)
            else:
                low = high = values
            per_run[0, block.runs] = np.add.reduceat(~missing, block.first, dtype=np.float64)
            per_run[1, block.runs] = np.add.reduceat(values, block.first)
            per_run[2, block.runs] = np.add.reduceat(values * block.step, block.first)
            per_run[3, block.runs] = np.minimum.reduceat(low, block.first)
            per_run[4, block.runs] = np.maximum.reduceat(high, block.first)
        return per_run

    @cached_property
    def count(self) -> Values:
        """Pixels that are not NaN."""
        return self.regions.total(self._first[0])

    @cached_property
    def total(self) -> Values:
        """Sum of intensities."""
        return np.where(self.count > 0, self.regions.total(self._first[1]), np.nan)

    @cached_property
    def mean(self) -> Values:
        """Mean intensity."""
        return ratio(self.total, self.count)

    @cached_property
    def extremes(self) -> tuple[Values, Values]:
        """Smallest and largest intensity."""
        nothing = self.count == 0
        smallest = np.where(nothing, np.nan, self.regions.smallest(self._first[3]))
        return smallest, np.where(nothing, np.nan, self.regions.largest(self._first[4]))

    @cached_property
    def moments(self) -> Values:
        """Mean of the second, third and fourth power of the difference from the mean, (3, n)."""
        regions = self.regions
        per_run = np.zeros((3, len(regions.runs.object)))
        mean = self.mean[regions.runs.object]
        for block in regions.blocks():
            difference = self.values(block) - mean[block.run]
            np.nan_to_num(difference, copy=False, posinf=np.inf, neginf=-np.inf)
            power = difference * difference
            for row in per_run:
                row[block.runs] = np.add.reduceat(power, block.first)
                power *= difference
        return np.stack([ratio(regions.total(row), self.count) for row in per_run])

    @property
    def standard_deviation(self) -> Values:
        """Standard deviation of the population."""
        return np.asarray(np.sqrt(self.moments[0]))

    @cached_property
    def mass_centre(self) -> Values:
        """Centre of mass in pixels, (ndim, n); NaN where the intensities add up to 0."""
        regions, run = self.regions, self.regions.runs
        local = run.position - regions.bbox_min[:, run.object]
        weighted = [regions.total(local[axis] * self._first[1]) for axis in range(regions.ndim)]
        weighted[-1] = weighted[-1] + regions.total(self._first[2])
        return ratio(np.stack(weighted), self.total) + regions.bbox_min

    @cached_property
    def mass_centre_distances(self) -> tuple[Values, Values]:
        """Sum and maximum of the distances of pixels from the centre of mass."""
        return self.regions.distances(self.mass_centre)

    @cached_property
    def levels(self) -> NDArray[np.uint8]:
        """Grey levels, each object's own range cut into 16; 255 where there is none."""
        return texture.grey_levels(self)

    @cached_property
    def entropy(self) -> Values:
        """Entropy of the grey levels in bits."""
        return texture.level_entropy(self, self.levels)

    @cached_property
    def co_occurrence(self) -> texture.CoOccurrence:
        """Grey levels of neighbouring pixels."""
        return texture.co_occurrence(self.regions, self.levels)

    @cached_property
    def _sorted(self) -> Values:
        """All valid intensities, by object, then rising."""
        objects = self.regions.runs.object
        parts = []
        packed = self.image.dtype.str[1:] in _EXACT_IN_FLOAT32
        for block in self.regions.blocks():
            values = self._flat[block.index]
            valid = ~np.isnan(values)
            parts.append((objects[block.run][valid], values[valid]))
        label = np.concatenate([part[0] for part in parts])
        values = np.concatenate([part[1] for part in parts])
        if packed:
            return _sorted_packed(label, values.astype(np.float32))
        return values[np.lexsort((values, label))].astype(np.float64)

    def quantile(self, q: float) -> Values:
        """Intensity below which the part ``q`` (0 .. 1) lies, linear between pixels.

        The same as ``numpy.quantile`` of each object.
        """
        ordered = self._sorted
        count = self.count.astype(np.int64)
        if not len(ordered):
            return np.full(len(count), np.nan)
        place = np.maximum(count - 1, 0) * q
        first = np.cumsum(count) - count
        below = np.minimum(first + np.floor(place).astype(np.int64), len(ordered) - 1)
        above = np.minimum(first + np.ceil(place).astype(np.int64), len(ordered) - 1)
        part = place - np.floor(place)
        found = ordered[below] + (ordered[above] - ordered[below]) * part
        return np.where(count > 0, found, np.nan)


def _sorted_packed(label: NDArray[np.int64], values: NDArray[np.float32]) -> Values:
    """Sort float32 values by label by sorting one whole number made of both.

    The bits of a float32 rise with its value once those of negative numbers are flipped.
    """
    bits = values.view(np.int32)
    rising = np.where(bits < 0, ~bits, bits | np.int32(-(2**31))).view(np.uint32)
    key = (label.astype(np.uint64) << np.uint64(32)) | rising
    key.sort()
    ordered = key.astype(np.uint32).view(np.int32)
    back = np.where(ordered < 0, ordered & np.int32(2**31 - 1), ~ordered)
    return back.view(np.float32).astype(np.float64)
