import numpy as np
import pandas as pd
import pytest

from napari_spinney import TableRowClassifier, load


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    small = rng.normal(0, 1, (20, 2))
    large = rng.normal(5, 1, (20, 2))
    values = np.concatenate([small, large])
    return pd.DataFrame(
        {"label": range(40), "a": values[:, 0], "b": values[:, 1], "name": ["x"] * 40}
    )


@pytest.fixture
def truth():
    return np.repeat([1, 4], 20)


def test_rows_without_a_class_are_predicted(table, truth):
    classes = np.where(np.arange(40) % 4 == 0, truth, 0)
    clf = TableRowClassifier().fit(table, classes)
    assert clf.feature_names_ == ("a", "b")
    np.testing.assert_array_equal(clf.predict(table), truth)
    assert clf.predict(table).dtype == np.uint8
    assert clf.predict_proba(table).shape == (40, 2)
    assert len(clf.table_) == 10


def test_classes_may_be_a_column(table, truth):
    clf = TableRowClassifier().fit(table.assign(kind=truth), "kind")
    assert clf.feature_names_ == ("a", "b")
    np.testing.assert_array_equal(clf.predict(table), truth)


@pytest.mark.parametrize("features", ["b", ["b"], ("b",)])
def test_columns_can_be_chosen(table, truth, features):
    assert TableRowClassifier(features).fit(table, truth).feature_names_ == ("b",)


def test_missing_values_are_kept_and_decide(table, truth):
    table.loc[truth == 4, "a"] = np.nan
    clf = TableRowClassifier("a").fit(table, truth)
    np.testing.assert_array_equal(clf.predict(table), truth)
    assert len(clf.predict(table)) == 40


def test_nullable_and_boolean_columns_are_numbers():
    table = pd.DataFrame(
        {"a": pd.array([1, None, 5, 6], dtype="Int64"), "b": [True, True, False, False]}
    )
    clf = TableRowClassifier(n_trees=20).fit(table, [1, 1, 2, 2])
    assert clf.feature_names_ == ("a", "b")
    assert clf.predict(table).tolist() == [1, 1, 2, 2]


def test_infinities_and_huge_numbers_train(truth):
    values = np.where(truth == 1, -np.inf, 1e300)
    clf = TableRowClassifier().fit(pd.DataFrame({"a": values}), truth)
    np.testing.assert_array_equal(clf.predict(pd.DataFrame({"a": values})), truth)


def test_rows_can_be_added(table, truth):
    clf = TableRowClassifier().fit(table[:25], truth[:25])
    clf.fit(table[25:], truth[25:], add=True)
    assert len(clf.table_) == 40


@pytest.mark.parametrize("suffix", [".spinney", ".cl"])
def test_saved_and_loaded_it_is_the_same(table, truth, tmp_path, suffix):
    clf = TableRowClassifier(n_trees=20, max_depth=3).fit(table, truth)
    clf.save(tmp_path / f"model{suffix}")
    again = load(tmp_path / f"model{suffix}")
    assert isinstance(again, TableRowClassifier)
    np.testing.assert_array_equal(again.predict(table), clf.predict(table))
    assert list(again.features) == ["a", "b"]


def test_validation_holds_out_rows(table, truth):
    report = TableRowClassifier(n_trees=20).fit(table, truth).validate()
    assert report.error <= 0.05
    assert report.n_groups == 40


@pytest.mark.parametrize(
    ("features", "message"),
    [(["c"], "lacks the columns c"), (["name"], "must hold numbers; name")],
)
def test_wrong_columns_are_named(table, truth, features, message):
    with pytest.raises(ValueError, match=message):
        TableRowClassifier(features).fit(table, truth)


def test_a_table_of_words_says_so():
    with pytest.raises(ValueError, match="no column of the table holds numbers"):
        TableRowClassifier().fit(pd.DataFrame({"label": [1, 2], "name": ["a", "b"]}), [1, 2])
