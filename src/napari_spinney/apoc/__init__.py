"""The names, arguments and behaviour of the package apoc, computed by Spinney.

A notebook that was written for APOC runs after one change::

    import napari_spinney.apoc as apoc

Its ``.cl`` files are read and written. The page "Coming from APOC" says what differs, and why.
"""

from typing import Any

from napari_spinney import __version__
from napari_spinney.apoc.features import (
    PredefinedFeatureSet,
    generate_feature_stack,
    list_available_object_classification_features,
)
from napari_spinney.apoc.folders import train_classifier_from_image_folders
from napari_spinney.apoc.merging import ObjectMerger
from napari_spinney.apoc.model import erase_classifier
from napari_spinney.apoc.objects import ObjectClassifier, ObjectSelector
from napari_spinney.apoc.pixels import ObjectSegmenter, PixelClassifier, ProbabilityMapper
from napari_spinney.apoc.tables import TableRowClassifier

__all__ = [
    "ObjectClassifier",
    "ObjectMerger",
    "ObjectSegmenter",
    "ObjectSelector",
    "PixelClassifier",
    "PredefinedFeatureSet",
    "ProbabilityMapper",
    "TableRowClassifier",
    "__version__",
    "erase_classifier",
    "generate_feature_stack",
    "list_available_object_classification_features",
    "train_classifier_from_image_folders",
]


def __getattr__(name: str) -> Any:
    if name == "RFC_to_OCL":
        raise AttributeError(
            "RFC_to_OCL, which turns a forest of scikit-learn into source code, is not offered: "
            "train one of the classifiers here, whose to_opencl_file writes a .cl file"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
