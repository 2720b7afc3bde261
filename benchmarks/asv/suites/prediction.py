"""Whole predictions, features alone, and the forest alone."""

import numpy as np

import napari_spinney as spinney
from napari_spinney.compute.device import list_devices
from napari_spinney.compute.kept import KeptFeatures
from napari_spinney.compute.run import executor_for
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import build_plan

from .images import blobs

SHAPES = {"2D": (1024, 1024), "3D": (48, 128, 128)}


def _need(device):
    """Leave out what this machine lacks, in asv's manner."""
    if all(known.kind != device for known in list_devices()):
        raise NotImplementedError(device)


class Prediction:
    """A trained classifier on an image: shallow trees as APOC's, or unlimited ones."""

    params = (["opencl", "cpu"], ["2D", "3D"], ["default", "object_size_1_to_5_px"], [2, None])
    param_names = ("device", "dimensions", "features", "max_depth")

    def setup(self, device, dimensions, features, max_depth):
        _need(device)
        self.image, annotation = blobs(SHAPES[dimensions])
        self.classifier = spinney.PixelClassifier(features, max_depth=max_depth)
        self.classifier.fit(self.image, annotation, device=device)
        self.classifier.predict(self.image, device=device)

    def time_predict(self, device, dimensions, features, max_depth):
        self.classifier.predict(self.image, device=device)


class Features:
    """Planes of a set on one block."""

    params = (["opencl", "cpu"], ["default", "ilastik", "object_size_1_to_5_px", "large_dog_log"])
    param_names = ("device", "features")

    def setup(self, device, features):
        _need(device)
        image, _ = blobs((512, 512))
        self.block = np.ascontiguousarray(image[None], np.float32)
        self.plan = build_plan(FeatureSet.parse(features), ndim=2)
        self.inner = tuple(slice(0, n) for n in image.shape)
        self.executor = executor_for(device)
        self.time_features(device, features)

    def time_features(self, device, features):
        self.executor.features(self.plan, self.block, self.inner)


class Held:
    """A forest on features held from the stroke before, as in live work."""

    params = (["opencl", "cpu"], [10, 100])
    param_names = ("device", "n_trees")

    def setup(self, device, n_trees):
        _need(device)
        self.image, annotation = blobs(SHAPES["2D"])
        self.classifier = spinney.PixelClassifier("object_size_1_to_5_px", n_trees=n_trees)
        self.classifier.fit(self.image, annotation, device=device)
        self.kept = KeptFeatures()
        self.time_predict_again(device, n_trees)

    def time_predict_again(self, device, n_trees):
        for _ in self.classifier.iter_predict(self.image, device=device, kept=self.kept):
            pass
