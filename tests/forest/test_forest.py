"""Forest against scikit-learn as the oracle."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from napari_spinney.compute.trees import TreeArrays
from napari_spinney.forest.forest import Forest
from napari_spinney.forest.structure import round_down

LARGE = np.float32(1e30)
MODELS = {
    "random forest": lambda **o: RandomForestClassifier(n_estimators=7, **o),
    "extra trees": lambda **o: ExtraTreesClassifier(n_estimators=7, **o),
    "tree": DecisionTreeClassifier,
    "extra tree": ExtraTreeClassifier,
}


def draw_table(random, n_rows, n_features, decimals=1, missing=0.0, infinite=0.0):
    """Rows with ties; float32 with some NaN and infinities."""
    X = random.normal(size=(n_rows, n_features)).round(decimals).astype(np.float32)
    X[random.random(X.shape) < missing] = np.nan
    X[random.random(X.shape) < infinite] = np.inf
    X[random.random(X.shape) < infinite] = -np.inf
    return X


def finite(X):
    """What scikit-learn takes in place of infinities: the same branches."""
    return np.clip(X, -LARGE, LARGE)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**31 - 1),
    model=st.sampled_from(list(MODELS)),
    n_rows=st.integers(1, 80),
    n_features=st.integers(1, 5),
    classes=st.sampled_from([(1, 2), (2, 5), (0, 3, 300), (7,), (1, 70000)]),
    decimals=st.integers(0, 3),
    train_missing=st.sampled_from([0.0, 0.2]),
    options=st.sampled_from([{}, {"max_depth": 2}, {"max_leaf_nodes": 5}, {"min_samples_leaf": 3}]),
)
def test_takes_every_branch_of_scikit_learn(
    seed, model, n_rows, n_features, classes, decimals, train_missing, options
):
    random = np.random.default_rng(seed)
    X = draw_table(random, n_rows, n_features, decimals, train_missing)
    fitted = MODELS[model](random_state=seed, **options).fit(X, random.choice(classes, n_rows))
    forest = Forest.from_sklearn(fitted)
    new = draw_table(random, 200, n_features, decimals, missing=0.1, infinite=0.1)

    if "max_leaf_nodes" not in options:  # grown best first: same nodes, numbered otherwise
        expected = fitted.apply(finite(new)).reshape(len(new), -1)
        np.testing.assert_array_equal(forest.apply(new) - forest.trees.roots, expected)
    expected = fitted.predict_proba(finite(new))
    np.testing.assert_allclose(forest.predict_proba(new), expected, rtol=0, atol=1e-6)
    best_two = np.sort(np.pad(expected, ((0, 0), (1, 0))), axis=1)[:, -2:]
    clear = best_two[:, 1] - best_two[:, 0] > 1e-6
    np.testing.assert_array_equal(forest.predict(new)[clear], fitted.predict(finite(new))[clear])


def test_values_on_and_beside_thresholds_take_the_same_branch():
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 1)).astype(np.float32)
    fitted = RandomForestClassifier(20, random_state=0).fit(X, random.integers(1, 3, 300))
    forest = Forest.from_sklearn(fitted)
    on = forest.trees.threshold[forest.trees.feature >= 0]
    near = np.concatenate([np.nextafter(on, np.float32(s)) for s in (-9, 9)] + [on])[:, None]
    np.testing.assert_array_equal(forest.apply(near) - forest.trees.roots, fitted.apply(near))


def test_thousand_trees():
    random = np.random.default_rng(0)
    X = draw_table(random, 40, 3)
    fitted = ExtraTreesClassifier(1000, random_state=0, n_jobs=2).fit(X, random.choice([2, 5], 40))
    forest = Forest.from_sklearn(fitted)
    new = draw_table(random, 50, 3)
    np.testing.assert_allclose(
        forest.predict_proba(new), fitted.predict_proba(new), rtol=0, atol=1e-6
    )
    assert forest.n_trees == 1000


@given(st.floats(allow_nan=False))
def test_round_down_keeps_comparisons(value):
    rounded = round_down(np.array([value]))
    with np.errstate(over="ignore"):
        above = np.nextafter(rounded, np.float32(np.inf))
    assert float(rounded[0]) <= value
    assert float(above[0]) > value or value == np.inf


@pytest.mark.parametrize("model", [LogisticRegression(), "a forest"])
def test_other_models_are_refused(model):
    with pytest.raises(TypeError, match="a Forest is made from"):
        Forest.from_sklearn(model)


def test_unfitted_model_is_refused():
    with pytest.raises(NotFittedError):
        Forest.from_sklearn(RandomForestClassifier())


@pytest.mark.parametrize("classes", [["nucleus", "background"], [0.5, 1.5]])
def test_classes_that_are_no_whole_numbers_are_refused(classes):
    with pytest.raises(TypeError, match="whole numbers"):
        Forest.from_trees(two_trees(), classes)


def two_trees(**changes) -> TreeArrays:
    """Two trees: three inner nodes and four leaves, then a single leaf."""
    trees = TreeArrays(
        roots=np.array([0, 7], np.int32),
        feature=np.array([0, 1, -1, -1, 2, -1, -1, -1], np.int32),
        threshold=np.array([0, 1, 0, 0, 2, 0, 0, 0], np.float32),
        left=np.array([1, 2, -1, -1, 5, -1, -1, -1], np.int32),
        right=np.array([4, 3, -1, -1, 6, -1, -1, -1], np.int32),
        nan_left=np.array([1, 0, 0, 0, 1, 0, 0, 0], bool),
        leaf=np.array([-1, -1, 0, 1, -1, 2, 3, 4], np.int32),
        values=np.array([[1, 0], [0, 1], [0.5, 0.5], [0.25, 0.75], [0.5, 0.5]]),
        n_features=3,
    )
    return replace(trees, **changes)


def with_value(name, index, value):
    array = getattr(two_trees(), name).copy()
    array[index] = value
    return {name: array}


def test_what_a_forest_knows_about_itself():
    forest = Forest.from_trees(two_trees(), [2, 5])
    assert forest.depths().tolist() == [2, 0]
    assert forest.sizes().tolist() == [7, 1]
    assert (forest.n_nodes, forest.n_leaves, forest.n_features) == (8, 5, 3)
    assert forest.used_features().tolist() == [0, 1, 2]
    assert forest.classes.dtype == np.uint8
    use = forest.statistics()
    assert use.counts.tolist() == [[1, 0, 0], [0, 1, 1]]
    assert use.shares.tolist() == [[1, 0, 0], [0, 0.5, 0.5]]


def test_tie_goes_to_the_lowest_class_and_uncertainty_is_one():
    forest = Forest.from_trees(two_trees(), [2, 5])
    tied = np.array([[1, 0, 1]], np.float32)
    np.testing.assert_allclose(forest.predict_proba(tied), [[0.5, 0.5]], rtol=0, atol=1e-9)
    assert forest.predict(tied).tolist() == [2]
    assert forest.uncertainty(tied).tolist() == [1.0]


def test_nan_goes_where_the_node_says():
    forest = Forest.from_trees(two_trees(), [2, 5])
    leaves = forest.apply(np.array([[np.nan, np.nan, 0], [1, 0, np.nan]], np.float32))
    assert leaves[:, 0].tolist() == [3, 5]


def test_float32_sums_are_rounded_after_every_tree():
    trees = two_trees(sums="float32", values=np.full((5, 2), [0.1, 412.3]))
    forest = Forest.from_trees(trees, [1, 2])
    row = np.zeros((1, 3), np.float32)
    one = np.float32(0.1)
    assert forest.sums(row)[0, 0] == np.float32(float(one) + 0.1)
    total = forest.sums(row)[0]
    assert forest.predict_proba(row)[0, 1] == total[1] / (total[0] + total[1])


def test_all_zero_leaves_have_probability_zero():
    forest = Forest.from_trees(two_trees(sums="float32", values=np.zeros((5, 2))), [1, 2])
    assert forest.predict_proba(np.zeros((1, 3))).tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        (with_value("left", 0, 0), "left child is the next node"),
        (with_value("right", 4, 0), "right child lies behind"),
        (with_value("right", 4, 4), "right child lies behind"),
        (with_value("right", 4, 5), "right child lies behind"),
        (with_value("right", 4, 7), "right child lies behind"),
        (with_value("right", 4, 2**31 - 1), "right child lies behind"),
        (with_value("right", 1, 4), "one parent"),
        (
            {"right": np.array([3, 4, -1, -1, 6, -1, -1, -1], np.int32)},
            "preorder",
        ),
        (with_value("feature", 0, 3), "a feature lies in"),
        (with_value("feature", 0, -2), "a feature lies in"),
        (with_value("feature", 2, 1), "a leaf has a row"),
        (with_value("leaf", 2, 5), "a leaf has a row"),
        (with_value("leaf", 2, -1), "a leaf has a row"),
        (with_value("threshold", 0, np.nan), "a threshold is a number"),
        (with_value("values", (0, 0), np.nan), "leaf values must lie"),
        (with_value("values", (0, 0), np.inf), "leaf values must lie"),
        (with_value("values", (0, 0), -0.5), "leaf values must lie"),
        (with_value("values", (0, 0), 1.5), "leaf values must lie"),
        ({"values": np.zeros((5, 0))}, "at least one class"),
        ({"values": np.zeros((5, 2), np.float32)}, "values of a forest must be float64"),
        ({"values": np.zeros(5)}, "values of a forest must be float64"),
        ({"values": np.zeros((5, 3))}, "one class number per column"),
        ({"roots": np.array([1, 7], np.int32)}, "roots of a forest must rise"),
        ({"roots": np.array([0, 0], np.int32)}, "roots of a forest must rise"),
        ({"roots": np.array([0, 8], np.int32)}, "roots of a forest must rise"),
        ({"roots": np.array([], np.int32)}, "roots of a forest must rise"),
        ({"roots": np.array([0, 7])}, "roots of a forest must be a list of int32"),
        ({"roots": np.array([0, 4], np.int32)}, "right child lies behind"),
        ({"threshold": np.zeros(7, np.float32)}, "threshold of a forest must be float32"),
        ({"threshold": np.zeros(8)}, "threshold of a forest must be float32"),
        ({"feature": np.array([], np.int32)}, "must be"),
        ({"sums": "fast"}, "sums must be"),
        ({"n_features": 2}, "a feature lies in"),
    ],
)
def test_hostile_trees_are_refused(changes, rule):
    with pytest.raises(ValueError, match=rule):
        Forest.from_trees(two_trees(**changes), [2, 5])


@pytest.mark.parametrize("classes", [[5, 2], [2, 2], [-1, 2], [1, 2**40]])
def test_class_numbers_must_rise_and_fit(classes):
    with pytest.raises(ValueError, match="classes must"):
        Forest.from_trees(two_trees(), classes)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_whatever_passes_the_check_can_be_walked(data):
    """Random links: the check must refuse all that would not end, or end outside."""
    n = data.draw(st.integers(1, 7))
    links = st.lists(st.integers(-1, n), min_size=n, max_size=n)
    right = np.array(data.draw(links), np.int32)
    inner = right >= 0
    trees = TreeArrays(
        roots=np.array([0], np.int32),
        feature=np.where(inner, 0, -1).astype(np.int32),
        threshold=np.zeros(n, np.float32),
        left=np.where(inner, np.arange(n) + 1, -1).astype(np.int32),
        right=right,
        nan_left=np.zeros(n, bool),
        leaf=np.where(inner, -1, 0).astype(np.int32),
        values=np.ones((1, 1)),
        n_features=1,
    )
    try:
        forest = Forest.from_trees(trees, [1])
    except ValueError:
        return
    leaves = forest.apply(np.array([[-1.0], [1.0], [np.nan]]))
    assert np.all(trees.feature[leaves] == -1)
    assert forest.n_leaves == forest.n_nodes - forest.n_leaves + 1


def test_deep_chain_is_checked_and_measured_quickly():
    n = 2_000_001
    inner = np.arange(n) % 2 == 0
    inner[-1] = False
    step = np.arange(n, dtype=np.int32)
    trees = TreeArrays(
        roots=np.array([0], np.int32),
        feature=np.where(inner, 0, -1).astype(np.int32),
        threshold=np.zeros(n, np.float32),
        left=np.where(inner, step + 1, -1).astype(np.int32),
        right=np.where(inner, step + 2, -1).astype(np.int32),
        nan_left=np.zeros(n, bool),
        leaf=np.where(inner, -1, 0).astype(np.int32),
        values=np.ones((1, 1)),
        n_features=1,
    )
    assert Forest.from_trees(trees, [1]).depths().tolist() == [n // 2]


def test_with_columns_renumbers():
    forest = Forest.from_trees(two_trees(n_features=5), [2, 5])
    X = np.random.default_rng(0).normal(size=(50, 5)).astype(np.float32)
    fewer = forest.with_columns([2, 0, 1])
    assert fewer.n_features == 3
    np.testing.assert_array_equal(fewer.predict_proba(X[:, [2, 0, 1]]), forest.predict_proba(X))


@pytest.mark.parametrize(
    ("columns", "message"),
    [([0, 1], "compares columns"), ([0, 1, 2, 2], "different"), ([9], "0 to")],
)
def test_with_columns_needs_what_is_compared(columns, message):
    with pytest.raises(ValueError, match=message):
        Forest.from_trees(two_trees(), [2, 5]).with_columns(columns)


@pytest.mark.parametrize("shape", [(3,), (4, 2), (2, 2, 3)])
def test_wrong_number_of_features_is_refused(shape):
    with pytest.raises(ValueError, match="the forest reads 3 features"):
        Forest.from_trees(two_trees(), [2, 5]).predict(np.zeros(shape))


def test_no_rows_give_no_predictions():
    assert Forest.from_trees(two_trees(), [2, 5]).predict_proba(np.zeros((0, 3))).shape == (0, 2)
