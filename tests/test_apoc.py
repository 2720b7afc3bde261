"""`napari_spinney.apoc` beside the package apoc itself, with the leaves of scikit-learn < 1.4."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from skimage.data import coins
from skimage.measure import label

import napari_spinney.apoc as ours
from napari_spinney import DeviceError

# What APOC and pyclesperanto-prototype warn of is not ours to mend.
pytestmark = [pytest.mark.opencl, pytest.mark.filterwarnings("ignore")]

WORDS = "original gaussian_blur=1 sobel_of_gaussian_blur=1"
MEASURED = "mean_intensity,mean_max_distance_to_centroid_ratio  standard_deviation_intensity"


@pytest.fixture(scope="module")
def theirs():
    """The package apoc, its forests written as with scikit-learn < 1.4: numbers of samples."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        import apoc
        from apoc._converter import DecisionTreeClassifierToOpenCLConverter as Converter

        before = Converter.__init__

        def with_counts(self, tree):
            before(self, tree)
            samples = tree.tree_.weighted_n_node_samples[:, None, None]
            self.class_weight = np.rint(self.class_weight * samples)

        patch.setattr(Converter, "__init__", with_counts)
        yield apoc


@pytest.fixture(scope="module")
def image():
    """Of real numbers, so that no pixel lies on a threshold, where APOC goes the wrong way."""
    noise = np.random.default_rng(0).normal(0, 0.2, (90, 110))
    return (coins()[:90, :110] + noise).astype(np.float32)


@pytest.fixture(scope="module")
def annotation(image):
    strokes = np.zeros(image.shape, np.uint32)
    strokes[5:10, 5:60], strokes[30:40, 20:40], strokes[60:65, 60:90] = 1, 2, 3
    return strokes


@pytest.fixture(scope="module")
def objects():
    """Many blobs of different sizes, numbered without gaps."""
    noise = np.random.default_rng(1).normal(size=(90, 110))
    return label(ndimage.gaussian_filter(noise, 2) > 0.05).astype(np.uint32)


@pytest.fixture
def both(theirs, tmp_path):
    """Make a classifier of each package, with a file each."""

    def make(kind, **options):
        return [
            getattr(package, kind)(str(tmp_path / f"{name}_{kind}.cl"), **options)
            for name, package in (("theirs", theirs), ("ours", ours))
        ]

    return make


def reopened(package, classifier, **options):
    """The same file, opened by a package."""
    name = type(classifier).__name__
    while not hasattr(classifier, "opencl_file"):
        classifier = classifier.classifier
    return getattr(package, name)(str(classifier.opencl_file), **options)


def assert_alike(found, wanted, dtype=np.uint32, *, share=1.0):
    """Same type and numbers; features of 7 digits may put a pixel in 1000 over a threshold."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.dtype == wanted.dtype == dtype
    assert len(np.unique(wanted)) > 1
    assert np.mean(found == wanted) >= share


@pytest.mark.parametrize(
    "name",
    [
        "PixelClassifier",
        "ObjectSegmenter",
        "ProbabilityMapper",
        "ObjectClassifier",
        "ObjectSelector",
        "ObjectMerger",
        "TableRowClassifier",
    ],
)
def test_arguments_are_those_of_apoc(theirs, name):
    for method in ("__init__", "train", "predict", "feature_importances", "statistics"):
        wanted = inspect.signature(getattr(getattr(theirs, name), method)).parameters.values()
        found = inspect.signature(getattr(getattr(ours, name), method)).parameters.values()
        facts = [(p.name, p.default, p.kind) for p in found][: len(wanted)]
        assert facts == [(p.name, p.default, p.kind) for p in wanted]


def test_functions_and_sets_are_those_of_apoc(theirs):
    for name in ours.__all__:
        assert hasattr(theirs, name)
    found = {s.name: s.value for s in ours.PredefinedFeatureSet}
    assert found == {s.name: s.value for s in theirs.PredefinedFeatureSet}
    names = ours.list_available_object_classification_features()
    assert names == theirs.list_available_object_classification_features()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PixelClassifier", {}),
        ("PixelClassifier", {"max_depth": 5, "num_ensembles": 10}),
        ("PixelClassifier", {"max_depth": None, "num_ensembles": 10}),
        ("ObjectSegmenter", {"positive_class_identifier": 3}),
        ("ProbabilityMapper", {"output_probability_of_class": 2}),
    ],
)
def test_pixels(theirs, both, image, annotation, kind, options):
    dtype = np.float32 if kind == "ProbabilityMapper" else np.uint32
    a, b = both(kind, **options)
    a.train(WORDS, annotation, image)
    b.train(WORDS, annotation, image)
    wanted, found = a.predict(image), b.predict(image)
    assert_alike(found, wanted, dtype, share=0.999)
    assert_alike(reopened(theirs, b).predict(image), wanted, dtype, share=0.999)
    assert_alike(reopened(ours, a).predict(image), wanted, dtype, share=0.999)
    assert b.feature_importances() == pytest.approx(a.feature_importances())


def test_statistics(both, image, annotation):
    a, b = both("PixelClassifier", max_depth=3, num_ensembles=20)
    for classifier in (a, b):
        classifier.train(WORDS, annotation, image)
    for found, wanted in zip(b.statistics(), a.statistics(), strict=True):
        assert found.keys() == wanted.keys()
        for name in wanted:
            np.testing.assert_allclose(found[name], wanted[name])


def test_text(both, image, annotation):
    a, b = both("PixelClassifier")
    for classifier in (a, b):
        classifier.train(WORDS, annotation, image)
    assert str(b) == str(a) == repr(b)


def test_feature_images(theirs, both, image, annotation):
    import pyclesperanto_prototype as cle

    stack = theirs.generate_feature_stack(image, WORDS)
    arrays = [np.asarray(plane) for plane in stack]
    a, b = both("PixelClassifier", max_depth=4)
    a.train(arrays, annotation)
    b.train([cle.push(plane) for plane in arrays], annotation)
    wanted = a.predict(features=stack)
    assert_alike(b.predict(features=arrays), wanted)
    assert_alike(reopened(ours, b).predict(features=stack), wanted)
    assert_alike(reopened(theirs, b).predict(features=stack), wanted)
    assert b.feature_importances() == pytest.approx(a.feature_importances())


def test_a_stack_of_features(theirs, image):
    for words in (None, WORDS, theirs.PredefinedFeatureSet.object_size_3_to_8_px.value):
        found, wanted = (p.generate_feature_stack(image, words) for p in (ours, theirs))
        assert len(found) == len(wanted)
        for mine, other in zip(found, wanted, strict=True):
            assert mine.dtype == np.float32
            np.testing.assert_array_equal(mine, np.asarray(other))


def test_a_stack_of_features_without_their_kernels(theirs, image, monkeypatch):
    def fail(*arguments):
        raise DeviceError("no OpenCL here")

    wanted = theirs.generate_feature_stack(image, WORDS)
    monkeypatch.setattr("napari_spinney.compute.opencl.clesperanto.apply_chain", fail)
    for mine, other in zip(ours.generate_feature_stack(image, WORDS), wanted, strict=True):
        np.testing.assert_allclose(mine, np.asarray(other), atol=2e-3)


def test_features_of_several_planes_make_a_stack(image):
    assert len(ours.generate_feature_stack(image, "gaussian_blur=1 hessian_eigenvalues=2")) == 3


def test_channels(both, image, annotation):
    import pyclesperanto_prototype as cle

    channels = [image, np.ascontiguousarray(image[::-1])]
    a, b = both("PixelClassifier")
    a.train(WORDS, annotation, channels)
    b.train(WORDS, annotation, [cle.push(channel) for channel in channels])
    wanted = np.asarray(a.predict(channels))
    for given in (channels, np.stack(channels), np.stack(channels, axis=-1)):
        assert np.mean(b.predict(given) == wanted) > 0.999
    assert b.feature_importances().keys() == a.feature_importances().keys()


def test_continued_training(both, image, annotation):
    a, b = both("PixelClassifier")
    for classifier in (a, b):
        classifier.train(WORDS, annotation, image)
        classifier.train(WORDS, annotation[::-1].copy(), image, continue_training=True)
    assert_alike(b.predict(image), a.predict(image), share=0.999)


def test_stacks_of_images(both):
    rng = np.random.default_rng(0)
    stack = rng.normal(size=(5, 24, 26)).astype(np.float32)
    annotation = np.zeros(stack.shape, np.uint8)
    annotation[1, :6], annotation[3, 12:18] = 1, 2
    a, b = both("PixelClassifier")
    for classifier in (a, b):
        classifier.train("original gaussian_blur=1", annotation, stack)
    assert_alike(b.predict(stack), a.predict(stack), share=0.999)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("ObjectClassifier", {}),
        ("ObjectClassifier", {"max_depth": 4}),
        ("ObjectSelector", {"positive_class_identifier": 1}),
    ],
)
def test_objects(theirs, both, image, objects, kind, options):
    annotation = np.where(objects <= 0.8 * objects.max(), objects % 3, 0)
    a, b = both(kind, **options)
    for classifier in (a, b):
        classifier.train(MEASURED, objects, annotation, image)
    wanted = a.predict(objects, image)
    assert_alike(b.predict(objects, image), wanted)
    assert_alike(reopened(ours, a).predict(objects, image), wanted)
    assert_alike(reopened(theirs, b).predict(objects, image), wanted)
    assert b.feature_importances() == pytest.approx(a.feature_importances())
    for found, other in zip(b.statistics()[1].values(), a.statistics()[1].values(), strict=True):
        np.testing.assert_array_equal(found, other)


@pytest.mark.parametrize("words", ["touch_portion mean_touch_intensity", "mean_touch_intensity"])
def test_merging(theirs, both, image, words):
    rng = np.random.default_rng(0)
    seeds = np.zeros(image.shape, bool)
    seeds[tuple(rng.integers(0, 90, (2, 25)))] = True
    nearest = ndimage.distance_transform_edt(~seeds, return_distances=False, return_indices=True)
    _, pieces = np.unique(nearest[0] * 1000 + nearest[1], return_inverse=True)
    pieces = pieces.reshape(image.shape).astype(np.uint32) + 1
    annotation = np.zeros(image.shape, np.uint8)
    annotation[20:23, 5:60], annotation[60:63, 30:90] = 1, 2
    even = (image // 8 * 8).astype(np.uint8)
    a, b = both("ObjectMerger")
    for classifier in (a, b):
        classifier.train(words, pieces, annotation, even)
    wanted = a.predict(pieces, even)
    assert_alike(b.predict(pieces, even), wanted)
    assert_alike(reopened(ours, a).predict(pieces, even), wanted)
    assert_alike(reopened(theirs, b).predict(pieces, even), wanted)
    assert b.feature_importances() == pytest.approx(a.feature_importances())


@pytest.mark.parametrize("make", [pd.DataFrame, dict])
def test_rows_of_tables(theirs, both, make):
    rng = np.random.default_rng(0)
    gaps = np.where(np.arange(60) == 3, np.nan, rng.normal(size=60))
    table = make({"area": rng.normal(size=60), "b": gaps, "label": np.arange(60.0)})
    classes = (np.asarray(table["area"]) > 0).astype(int) + 1
    classes[::7] = 0
    a, b = both("TableRowClassifier")
    for classifier in (a, b):
        classifier.train(table, classes)
    wanted = a.predict(table)
    assert_alike(b.predict(table), wanted)
    assert wanted[3] == 0
    assert_alike(reopened(ours, a).predict(table), wanted)
    assert_alike(reopened(theirs, b).predict(table), wanted)
    assert b.ordered_feature_names == a.ordered_feature_names


def test_folders(theirs, both, tmp_path, image, annotation):
    from skimage.io import imsave

    for folder, array in (("images", image), ("masks", annotation)):
        (tmp_path / folder).mkdir()
        imsave(tmp_path / folder / "a.tif", array)
        imsave(tmp_path / folder / "b.tif", array[::-1].copy())
    a, b = both("ObjectSegmenter")
    folders = {"image": str(tmp_path / "images"), "ground_truth": str(tmp_path / "masks")}
    theirs.train_classifier_from_image_folders(a, WORDS, **folders)
    ours.train_classifier_from_image_folders(b, WORDS, **folders)
    assert_alike(b.predict(image), a.predict(image), share=0.999)
