"""What makes results of images without files."""

import numpy as np
import pytest

from napari_spinney import ObjectClassifier, PixelClassifier
from napari_spinney.classifiers.object_images import ObjectImage
from napari_spinney.interaction.predicting import PredictOrder, predicting
from napari_spinney.origins import origin_of_objects
from napari_spinney.provenance import pixels_fact, sha256_of, state_fact
from napari_spinney.samples import load_sample
from napari_spinney.session import ImageEntry, TrainedModel


def test_the_hash_of_pixels_knows_type_shape_and_values_but_not_how_they_lie():
    pixels = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    known = pixels_fact("a", pixels)
    assert pixels_fact("a", np.asfortranarray(pixels)) == known
    hashes = {
        pixels_fact("a", other)["pixels_sha256"]
        for other in (pixels, pixels + 1, pixels.reshape(4, 3, 5), pixels.astype(np.int16))
    }
    assert len(hashes) == 4


def test_pixels_are_hashed_slab_by_slab(monkeypatch):
    from napari_spinney import provenance

    pixels = np.arange(700, dtype=np.uint8).reshape(7, 100)
    whole = pixels_fact("a", pixels)
    monkeypatch.setattr(provenance, "_SLAB", 250)
    assert pixels_fact("a", pixels) == whole


@pytest.fixture
def model():
    sample = load_sample("nuclei")
    clf = PixelClassifier("small_quick", n_trees=5)
    return clf.fit(sample.image, sample.strokes, device="cpu")


def test_the_hash_of_a_model_is_that_of_its_file(model, tmp_path):
    model.save(tmp_path / "m.spinney")
    assert state_fact(model.state_)["sha256"] == sha256_of(tmp_path / "m.spinney")


def test_a_prediction_says_what_made_it(model):
    image = load_sample("nuclei").image
    entry = ImageEntry("1", "cells", image, "yx")
    out = np.zeros(image.shape, np.uint32)
    order = PredictOrder(TrainedModel(model, 0), entry, "objects", out, target=2, min_size=9)
    steps = predicting(order)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            origin = end.value.origin
            break
    assert origin["model"]["sha256"] == state_fact(model.state_)["sha256"]
    assert origin["image"] == pixels_fact("cells", image)
    assert origin["options"]["min_size"] == 9
    assert origin["features"] == model.state_.stages[0].features
    assert origin["device"]["name"]


def test_classes_of_objects_say_what_made_them():
    sample = load_sample("shapes")
    numbers = np.unique(sample.labels)[1:]
    painted = np.where(np.isin(sample.labels, numbers[::2]), 1, 2) * (sample.labels > 0)
    clf = ObjectClassifier("area mean_intensity", n_trees=5)
    clf.fit(sample.labels, painted, sample.image)
    objects = ObjectImage.of(
        sample.labels, sample.image, channel_axis=None, time_axis=None, spacing=None
    )
    origin = origin_of_objects(objects, ["area"], clf, {"file": "o.spinney", "sha256": "1"})
    assert origin["model"] == {"file": "o.spinney", "sha256": "1", "kind": "ObjectClassifier"}
    assert origin["labels"]["pixels_sha256"]
    assert list(origin["image"]) == ["channel 0"]
    assert "model" not in origin_of_objects(objects, ["area"])
