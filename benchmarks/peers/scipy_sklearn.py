"""The same features and the same forest with scipy's filters and scikit-learn's predict."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def object_size_features(image: np.ndarray, sizes: tuple[int, ...] = (1, 2, 3, 4, 5)) -> np.ndarray:
    """APOC's set ``object_size_1_to_5_px``: (feature, Y, X) float32."""
    pixels = image.astype(np.float32)
    blurred = {s: gaussian(pixels, s) for s in sizes}
    planes = [pixels, *blurred.values()]
    planes += [gaussian(pixels, 0.9 * s) - gaussian(pixels, 1.1 * s) for s in sizes]
    planes += [laplace_box(blurred[s]) for s in sizes]
    return np.stack(planes)


def gaussian(pixels: np.ndarray, sigma: float) -> np.ndarray:
    """APOC's Gaussian: int(8 sigma) pixels wide, made odd, edges clamped."""
    radius = int(8 * sigma) // 2
    return ndimage.gaussian_filter(pixels, sigma, mode="nearest", radius=radius)


def laplace_box(pixels: np.ndarray) -> np.ndarray:
    """Eight times the centre minus its eight neighbours."""
    weights = np.full((3, 3), -1, np.float32)
    weights[1, 1] = 8
    return ndimage.correlate(pixels, weights, mode="nearest")


def predict(model: object, planes: np.ndarray) -> np.ndarray:
    """Class of every pixel by scikit-learn's own predict, on all cores."""
    rows = planes.reshape(len(planes), -1).T
    model.set_params(n_jobs=-1)
    return model.predict(rows).reshape(planes.shape[1:])
