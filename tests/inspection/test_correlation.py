import numpy as np
import pandas as pd
import pytest

from napari_spinney.inspection.correlation import correlate


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    area = rng.uniform(10, 20, 50)
    return pd.DataFrame(
        {
            "area": area,
            "perimeter": np.sqrt(area),
            "noise": rng.normal(size=50),
            "holes": np.r_[np.nan, np.nan, area[2:]],
            "constant": 0.1,
            "nothing": np.nan,
            "name": "cell",
        }
    )


def test_it_is_pandas_correlation(table):
    names = ["area", "perimeter", "noise", "holes"]
    pd.testing.assert_frame_equal(correlate(table, names).matrix, table[names].corr())


def test_columns_with_nan_are_named(table):
    found = correlate(table, ["area", "holes", "nothing"])
    assert found.missing == {"holes": 2, "nothing": 50}
    assert "holes (2)" in found.notes()


def test_columns_of_one_value_have_no_correlation(table):
    found = correlate(table, ["area", "constant", "nothing"])
    assert found.undefined == ("constant", "nothing")
    assert found.matrix.loc["area", "area"] == 1
    assert found.matrix["constant"].isna().all()
    assert "constant, nothing" in found.notes()


def test_correlated_measurements_are_warned_of(table):
    found = correlate(table, ["noise", "area", "perimeter"])
    assert [pair[:2] for pair in found.pairs()] == [("area", "perimeter")]
    assert "share their importance" in found.notes()
    assert correlate(table, ["noise", "area"]).notes() == ""


def test_text_cannot_be_correlated(table):
    with pytest.raises(ValueError, match="'name' is no column of numbers"):
        correlate(table, ["area", "name"])
