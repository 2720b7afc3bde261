"""Long smooth correlations as a coarse pass and a fine one: fewer taps, the same weights.

A correlation with ``n`` weights is replaced by one with every ``d``-th pixel (``coarse``), and then
one with a smooth window a few ``d`` wide (``fine``). Their product reproduces any smooth weights.
Where the weights break off, at both ends, it cannot: there a few taps on the input itself put it
right (``ends``). All that takes about ``7 sqrt(n)`` taps.

The window is that of Kaiser and Bessel (J. F. Kaiser, R. W. Schafer, On the use of the I0-sinh
window for spectrum analysis, IEEE Trans. ASSP 28, 1980), nearly the one that leaves least of the
repetitions of the coarse pass in the spectrum; the coarse weights are the least-squares fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_LONGEST = 8193
"""Longest weights that are fitted; the fit takes seconds beyond."""
WORTHWHILE = {2: 0.7, 3: 0.5}
"""Most taps of two passes, as a share of those of one, with which they are faster; by image axes.

Two passes read and write one more plane, which costs more where planes do not stay in the cache.
Measured with both executors.
"""


@dataclass(frozen=True, slots=True)
class Quality:
    """How closely weights have to be reproduced, and what is tried for that.

    Parameters
    ----------
    tolerance : float
        Largest error, as a share of the weights, both as Euclidean norms: the error on an image of
        white noise. What float32 cannot hold comes on top.
    differences : int
        How often neighbours are subtracted from one another before they are compared.
    windows, ends : tuple of float
        Widths of the fine window, and of the ends that are put right, in steps of the coarse pass.
    """

    tolerance: float
    differences: int
    windows: tuple[float, ...]
    ends: tuple[float, ...]


SMOOTH = Quality(1.5e-5, 0, (4.5, 5.0, 5.5), (2.5, 3.0, 3.5, 4.0))
"""Where the result is the feature."""
DIFFERENCES = Quality(2e-4, 2, (5.0, 6.0, 7.0), (3.5, 4.0, 4.5, 5.0))
"""Where a stencil of 3 pixels may follow, which brings out the smallest ripple."""


@dataclass(frozen=True, slots=True)
class Cascade:
    """Two passes that together give one correlation.

    Parameters
    ----------
    coarse : tuple of float
        Weights of every ``dilation``-th pixel; an odd number.
    dilation : int
        Pixels from one coarse tap to the next.
    fine : tuple of float
        Weights of neighbours in the coarse result; an odd number.
    ends : tuple of float
        Weights on the input itself at the first and the last ``len(ends) / 2`` places.
    length : int
        Weights of the one correlation.
    """

    coarse: tuple[float, ...]
    dilation: int
    fine: tuple[float, ...]
    ends: tuple[float, ...]
    length: int

    @property
    def n_taps(self) -> int:
        """Multiplications for each pixel."""
        return len(self.coarse) + len(self.fine) + len(self.ends)

    def weights(self) -> NDArray[np.float64]:
        """The weights that both passes have together."""
        result = np.zeros(self.length)
        fine = np.asarray(self.fine)
        start = (self.length - (len(self.coarse) - 1) * self.dilation - len(fine)) // 2
        for k, weight in enumerate(self.coarse):
            first = start + k * self.dilation
            result[first : first + len(fine)] += weight * fine
        half = len(self.ends) // 2
        result[:half] += self.ends[:half]
        result[self.length - half :] += self.ends[half:]
        return result


@lru_cache(maxsize=512)
def split(weights: tuple[float, ...], quality: Quality, ndim: int = 2) -> Cascade | None:
    """Two passes instead of one, if they are clearly cheaper and as good as wanted.

    Parameters
    ----------
    weights : tuple of float
        An odd number of them; symmetric or antisymmetric, smooth but for where they end.
    quality : Quality
        What is good enough.
    ndim : {2, 3}
        Number of spatial axes of the image.
    """
    length = len(weights)
    if length > _LONGEST:
        return None
    wanted = np.asarray(weights, np.float64)
    for shape in sorted(_shapes(length, quality), key=lambda shape: shape.n_taps):
        if shape.n_taps > WORTHWHILE[ndim] * length:
            break
        cascade = _fit(wanted, shape)
        if _error(cascade.weights() - wanted, wanted, quality) <= quality.tolerance:
            return cascade
    return None


@dataclass(frozen=True, slots=True)
class _Shape:
    """Numbers of taps, and where the first fine window begins."""

    dilation: int
    n_coarse: int
    n_fine: int
    n_end: int
    start: int
    window: float

    @property
    def n_taps(self) -> int:
        return self.n_coarse + self.n_fine + 2 * self.n_end


def _shapes(length: int, quality: Quality) -> Iterator[_Shape]:
    """What may be tried, around the dilation that takes fewest taps."""
    for window in quality.windows:
        for end in quality.ends:
            best = round((length / (window + 2 * end)) ** 0.5)
            for dilation in range(max(2, best - 1), best + 2):
                n_fine = int(window * dilation) | 1
                n_coarse = ((length - n_fine) // dilation) // 2 * 2 + 1
                start = (length - (n_coarse - 1) * dilation - n_fine) // 2
                n_end = round(end * dilation)
                if n_coarse > 2 and start <= n_end and 2 * n_end + n_coarse < length:
                    yield _Shape(dilation, n_coarse, n_fine, n_end, start, window)


def _fit(wanted: NDArray[np.float64], shape: _Shape) -> Cascade:
    length, half = len(wanted), shape.n_end
    fine = _rounded(_window(shape.n_fine, 3.1 * shape.window))
    design = np.zeros((length, shape.n_coarse))
    for k in range(shape.n_coarse):
        first = shape.start + k * shape.dilation
        design[first : first + len(fine), k] = fine
    middle = slice(half, length - half)
    normal = design[middle].T @ design[middle]
    normal[np.diag_indices(len(normal))] += 1e-13 * normal.trace() / len(normal)
    coarse = np.linalg.solve(normal, design[middle].T @ wanted[middle])
    sign = 1.0 if wanted[0] == wanted[-1] else -1.0
    coarse = _rounded(0.5 * (coarse + sign * coarse[::-1]))
    left = wanted - design @ coarse
    ends = np.concatenate([left[:half], left[length - half :]])
    ends += left[middle].sum() / len(ends)  # a constant image becomes what it became before
    return Cascade(_numbers(coarse), shape.dilation, _numbers(fine), _numbers(ends), length)


def _error(error: NDArray[np.float64], wanted: NDArray[np.float64], quality: Quality) -> float:
    """Size of an error beside the weights, without what is owed to float32."""
    n = quality.differences
    padded = np.pad(error, n)
    size = np.linalg.norm(np.diff(wanted, n))
    rounding = 4 * 2.0**-24 * np.linalg.norm(wanted)
    return float((np.linalg.norm(np.diff(padded, n)) - rounding) / size)


def _window(width: int, shape: float) -> NDArray[np.float64]:
    position = np.linspace(-1.0, 1.0, width + 2)[1:-1]
    window = np.i0(shape * np.sqrt(1.0 - position**2))
    return np.asarray(window / window.sum(), np.float64)


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """To what executors compute with, so that the ends make up for the rounding."""
    return values.astype(np.float32).astype(np.float64)


def _numbers(values: NDArray[Any]) -> tuple[float, ...]:
    return tuple(values.tolist())
