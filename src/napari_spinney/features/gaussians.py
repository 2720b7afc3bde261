"""Weights of sampled Gaussians, as APOC and as scipy sample them."""

from __future__ import annotations

import numpy as np

_TRUNCATE = 4.0


def apoc_gaussian(sigma: float) -> tuple[float, ...]:
    """Gaussian of pyclesperanto-prototype: ``int(8 sigma)`` pixels wide, made odd."""
    radius = int(8 * sigma) // 2
    return _normalised_gaussian(sigma, radius)


def scipy_gaussian(sigma: float, order: int = 0) -> tuple[float, ...]:
    """Gaussian or its derivative, with scipy.ndimage's weights for ``truncate=4``.

    Parameters
    ----------
    sigma : float
        Standard deviation in pixels.
    order : {0, 1, 2}
        Which derivative.
    """
    radius = int(_TRUNCATE * sigma + 0.5)
    weights = np.asarray(_normalised_gaussian(sigma, radius))
    offset = np.arange(-radius, radius + 1)
    if order == 1:
        # Correlation, not convolution: the weight grows with the offset.
        weights = weights * offset / sigma**2
    elif order == 2:
        weights = weights * (offset**2 / sigma**2 - 1.0) / sigma**2
    return tuple(weights.tolist())


def _normalised_gaussian(sigma: float, radius: int) -> tuple[float, ...]:
    offset = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 / sigma**2 * offset**2)
    return tuple((weights / weights.sum()).tolist())
