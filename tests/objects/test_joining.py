import numpy as np
import pandas as pd
import pytest

from napari_spinney.objects.joining import join_table


@pytest.fixture
def table():
    return pd.DataFrame({"label": np.array([2, 5, 200], np.uint8), "area": [1.0, 2.0, 3.0]})


@pytest.mark.parametrize(
    "labels",
    [[200, 2, 5], [200.0, 2.0, 5.0], ["200", "2", "5"], pd.array([200, 2, 5], "Int64")],
)
def test_rows_find_their_objects_whatever_wrote_the_numbers(table, labels):
    joined = join_table(table, pd.DataFrame({"label": labels, "x": [9, 7, 8]}))
    assert joined.table["x"].tolist() == [7, 8, 9]
    assert joined.table["label"].dtype == np.uint8
    assert (joined.new, joined.unknown) == (("x",), 0)


def test_cellprofiler_is_known(table):
    other = pd.DataFrame(
        {"ImageNumber": 1, "ObjectNumber": [2, 5, 200], "AreaShape_Area": [10, 20, 30]}
    )
    joined = join_table(table, other).table
    assert joined["AreaShape_Area"].tolist() == [10, 20, 30]
    assert "ObjectNumber" not in joined
    with pytest.raises(ValueError, match="ObjectNumber 2 twice: keep the rows of one image"):
        join_table(table, pd.concat([other, other.assign(ImageNumber=2)]))


def test_cellprofiler_counts_time_points_from_one(table):
    film = pd.concat([table.assign(frame=0), table.assign(frame=1)], ignore_index=True)
    other = pd.DataFrame({"ImageNumber": [2, 1], "ObjectNumber": [5, 5], "x": [22, 11]})
    joined = join_table(film, other)
    assert joined.table["x"].dropna().tolist() == [11, 22]
    assert joined.table["frame"].tolist() == [0, 0, 0, 1, 1, 1]
    assert joined.unknown == 4


def test_objects_that_are_not_there_have_no_value(table):
    joined = join_table(table, pd.DataFrame({"Label": [5, 7], "x": [1, 2], "s": ["a", "b"]}))
    assert joined.unknown == 2
    assert np.isnan(joined.table["x"]).tolist() == [True, False, True]
    assert joined.table["s"].isna().tolist() == [True, False, True]


def test_newer_columns_win_but_for_those_kept(table):
    other = pd.DataFrame({"label": [2, 5, 200], "area": [7, 8, 9], "class": [1, 1, 1]})
    joined = join_table(table.assign(**{"class": 2}), other, kept=("class",))
    assert joined.table["area"].tolist() == [7, 8, 9]
    assert joined.table["class"].tolist() == [2, 2, 2]
    assert joined.new == ()


def test_labels_may_be_huge():
    huge = np.array([2**63 + 1, 2**63 + 3], np.uint64)
    table = pd.DataFrame({"label": huge, "area": [1.0, 2.0]})
    joined = join_table(table, pd.DataFrame({"label": huge[::-1], "x": [1, 2]}))
    assert joined.table["x"].tolist() == [2, 1]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"area": [1]}, "no column label"),
        ({"label": ["a"]}, "label holds 'a'"),
        ({"label": [1.5]}, r"label holds .*1\.5"),
        ({"label": [np.nan]}, "label holds .*nan"),
        ({"label": [1000, 3000]}, "no object is in this table: its label goes from 1000 to 3000"),
    ],
)
def test_tables_of_something_else_say_why(table, other, message):
    with pytest.raises(ValueError, match=message):
        join_table(table, pd.DataFrame(other))
