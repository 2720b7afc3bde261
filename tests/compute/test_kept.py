"""Features kept from one forest to the next."""

import numpy as np
import pytest

from napari_spinney import PixelClassifier
from napari_spinney.compute.blocks import Block
from napari_spinney.compute.kept import KeptFeatures
from napari_spinney.compute.run import executor_for
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import build_plan

FEATURES = "original gaussian_blur=2 hessian_eigenvalue_largest=1.5 sobel_of_gaussian_blur=3"
REGION = (slice(20, 90), slice(10, 200))


@pytest.fixture(params=["cpu", pytest.param("opencl", marks=pytest.mark.opencl)])
def device(request):
    return request.param


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).normal(100, 20, (120, 230)).astype(np.float32)


def strokes(seed):
    painted = np.zeros((120, 230), np.uint8)
    rows = np.random.default_rng(seed).permutation(110)[:8]
    for number, row in enumerate(rows):
        painted[row : row + 2, 20:60] = 1 + number % 2
    return painted


def count_features(monkeypatch, device):
    """Number of blocks whose features are computed from now on, as a list that grows."""
    executor, calls = executor_for(device), []
    plain = executor.features
    monkeypatch.setattr(executor, "features", lambda *a: calls.append(1) or plain(*a))
    return calls


@pytest.mark.parametrize("what", ["classes", "probabilities", "uncertainty"])
def test_kept_features_change_no_bit(image, device, what):
    kept = KeptFeatures()
    for seed in range(3):
        model = PixelClassifier(FEATURES, n_trees=12).fit(image, strokes(seed), device=device)
        options = {"region": REGION, "device": device}
        steps = model.iter_predict(image, what, kept=kept, **options)
        plain = model.iter_predict(image, what, **options)
        np.testing.assert_array_equal(finish(steps), finish(plain))
    assert kept.nbytes == 4 * 4 * 70 * 190


def finish(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_features_are_computed_once_for_many_forests(image, device, monkeypatch):
    models = [
        PixelClassifier(FEATURES, n_trees=5).fit(image, strokes(n), device=device) for n in (0, 1)
    ]
    calls = count_features(monkeypatch, device)
    kept = KeptFeatures()
    for model in models * 2:
        finish(model.iter_predict(image, region=REGION, device=device, kept=kept))
    assert len(calls) == 1


def test_other_pixels_other_features_or_another_device_are_not_mixed_up(image, device, monkeypatch):
    kept = KeptFeatures()
    model = PixelClassifier(FEATURES, n_trees=5).fit(image, strokes(0), device=device)
    other = PixelClassifier("gaussian_blur=1", n_trees=5).fit(image, strokes(0), device=device)
    calls = count_features(monkeypatch, device)
    copy = image + 1
    for classifier, pixels in [(model, image), (other, image), (other, copy), (model, copy)]:
        options = {"region": REGION, "device": device}
        found = finish(classifier.iter_predict(pixels, kept=kept, **options))
        np.testing.assert_array_equal(found, finish(classifier.iter_predict(pixels, **options)))
    assert len(calls) == 4


def test_what_is_beyond_the_limit_is_computed_each_time(image, device):
    model = PixelClassifier(FEATURES, n_trees=5).fit(image, strokes(0), device=device)
    kept = KeptFeatures(limit=100)
    found = finish(model.iter_predict(image, device=device, kept=kept))
    np.testing.assert_array_equal(found, model.predict(image, device=device))
    assert kept.nbytes == 0


def test_blocks_that_are_not_asked_for_any_more_are_forgotten():
    plan = build_plan(FeatureSet.parse("original"), ndim=2, n_channels=1)
    blocks = [(0, Block.around((slice(a, a + 4), slice(0, 4)), (12, 4), (0, 0))) for a in (0, 4, 8)]
    kept, owner = KeptFeatures(), object()
    kept.claim(owner, plan, "cpu", blocks)
    for time, block in blocks:
        kept.planes(time, block, lambda: np.ones((1, 4, 4), np.float32))
    kept.claim(owner, plan, "cpu", blocks[1:])
    assert kept.nbytes == 2 * 64
    kept.claim(owner, plan, "gpu", blocks[1:])
    assert kept.nbytes == 0


def test_two_stages_are_predicted_as_ever(image):
    model = PixelClassifier("original gaussian_blur=2", n_trees=5, stages=2)
    model.fit(image, strokes(0), device="cpu")
    kept = KeptFeatures()
    found = finish(model.iter_predict(image, device="cpu", kept=kept))
    np.testing.assert_array_equal(found, model.predict(image, device="cpu"))
    assert kept.nbytes == 0
