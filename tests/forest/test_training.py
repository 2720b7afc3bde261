from dataclasses import replace

import numpy as np
import pytest

from napari_spinney.forest.training import ForestOptions, fit_forest, grow_forest


def equal(one, other):
    """Whether two forests have the same nodes and leaves."""
    a, b = one.trees, other.trees
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("roots", "feature", "threshold", "right", "nan_left", "values")
    )


def test_table_counts_rows_and_strokes(make_table):
    table = make_table([2, 5, 5])
    assert len(table) == 60
    assert table.counts() == {2: 20, 5: 40}
    assert table.n_strokes() == {2: 1, 5: 2}
    assert table.classes.tolist() == [2, 5]
    assert table.n_images == 1


def test_concat_gives_new_numbers_to_strokes_and_images(make_table):
    joined = make_table([1, 2]).concat(make_table([2, 1, 1])).concat(make_table([1]))
    assert joined.n_strokes() == {1: 4, 2: 2}
    assert joined.n_images == 3
    assert np.unique(joined.stroke).tolist() == list(range(6))


def test_concat_with_an_empty_table_changes_nothing(make_table):
    table = make_table([1, 2])
    empty = table.subset([])
    for joined in (table.concat(empty), empty.concat(table)):
        np.testing.assert_array_equal(joined.stroke, table.stroke)
        np.testing.assert_array_equal(joined.X, table.X)


def test_concat_refuses_other_features(make_table):
    with pytest.raises(ValueError, match="same features"):
        make_table([1, 2]).concat(make_table([1, 2], n_features=3))


def test_subset_and_columns(make_table):
    table = make_table([1, 2])
    assert table.subset(table.y == 2).counts() == {2: 20}
    assert table.subset([0, 25]).y.tolist() == [1, 2]
    fewer = table.with_columns([2, 0])
    assert fewer.names == ("feature 2", "feature 0")
    np.testing.assert_array_equal(fewer.X, table.X[:, [2, 0]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": np.zeros(40, np.uint32)}, "class 0"),
        ({"y": np.ones(39, np.uint32)}, "y of a training table"),
        ({"stroke": np.ones(40)}, "stroke of a training table"),
        ({"names": ("one",)}, "X of a training table"),
        ({"X": np.zeros((40, 4))}, "X of a training table"),
    ],
)
def test_table_refuses_what_does_not_fit(make_table, changes, message):
    with pytest.raises(ValueError, match=message):
        replace(make_table([1, 2]), **changes)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_trees": 0}, ValueError, "n_trees must be at least 1.*got 0"),
        ({"n_trees": 1.5}, TypeError, "n_trees must be a whole number; got 1.5"),
        ({"n_trees": True}, TypeError, "n_trees must be a whole number"),
        ({"max_depth": 0}, ValueError, "max_depth must be at least 1"),
        ({"min_leaf": 0}, ValueError, "min_leaf must be at least 1"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"seed": None}, TypeError, "seed must be a whole number"),
        ({"kind": "forest"}, ValueError, "kind must be one of extra_trees, random_forest"),
        ({"balance": "equal"}, ValueError, "balance must be one of none, sqrt, balanced"),
    ],
)
def test_options_are_checked(options, error, message):
    with pytest.raises(error, match=message):
        ForestOptions(**options)


def test_numpy_integers_are_options():
    assert ForestOptions(n_trees=np.int64(7)) == ForestOptions(n_trees=7)


@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
@pytest.mark.parametrize("balance", ["none", "sqrt", "balanced"])
def test_forest_learns_the_annotated_classes(make_table, kind, balance):
    table = make_table([2, 5, 5, 300])
    fitted = fit_forest(table, ForestOptions(n_trees=15, kind=kind, balance=balance))
    assert fitted.forest.classes.tolist() == [2, 5, 300]
    assert np.mean(fitted.forest.predict(table.X) == table.y) > 0.95
    assert fitted.importances.shape == (4,)
    assert fitted.importances.argmax() == 0
    assert fitted.importances.sum() == pytest.approx(1)


def test_balance_lifts_the_rare_class(make_table):
    table = make_table([1] * 30 + [2], noise=3.0)
    options = {"n_trees": 30, "max_depth": 3}
    share = [
        fit_forest(table, ForestOptions(balance=b, **options)).forest.predict_proba(table.X)[:, 1]
        for b in ("none", "sqrt", "balanced")
    ]
    assert share[0].mean() < share[1].mean() < share[2].mean()


def test_options_reach_the_trees(make_table):
    table = make_table([1, 2], noise=2.0)
    forest = fit_forest(table, ForestOptions(n_trees=7, max_depth=2)).forest
    assert forest.n_trees == 7
    assert forest.depths().max() <= 2
    stumps = fit_forest(table, ForestOptions(n_trees=3, min_leaf=40)).forest
    assert stumps.n_nodes == 3


def test_same_seed_same_forest_whatever_the_threads(make_table):
    table = make_table([1, 2, 1], noise=2.0)
    one, two = (fit_forest(table, ForestOptions(n_trees=9), n_jobs=n).forest for n in (1, 2))
    assert equal(one, two)
    other = fit_forest(table, ForestOptions(n_trees=9, seed=1)).forest
    assert not equal(one, other)


def test_growing_in_steps_ends_with_the_same_forest(make_table):
    table = make_table([1, 2, 1], noise=2.0)
    options = ForestOptions(n_trees=12)
    forests = [step.forest for step in grow_forest(table, options, steps=(2, 5, 40))]
    assert [forest.n_trees for forest in forests] == [2, 5, 12]
    assert equal(forests[-1], fit_forest(table, options).forest)
    n_nodes = forests[0].n_nodes
    np.testing.assert_array_equal(forests[0].trees.threshold, forests[-1].trees.threshold[:n_nodes])


def test_nothing_annotated_is_refused(make_table):
    with pytest.raises(ValueError, match="nothing is annotated"):
        fit_forest(make_table([1]).subset([]))


def test_one_class_is_named_and_a_second_asked_for(make_table):
    with pytest.raises(ValueError, match=r"only class 5 is annotated.*second class"):
        fit_forest(make_table([5, 5]))


def test_no_features_are_refused(make_table):
    with pytest.raises(ValueError, match="no features"):
        fit_forest(make_table([1, 2]).with_columns([]))


def test_splits_that_tell_nothing_apart_have_no_importance(make_table):
    table = make_table([1, 2]).subset(np.arange(4)).with_columns([0])
    alike = replace(table, X=np.array([[0], [0], [1], [1]], np.float32), y=np.uint32([1, 2, 1, 2]))
    options = (ForestOptions(n_trees=1, min_leaf=1, seed=seed) for seed in range(60))
    fitted = [fit_forest(alike, option) for option in options]
    sums = [each.importances.sum() for each in fitted if each.forest.n_nodes > 1]
    assert sorted(set(sums)) == [0, 1]


@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
def test_nan_and_infinite_features_train(make_table, kind):
    table = make_table([1, 2, 1, 2])
    table.X[::7, 0] = np.inf
    table.X[::11, 0] = -np.inf
    table.X[::5, 0] = np.nan
    table.X[:, 3] = np.nan
    forest = fit_forest(table, ForestOptions(n_trees=20, kind=kind)).forest
    usual = np.isfinite(table.X[:, 0])
    assert np.mean(forest.predict(table.X)[usual] == table.y[usual]) > 0.9


@pytest.mark.parametrize("unit", [1e-9, 1e-38, 1e9, 1e37])
@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
def test_the_unit_of_a_feature_does_not_matter(make_table, kind, unit):
    table = make_table([1, 2, 1, 2])
    table.X[:, 0] *= np.float32(unit)
    forest = fit_forest(table, ForestOptions(n_trees=10, kind=kind)).forest
    assert np.mean(forest.predict(table.X) == table.y) > 0.9


def test_power_of_two_changes_nothing(make_table):
    table = make_table([1, 2, 1, 2], noise=2.0)
    small = replace(table, X=np.ldexp(table.X, -30))
    options = ForestOptions(n_trees=10)
    one, other = fit_forest(table, options).forest, fit_forest(small, options).forest
    np.testing.assert_array_equal(one.trees.feature, other.trees.feature)
    np.testing.assert_array_equal(one.predict(table.X), other.predict(small.X))
