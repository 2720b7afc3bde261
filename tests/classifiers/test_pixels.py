"""Pixel classifiers: from strokes to predictions, on every device."""

import re

import numpy as np
import pytest
from skimage.draw import disk
from sklearn.exceptions import NotFittedError

from napari_spinney import (
    DeviceError,
    FeatureSet,
    ObjectSegmenter,
    PixelClassifier,
    ProbabilityMapper,
)
from napari_spinney.compute.run import executor_for
from napari_spinney.forest.rows import RowCache

FEATURES = "original gaussian_blur=1 gradient_magnitude=1 hessian_eigenvalue_largest=1.5"


def scene(shape=(70, 90), seed=0):
    """Bright discs on a dim noisy ground, their truth, and a few strokes on both."""
    random = np.random.default_rng(seed)
    truth = np.ones(shape, np.uint8)
    for centre in [(15, 20), (45, 30), (30, 65), (58, 75)]:
        truth[disk(centre, 9, shape=shape)] = 2
    image = (np.where(truth == 2, 150, 60) + random.normal(0, 12, shape)).astype(np.float32)
    strokes = np.zeros(shape, np.uint8)
    strokes[2:5, 40:80] = strokes[62:65, 5:50] = strokes[20:40, 3:5] = 1
    strokes[12:17, 15:25] = strokes[42:47, 28:34] = strokes[28:32, 60:70] = 2
    return image, strokes, truth


def small(**options):
    return PixelClassifier(**{"features": FEATURES, "n_trees": 20, **options})


@pytest.fixture(scope="module")
def fitted():
    image, strokes, _ = scene()
    return small().fit(image, strokes, device="cpu")


@pytest.fixture(
    params=["cpu", pytest.param("opencl", marks=pytest.mark.opencl)],
)
def device(request):
    return request.param


def test_strokes_become_a_segmentation(device):
    image, strokes, truth = scene()
    predicted = small().fit(image, strokes, device=device).predict(image, device=device)
    assert predicted.dtype == np.uint8
    assert predicted.shape == image.shape
    assert (predicted == truth).mean() > 0.97


@pytest.mark.opencl
def test_devices_give_the_same_decisions(fitted):
    image, _, _ = scene(seed=1)
    on_cpu = fitted.predict_proba(image, device="cpu")
    on_opencl = fitted.predict_proba(image, device="opencl")
    np.testing.assert_allclose(on_cpu, on_opencl, atol=0.011)
    differ = fitted.predict(image, device="cpu") != fitted.predict(image, device="opencl")
    assert differ.mean() <= 1e-4


def test_probabilities_and_uncertainty_belong_to_the_classes(fitted, device):
    image, _, _ = scene()
    classes = fitted.predict(image, device=device)
    proba = fitted.predict_proba(image, device=device)
    assert proba.shape == (2, *image.shape)
    assert proba.dtype == np.float32
    np.testing.assert_allclose(proba.sum(0), 1, atol=1e-5)
    np.testing.assert_array_equal(fitted.classes_[proba.argmax(0)], classes)
    uncertainty = fitted.predict_uncertainty(image, device=device)
    np.testing.assert_allclose(uncertainty, 1 - np.abs(proba[0] - proba[1]), atol=1e-6)


def test_prediction_does_not_depend_on_the_blocks(fitted, device):
    image, _, _ = scene()
    whole = fitted.predict_proba(image, device=device)
    executor = executor_for(device)
    third = executor.parallel * executor.block_bytes(fitted.program(), image.shape) // 3
    steps = fitted.iter_predict(image, "probabilities", device=device, max_memory=third)
    assert len(list(steps)) > 2
    cut = fitted.predict_proba(image, device=device, max_memory=third)
    np.testing.assert_array_equal(whole, cut)


def test_progress_says_where_each_block_lies(fitted):
    image, _, _ = scene()
    seen = np.zeros(image.shape, int)
    for progress in fitted.iter_predict(image, device="cpu", max_memory=2**19):
        seen[progress.index] += 1
    assert (seen == 1).all()
    assert progress.done == progress.total


def test_class_numbers_are_those_annotated():
    image, strokes, truth = scene()
    numbers = np.array([0, 2, 700], np.uint16)
    clf = small().fit(image, numbers[strokes], device="cpu")
    assert clf.classes_.tolist() == [2, 700]
    predicted = clf.predict(image, device="cpu")
    assert predicted.dtype == np.uint16
    assert (predicted == numbers[truth]).mean() > 0.97


def test_the_same_strokes_give_the_same_forest():
    image, strokes, _ = scene()
    one, two = (small(seed=3).fit(image, strokes, device="cpu") for _ in range(2))
    np.testing.assert_array_equal(one.forest_.trees.threshold, two.forest_.trees.threshold)


def test_several_images_and_adding_one_learn_the_same():
    first, second = scene(seed=0), scene(seed=1)
    together = small().fit([first[0], second[0]], [first[1], second[1]], device="cpu")
    added = small().fit(first[0], first[1], device="cpu")
    added.fit(second[0], second[1], add=True, device="cpu")
    np.testing.assert_array_equal(together.table_.X, added.table_.X)
    np.testing.assert_array_equal(together.table_.stroke, added.table_.stroke)
    np.testing.assert_array_equal(together.table_.image, added.table_.image)
    np.testing.assert_array_equal(
        together.predict(first[0], device="cpu"), added.predict(first[0], device="cpu")
    )


def test_a_cache_changes_nothing_but_the_work(monkeypatch):
    image, strokes, _ = scene()
    cache = RowCache()
    small().fit(image, strokes, device="cpu", caches=[cache])
    strokes[50:52, 60:70] = 1
    strokes[12:14, 15:25] = 0
    cached = small().fit(image, strokes, device="cpu", caches=[cache])
    plain = small().fit(image, strokes, device="cpu")
    np.testing.assert_array_equal(cached.table_.X, plain.table_.X)
    np.testing.assert_array_equal(cached.table_.y, plain.table_.y)


def test_channels_and_time_points_of_any_axis():
    image, strokes, truth = scene()
    movie = np.stack([np.stack([image, -image], -1)] * 3, 1)  # (Y, T, X, C)
    painted = np.zeros((70, 3, 90), np.uint8)
    painted[:, 1] = strokes
    clf = small().fit(movie, painted, channel_axis=-1, time_axis=1, device="cpu")
    assert len(clf.feature_names_) == 8
    predicted = clf.predict(movie, device="cpu")
    assert predicted.shape == (70, 3, 90)
    np.testing.assert_array_equal(predicted[:, 0], predicted[:, 2])
    assert (predicted[:, 0] == truth).mean() > 0.97


def test_a_colour_image_without_its_axis_named_says_what_to_do():
    image, strokes, _ = scene()
    colour = np.stack([image] * 3, -1)
    with pytest.raises(ValueError, match="channel_axis=-1"):
        small().fit(colour, strokes)
    assert small().fit(colour, strokes, channel_axis=-1, device="cpu").state_.n_channels == 3


def test_volumes_with_spacing(device):
    random = np.random.default_rng(0)
    truth = np.ones((12, 30, 32), np.uint8)
    truth[4:9, 8:22, 8:22] = 2
    volume = truth * 50 + random.normal(0, 8, truth.shape)
    strokes = np.zeros_like(truth)
    strokes[1, 2:28, 3] = strokes[10, 5, 2:30] = 1
    strokes[6, 10:20, 12] = strokes[7, 12, 10:20] = 2
    clf = PixelClassifier("gaussian_blur=0.5um hessian_eigenvalue_middle=1", n_trees=20)
    clf.fit(volume, strokes, spacing=(1.0, 0.5, 0.5), device=device)
    assert clf.state_.spacing == (1.0, 0.5, 0.5)
    assert (clf.predict(volume, device=device) == truth).mean() > 0.9


def test_results_are_written_where_the_caller_wants(fitted, tmp_path):
    image, _, _ = scene()
    out = np.lib.format.open_memmap(tmp_path / "out.npy", "w+", np.uint8, image.shape)
    result = list(fitted.iter_predict(image, out=out, device="cpu"))
    assert len(result) == 1
    np.testing.assert_array_equal(out, fitted.predict(image, device="cpu"))


def test_a_region_is_predicted_as_in_the_whole(fitted):
    image, _, _ = scene()
    region = (slice(10, 40), slice(50, 90))
    part = fitted.predict(image, region=region, device="cpu")
    np.testing.assert_array_equal(part[region], fitted.predict(image, device="cpu")[region])
    assert part[:10].max() == 0


def test_unused_features_are_not_computed():
    image, strokes, _ = scene()
    clf = PixelClassifier(FEATURES, n_trees=1, max_depth=1).fit(image, strokes, device="cpu")
    assert len(clf.program().stages[0].plan.outputs) == 1


def test_probability_mapper_maps_its_class():
    image, strokes, truth = scene()
    mapper = ProbabilityMapper(FEATURES, target_class=2, n_trees=20)
    result = mapper.fit(image, strokes, device="cpu").predict(image, device="cpu")
    np.testing.assert_array_equal(result, mapper.predict_proba(image, device="cpu")[1])
    assert result[truth == 2].mean() > 0.9


def test_object_segmenter_numbers_the_objects():
    image, strokes, _ = scene()
    segmenter = ObjectSegmenter(FEATURES, target_class=2, n_trees=20, min_size=20)
    labels = segmenter.fit(image, strokes, device="cpu").predict(image, device="cpu")
    assert labels.dtype == np.uint32
    assert labels.max() == 4


def test_a_target_class_that_was_not_learnt_is_an_error():
    image, strokes, _ = scene()
    mapper = ProbabilityMapper(FEATURES, target_class=5, n_trees=5).fit(image, strokes)
    with pytest.raises(ValueError, match=r"target_class=5 is none of .*\[1, 2\]"):
        mapper.predict(image)


@pytest.mark.parametrize("stages", [1, 2])
def test_validate_estimates_the_error_on_strokes_held_out(stages):
    image, strokes, _ = scene()
    report = small(stages=stages).fit(image, strokes, device="cpu").validate()
    assert 0 <= report.error < 0.1
    assert report.classes == (1, 2)


def test_two_stages_predict_in_blocks_as_in_the_whole(device):
    image, strokes, truth = scene()
    clf = small(stages=2).fit(image, strokes, device=device)
    whole = clf.predict_proba(image, device=device)
    np.testing.assert_array_equal(
        whole, clf.predict_proba(image, device=device, max_memory=6 * 2**20)
    )
    assert (clf.predict(image, device=device) == truth).mean() > 0.97
    assert any(name.startswith("context") for name in clf.feature_names_)


def test_feature_importances_add_up_to_one(fitted):
    importances = fitted.feature_importances()
    assert list(importances) == FEATURES.split()
    assert sum(importances.values()) == pytest.approx(1)


def test_scikit_learn_manners():
    clf = PixelClassifier("small_quick", n_trees=7)
    assert clf.get_params()["n_trees"] == 7
    assert clf.set_params(n_trees=9).n_trees == 9
    assert "n_trees=9" in repr(clf)
    with pytest.raises(ValueError, match="no parameter 'trees'"):
        clf.set_params(trees=3)
    with pytest.raises(NotFittedError, match="call fit"):
        clf.predict(np.zeros((4, 4)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda i, s: (i, s * 0), "paint|annotated"),
        (lambda i, s: (i, (s > 0) * 3), "second"),
        (lambda i, s: (i, s[:-1]), r"\(69, 90\).*\(70, 90\)"),
        (lambda i, s: (i[:0], s[:0]), "empty|annotated"),
        (lambda i, s: (i[0], s[0]), "spatial axes"),
        (lambda i, s: (i, s + 0.5), "0.5"),
        (lambda i, s: (i, s.astype(int) - 1), "-1"),
        (lambda i, s: ([i, i], [s]), "2 image.*1 annotation"),
        (lambda i, s: ([], []), "empty"),
    ],
)
def test_bad_examples_are_clear_errors(change, message):
    image, strokes, _ = scene()
    with pytest.raises(ValueError, match=message):
        small().fit(*change(image, strokes))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_trees": 0}, "n_trees"),
        ({"max_depth": 0}, "max_depth"),
        ({"kind": "forest"}, "kind"),
        ({"balance": "some"}, "balance"),
        ({"stages": 3}, "stages=3"),
        ({"features": "gausian_blur=1"}, "gaussian_blur"),
        ({"features": "gaussian_blur=-1"}, "sigma must be above 0"),
        ({"features": "gaussian_blur=1um"}, "spacing"),
    ],
)
def test_bad_parameters_are_clear_errors(options, message):
    image, strokes, _ = scene()
    with pytest.raises(ValueError, match=message):
        small(**options).fit(image, strokes)


def test_whole_numbers_as_floats_are_annotations():
    image, strokes, _ = scene()
    clf = small().fit(image, strokes.astype(float), device="cpu")
    assert clf.classes_.tolist() == [1, 2]


def test_an_image_that_does_not_fit_the_model_says_both_sides(fitted):
    image, _, _ = scene()
    with pytest.raises(ValueError, match=r"trained on 2D.*3D"):
        fitted.predict(np.stack([image] * 4))
    with pytest.raises(ValueError, match=r"trained on 1 channel.*has 4"):
        fitted.predict(np.stack([image] * 4), channel_axis=0)


def test_adding_to_another_kind_of_image_or_features_is_an_error(fitted):
    image, strokes, _ = scene()
    clf = small().fit(image, strokes, device="cpu")
    with pytest.raises(ValueError, match=r"1 channel.*2"):
        clf.fit(np.stack([image] * 2), strokes, channel_axis=0, add=True)
    clf.set_params(features="original")
    with pytest.raises(ValueError, match="same features"):
        clf.fit(image, strokes, add=True)


def test_nan_and_infinite_pixels_work(device):
    image, strokes, truth = scene()
    image[20, 20:22] = np.nan
    image[50, 60] = np.inf
    clf = small().fit(image, strokes, device=device)
    assert (clf.predict(image, device=device) == truth).mean() > 0.9


def test_a_missing_device_lists_what_is_there(fitted):
    with pytest.raises(DeviceError, match="cpu"):
        fitted.predict(scene()[0], device="no such device")


def test_too_little_memory_says_how_much_would_do(fitted, device):
    image, _, _ = scene()
    with pytest.raises(ValueError, match=r"takes ([\d,]+) bytes, more than the 100") as problem:
        fitted.predict(image, device=device, max_memory=100)
    least = int(re.search(r"takes ([\d,]+) bytes", str(problem.value))[1].replace(",", ""))
    part = {"device": device, "region": (slice(0, 9), slice(0, 9)), "max_memory": least}
    whole = fitted.predict(image, device=device)
    np.testing.assert_array_equal(fitted.predict(image, **part)[:9, :9], whole[:9, :9])


@pytest.mark.parametrize("shape", [(1, 50), (3, 2), (1, 1)])
def test_images_smaller_than_the_halo(fitted, device, shape):
    image = np.full(shape, 150.0)
    assert (fitted.predict(image, device=device) == 2).all()


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.float16, np.int64])
def test_every_type_of_pixel(fitted, dtype):
    image, strokes, truth = scene()
    values = (image > 100) if dtype is bool else (image / 2).clip(0, 120).astype(dtype)
    clf = small().fit(values, strokes, device="cpu")
    assert (clf.predict(values, device="cpu") == truth).mean() > 0.95


def test_feature_sets_may_be_given_in_any_form():
    image, strokes, _ = scene()
    forms = ["original gaussian_blur=1", ["original", "gaussian_blur=1"]]
    forms.append(FeatureSet.parse(forms[0]))
    names = {PixelClassifier(f, n_trees=3).fit(image, strokes).feature_names_ for f in forms}
    assert names == {("original", "gaussian_blur=1")}


def test_a_model_saved_and_loaded_predicts_and_learns_on(tmp_path):
    import napari_spinney as spinney

    image, strokes, _ = scene()
    clf = small().fit(image, strokes, device="cpu")
    clf.class_names[2] = "disc"
    clf.save(tmp_path / "model.spinney")
    loaded = spinney.load(tmp_path / "model.spinney")
    assert type(loaded) is PixelClassifier
    assert loaded.class_names == {2: "disc"}
    assert loaded.get_params() == {**clf.get_params(), "features": str(FeatureSet.of(FEATURES))}
    np.testing.assert_array_equal(
        loaded.predict_proba(image, device="cpu"), clf.predict_proba(image, device="cpu")
    )
    other, more, _ = scene(seed=5)
    for model in (clf, loaded):
        model.fit(other, more, add=True, device="cpu")
    np.testing.assert_array_equal(
        loaded.predict_proba(image, device="cpu"), clf.predict_proba(image, device="cpu")
    )
