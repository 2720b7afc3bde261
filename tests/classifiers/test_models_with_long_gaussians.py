"""Models whose Gaussians are long: computed in two passes, unless the model is APOC's."""

import dataclasses

import numpy as np
import pytest
from skimage.data import coins

from napari_spinney.classifiers.base import load
from napari_spinney.classifiers.pixels import PixelClassifier
from napari_spinney.classifiers.prediction import plan_of
from napari_spinney.features.steps import Refine

WORDS = "gaussian_blur=4 gaussian_blur=14 difference_of_gaussian=20 sobel_of_gaussian_blur=16"


@pytest.fixture(scope="module")
def image():
    return coins()[:140, :180].astype(np.float32)


@pytest.fixture(scope="module")
def classifier(image):
    strokes = np.zeros(image.shape, np.uint32)
    strokes[5:15, 5:100], strokes[45:60, 20:60], strokes[100:110, 60:150] = 1, 2, 1
    options = {"n_trees": 10, "max_depth": 4, "kind": "random_forest", "balance": "none"}
    return PixelClassifier(WORDS, **options).fit(image, strokes, device="cpu")


def in_two_passes(state):
    return any(isinstance(step, Refine) for step in plan_of(state, 0, None).steps)


def test_our_models_take_two_passes(classifier):
    assert in_two_passes(classifier.state_)


def test_models_of_apoc_have_its_very_weights(classifier):
    assert not in_two_passes(dataclasses.replace(classifier.state_, provenance={"format": "cl"}))


def test_a_model_of_apoc_that_is_kept_as_ours_has_its_very_weights(classifier, tmp_path):
    classifier.save(tmp_path / "model.cl")
    load(tmp_path / "model.cl").save(tmp_path / "model.spinney")
    assert not in_two_passes(load(tmp_path / "model.spinney").state_)


def test_a_model_written_for_apoc_decides_as_before(classifier, image, tmp_path):
    classifier.save(tmp_path / "model.cl")
    again = load(tmp_path / "model.cl")
    assert not in_two_passes(again.state_)
    differ = classifier.predict(image, device="cpu") != again.predict(image, device="cpu")
    assert differ.mean() <= 1e-3


@pytest.mark.opencl
@pytest.mark.filterwarnings("ignore")
def test_apoc_decides_as_we_do(classifier, image, tmp_path):
    import apoc

    classifier.save(tmp_path / "model.cl")
    found = apoc.PixelClassifier(opencl_filename=str(tmp_path / "model.cl")).predict(image)
    differ = classifier.predict(image, device="cpu") != np.asarray(found)
    assert differ.mean() <= 1e-3
