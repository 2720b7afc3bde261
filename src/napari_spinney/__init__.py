"""Paint a few strokes on an image, get a segmentation, and see why it came out so.

Importing this package imports neither Qt, napari, OpenCL nor numba; the names below are loaded
when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_spinney.classifiers.base import load
    from napari_spinney.classifiers.objects import (
        ObjectClassifier,
        ObjectMapper,
        ObjectMerger,
        ObjectSelector,
    )
    from napari_spinney.classifiers.pixels import (
        ObjectSegmenter,
        PixelClassifier,
        ProbabilityMapper,
    )
    from napari_spinney.classifiers.tables import TableRowClassifier
    from napari_spinney.compute.device import Device, DeviceError, choose_device, list_devices
    from napari_spinney.features.feature import Feature, FeatureSet
    from napari_spinney.objects.measure import measure
    from napari_spinney.scores import score_classes, score_objects

__version__ = version("napari-spinney")

_HOMES = {
    "Device": "compute.device",
    "DeviceError": "compute.device",
    "Feature": "features.feature",
    "FeatureSet": "features.feature",
    "ObjectClassifier": "classifiers.objects",
    "ObjectMapper": "classifiers.objects",
    "ObjectMerger": "classifiers.objects",
    "ObjectSegmenter": "classifiers.pixels",
    "ObjectSelector": "classifiers.objects",
    "PixelClassifier": "classifiers.pixels",
    "ProbabilityMapper": "classifiers.pixels",
    "TableRowClassifier": "classifiers.tables",
    "choose_device": "compute.device",
    "list_devices": "compute.device",
    "load": "classifiers.base",
    "measure": "objects.measure",
    "score_classes": "scores",
    "score_objects": "scores",
}

__all__ = [
    "Device",
    "DeviceError",
    "Feature",
    "FeatureSet",
    "ObjectClassifier",
    "ObjectMapper",
    "ObjectMerger",
    "ObjectSegmenter",
    "ObjectSelector",
    "PixelClassifier",
    "ProbabilityMapper",
    "TableRowClassifier",
    "choose_device",
    "list_devices",
    "load",
    "measure",
    "score_classes",
    "score_objects",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
