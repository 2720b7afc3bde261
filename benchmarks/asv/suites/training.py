"""From strokes to a forest, its estimate of the error, and its file."""

import subprocess
import sys
import tempfile
from pathlib import Path

import napari_spinney as spinney

from .images import blobs


class Training:
    """Default settings, with one stage and with two."""

    params = ([1, 2],)
    param_names = ("stages",)

    def setup(self, stages):
        self.image, self.annotation = blobs((1024, 1024))
        self.classifier = spinney.PixelClassifier(stages=stages)
        self.time_fit(stages)

    def time_fit(self, stages):
        self.classifier.fit(self.image, self.annotation, device="cpu")

    def time_validate(self, stages):
        self.classifier.validate()


class File:
    """Saving and loading."""

    def setup(self):
        image, annotation = blobs((512, 512))
        self.classifier = spinney.PixelClassifier().fit(image, annotation, device="cpu")
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "model.spinney"
        self.classifier.save(self.path)

    def teardown(self):
        self.folder.cleanup()

    def time_save(self):
        self.classifier.save(self.path)

    def time_load(self):
        spinney.load(self.path)

    def track_size(self):
        return self.path.stat().st_size

    track_size.unit = "bytes"


def time_import():
    """A new process that imports the package."""
    subprocess.run([sys.executable, "-c", "import napari_spinney"], check=True)
