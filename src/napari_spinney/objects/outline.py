"""Length and area of outlines, and the Euler number, from neighbourhoods of 2 x 2 (x 2) pixels."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_spinney.objects.regions import Regions, Values

_WINDOWS_AT_ONCE = 1 << 21


def perimeter(regions: Regions) -> Values:
    """Length of the outline in 2D, as scikit-image's ``perimeter`` with 4 neighbours.

    Border pixels are weighted by how they continue: Benkrid and Crookes, "Design and FPGA
    implementation of a perimeter estimator". Where pixels are not square, it is
    `perimeter_crofton`, because the weights hold for square pixels only.
    """
    if regions.spacing[0] != regions.spacing[1]:
        return crofton(regions)
    image = regions.numbered
    width = image.shape[1]
    border = _border(image)
    flat, on_border = image.reshape(-1), border.reshape(-1)
    at = np.flatnonzero(on_border)
    code = np.ones(len(at), np.int64)
    for step, weight in [(1, 2), (width, 2), (width + 1, 10), (width - 1, 10)]:
        for neighbour in (at + step, at - step):
            code += weight * (on_border[neighbour] & (flat[neighbour] == flat[at]))
    length = np.bincount(flat[at] - 1, _PERIMETER_WEIGHTS[code], minlength=len(regions))
    return length * float(regions.spacing[0])


def _perimeter_weights() -> Values:
    weights = np.zeros(50)
    weights[[5, 7, 15, 17, 25, 27]] = 1
    weights[[21, 33]] = np.sqrt(2)
    weights[[13, 23]] = (1 + np.sqrt(2)) / 2
    return weights


_PERIMETER_WEIGHTS = _perimeter_weights()


def _border(image: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Pixels of objects with another label on one of four sides, in the framed image."""
    border = np.zeros(image.shape, np.bool_)
    core = image[1:-1, 1:-1]
    inner = border[1:-1, 1:-1]
    for other in (image[:-2, 1:-1], image[2:, 1:-1], image[1:-1, :-2], image[1:-1, 2:]):
        inner |= core != other
    inner &= core > 0
    return border


def configurations(regions: Regions) -> NDArray[np.int64]:
    """Count for each object how it fills the windows of 2 x 2 (x 2) pixels on its outline.

    Returns
    -------
    (n, 2 ** (2 ** ndim)) int64
        Column: bits of the pixels of a window that belong to the object, in C order. Windows
        that the object fills or does not meet are not counted.
    """
    columns = 2 ** (2**regions.ndim)
    counts = np.zeros(len(regions) * columns, np.int64)
    for windows in _mixed_windows(regions):
        for k, label in enumerate(windows):
            seen = np.any(windows[:k] == label, axis=0) if k else np.zeros(len(label), np.bool_)
            new = np.flatnonzero((label > 0) & ~seen)
            code = np.zeros(len(new), np.int64)
            for j, other in enumerate(windows):
                code += (other[new] == label[new]).astype(np.int64) << j
            counts += np.bincount((label[new] - 1) * columns + code, minlength=len(counts))
    return counts.reshape(len(regions), columns)


def _mixed_windows(regions: Regions) -> Iterator[NDArray[np.int64]]:
    """Labels in the windows that hold more than one label, (2 ** ndim, k) at a time."""
    image = regions.numbered
    step = max(1, _WINDOWS_AT_ONCE // max(1, image[0].size))
    for begin in range(0, image.shape[0] - 1, step):
        slab = image[begin : begin + step + 1]
        corners = [
            slab[tuple(slice(c, size - 1 + c) for c, size in zip(corner, slab.shape, strict=True))]
            for corner in product((0, 1), repeat=regions.ndim)
        ]
        mixed = np.zeros(corners[0].shape, np.bool_)
        for corner in corners[1:]:
            mixed |= corners[0] != corner
        yield np.stack([corner[mixed] for corner in corners]).astype(np.int64)


def euler_number(regions: Regions, counts: NDArray[np.int64]) -> Values:
    """Parts minus holes (2D), parts minus tunnels plus cavities (3D); corners connect.

    A pixel is a closed square (cube), so the number is that of the corners minus edges plus
    faces minus cubes of the union. Each of them is shared out over the windows it meets.
    """
    return np.rint(_weighted(counts, _euler_weights(regions.ndim)))


@lru_cache
def _euler_weights(ndim: int) -> Values:
    corners = list(product((0, 1), repeat=ndim))
    filled = _bits(2**ndim)
    weights = np.zeros(len(filled))
    for fixed in range(ndim + 1):  # cells of this many dimensions around the middle of a window
        for axes in combinations(range(ndim), fixed):
            for side in product((0, 1), repeat=fixed):
                meets = [
                    k
                    for k, corner in enumerate(corners)
                    if all(corner[a] == s for a, s in zip(axes, side, strict=True))
                ]
                weights += (-0.5) ** fixed * filled[:, meets].any(axis=1)
    return weights


def _bits(n_pixels: int) -> NDArray[np.bool_]:
    """Which pixels of a window each configuration fills, (configurations, pixels)."""
    return (np.arange(2**n_pixels)[:, None] >> np.arange(n_pixels)) & 1 > 0


def crofton(regions: Regions, counts: NDArray[np.int64] | None = None) -> Values:
    """Perimeter (2D) or surface area (3D) by counting crossings of lines in 4 (13) directions.

    By Crofton's formula, with each direction weighted by the part of all directions that is
    nearest to it; in 2D with square pixels the same as scikit-image's ``perimeter_crofton``.
    Ohser and Muecklich, "Statistical analysis of microstructures in materials science" (2000).
    """
    found = configurations(regions) if counts is None else counts
    return _weighted(found, _crofton_weights(tuple(regions.spacing.tolist())))


def _weighted(counts: NDArray[np.int64], weights: Values) -> Values:
    """Sum each row by itself: a matrix product rounds in an order that depends on other rows."""
    return np.asarray((counts * weights).sum(axis=1))


@lru_cache
def _crofton_weights(spacing: tuple[float, ...]) -> Values:
    ndim = len(spacing)
    corners = np.array(list(product((0, 1), repeat=ndim)))
    filled = _bits(2**ndim)
    directions = [d for d in product((-1, 0, 1), repeat=ndim) if d > (0,) * ndim]
    steps = np.array(directions) * np.array(spacing)
    lengths = np.linalg.norm(steps, axis=1)
    shares = _direction_shares(steps / lengths[:, None])
    weights = np.zeros(len(filled))
    for direction, share, length in zip(directions, shares, lengths, strict=True):
        repeated = 2.0 ** (ndim - np.count_nonzero(direction))  # windows that hold the same step
        per_line = np.prod(spacing) / length
        factor = (np.pi / 2 if ndim == 2 else 2.0) * share * per_line / repeated
        for a, b in product(range(len(corners)), repeat=2):
            if tuple(corners[b] - corners[a]) == direction:
                weights += factor * (filled[:, a] != filled[:, b])
    return weights


def _direction_shares(units: Values) -> Values:
    """Part of all directions that is nearest to each of the given ones; sums to 1."""
    if units.shape[1] == 2:
        angles = np.arctan2(units[:, 0], units[:, 1]) % np.pi
        order = np.argsort(angles)
        gaps = np.diff(angles[order], append=angles[order[0]] + np.pi)
        shares = np.empty(len(units))
        shares[order] = (gaps + np.roll(gaps, 1)) / (2 * np.pi)
        return shares
    count = 200_000  # points on a spiral over the sphere: even to 1e-4 of a share
    k = np.arange(count) + 0.5
    z, angle = 1 - 2 * k / count, np.pi * (1 + np.sqrt(5)) * k
    radius = np.sqrt(1 - z**2)
    points = np.stack([z, radius * np.sin(angle), radius * np.cos(angle)])
    nearest = np.argmax(np.abs(units @ points), axis=0)
    return np.bincount(nearest, minlength=len(units)) / count
