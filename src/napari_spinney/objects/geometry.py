"""Moments of the shape of objects, and what follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_spinney.objects.regions import Regions, Values


def ratio(numerator: Values, denominator: Values) -> Values:
    """Divide, NaN where the denominator is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator == 0, np.nan, numerator / denominator)


def central_moment(regions: Regions, powers: Sequence[int]) -> Values:
    """Sum of products of powers of the distances from the centroid, in units of the spacing.

    Parameters
    ----------
    powers : sequence of int
        One exponent per axis, 0 .. 3.

    Returns
    -------
    (n,) float64
    """
    run = regions.runs
    offset = run.position - regions.centre[:, run.object]
    product = _power_along_run(offset[-1], run.length.astype(np.float64), powers[-1])
    for axis, power in enumerate(powers[:-1]):
        product = product * offset[axis] ** power
    scale = np.prod([s**p for s, p in zip(regions.spacing, powers, strict=True)])
    return regions.total(product) * float(scale)


def _power_along_run(first: Values, length: Values, power: int) -> Values:
    """``sum((first + i) ** power for i in range(length))`` in closed form."""
    linear = length * (length - 1) / 2
    squares = linear * (2 * length - 1) / 3
    sums = [
        length,
        length * first + linear,
        length * first**2 + 2 * first * linear + squares,
        length * first**3 + 3 * first**2 * linear + 3 * first * squares + linear**2,
    ]
    return np.asarray(sums[power])


def inertia_tensor(regions: Regions) -> Values:
    """Inertia tensor per pixel, (n, ndim, ndim), as scikit-image's ``inertia_tensor``."""
    ndim = regions.ndim
    unit = np.eye(ndim, dtype=int)
    second = np.empty((len(regions), ndim, ndim))
    for i in range(ndim):
        for j in range(i, ndim):
            moment = central_moment(regions, unit[i] + unit[j]) / regions.count
            second[:, i, j] = second[:, j, i] = moment
    trace = np.trace(second, axis1=1, axis2=2)
    return np.asarray(trace[:, None, None] * np.eye(ndim) - second)


def inertia_eigenvalues(regions: Regions) -> Values:
    """Eigenvalues of the inertia tensor, falling, not below 0, (ndim, n)."""
    values = np.linalg.eigvalsh(inertia_tensor(regions))[:, ::-1].T
    return np.clip(values, 0, None)


def axis_lengths(eigenvalues: Values) -> Values:
    """Full axes of the ellipse (ellipsoid) with the same second moments, falling, (ndim, n)."""
    if len(eigenvalues) == 2:
        return np.asarray(4 * np.sqrt(eigenvalues))
    total = eigenvalues.sum(axis=0)
    squares = 10 * (total - 2 * eigenvalues[::-1])
    return np.asarray(np.sqrt(np.clip(squares, 0, None)))


def eccentricity(eigenvalues: Values) -> Values:
    """Eccentricity of the ellipse with the same second moments; 0 for a single pixel."""
    largest = np.where(eigenvalues[0] == 0, 1.0, eigenvalues[0])
    smallest = np.where(eigenvalues[0] == 0, 1.0, eigenvalues[1])
    return np.asarray(np.sqrt(1 - smallest / largest))


def orientation(regions: Regions) -> Values:
    """Angle between the first axis and the major axis, -pi/2 .. pi/2, counter-clockwise."""
    tensor = inertia_tensor(regions)
    a, b, c = tensor[:, 0, 0], tensor[:, 0, 1], tensor[:, 1, 1]
    angle = 0.5 * np.arctan2(0.0 - 2 * b, c - a)  # not -0.0: the angle of a column is +pi/2
    return np.where(a == c, np.where(b < 0, np.pi / 4, -np.pi / 4), angle)


def hu_moments(regions: Regions) -> Values:
    """Hu's seven moments, invariant to shift, size and rotation, (7, n).

    M. K. Hu, "Visual pattern recognition by moment invariants", IRE Trans. Info. Theory 8 (1962).
    """

    def eta(p: int, q: int) -> Values:
        moment = central_moment(regions, (p, q))
        return (
            moment / (regions.count * regions.pixel_size) ** ((p + q) / 2 + 1) * regions.pixel_size
        )

    n20, n02, n11 = eta(2, 0), eta(0, 2), eta(1, 1)
    n30, n03, n21, n12 = eta(3, 0), eta(0, 3), eta(2, 1), eta(1, 2)
    d, s, t = n20 - n02, n30 + n12, n21 + n03
    p, q = n30 - 3 * n12, 3 * n21 - n03
    u, v = s**2 - 3 * t**2, 3 * s**2 - t**2
    return np.stack(
        [
            n20 + n02,
            d**2 + 4 * n11**2,
            p**2 + q**2,
            s**2 + t**2,
            p * s * u + q * t * v,
            d * (s**2 - t**2) + 4 * n11 * s * t,
            q * s * u - p * t * v,
        ]
    )
