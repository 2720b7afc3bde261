"""Image and strokes for the suites."""

import numpy as np
from scipy import ndimage


def blobs(shape, seed=0):
    """Smooth blobs with noise, uint8, and small squares of annotation: 1 ground, 2 blob."""
    random = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(random.normal(size=shape), 6, mode="wrap")
    smooth /= smooth.std()
    image = (60 + 30 * smooth.clip(-1, 3) + random.normal(0, 12, shape)).clip(0, 255)
    annotation = np.zeros(shape, np.uint8)
    for _ in range(80):
        box = tuple(slice(c, c + 5) for c in (random.integers(0, n - 5) for n in shape))
        annotation[box] = 1 + (smooth[box] > 0.6)
    return image.astype(np.uint8), annotation
