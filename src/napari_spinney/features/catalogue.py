"""What each feature measures: one entry per name, with its parameter and its steps."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

from napari_spinney.features.cascade import DIFFERENCES, SMOOTH, Cascade, Quality, split
from napari_spinney.features.external import EXTERNAL, external_reach
from napari_spinney.features.gaussians import apoc_gaussian, scipy_gaussian
from napari_spinney.features.steps import (
    Boundary,
    Combine,
    Correlate,
    Eigenvalue,
    External,
    Extremum,
    Magnitude,
    Product,
    Refine,
    Stencil,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_spinney.features.plan import StepList

Numbers: TypeAlias = tuple[float, ...]
"""One number per spatial axis, in pixels."""

Parameter: TypeAlias = Literal["none", "sigma", "radius", "ignored", "external"]
"""What the number of a feature means.

``sigma``: standard deviation, above 0. ``radius``: whole number of pixels, the window has
``2 radius + 1``. ``ignored``: APOC's grammar wants a number but the filter has no size.
``external``: handed to a filter of pyclesperanto-prototype, which has one size for all axes.
"""

Build: TypeAlias = "Callable[[StepList, int, Numbers], int]"
"""Adds the steps that turn one plane into the feature; returns the position of the last."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One feature that can be asked for by name.

    Parameters
    ----------
    name : str
        The word before ``=``.
    summary : str
        One sentence for people who choose features.
    parameter : Parameter
        What the number means.
    build : callable
        Adds the steps.
    ndims : tuple of int
        Numbers of spatial axes with which the feature exists.
    """

    name: str
    summary: str
    parameter: Parameter
    build: Build
    ndims: tuple[int, ...] = (2, 3)


# --- steps of each feature ------------------------------------------------------------------


def _separable(
    steps: StepList,
    plane: int,
    weights: list[Numbers],
    boundary: Boundary,
    quality: Quality | None = None,
) -> int:
    """Correlate along every axis, the first axis first; long weights in two passes if allowed."""
    for axis, axis_weights in enumerate(weights):
        allowed = quality is not None and not steps.exact
        cascade = split(axis_weights, quality, steps.ndim) if quality and allowed else None
        if cascade is None:
            plane = steps.add(Correlate((plane,), axis, axis_weights, boundary))
        else:
            plane = _cascade(steps, plane, axis, cascade, boundary)
    return plane


def _cascade(steps: StepList, plane: int, axis: int, cascade: Cascade, boundary: Boundary) -> int:
    weights, dilation = cascade.coarse, cascade.dilation
    coarse = steps.add(Correlate((plane,), axis, weights, boundary, dilation))
    return steps.add(
        Refine(
            (coarse, plane),
            axis,
            cascade.fine,
            cascade.ends,
            weights,
            dilation,
            cascade.length // 2,
            boundary,
        )
    )


def _derivative(steps: StepList, plane: int, sigma: Numbers, *axes: int) -> int:
    """Gaussian derivative, once per axis named, as scipy.ndimage.gaussian_filter has it."""
    weights = [scipy_gaussian(s, axes.count(axis)) for axis, s in enumerate(sigma)]
    return _separable(steps, plane, weights, "reflect", SMOOTH)


def _original(steps: StepList, plane: int, number: Numbers) -> int:
    return plane


def _gaussian_blur(steps: StepList, plane: int, sigma: Numbers) -> int:
    weights = [apoc_gaussian(s) for s in sigma]
    return _separable(steps, plane, weights, "nearest", DIFFERENCES)


def _difference(steps: StepList, plane: int, sigma: Numbers, *, first: float, second: float) -> int:
    planes = (
        _gaussian_blur(steps, plane, tuple(first * s for s in sigma)),
        _gaussian_blur(steps, plane, tuple(second * s for s in sigma)),
    )
    return steps.add(Combine(planes, (1.0, -1.0)))


def _stencil(
    steps: StepList, plane: int, number: Numbers, *, kind: Literal["laplace_box", "sobel"]
) -> int:
    return steps.add(Stencil((plane,), kind))


def _laplacian_of_gaussian(steps: StepList, plane: int, sigma: Numbers) -> int:
    axes = range(len(sigma))
    planes = tuple(_derivative(steps, plane, sigma, axis, axis) for axis in axes)
    return steps.add(Combine(planes, (1.0,) * len(planes)))


def _gradient_magnitude(steps: StepList, plane: int, sigma: Numbers) -> int:
    axes = range(len(sigma))
    return steps.add(Magnitude(tuple(_derivative(steps, plane, sigma, axis) for axis in axes)))


def _pairs(n_axes: int) -> Iterator[tuple[int, int]]:
    """Upper triangle of a matrix, row by row."""
    return ((i, j) for i in range(n_axes) for j in range(i, n_axes))


def _hessian(steps: StepList, plane: int, sigma: Numbers, *, rank: int) -> int:
    matrix = tuple(_derivative(steps, plane, sigma, i, j) for i, j in _pairs(len(sigma)))
    return steps.add(Eigenvalue(matrix, rank % len(sigma)))


def _structure_tensor(steps: StepList, plane: int, sigma: Numbers, *, rank: int) -> int:
    gradient = [_derivative(steps, plane, sigma, axis) for axis in range(len(sigma))]
    smooth = [scipy_gaussian(0.5 * s) for s in sigma]
    products = [steps.add(Product((gradient[i], gradient[j]))) for i, j in _pairs(len(sigma))]
    matrix = tuple(_separable(steps, p, smooth, "reflect", SMOOTH) for p in products)
    return steps.add(Eigenvalue(matrix, rank % len(sigma)))


def _mean(steps: StepList, plane: int, radius: Numbers) -> int:
    widths = [2 * int(r) + 1 for r in radius]
    return _separable(steps, plane, [(1.0 / width,) * width for width in widths], "reflect")


def _extremum(
    steps: StepList, plane: int, radius: Numbers, *, kind: Literal["minimum", "maximum"]
) -> int:
    for axis, r in enumerate(radius):
        plane = steps.add(Extremum((plane,), kind, axis, int(r), "reflect"))
    return plane


def _median(steps: StepList, plane: int, radius: Numbers) -> int:
    return steps.add(Window((plane,), "median", tuple(int(r) for r in radius), "reflect"))


def _standard_deviation(steps: StepList, plane: int, radius: Numbers) -> int:
    inputs = (plane, _mean(steps, plane, radius))
    window = tuple(int(r) for r in radius)
    return steps.add(Window(inputs, "standard_deviation", window, "reflect"))


def _external(steps: StepList, plane: int, number: Numbers, *, function: str) -> int:
    reach = external_reach(function, number[0])
    return steps.add(External((plane,), function, number[0], reach))


# --- the list -------------------------------------------------------------------------------

_RANKS = {"largest": 0, "middle": 1, "smallest": -1}


def _eigenvalues(of: str, build: Callable[..., int], summary: str) -> list[Entry]:
    return [
        Entry(
            f"{of}_eigenvalue_{word}",
            f"{word.capitalize()} eigenvalue of the {summary}.",
            "sigma",
            partial(build, rank=rank),
            (3,) if word == "middle" else (2, 3),
        )
        for word, rank in _RANKS.items()
    ]


_ENTRIES = [
    Entry("original", "The pixel itself.", "none", _original),
    Entry("gaussian_blur", "Gaussian smoothing, as in APOC.", "sigma", _gaussian_blur),
    Entry(
        "difference_of_gaussian",
        "Blobs: Gaussian of 0.9 sigma minus Gaussian of 1.1 sigma, as in APOC.",
        "sigma",
        partial(_difference, first=0.9, second=1.1),
    ),
    Entry(
        "wide_difference_of_gaussian",
        "Blobs: Gaussian of sigma minus Gaussian of 0.66 sigma, as in ilastik.",
        "sigma",
        partial(_difference, first=1.0, second=0.66),
    ),
    Entry(
        "laplace_box",
        "Centre minus neighbours in a box of 3 pixels.",
        "ignored",
        partial(_stencil, kind="laplace_box"),
    ),
    Entry("sobel", "Gradient magnitude in 3 pixels.", "ignored", partial(_stencil, kind="sobel")),
    Entry(
        "laplacian_of_gaussian",
        "Blobs and ridges: sum of second Gaussian derivatives.",
        "sigma",
        _laplacian_of_gaussian,
    ),
    Entry(
        "gradient_magnitude",
        "Edges: length of the Gaussian gradient.",
        "sigma",
        _gradient_magnitude,
    ),
    *_eigenvalues("hessian", _hessian, "matrix of second Gaussian derivatives"),
    *_eigenvalues(
        "structure_tensor",
        _structure_tensor,
        "structure tensor: products of Gaussian derivatives, smoothed by half sigma",
    ),
    Entry("mean", "Mean in a box.", "radius", _mean),
    Entry("minimum", "Minimum in a box.", "radius", partial(_extremum, kind="minimum")),
    Entry("maximum", "Maximum in a box.", "radius", partial(_extremum, kind="maximum")),
    Entry("median", "Median in a box.", "radius", _median),
    Entry("standard_deviation", "Standard deviation in a box.", "radius", _standard_deviation),
]

CATALOGUE: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}
"""Features computed on every device, in the order in which they are offered."""

FAMILIES: dict[str, tuple[str, ...]] = {
    f"{of}_eigenvalues": tuple(f"{of}_eigenvalue_{word}" for word in _RANKS)
    for of in ("hessian", "structure_tensor")
}
"""Names for several features at once: as many as the image has axes, largest first."""

_EXTERNAL_ENTRIES: dict[str, Entry] = {
    name: Entry(
        name,
        f"pyclesperanto-prototype's {name} (OpenCL only).",
        "external",
        partial(_external, function=name),
        (3,) if name == "gradient_z" else (2, 3),
    )
    for name in EXTERNAL
    if name not in CATALOGUE
}


def find_entries(name: str) -> tuple[Entry, ...]:
    """Entries to apply one after the other: one, or inner and outer of ``outer_of_inner``.

    Raises
    ------
    ValueError
        If nothing has this name; the message holds the nearest known names.
    """
    entry = CATALOGUE.get(name) or _EXTERNAL_ENTRIES.get(name)
    if entry is not None:
        return (entry,)
    words = name.split("_of_")
    for cut in range(1, len(words)):
        outer, inner = "_of_".join(words[:cut]), "_of_".join(words[cut:])
        if _is_operation(outer) and _is_operation(inner):
            return (*find_entries(inner), *find_entries(outer))
    raise ValueError(f"unknown feature {name!r}; {nearest_names(name)}")


def _is_operation(name: str) -> bool:
    return name != "original" and (name in CATALOGUE or name in _EXTERNAL_ENTRIES)


def nearest_names(name: str) -> str:
    """The known names nearest to this one, as the end of a message."""
    known = [*CATALOGUE, *FAMILIES, *_EXTERNAL_ENTRIES]
    known += [f"{outer}_of_gaussian_blur" for outer in ("sobel", "laplace_box")]
    name = name.lower()
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if not near:
        parts = [difflib.get_close_matches(part, known, n=1) for part in name.split("_of_")]
        near = [found for part in parts for found in part]
    if near:
        return f"the nearest known names are {', '.join(near)}"
    return f"known are {', '.join([*CATALOGUE, *FAMILIES])} and filters of pyclesperanto-prototype"
