"""Named sets of features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_spinney.features.feature import FeatureSet

if TYPE_CHECKING:
    from collections.abc import Iterable

_APOC = ("gaussian_blur", "difference_of_gaussian", "laplace_box_of_gaussian_blur")
_QUICK = ("gaussian_blur", "sobel_of_gaussian_blur")
_ILASTIK = (
    "laplacian_of_gaussian",
    "gradient_magnitude",
    "wide_difference_of_gaussian",
    "structure_tensor_eigenvalues",
    "hessian_eigenvalues",
)
_ILASTIK_SIGMAS = (0.7, 1, 1.6, 3.5, 5, 10)


def _words(names: Iterable[str], numbers: Iterable[float]) -> str:
    """All numbers of one name before the next name."""
    numbers = tuple(numbers)
    return " ".join(f"{name}={number:g}" for name in names for number in numbers)


_DEFAULT = (
    "gradient_magnitude",
    "laplacian_of_gaussian",
    "hessian_eigenvalues",
    "structure_tensor_eigenvalue_smallest",
)

DEFAULT = " ".join((_words(("gaussian_blur",), (1, 5)), _words(_DEFAULT, (1, 1.6, 3.5, 5))))
"""What is measured where nobody chose: 22 features in 2D, 26 in 3D.

Chosen by measurement on electron micrographs, nuclei of radius 2 to 60 pixels and textures. Only
two of them follow the brightness itself: with more, forests learn the exposure of one image
(without any, dark organelles are lost). Sigmas above 5 learn where strokes are, not what.
"""

SETS: dict[str, str] = {
    "default": DEFAULT,
    "ilastik": " ".join(
        (_words(("gaussian_blur",), (0.3, *_ILASTIK_SIGMAS)), _words(_ILASTIK, _ILASTIK_SIGMAS))
    ),
    "small_quick": "original " + _words(_QUICK, (1,)),
    "medium_quick": _words(_QUICK, (5,)),
    "large_quick": _words(_QUICK, (25,)),
    "small_dog_log": "original " + _words(_APOC, (1,)),
    "medium_dog_log": _words(_APOC, (5,)),
    "large_dog_log": _words(_APOC, (25,)),
    "object_size_1_to_2_px": _words(_APOC, (1, 2)),
    "object_size_1_to_5_px": "original " + _words(_APOC, range(1, 6)),
    "object_size_3_to_8_px": _words(_APOC, range(3, 9)),
    "object_size_5_to_10_px": _words(_APOC, range(5, 11)),
    "object_size_10_to_15_px": _words(_APOC, range(10, 16)),
    "object_size_15_to_20_px": _words(_APOC, range(15, 21)),
    "object_size_20_to_25_px": _words(_APOC, range(20, 26)),
    "object_size_25_to_50_px": _words(_APOC, range(25, 50, 5)),
    "object_size_50_to_100_px": _words(_APOC, range(50, 100, 10)),
    "v070": _words((*_APOC, "sobel_of_gaussian_blur"), (1,)),
}
"""Name of each set, and its words in the grammar of `FeatureSet.parse`."""


def named_sets() -> dict[str, FeatureSet]:
    """Every named set; ``default`` comes first."""
    return {name: FeatureSet.parse(words) for name, words in SETS.items()}
