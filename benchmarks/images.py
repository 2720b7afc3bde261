"""Synthetic images to time on, and strokes for them."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def cells(shape: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Smooth blobs with noise, uint8, and where they are: 1 ground, 2 blob, 3 bright blob."""
    random = np.random.default_rng(seed)
    tile = tuple(min(n, 512 if len(shape) == 2 else 64) for n in shape)
    smooth = ndimage.gaussian_filter(random.normal(size=tile), 6, mode="wrap")
    smooth /= smooth.std()
    truth = (1 + (smooth > 0.6) + (smooth > 1.5)).astype(np.uint8)
    image = 50 + 40 * smooth.clip(-1, 3) + random.normal(0, 8, tile)
    repeats = [-(-n // t) for n, t in zip(shape, tile, strict=True)]
    cut = tuple(slice(0, n) for n in shape)
    pixels = image.clip(0, 255).astype(np.uint8)
    return np.tile(pixels, repeats)[cut], np.tile(truth, repeats)[cut]


def squares(truth: np.ndarray, number: int = 60, size: int = 5, seed: int = 0) -> np.ndarray:
    """Small squares of annotation spread over an image: a stand-in for strokes."""
    random = np.random.default_rng(seed)
    annotation = np.zeros(truth.shape, np.uint8)
    for _ in range(number):
        corner = [random.integers(0, max(1, n - size)) for n in truth.shape]
        cut = tuple(slice(c, c + size) for c in corner)
        annotation[cut] = truth[cut]
    return annotation
