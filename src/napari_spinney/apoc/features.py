"""Feature sets of APOC, and stacks of feature images."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from napari_spinney.apoc.images import as_array
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.sets import SETS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_spinney.features.feature import Feature

DEFAULT = "original gaussian_blur=2 sobel_of_gaussian_blur=2"
"""What is computed where no features are named."""

_GAUSSIAN = ("gaussian_blur", (1.0, 1.0, 1.0))
_FILTERS: dict[str, tuple[tuple[str, tuple[float, ...]], ...]] = {
    "gaussian_blur": (_GAUSSIAN,),
    "difference_of_gaussian": (("difference_of_gaussian", (0.9, 0.9, 0.9, 1.1, 1.1, 1.1)),),
    "laplace_box_of_gaussian_blur": (_GAUSSIAN, ("laplace_box", ())),
    "sobel_of_gaussian_blur": (_GAUSSIAN, ("sobel", ())),
}
"""Filters of pyclesperanto-prototype that make up a feature, and their numbers for size 1."""

_OF_OBJECTS = """
    label original_label bbox_min_x bbox_min_y bbox_min_z bbox_max_x bbox_max_y bbox_max_z
    bbox_width bbox_height bbox_depth min_intensity max_intensity sum_intensity area
    mean_intensity sum_intensity_times_x mass_center_x sum_intensity_times_y mass_center_y
    sum_intensity_times_z mass_center_z sum_x centroid_x sum_y centroid_y sum_z centroid_z
    sum_distance_to_centroid mean_distance_to_centroid sum_distance_to_mass_center
    mean_distance_to_mass_center standard_deviation_intensity max_distance_to_centroid
    max_distance_to_mass_center mean_max_distance_to_centroid_ratio
    mean_max_distance_to_mass_center_ratio touching_neighbor_count
    average_distance_of_touching_neighbors average_distance_of_n_nearest_neighbors=?
    average_distance_of_n_nearest_neighbors=?
"""


class PredefinedFeatureSet(Enum):
    """Named sets of features; ``value`` has the words."""

    custom = ""
    small_quick = SETS["small_quick"]
    medium_quick = SETS["medium_quick"]
    large_quick = SETS["large_quick"]
    small_dog_log = SETS["small_dog_log"]
    medium_dog_log = SETS["medium_dog_log"]
    large_dog_log = SETS["large_dog_log"]
    object_size_1_to_2_px = SETS["object_size_1_to_2_px"]
    object_size_1_to_5_px = SETS["object_size_1_to_5_px"]
    object_size_3_to_8_px = SETS["object_size_3_to_8_px"]
    object_size_5_to_10_px = SETS["object_size_5_to_10_px"]
    object_size_10_to_15_px = SETS["object_size_10_to_15_px"]
    object_size_15_to_20_px = SETS["object_size_15_to_20_px"]
    object_size_20_to_25_px = SETS["object_size_20_to_25_px"]
    object_size_25_to_50_px = SETS["object_size_25_to_50_px"]
    object_size_50_to_100_px = SETS["object_size_50_to_100_px"]
    v070 = SETS["v070"]


def parse_features(features: str | PredefinedFeatureSet | None) -> FeatureSet:
    """Read features; None stands for `DEFAULT`.

    Raises
    ------
    ValueError
        If a word is unknown. (APOC leaves out words without a number, without saying so.)
    """
    if features is None:
        return FeatureSet.parse(DEFAULT)
    words = _words(features)
    if not words.strip():
        raise ValueError("no features are named: write some, such as 'original gaussian_blur=2'")
    return FeatureSet.parse(words)


def _words(features: str | PredefinedFeatureSet) -> str:
    return features.value if isinstance(features, PredefinedFeatureSet) else features


def generate_feature_stack(
    image: Any, features_specification: str | PredefinedFeatureSet | None = None
) -> list[NDArray[np.float32]]:
    """Compute feature images.

    Parameters
    ----------
    image : (Y, X) or (Z, Y, X) array
        Of numpy or pyclesperanto.
    features_specification : str or PredefinedFeatureSet, optional
        Features; original, Gaussian 2 and Sobel of it if not given.

    Returns
    -------
    list of float32 arrays of the image's shape
        One per feature, in order; none for empty text, as of `PredefinedFeatureSet.custom`. In 2D,
        where pyclesperanto-prototype is at hand, the features of the named sets have its very bits;
        elsewhere, and in prediction, they differ from these by rounding.

    Raises
    ------
    ValueError
        If a feature is unknown.
    """
    from napari_spinney.compute.run import executor_that_can
    from napari_spinney.compute.source import ImageSource
    from napari_spinney.features.plan import build_plan

    if features_specification is not None and not _words(features_specification).strip():
        return []
    features = parse_features(features_specification)
    source = ImageSource.of(as_array(image))
    plan = build_plan(features, ndim=source.ndim)
    whole = tuple(slice(0, n) for n in source.shape)
    block = source.read(0, whole)
    planes = executor_that_can((plan,), None).features(plan, block, whole)
    # A feature may be several planes: then none is one of APOC's.
    words = list(features) if len(planes) == len(features) else [None] * len(planes)
    exact = (None if word is None else _exactly(word, block[0]) for word in words)
    return [ours if theirs is None else theirs for ours, theirs in zip(planes, exact, strict=True)]


def _exactly(feature: Feature, plane: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """One of the features of the named sets, by the kernels that APOC calls; None where it cannot.

    Those of 3D are left out: two of them are wrong there.
    """
    chain = _FILTERS.get(feature.name)
    if plane.ndim != 2 or chain is None or len(feature.number) != 1 or feature.unit != "pixel":
        return None
    from napari_spinney.compute.device import DeviceError
    from napari_spinney.compute.opencl.clesperanto import apply_chain

    filters = [(name, tuple(f * feature.number[0] for f in factors)) for name, factors in chain]
    try:
        return apply_chain(filters, plane)
    except DeviceError:
        return None


def list_available_object_classification_features() -> list[str]:
    """Names of measurements for the classifiers of objects, as APOC lists them."""
    return _OF_OBJECTS.split()
