"""Label images to measure."""

import numpy as np
import pytest
from scipy import ndimage as ndi


def random_labels(shape, n, seed, *, smooth=2.0, gap=True):
    """Blobs of many shapes, some with holes, some in parts, many on the border."""
    rng = np.random.default_rng(seed)
    noise = ndi.gaussian_filter(rng.normal(size=shape), smooth)
    seeds = rng.integers(0, np.array(shape), (n, len(shape)))
    distance = np.full(shape, np.inf)
    nearest = np.zeros(shape, np.int64)
    grid = np.indices(shape)
    for k, seed_point in enumerate(seeds):
        d = ((grid - seed_point.reshape(-1, *[1] * len(shape))) ** 2).sum(axis=0)
        nearest = np.where(d < distance, k + 1, nearest)
        distance = np.minimum(distance, d)
    labels = np.where(noise > np.quantile(noise, 0.35), nearest, 0)
    return (labels * 7 + 100 * (labels > 0)).astype(np.uint32) if gap else labels


@pytest.fixture
def labels2d():
    labels = random_labels((90, 120), 40, seed=1)
    labels[3, 4] = 4_000_000_001  # one pixel, huge number
    labels[60:66, 119] = 5  # a line on the border
    labels[70:80, 50:62] = 6
    labels[73:76, 54:58] = 0  # a hole
    return labels


@pytest.fixture
def labels3d():
    labels = random_labels((14, 30, 40), 12, seed=2)
    labels[2:8, 3:9, 3:9] = 6
    labels[4:6, 5:7, 5:7] = 0  # a cavity
    return labels
