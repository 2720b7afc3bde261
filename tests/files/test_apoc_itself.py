"""APOC itself, from PyPI: what it writes is read, what is written here it reads."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from skimage.data import coins
from skimage.measure import label

from napari_spinney.files.apoc_cl import read_cl, write_cl

# What APOC and pyclesperanto-prototype warn of is not ours to mend.
pytestmark = [pytest.mark.opencl, pytest.mark.filterwarnings("ignore")]

WORDS = "original gaussian_blur=1 sobel_of_gaussian_blur=2"


@pytest.fixture(scope="module")
def apoc():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import apoc

    return apoc


@pytest.fixture(scope="module")
def image():
    return coins()[:90, :110].astype(np.float32)


@pytest.fixture(scope="module")
def annotation(image):
    strokes = np.zeros(image.shape, np.uint32)
    strokes[5:10, 5:60], strokes[30:40, 20:40], strokes[60:65, 60:90] = 1, 2, 3
    return strokes


@pytest.fixture(scope="module")
def objects(image):
    return label(image > 130)[:60, :80].astype(np.uint32)


def train(apoc, path, kind, image, annotation, features=WORDS, **options):
    classifier = getattr(apoc, kind)(
        opencl_filename=str(path), **{"max_depth": 3, "num_ensembles": 4, **options}
    )
    classifier.train(features, annotation, image)
    return classifier


def columns(apoc, image, features=WORDS):
    """Features as APOC computes them, (pixels, features)."""
    channels = image if isinstance(image, list) else [image]
    planes = [p for channel in channels for p in apoc.generate_feature_stack(channel, features)]
    return np.stack([np.asarray(plane).ravel() for plane in planes], axis=1)


# --- what APOC writes -----------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"max_depth": 1}, {"max_depth": 3}, {"max_depth": None}])
def test_pixels_are_classified_as_apoc_does(apoc, tmp_path, image, annotation, options):
    path = tmp_path / "m.cl"
    sparse = np.where(np.indices(image.shape).sum(axis=0) % 7 == 0, annotation, 0)
    classifier = train(apoc, path, "PixelClassifier", image, sparse, **options)
    forest = read_cl(path).stages[0].forest
    wanted = np.asarray(classifier.predict(image))
    np.testing.assert_array_equal(forest.predict(columns(apoc, image)), wanted.ravel())


def test_values_on_thresholds_go_right_as_in_apoc(apoc, tmp_path, image, annotation):
    path = tmp_path / "m.cl"
    classifier = train(apoc, path, "PixelClassifier", image, annotation)
    forest = read_cl(path).stages[0].forest
    trees = forest.trees
    rng = np.random.default_rng(0)
    # literals of the file are the numbers just above our thresholds
    literals = np.nextafter(trees.threshold[trees.feature >= 0], np.float32(np.inf))
    X = rng.choice(np.concatenate([literals, np.float32([np.nan, np.inf, -np.inf])]), (4096, 3))
    planes = [np.ascontiguousarray(X[:, i].reshape(64, 64)) for i in range(3)]
    pushed = [_push(plane) for plane in planes]
    wanted = np.asarray(classifier.predict(features=pushed)).ravel()
    np.testing.assert_array_equal(forest.predict(X), wanted)


def _push(plane):
    import pyclesperanto_prototype as cle

    return cle.push(plane)


def test_probabilities_are_those_of_apoc(apoc, tmp_path, image, annotation):
    path = tmp_path / "m.cl"
    classifier = train(
        apoc, path, "ProbabilityMapper", image, annotation, output_probability_of_class=2
    )
    state = read_cl(path)
    column = state.stages[0].forest.classes.tolist().index(state.parameters["target_class"])
    found = state.stages[0].forest.predict_proba(columns(apoc, image))[:, column]
    wanted = np.asarray(classifier.predict(image)).ravel()
    assert 0 < wanted.mean() < 1
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_segmenter_names_its_class(apoc, tmp_path, image, annotation):
    path = tmp_path / "m.cl"
    train(apoc, path, "ObjectSegmenter", image, annotation, positive_class_identifier=3)
    assert read_cl(path).parameters["target_class"] == 3


def test_3d_images_and_channels(apoc, tmp_path):
    rng = np.random.default_rng(0)
    stack = rng.normal(size=(4, 20, 24)).astype(np.float32)
    annotation = np.zeros(stack.shape, np.uint32)
    annotation[1, :4], annotation[2, 8:12] = 1, 2
    path = tmp_path / "m.cl"
    words = "original gaussian_blur=1"
    classifier = train(apoc, path, "PixelClassifier", [stack, -stack], annotation, words)
    state = read_cl(path)
    assert (state.ndim, state.n_channels) == (3, 2)
    found = state.stages[0].forest.predict(columns(apoc, [stack, -stack], words))
    wanted = np.asarray(classifier.predict([stack, -stack]))
    np.testing.assert_array_equal(found, wanted.ravel())


@pytest.mark.parametrize("kind", ["ObjectClassifier", "ObjectSelector"])
def test_objects_are_classified_as_apoc_does(apoc, tmp_path, image, objects, kind):
    path = tmp_path / "m.cl"
    words = "area mean_intensity mean_max_distance_to_centroid_ratio"
    classifier = getattr(apoc, kind)(opencl_filename=str(path), max_depth=2, num_ensembles=4)
    annotation = np.where(objects > 0, objects % 3, 0).astype(np.uint32)
    crop = image[: objects.shape[0], : objects.shape[1]]
    classifier.train(words, objects, annotation, crop)
    state = read_cl(path)
    assert state.kind == kind
    assert state.stages[0].names == tuple(words.split())
    whole = classifier.classifier if kind == "ObjectSelector" else classifier
    wanted = np.asarray(whole.predict(objects, crop))
    table, _ = whole._make_features(words, objects, None, crop)
    X = np.stack([table[w] for w in words.split()], axis=1)
    found = state.stages[0].forest.predict(X)
    found[np.isnan(X).any(axis=1)] = 0  # APOC gives no class to a row with NaN
    found[0] = 0
    np.testing.assert_array_equal(found[objects], wanted)


def test_mergers_are_read(apoc, tmp_path, image, objects):
    path = tmp_path / "m.cl"
    touching = (np.indices(objects.shape) // 20).sum(axis=0).astype(np.uint32) + 1
    annotation = np.zeros_like(touching)
    annotation[:10], annotation[30:40] = 1, 2
    classifier = apoc.ObjectMerger(opencl_filename=str(path), max_depth=2, num_ensembles=4)
    classifier.train("touch_portion touch_count", touching, annotation, image)
    state = read_cl(path)
    assert (state.kind, state.stages[0].names) == ("ObjectMerger", ("touch_portion", "touch_count"))
    # 3 is what APOC makes of a border that is annotated both ways
    assert set(state.stages[0].forest.classes.tolist()) <= {1, 2, 3}


def table():
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=80).astype(np.float32) for name in ("a", "b")}
    return columns, (columns["a"] > 0) + 1 + (columns["b"] > 1)


def test_table_rows_are_classified_as_apoc_does(apoc, tmp_path):
    path = tmp_path / "m.cl"
    rows, truth = table()
    classifier = apoc.TableRowClassifier(opencl_filename=str(path), max_depth=3, num_ensembles=4)
    classifier.train(rows, truth)
    found = read_cl(path).stages[0].forest.predict(np.stack([*rows.values()], axis=1))
    np.testing.assert_array_equal(found, classifier.predict(rows))


@pytest.mark.parametrize("device", ["cpu", "opencl"])
@pytest.mark.parametrize("kind", ["PixelClassifier", "ObjectSegmenter", "ProbabilityMapper"])
def test_loaded_classifier_predicts_what_apoc_does(apoc, tmp_path, image, annotation, device, kind):
    from napari_spinney.classifiers.base import load

    path = tmp_path / "m.cl"
    words = "original gaussian_blur=2 difference_of_gaussian=1 laplace_box_of_gaussian_blur=1"
    options = {"output_probability_of_class": 2} if kind == "ProbabilityMapper" else {}
    classifier = train(apoc, path, kind, image, annotation, words, **options)
    wanted = np.asarray(classifier.predict(image))
    found = load(path).predict(image, device=device)
    if kind == "ObjectSegmenter":  # both number the same objects, in their own order
        found, wanted = found > 0, wanted > 0
    np.testing.assert_allclose(found, wanted, atol=1e-6 if kind == "ProbabilityMapper" else 0)


# --- what APOC reads ------------------------------------------------------------------------


def written(make, path, image, annotation, apoc, kind="PixelClassifier", **facts):
    """A classifier of ours, trained on features of APOC, written for it."""
    from napari_spinney.classifiers.base import StageState
    from napari_spinney.forest.training import ForestOptions, TrainingTable, fit_forest

    X = columns(apoc, image)
    rows = np.flatnonzero(annotation.ravel())
    y = annotation.ravel()[rows]
    zeros = np.zeros(len(rows), np.int32)
    names = tuple(WORDS.split())
    training = TrainingTable(X[rows], y.astype(np.uint32), zeros, zeros, rows, names)
    fitted = fit_forest(training, ForestOptions(n_trees=7, max_depth=4))
    stage = StageState(WORDS, names, fitted.forest, fitted.importances)
    write_cl(make.state(kind, stage=stage, **facts), path)
    return fitted.forest, X


def test_apoc_classifies_pixels_as_we_do(apoc, make, tmp_path, image, annotation):
    path = tmp_path / "m.cl"
    strokes = np.array([0, 2, 5, 7])[annotation]
    forest, X = written(make, path, image, strokes, apoc)
    found = np.asarray(apoc.PixelClassifier(opencl_filename=str(path)).predict(image))
    assert set(np.unique(found)) == {2, 5, 7}
    np.testing.assert_array_equal(found.ravel(), forest.predict(X))


def test_apoc_segments_the_class_we_name(apoc, make, tmp_path, image, annotation):
    path = tmp_path / "m.cl"
    strokes = np.array([0, 2, 5, 7])[annotation]
    facts = {"parameters": {"target_class": 5}}
    forest, X = written(make, path, image, strokes, apoc, "ObjectSegmenter", **facts)
    found = np.asarray(apoc.ObjectSegmenter(opencl_filename=str(path)).predict(image))
    np.testing.assert_array_equal(found.ravel() > 0, forest.predict(X) == 5)


def test_apoc_maps_the_probability_we_do(apoc, make, tmp_path, image, annotation):
    path = tmp_path / "m.cl"
    facts = {"parameters": {"target_class": 2}}
    forest, X = written(make, path, image, annotation, apoc, "ProbabilityMapper", **facts)
    found = np.asarray(apoc.ProbabilityMapper(opencl_filename=str(path)).predict(image))
    np.testing.assert_allclose(found.ravel(), forest.predict_proba(X)[:, 1], atol=1e-6)


def test_apoc_can_inspect_what_we_write(apoc, make, tmp_path, image, annotation):
    path = tmp_path / "m.cl"
    forest, _ = written(make, path, image, annotation, apoc)
    classifier = apoc.PixelClassifier(opencl_filename=str(path))
    assert list(classifier.feature_importances()) == WORDS.split()
    _, counts = classifier.statistics()
    np.testing.assert_array_equal(
        np.stack([counts[word] for word in WORDS.split()], axis=1), forest.statistics().counts
    )
    assert "Number of features: 3" in str(classifier)


def test_apoc_classifies_table_rows_as_we_do(apoc, make, tmp_path):
    state = make.state("TableRowClassifier", stage=make.stage("a b", classes=(3, 9)), ndim=None)
    write_cl(state, tmp_path / "m.cl")
    X = state.stages[0].table.X
    rows = {"b": X[:, 1], "a": X[:, 0]}  # by name, not by order
    found = apoc.TableRowClassifier(opencl_filename=str(tmp_path / "m.cl")).predict(rows)
    np.testing.assert_array_equal(found, state.stages[0].forest.predict(X))
    assert set(found) == {3, 9}


def test_apoc_breaks_ties_as_we_do(apoc, make, tmp_path):
    """Whole-number sums: in float32, thirds that add up to a tie would not."""
    rng = np.random.default_rng(0)
    rows = {name: rng.normal(size=200).astype(np.float32) for name in ("a", "b")}
    stage = make.stage("a b", classes=(1, 2, 3), n_trees=9, max_depth=2)
    write_cl(make.state("TableRowClassifier", stage=stage, ndim=None), tmp_path / "m.cl")
    found = apoc.TableRowClassifier(opencl_filename=str(tmp_path / "m.cl")).predict(rows)
    np.testing.assert_array_equal(found, stage.forest.predict(np.stack([*rows.values()], axis=1)))
