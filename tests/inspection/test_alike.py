import numpy as np
import pytest
from scipy.stats import spearmanr

from napari_spinney.inspection.alike import alike, brackets

NAMES = ("a", "copy", "squared", "opposite", "noise", "constant")


@pytest.fixture
def table():
    rng = np.random.default_rng(1)
    a = rng.uniform(0, 1, 500)
    noise = rng.normal(size=500)
    columns = [a, 2 * a + 1, np.exp(9 * a), -a + 0.01 * noise, noise, np.full(500, 0.1)]
    return np.stack(columns, 1).astype(np.float32)


def test_correlated_features_are_found_by_value_or_by_rank(table):
    found = alike(table, NAMES)
    assert set(found) == {"a", "copy", "squared", "opposite"}
    assert list(found["a"]) == ["copy", "squared", "opposite"]
    assert found["a"]["squared"] == pytest.approx(1, abs=1e-3)
    assert np.corrcoef(table[:, 0], table[:, 2])[0, 1] < 0.95
    expected = spearmanr(table[:, 2], table[:, 3]).statistic
    assert found["squared"]["opposite"] == pytest.approx(expected)
    assert found["squared"]["opposite"] < -0.95


def test_a_sample_of_the_rows_tells_the_same(table):
    assert set(alike(table, NAMES, sample=100)["a"]) == {"copy", "squared", "opposite"}


def test_rows_without_a_value_are_left_out(table):
    table[::3, 4] = np.nan
    table[1, 0] = np.inf
    assert set(alike(table, NAMES)["a"]) == {"copy", "squared", "opposite"}
    table[:, 5] = np.nan
    assert set(alike(table, NAMES)["a"]) == {"copy", "squared", "opposite"}
    assert alike(table[:2], NAMES) == {}


def test_brackets_hold_what_goes_with_their_most_important_feature():
    importances = {"x": 0.1, "a": 0.2, "noise": 0.3, "b": 0.25, "far": 0.15}
    partners = {
        "a": {"b": 0.99, "far": 0.96},
        "b": {"a": 0.99, "x": -0.97},
        "x": {"b": -0.97},
        "far": {"a": 0.96},
    }
    assert brackets(importances, partners) == [("noise",), ("b", "a", "x"), ("far",)]
    assert brackets({}, {}) == []


def test_each_column_needs_a_name(table):
    with pytest.raises(ValueError, match="got 2 names for the shape"):
        alike(table, ("a", "b"))
