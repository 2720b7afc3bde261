"""Texture of one channel inside objects, from the grey levels of neighbouring pixels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.objects.geometry import ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_spinney.objects.intensity import Channel
    from napari_spinney.objects.regions import Regions, Values

LEVELS = 16
_PIXELS_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class CoOccurrence:
    """How often two grey levels are neighbours inside an object: the filled entries alone.

    Each pair of pixels is counted in both directions, over all directions of neighbours (4 in
    2D, 13 in 3D) at distance 1, and each object sums to 1. Haralick, Shanmugam and Dinstein,
    "Textural features for image classification", IEEE Trans. SMC 3 (1973); the names are those
    of scikit-image's ``graycoprops``.
    """

    n: int
    object: NDArray[np.int64]
    i: NDArray[np.int64]
    j: NDArray[np.int64]
    share: Values

    def expectation(self, value: Values) -> Values:
        """Mean of a function of (i, j) over the pairs of each object; NaN without pairs."""
        sums = np.bincount(self.object, value * self.share, minlength=self.n)
        pairs = np.bincount(self.object, minlength=self.n)
        return np.where(pairs > 0, sums, np.nan)

    @property
    def contrast(self) -> Values:
        """Mean squared difference of levels."""
        return self.expectation((self.i - self.j) ** 2.0)

    @property
    def dissimilarity(self) -> Values:
        """Mean absolute difference of levels."""
        return self.expectation(np.abs(self.i - self.j) * 1.0)

    @property
    def homogeneity(self) -> Values:
        """Mean of 1 / (1 + squared difference)."""
        return self.expectation(1.0 / (1.0 + (self.i - self.j) ** 2))

    @property
    def energy(self) -> Values:
        """Root of the sum of squared shares."""
        return np.sqrt(self.expectation(self.share))

    @property
    def entropy(self) -> Values:
        """Entropy of the shares in bits."""
        return self.expectation(-np.log2(self.share))

    @property
    def correlation(self) -> Values:
        """Correlation of neighbouring levels; 1 where there is only one level."""
        mean = self.expectation(self.i * 1.0)
        difference = self.i - mean[self.object], self.j - mean[self.object]
        covariance = self.expectation(difference[0] * difference[1])
        variance = self.expectation(difference[0] ** 2)
        return np.where(variance < 1e-15, 1.0, ratio(covariance, variance))


def grey_levels(channel: Channel) -> NDArray[np.uint8]:
    """Cut each object's own range of intensities into 16 levels; NaN and background are 255."""
    low, high = channel.extremes
    width = np.where(high > low, high - low, 1.0)
    objects = channel.regions.runs.object
    levels = np.full(channel.image.size, 255, np.uint8)
    for block in channel.regions.blocks():
        of = objects[block.run]
        values = channel.values(block)
        with np.errstate(invalid="ignore"):
            scaled = np.minimum((values - low[of]) / width[of] * LEVELS, LEVELS - 1)
        levels[block.index] = np.where(np.isfinite(scaled), scaled, 255).astype(np.uint8)
    return levels.reshape(channel.image.shape)


def level_entropy(channel: Channel, levels: NDArray[np.uint8]) -> Values:
    """Shannon entropy in bits of the levels of each object."""
    n = len(channel.regions)
    counts = np.zeros(n * LEVELS, np.int64)
    flat = levels.reshape(-1)
    for block in channel.regions.blocks():
        level = flat[block.index]
        valid = level < LEVELS
        key = channel.regions.runs.object[block.run[valid]] * LEVELS + level[valid]
        counts += np.bincount(key, minlength=len(counts))
    table = counts.reshape(n, LEVELS).astype(np.float64)
    share = ratio(table, table.sum(axis=1, keepdims=True))
    return np.where(np.isnan(share[:, 0]), np.nan, -_times_log2(share).sum(axis=1))


def _times_log2(share: Values) -> Values:
    return np.where(share > 0, share * np.log2(np.where(share > 0, share, 1.0)), 0.0)


def co_occurrence(regions: Regions, levels: NDArray[np.uint8]) -> CoOccurrence:
    """Count neighbouring grey levels inside each object."""
    keys = [np.zeros(0, np.int64)]
    times = [np.zeros(0, np.int64)]
    for key, count in _counted_pairs(regions, levels):
        keys.append(key)
        times.append(count)
    objects, i, j = _split(np.concatenate(keys))
    both = np.concatenate([_joined(objects, i, j), _joined(objects, j, i)])
    entries, position = np.unique(both, return_inverse=True)
    counts = np.bincount(position, np.tile(np.concatenate(times), 2), minlength=len(entries))
    objects, i, j = _split(entries)
    total = np.bincount(objects, counts, minlength=len(regions))
    return CoOccurrence(len(regions), objects, i, j, counts / total[objects])


def _joined(objects: NDArray[Any], i: NDArray[Any], j: NDArray[Any]) -> NDArray[np.int64]:
    """Object and pair of levels as one number."""
    return np.asarray((objects * LEVELS + i) * LEVELS + j, np.int64)


def _split(
    key: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    objects, pair = np.divmod(key, LEVELS * LEVELS)
    return (objects, *np.divmod(pair, LEVELS))


def _counted_pairs(
    regions: Regions, levels: NDArray[np.uint8]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of levels in one direction and how often they are found, slab by slab."""
    core = regions.core
    steps = [s for s in product((-1, 0, 1), repeat=regions.ndim) if s > (0,) * regions.ndim]
    height = max(1, _PIXELS_AT_ONCE // max(1, core[0].size))
    for begin in range(0, core.shape[0], height):
        present = _objects_in(regions, begin, begin + height)
        place = np.zeros(len(regions) + 1, np.int64)
        place[present + 1] = np.arange(len(present))
        counts = np.zeros(len(present) * LEVELS * LEVELS, np.int64)
        for step in steps:
            here, there = _shifted(begin, height, step, core.shape)
            label, i, j = core[here], levels[here], levels[there]
            inside = (label > 0) & (label == core[there]) & (i < LEVELS) & (j < LEVELS)
            key = _joined(place[label[inside]], i[inside], j[inside])
            counts += np.bincount(key, minlength=len(counts))
        found = np.flatnonzero(counts)
        local, first, second = _split(found)
        yield _joined(present[local], first, second), counts[found]


def _objects_in(regions: Regions, begin: int, end: int) -> NDArray[np.int64]:
    """Objects with a pixel in these rows (planes)."""
    size = regions.image[0].size
    first, last = np.searchsorted(regions.runs.start, [begin * size, end * size])
    return np.unique(regions.runs.object[first:last])


def _shifted(
    begin: int, height: int, step: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Part of the image that has a neighbour at ``step``, and where those neighbours are."""
    end = min(begin + height, shape[0] - step[0])
    here = [slice(begin, end)]
    there = [slice(begin + step[0], end + step[0])]
    for by, size in zip(step[1:], shape[1:], strict=True):
        here.append(slice(max(0, -by), size - max(0, by)))
        there.append(slice(max(0, by), size - max(0, -by)))
    return tuple(here), tuple(there)
