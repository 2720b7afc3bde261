"""OpenCL forest kernels against the readable reference, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from napari_spinney.compute.device import choose_device
from napari_spinney.compute.opencl.executor import OpenClExecutor
from napari_spinney.compute.opencl.forest import COMPLETE_DEPTH, pack_forest
from napari_spinney.compute.opencl.programs import Tuning
from napari_spinney.compute.program import Program, Stage
from napari_spinney.compute.trees import TreeArrays
from napari_spinney.features.plan import Plan
from napari_spinney.features.steps import Source
from napari_spinney.forest.forest import Forest

pytestmark = pytest.mark.opencl


def executor(vector):
    device = choose_device("opencl")
    return OpenClExecutor(device, replace(Tuning.of(device), vector=vector))


@pytest.fixture(scope="module", params=[16, 8, 1], ids=lambda vector: f"vector{vector}")
def opencl(request):
    """Vectors as on processors with AVX-512, as on others, and as on GPUs."""
    return executor(request.param)


def planes_program(trees, labels, ndim):
    """A program whose features are the channels of the block."""
    columns = tuple(range(trees.n_features))
    names = tuple(map(str, columns))
    plan = Plan(tuple(map(Source, columns)), columns, names, ndim, len(columns))
    return Program((Stage(plan, trees),), labels)


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


def check_all_outputs(opencl, forest, planes):
    """Compare classes, probabilities and uncertainty with the reference."""
    program = planes_program(forest.trees, forest.classes, planes.ndim - 1)
    inner = tuple(slice(0, n) for n in planes.shape[1:])
    X = planes.reshape(len(planes), -1).T
    classes = opencl.predict(program, planes, inner)
    assert classes.dtype == forest.classes.dtype
    np.testing.assert_array_equal(classes.ravel(), forest.predict(X))
    probabilities = opencl.predict(program, planes, inner, "probabilities")
    expected = forest.predict_proba(X).astype(np.float32)
    np.testing.assert_array_equal(probabilities.reshape(len(probabilities), -1).T, expected)
    uncertainty = opencl.predict(program, planes, inner, "uncertainty")
    np.testing.assert_allclose(uncertainty.ravel(), forest.uncertainty(X), rtol=0, atol=1e-6)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**31 - 1),
    spatial=st.one_of(
        st.tuples(st.integers(1, 20), st.integers(1, 40)),
        st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 20)),
    ),
    n_features=st.integers(1, 4),
    classes=st.sampled_from([(7,), (2, 5), (1, 2, 4), (1, 2, 3, 4, 5), (1, 300), (1, 70000)]),
    max_depth=st.sampled_from([1, 2, 3, None]),
    sums=st.sampled_from(["exact", "float32", "counts"]),
    special=st.sampled_from([0.0, 0.1]),
)
def test_kernels_equal_the_reference(
    opencl, seed, spatial, n_features, classes, max_depth, sums, special
):
    forest = grow(seed, n_features=n_features, classes=classes, max_depth=max_depth)
    trees = forest.trees
    if sums == "counts":
        trees = replace(trees, sums="float32", values=np.rint(60 * trees.values))
    else:
        trees = replace(trees, sums=sums)
    check_all_outputs(
        opencl, replace(forest, trees=trees), draw_planes(seed, n_features, spatial, special)
    )


@pytest.mark.parametrize("max_depth", [2, None])
@pytest.mark.parametrize("n_trees", [1, 2, 3, 1000])
def test_numbers_of_trees(opencl, n_trees, max_depth):
    forest = grow(3, n_trees=n_trees, max_depth=max_depth)
    check_all_outputs(opencl, forest, draw_planes(5, 4, (9, 33)))


@pytest.mark.parametrize("sums", ["exact", "float32"])
@pytest.mark.parametrize("others", [None, 4])
def test_trees_of_one_node(opencl, sums, others):
    """Alone, and among deep trees, which another kernel evaluates."""
    leaf = TreeArrays(
        roots=np.zeros(1, np.int32),
        feature=np.full(1, -1, np.int32),
        threshold=np.zeros(1, np.float32),
        left=np.full(1, -1, np.int32),
        right=np.full(1, -1, np.int32),
        nan_left=np.zeros(1, np.bool_),
        leaf=np.zeros(1, np.int32),
        values=np.array([[0.25, 0.75]]),
        n_features=4,
    )
    trees = leaf if others is None else join(leaf, grow(8, n_trees=others).trees, leaf)
    forest = Forest(replace(trees, sums=sums), np.array([1, 2], np.uint8))
    check_all_outputs(opencl, forest, draw_planes(0, 4, (5, 7)))


def join(*parts):
    """One forest of the trees of several."""
    nodes = np.cumsum([0] + [len(part.feature) for part in parts])
    leaves = np.cumsum([0] + [len(part.values) for part in parts])

    def moved(name, offsets):
        arrays = [getattr(part, name) for part in parts]
        return np.concatenate(
            [np.where(a < 0, a, a + o) for a, o in zip(arrays, offsets[:-1], strict=True)]
        ).astype(np.int32)

    def together(name):
        return np.concatenate([getattr(part, name) for part in parts])

    return TreeArrays(
        roots=moved("roots", nodes),
        feature=together("feature"),
        threshold=together("threshold"),
        left=moved("left", nodes),
        right=moved("right", nodes),
        nan_left=together("nan_left"),
        leaf=moved("leaf", leaves),
        values=together("values"),
        n_features=parts[0].n_features,
    )


def test_values_on_and_beside_thresholds(opencl):
    forest = grow(11, missing=0, n_features=1)
    thresholds = np.unique(forest.trees.threshold[forest.trees.feature >= 0])
    beside = np.concatenate([np.nextafter(thresholds, np.float32(s)) for s in (-np.inf, np.inf)])
    planes = np.concatenate([thresholds, beside])[None, None]
    check_all_outputs(opencl, forest, np.ascontiguousarray(planes))


def test_more_columns_classes_and_depth_than_usual(opencl):
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 300)).astype(np.float32)
    model = ExtraTreesClassifier(3, random_state=0, max_features=1)
    forest = Forest.from_sklearn(model.fit(X, 1 + np.arange(300) % 40))
    check_all_outputs(opencl, forest, random.normal(size=(300, 4, 20)).astype(np.float32))
    # A tree that splits one row off at each node is as deep as it has rows.
    steps = np.arange(200, dtype=np.float32)[:, None]
    model = RandomForestClassifier(1, bootstrap=False, random_state=0)
    forest = Forest.from_sklearn(model.fit(steps**3, 1 + np.arange(200) % 2))
    check_all_outputs(
        opencl, forest, (steps.T[None] ** 3 + random.normal(size=(1, 9, 200))).astype("f4")
    )


@pytest.mark.parametrize(
    ("depth", "kernel"),
    [(1, "forest_complete_1"), (COMPLETE_DEPTH, "forest_complete_3"), (None, "forest_walk")],
)
def test_kernels_are_chosen_by_depth(depth, kernel):
    assert pack_forest(grow(2, max_depth=depth).trees, has_fp64=True).kernel == kernel


def test_with_two_classes_one_is_added_up():
    packed = pack_forest(grow(2).trees, has_fp64=True)
    assert (packed.n_classes, packed.n_summed) == (2, 1)


def test_leaves_that_differ_in_their_sum_are_all_added_up():
    trees = grow(2).trees
    packed = pack_forest(replace(trees, values=trees.values * [1, 0.5]), has_fp64=True)
    assert packed.n_summed == 2
