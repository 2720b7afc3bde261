"""The small vocabulary of operations that every feature is made of.

A plan is a list of steps. A step reads the planes that earlier steps wrote (``inputs`` are their
positions in the plan) and writes one plane of the same spatial shape. Executors (OpenCL, CPU)
implement these steps and nothing else, in float32, with the order of operations given here, so
that they agree bit for bit wherever only sums, products and square roots are involved.

Axes are counted over the spatial axes of the image, (Y, X) or (Z, Y, X); axis 0 comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Boundary: TypeAlias = Literal["nearest", "reflect"]
"""How a step continues *its own input* past the border of the image.

``nearest`` repeats the edge pixel (a a | a b c); ``reflect`` mirrors about the edge of the last
pixel (b a | a b c), which is scipy's default.
"""


@dataclass(frozen=True, slots=True)
class Source:
    """One channel of the block, as float32."""

    channel: int
    inputs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Correlate:
    """Correlation along one axis: ``out[i] = sum_k weights[k] * in[i + k * dilation - radius]``.

    Evaluated as ``acc = weights[0] * in[i - radius]`` and then one fused multiply-add per further
    weight in rising ``k``; ``symmetric`` plans may not change that order.
    """

    inputs: tuple[int]
    axis: int
    weights: tuple[float, ...]
    boundary: Boundary
    dilation: int = 1

    @property
    def radius(self) -> int:
        """Reach along ``axis``, in pixels."""
        return len(self.weights) // 2 * self.dilation


@dataclass(frozen=True, slots=True)
class Refine:
    """Second half of a long correlation: a fine pass over a coarse one, put right at its ends.

    The inputs are the plane of a `Correlate` with ``coarse``, ``dilation`` and the same boundary,
    and the plane that it read, ``in``. Past the border of the image ``coarse`` goes on as computed
    from ``in`` there. With ``r = len(weights) // 2`` and ``h = len(ends) // 2``::

        out[i] =   sum_k weights[k]  * coarse[i + k - r]
                 + sum_k ends[k]     * in[i + k - radius]
                 + sum_k ends[h + k] * in[i + k + radius - h + 1]

    evaluated with fused multiply-adds as `Correlate` is, in this order.
    """

    inputs: tuple[int, int]
    axis: int
    weights: tuple[float, ...]
    ends: tuple[float, ...]
    coarse: tuple[float, ...]
    dilation: int
    radius: int
    boundary: Boundary

    @property
    def fine_radius(self) -> int:
        """Reach in the coarse plane along ``axis``, in pixels."""
        return len(self.weights) // 2


@dataclass(frozen=True, slots=True)
class Extremum:
    """Smallest or largest value in ``[i - radius, i + radius]`` along one axis."""

    inputs: tuple[int]
    kind: Literal["minimum", "maximum"]
    axis: int
    radius: int
    boundary: Boundary


@dataclass(frozen=True, slots=True)
class Window:
    """Median or standard deviation in a box of ``2 * radius + 1`` pixels along each axis.

    For ``standard_deviation`` the second input is the mean in the same box, and the result is
    ``sqrt(mean((in - mean)**2))`` with the window's own mean: no cancellation.
    """

    inputs: tuple[int, ...]
    kind: Literal["median", "standard_deviation"]
    radius: tuple[int, ...]
    boundary: Boundary


@dataclass(frozen=True, slots=True)
class Stencil:
    """A 3 x 3 (x 3) neighbourhood with clamped borders (``nearest``).

    ``laplace_box``: the sum of (centre - neighbour) over the 8 (26) neighbours. ``sobel``: the
    magnitude of the unnormalised Sobel gradient (1-2-1 smoothing along the other axes).
    """

    inputs: tuple[int]
    kind: Literal["laplace_box", "sobel"]


@dataclass(frozen=True, slots=True)
class Combine:
    """Linear combination ``sum_k weights[k] * inputs[k]``, in that order, fused multiply-adds."""

    inputs: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Product of two planes."""

    inputs: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Magnitude:
    """``sqrt(sum of squares)`` of the inputs."""

    inputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Eigenvalue:
    """One eigenvalue of a symmetric matrix per pixel; ``rank`` 0 is the largest.

    The inputs are the upper triangle row by row: (yy, yx, xx) or (zz, zy, zx, yy, yx, xx).
    """

    inputs: tuple[int, ...]
    rank: int


@dataclass(frozen=True, slots=True)
class External:
    """A two-image function of pyclesperanto-prototype, with ``number`` for each size parameter.

    Needs OpenCL. ``reach`` is None where it is not known: then the whole image is one block.
    """

    inputs: tuple[int]
    function: str
    number: float
    reach: int | None


Step: TypeAlias = (
    Source
    | Correlate
    | Refine
    | Extremum
    | Window
    | Stencil
    | Combine
    | Product
    | Magnitude
    | Eigenvalue
    | External
)
