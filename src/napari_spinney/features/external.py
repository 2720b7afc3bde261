"""Filters of pyclesperanto-prototype that can be used as features where OpenCL is at hand.

They take one image and return one of the same shape. The list is data, so that a feature set can
be read, checked and planned without OpenCL; it was taken from version 0.24.4.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

Reach: TypeAlias = Literal["point", "next", "radius", "twice", "extremum", "gaussian", "unknown"]
"""How far a filter looks, given its number n.

``point``: the pixel itself; ``next``: its direct neighbours; ``radius``: a kernel of
``int(2 n + 1)`` pixels; ``twice``: two such kernels one after the other; ``extremum``: such a
kernel, then direct neighbours; ``gaussian``: half of ``int(8 n)`` pixels; ``unknown``: possibly
the whole image.
"""

_WORDS: dict[Reach, str] = {
    "point": """
        absolute add_image_and_scalar binary_not cbrt copy cubic_root degrees_to_radians
        divide_scalar_by_image equal_constant exp exponential fabs gamma_correction
        greater_constant greater_or_equal_constant log logarithm logical_not
        maximum_image_and_scalar minimum_image_and_scalar multiply_image_and_scalar
        not_equal_constant power radians_to_degrees reciprocal sign smaller_constant
        smaller_or_equal_constant sqrt square square_root subtract_image_from_scalar threshold
        undefined_to_zero""",
    "next": """
        binary_edge_detection detect_label_edges dilate_box dilate_box_slice_by_slice
        dilate_sphere dilate_sphere_slice_by_slice erode_box erode_box_slice_by_slice
        erode_sphere erode_sphere_slice_by_slice gradient_x gradient_y gradient_z
        laplace_diamond large_hessian_eigenvalue small_hessian_eigenvalue""",
    "radius": """
        maximum_box maximum_sphere mean_box mean_sphere median_box median_sphere minimum_box
        minimum_sphere mode_box mode_sphere standard_deviation_box standard_deviation_sphere
        variance_box variance_sphere""",
    "twice": """
        bottom_hat_box bottom_hat_sphere closing_box closing_sphere opening_box opening_sphere
        top_hat_box top_hat_sphere""",
    "extremum": "detect_maxima_box detect_minima_box",
    "gaussian": "divide_by_gaussian_background subtract_gaussian_background",
    "unknown": "fill_zeros_inpainting invert threshold_otsu",
}

EXTERNAL: dict[str, Reach] = {
    name: reach for reach, names in _WORDS.items() for name in names.split()
}
"""Name of each filter, and how far it looks."""


def external_reach(function: str, number: float) -> int | None:
    """Reach in pixels of a filter with this number; None where it is not known."""
    kernel = int(2 * number + 1) // 2
    reaches: dict[Reach, int | None] = {
        "point": 0,
        "next": 1,
        "radius": kernel,
        "twice": 2 * kernel,
        "extremum": kernel + 1,
        "gaussian": int(8 * number) // 2,
        "unknown": None,
    }
    return reaches[EXTERNAL[function]]


MOST_SORTED = 1000
"""Pixels that the kernels of medians have room for; they would write beyond it."""


def sorted_pixels(function: str, number: float, ndim: int) -> int:
    """About how many pixels a filter sorts at each place; 0 for filters that do not sort."""
    radius = int(2 * number + 1) // 2
    if function == "median_box":
        return int((2 * radius + 1) ** ndim)
    if function == "median_sphere":
        return int(radius**ndim * math.pi * (1 if ndim == 2 else 4 / 3))
    return 0
