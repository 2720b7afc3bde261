"""Features kept from one forest to the next."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from napari_spinney import PixelClassifier
from napari_spinney.classifiers.prediction import labels_of
from napari_spinney.compute.blocks import Block
from napari_spinney.compute.kept import Keeping, KeptFeatures
from napari_spinney.compute.run import executor_for
from napari_spinney.compute.source import ImageSource
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import build_plan
from napari_spinney.forest.forest import Forest

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
    plain = executor.hold
    monkeypatch.setattr(executor, "hold", lambda *a: calls.append(1) or plain(*a))
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
    assert 4 * 4 * 70 * 190 <= kept.nbytes <= 3 * 4 * 4 * 70 * 190


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


def test_a_forest_of_more_classes_finds_room_later(image, device):
    kept, options = KeptFeatures(), {"region": REGION, "device": device}
    for n_classes in (2, 9, 3):
        painted = strokes(0)
        painted[painted > 0] = 1 + np.arange((painted > 0).sum()) % n_classes
        model = PixelClassifier(FEATURES, n_trees=5).fit(image, painted, device=device)
        found = finish(model.iter_predict(image, "probabilities", kept=kept, **options))
        plain = finish(model.iter_predict(image, "probabilities", **options))
        np.testing.assert_array_equal(found, plain)
        assert len(found) == n_classes


def test_a_forest_that_reads_few_of_them(image, device):
    model = PixelClassifier(FEATURES, n_trees=1, max_depth=1).fit(image, strokes(0), device=device)
    assert len(model.forest_.used_features()) == 1
    found = finish(model.iter_predict(image, kept=KeptFeatures(), device=device))
    np.testing.assert_array_equal(found, model.predict(image, device=device))


def test_a_block_larger_than_the_memory_of_the_device_is_held_in_parts(device, monkeypatch):
    volume = np.random.default_rng(1).normal(0, 1, (1, 20, 50, 60)).astype(np.float32)
    executor = executor_for(device)
    plan = build_plan(FeatureSet.parse(FEATURES), ndim=3)
    inner = (slice(2, 20), slice(5, 45), slice(0, 60))
    planes = executor.features(plan, volume, inner)
    rows = planes.reshape(4, -1).T
    y = 1 + (rows[:, 1] > np.median(rows[:, 1]))
    forest = Forest.from_sklearn(
        RandomForestClassifier(20, random_state=0).fit(rows[::50], y[::50])
    )
    reading = Keeping.of(KeptFeatures(), plan, forest.trees, range(4), labels_of(forest)).program
    whole = executor.hold(plan, volume, inner).predict(reading, "probabilities")
    monkeypatch.setattr(executor, "_memory", 2**20)
    parts = executor.hold(plan, volume, inner).predict(reading, "probabilities")
    np.testing.assert_array_equal(parts, whole)
    plain = forest.predict_proba(rows).T.reshape(whole.shape)
    np.testing.assert_allclose(whole, plain, atol=1e-6)


def test_many_threads_may_predict_one_block(image, device):
    model = PixelClassifier(FEATURES, n_trees=12).fit(image, strokes(0), device=device)
    kept = KeptFeatures()
    expected = model.predict_proba(image, device=device)

    def predict(_):
        return finish(model.iter_predict(image, "probabilities", kept=kept, device=device))

    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(predict, range(16)):
            np.testing.assert_array_equal(found, expected)


def test_blocks_that_are_not_asked_for_any_more_are_forgotten():
    plan = build_plan(FeatureSet.parse("original"), ndim=2, n_channels=1)
    blocks = [(0, Block.around((slice(a, a + 4), slice(0, 4)), (12, 4), (0, 0))) for a in (0, 4, 8)]
    source, executor = ImageSource.of(np.ones((12, 4))), executor_for("cpu")
    kept = KeptFeatures()
    kept.claim(source.image, plan, "cpu", blocks)
    held = [kept.hold(source, executor, plan, *item) for item in blocks]
    assert held == [kept.hold(source, executor, plan, *item) for item in blocks]
    size = kept.nbytes // 3
    kept.claim(source.image, plan, "cpu", blocks[1:])
    assert kept.nbytes == 2 * size
    kept.claim(source.image, plan, "gpu", blocks[1:])
    assert kept.nbytes == 0


def test_two_stages_are_predicted_as_ever(image):
    model = PixelClassifier("original gaussian_blur=2", n_trees=5, stages=2)
    model.fit(image, strokes(0), device="cpu")
    kept = KeptFeatures()
    found = finish(model.iter_predict(image, device="cpu", kept=kept))
    np.testing.assert_array_equal(found, model.predict(image, device="cpu"))
    assert kept.nbytes == 0
