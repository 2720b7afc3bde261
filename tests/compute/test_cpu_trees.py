"""CPU forest kernels against the readable reference, bit for bit."""

import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from napari_spinney.compute.cpu.trees import pack, predict_planes
from napari_spinney.forest.forest import Forest


def grow(seed, *, n_trees=9, n_features=4, classes=(2, 5), missing=0.1, n_rows=60, **options):
    """A forest on rows with ties and NaN."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_rows, n_features)).round(1).astype(np.float32)
    X[random.random(X.shape) < missing] = np.nan
    kind = ExtraTreesClassifier if seed % 2 else RandomForestClassifier
    model = kind(n_trees, random_state=seed, **options)
    return Forest.from_sklearn(model.fit(X, random.choice(classes, n_rows)))


def draw_planes(seed, n_features, spatial, special=0.05):
    """Planes with ties, NaN and infinities."""
    random = np.random.default_rng(seed)
    planes = random.normal(size=(n_features, *spatial)).round(1).astype(np.float32)
    for value in (np.nan, np.inf, -np.inf):
        planes[random.random(planes.shape) < special] = value
    return planes


def check_all_outputs(forest, planes):
    """Compare classes, probabilities and uncertainty with the reference."""
    packed = pack(forest.trees)
    spatial = planes.shape[1:]
    X = planes.reshape(len(planes), -1).T
    classes = np.zeros(spatial, forest.classes.dtype)
    predict_planes(packed, planes, classes, "classes", forest.classes)
    np.testing.assert_array_equal(classes.ravel(), forest.predict(X))
    proba = np.zeros((len(forest.classes), *spatial), np.float32)
    predict_planes(packed, planes, proba, "probabilities")
    expected = forest.predict_proba(X).astype(np.float32)
    np.testing.assert_array_equal(proba.reshape(len(proba), -1).T, expected)
    uncertainty = np.zeros(spatial, np.float32)
    predict_planes(packed, planes, uncertainty, "uncertainty")
    np.testing.assert_allclose(uncertainty.ravel(), forest.uncertainty(X), rtol=0, atol=1e-6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**31 - 1),
    spatial=st.one_of(
        st.tuples(st.integers(1, 20), st.integers(1, 40)),
        st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 20)),
    ),
    n_features=st.integers(1, 4),
    classes=st.sampled_from([(7,), (2, 5), (1, 2, 4), (1, 2, 3, 4, 5), (1, 300), (1, 70000)]),
    max_depth=st.sampled_from([1, 2, None]),
    sums=st.sampled_from(["exact", "float32"]),
    special=st.sampled_from([0.0, 0.1]),
)
def test_kernel_equals_reference(seed, spatial, n_features, classes, max_depth, sums, special):
    forest = grow(seed, n_features=n_features, classes=classes, max_depth=max_depth)
    forest = replace(forest, trees=replace(forest.trees, sums=sums))
    check_all_outputs(forest, draw_planes(seed, n_features, spatial, special))


@pytest.mark.parametrize("classes", [(1, 2), (1, 2, 3), (1, 2, 3, 4)])
@pytest.mark.parametrize("special", [0.0, 0.001])
def test_trees_of_depth_two_with_and_without_missing_values(classes, special):
    forest = grow(5, n_trees=100, classes=classes, max_depth=2, min_samples_leaf=20)
    assert len(pack(forest.trees).small_nodes) == 100
    assert len(set(forest.sizes())) > 1
    check_all_outputs(forest, draw_planes(1, 4, (33, 47), special))


@pytest.mark.parametrize("n_trees", [1, 31, 32, 33, 1000])
def test_numbers_of_trees_around_those_walked_at_once(n_trees):
    check_all_outputs(grow(3, n_trees=n_trees, n_rows=30), draw_planes(0, 4, (9, 17)))


@pytest.mark.parametrize("sums", ["exact", "float32"])
def test_trees_of_one_node(sums):
    forest = grow(0, n_rows=1, classes=(3,), missing=0.0)
    forest = replace(forest, trees=replace(forest.trees, sums=sums))
    assert forest.n_nodes == forest.n_trees
    check_all_outputs(forest, draw_planes(0, 4, (3, 5)))


def test_values_on_and_beside_thresholds():
    forest = grow(4, n_features=1, n_trees=30, missing=0.0)
    on = forest.trees.threshold[forest.trees.feature >= 0]
    near = [np.nextafter(on, np.float32(s)) for s in (-9, 9)]
    check_all_outputs(forest, np.stack([on, *near])[None])


def test_planes_and_output_with_any_strides():
    forest = grow(1)
    planes = draw_planes(0, 4, (20, 50))
    expected = forest.predict(planes.reshape(4, -1).T).reshape(20, 50)
    packed = pack(forest.trees)
    wide = np.full((4, 24, 64), np.nan, np.float32)
    wide[:, 2:22, 7:57] = planes
    spread = np.zeros((4, 20, 100), np.float32)
    spread[:, :, ::2] = planes
    turned = np.ascontiguousarray(planes.transpose(2, 1, 0)).transpose(2, 1, 0)
    backward = np.ascontiguousarray(planes[:, ::-1, ::-1])[:, ::-1, ::-1]
    for view in (wide[:, 2:22, 7:57], spread[:, :, ::2], turned, backward):
        canvas = np.zeros((22, 52), np.uint8)
        predict_planes(packed, view, canvas[1:21, 1:51], "classes", forest.classes)
        np.testing.assert_array_equal(canvas[1:21, 1:51], expected)
        assert canvas[0].sum() + canvas[-1].sum() + canvas[:, 0].sum() + canvas[:, -1].sum() == 0


def test_several_threads_share_a_packed_forest():
    forest = grow(2, n_trees=40)
    planes = draw_planes(1, 4, (64, 64))
    packed = pack(forest.trees)
    out = np.zeros((4, 64, 64), np.uint8)
    threads = [
        threading.Thread(
            target=predict_planes, args=(packed, planes, part, "classes", forest.classes)
        )
        for part in out
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = forest.predict(planes.reshape(4, -1).T).reshape(64, 64)
    np.testing.assert_array_equal(out, np.broadcast_to(expected, out.shape))


@pytest.mark.parametrize(
    ("planes", "out", "output"),
    [
        ((3, 5, 5), (5, 5), "classes"),
        ((4, 5, 5), (5, 6), "classes"),
        ((4, 5, 5), (5, 5), "probabilities"),
        ((4, 5), (5,), "classes"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(planes, out, output):
    forest = grow(0)
    with pytest.raises(ValueError, match="do not fit"):
        predict_planes(
            pack(forest.trees),
            np.zeros(planes, np.float32),
            np.zeros(out, np.uint8),
            output,
            forest.classes,
        )


@pytest.mark.parametrize("labels", [None, np.array([1], np.uint8)])
def test_labels_must_be_one_for_each_class(labels):
    forest = grow(0)
    with pytest.raises(ValueError, match="one label for each"):
        predict_planes(
            pack(forest.trees),
            np.zeros((4, 2, 2), np.float32),
            np.zeros((2, 2), np.uint8),
            "classes",
            labels,
        )


def test_importing_the_forest_needs_neither_numba_nor_scikit_learn():
    code = (
        "import sys, napari_spinney, napari_spinney.forest.forest, "
        "napari_spinney.forest.validation; "
        "print(sorted({'numba', 'sklearn', 'skimage'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
