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

DEFAULT = "original gaussian_blur=2 sobel_of_gaussian_blur=2"
"""What is computed where no features are named."""

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
        One per feature, in order; none for empty text, as of `PredefinedFeatureSet.custom`.

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
    planes = executor_that_can((plan,), None).features(plan, source.read(0, whole), whole)
    return list(planes)


def list_available_object_classification_features() -> list[str]:
    """Names of measurements for the classifiers of objects, as APOC lists them."""
    return _OF_OBJECTS.split()
