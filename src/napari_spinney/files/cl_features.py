"""What APOC can measure: a model that needs more cannot be written for it."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from napari_spinney.features.catalogue import find_entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_spinney.features.feature import Feature, FeatureSet

_FILTERS = ("original", "gaussian_blur", "difference_of_gaussian", "laplace_box", "sobel")

_OBJECTS = re.findall(
    r"\w+",
    """
    label original_label bbox_min_x bbox_min_y bbox_min_z bbox_max_x bbox_max_y bbox_max_z
    bbox_width bbox_height bbox_depth min_intensity max_intensity sum_intensity area
    mean_intensity sum_intensity_times_x mass_center_x sum_intensity_times_y mass_center_y
    sum_intensity_times_z mass_center_z sum_x centroid_x sum_y centroid_y sum_z centroid_z
    sum_distance_to_centroid mean_distance_to_centroid sum_distance_to_mass_center
    mean_distance_to_mass_center standard_deviation_intensity max_distance_to_centroid
    max_distance_to_mass_center mean_max_distance_to_centroid_ratio
    mean_max_distance_to_mass_center_ratio distance_to_most_distant_other
    standard_deviation_touch_portion""",
)
_CONTACTS = re.compile(
    r"(touching_neighbor_count|touch_count_sum|max_min_distance_ratio_of_touching_neighbors"
    r"|(minimum|average|maximum)_distance_of_touching_neighbors"
    r"|(minimum|maximum)_touch_(count|portion))(_dilated_r_(5|10))?"
)
_NEIGHBOURS = re.compile(
    r"average_distance_of_n_nearest_neighbors=[1-9]\d{0,5}"
    r"|(average|maximum)_distance_of_n([1-8]|10|20)_nearest_neighbors"
    r"|proximal_neighbor_count_d(10|20|40|80|160)"
    r"|touch_portion_above_(0|0\.16|0\.2|0\.33|0\.5|0\.75)_neighbor_count"
)
_BORDERS = re.findall(
    r"\w+",
    """
    touch_portion touch_count mean_touch_intensity centroid_distance mean_intensity_difference
    standard_deviation_intensity_difference area_difference
    mean_max_distance_to_centroid_ratio_difference""",
)


def check_pixel_features(features: FeatureSet) -> None:
    """Refuse features that APOC does not have.

    Raises
    ------
    ValueError
        That names them all.
    """
    unknown = [str(f) for f in features if not _is_in_apoc(f)]
    if unknown:
        raise ValueError(
            f"APOC has no {', '.join(unknown)}; its features are {', '.join(_FILTERS)} and filters "
            "of pyclesperanto-prototype, with one number in pixels"
        )


def check_table_features(kind: str, names: Sequence[str]) -> None:
    """Refuse measurements that APOC does not have, and names that its header cannot hold.

    Raises
    ------
    ValueError
        That names them all.
    """
    unfit = [name for name in names if not name or set(name) & set(" ,\t\n")]
    if unfit:
        raise ValueError(
            f"APOC parts names of columns at blanks and commas, so it cannot have {unfit}; "
            "rename these columns, or save it as .spinney"
        )
    if kind == "TableRowClassifier":
        return
    unknown = [name for name in names if not _is_measured(kind, name)]
    if unknown:
        near = difflib.get_close_matches(unknown[0], _known(kind), n=3)
        hint = f" (near: {', '.join(near)})" if near else ""
        raise ValueError(f"APOC's {kind} has no {', '.join(unknown)}{hint}; save it as .spinney")


def are_measurements(words: Sequence[str]) -> bool:
    """Whether all of these words are measurements of objects, and at least one is there."""
    return bool(words) and all(_is_measured("ObjectClassifier", word) for word in words)


def faulty_in_apoc(features: FeatureSet, ndim: int) -> list[str]:
    """Features that pyclesperanto-prototype computes with wrong weights: 3D stencils."""
    if ndim != 3:
        return []
    stencils = {"laplace_box", "sobel"}
    return [str(f) for f in features if stencils & {e.name for e in find_entries(f.name)}]


def _is_in_apoc(feature: Feature) -> bool:
    return (
        feature.unit == "pixel"
        and len(feature.number) == (feature.name != "original")
        and "_eigenvalues" not in feature.name
        and all(
            entry.name in _FILTERS or entry.parameter == "external"
            for entry in find_entries(feature.name)
        )
    )


def _known(kind: str) -> list[str]:
    if kind == "ObjectMerger":
        return _BORDERS
    return [*_OBJECTS, "touching_neighbor_count", "average_distance_of_touching_neighbors"]


def _is_measured(kind: str, name: str) -> bool:
    if kind == "ObjectMerger":
        return name in _BORDERS
    return bool(name in _OBJECTS or _CONTACTS.fullmatch(name) or _NEIGHBOURS.fullmatch(name))
