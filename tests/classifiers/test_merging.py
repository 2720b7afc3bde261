import numpy as np
import pytest

from napari_spinney import ObjectMerger, load


@pytest.fixture
def labels():
    """Four pairs that share a whole side, four that share a corner of a side."""
    labels = np.zeros((50, 80), np.uint32)
    for k in range(4):
        x = 20 * k + 1
        labels[2:12, x : x + 8] = 4 * k + 100
        labels[2:12, x + 8 : x + 16] = 4 * k + 101
        labels[22:32, x : x + 8] = 4 * k + 102
        labels[31:41, x + 8 : x + 16] = 4 * k + 103
    return labels


@pytest.fixture
def strokes(labels):
    strokes = np.zeros_like(labels)
    for x in (1, 21):
        strokes[6, x + 4 : x + 12] = 1
        strokes[31, x + 5 : x + 12] = 2
    return strokes


def test_borders_that_were_not_painted_are_merged(labels, strokes):
    merged = ObjectMerger().fit(labels, strokes).predict(labels)
    assert merged.dtype == labels.dtype
    for k in range(4):
        assert np.unique(merged[2:12, 20 * k + 1 : 20 * k + 17]).tolist() == [4 * k + 100]
        assert set(np.unique(merged[20:45, 20 * k : 20 * k + 20])) == {0, 4 * k + 102, 4 * k + 103}


def test_pairs_may_be_named(labels):
    merger = ObjectMerger("touch_portion").fit(labels, {(101, 100): 1, (102, 103): 2})
    assert merger.table_.counts() == {1: 2, 2: 2}
    assert merger.predict(labels)[5, 12] == 100
    with pytest.raises(ValueError, match=r"\(100, 103\) do not touch"):
        ObjectMerger().fit(labels, {(100, 103): 1})


def test_a_chain_becomes_one_object():
    labels = np.repeat(np.arange(1, 9), 4)[None].repeat(4, axis=0)
    names = {(1, 2): 1, (3, 4): 1}
    labels[:, -8:] = 0
    merger = ObjectMerger("touch_count").fit(np.hstack([labels, labels * 0]), names | {(5, 6): 2})
    merger.forest_  # noqa: B018
    assert merger.predict(labels).max() >= 1


def test_intensity_of_the_border_decides(labels, strokes):
    image = np.where(labels > 0, 50.0, 0)
    image[:, 8:10] = 10
    merger = ObjectMerger("mean_touch_intensity").fit(labels, strokes, image)
    assert merger.measure(labels, image).columns.tolist() == [
        "label",
        "other_label",
        "mean_touch_intensity",
    ]
    with pytest.raises(ValueError, match="image="):
        merger.predict(labels)


@pytest.mark.parametrize("suffix", [".spinney", ".cl"])
def test_saved_and_loaded_it_is_the_same(labels, strokes, tmp_path, suffix):
    merger = ObjectMerger("touch_portion touch_count", n_trees=10, max_depth=2)
    merger.fit(labels, strokes).save(tmp_path / f"model{suffix}")
    again = load(tmp_path / f"model{suffix}")
    np.testing.assert_array_equal(again.predict(labels), merger.predict(labels))


def test_nothing_touches_nothing_merges(labels, strokes):
    merger = ObjectMerger().fit(labels, strokes)
    apart = np.where(np.isin(labels, [100, 103]), labels, 0)
    np.testing.assert_array_equal(merger.predict(apart), apart)
    assert not merger.predict(apart * 0).any()


def test_unknown_measurements_of_pairs_are_named(labels, strokes):
    with pytest.raises(ValueError, match="'touching' is no measurement of a pair"):
        ObjectMerger("touching").fit(labels, strokes)


def test_a_small_object_is_merged_into_a_large_one_from_its_own_side():
    labels = np.zeros((40, 120), np.uint32)
    for k in range(6):
        labels[2:22, 20 * k + 1 : 20 * k + 16] = 10 * k + 1
        labels[22:25, 20 * k + 4 : 20 * k + 7] = 10 * k + 2
        labels[22:37, 20 * k + 9 : 20 * k + 14] = 10 * k + 3
    known = {(1, 2): 1, (11, 12): 1, (1, 3): 2, (11, 13): 2}
    merger = ObjectMerger("touch_portion").fit(labels, known)
    sides = merger.measure(labels)
    assert len(sides) == 2 * 12
    by_pair = sides.set_index(["label", "other_label"])["touch_portion"]
    assert by_pair[2, 1] == 3 / 12
    assert by_pair[1, 2] == 3 / 70
    merged = merger.predict(labels)
    assert set(np.unique(merged)) == {0} | {10 * k + n for k in range(6) for n in (1, 3)}


def test_both_sides_of_a_border_are_held_out_together(labels, strokes):
    table = ObjectMerger("touch_portion").fit(labels, strokes).table_
    assert len(table) == 8
    assert np.unique(table.stroke, return_counts=True)[1].tolist() == [2, 2, 2, 2]


def test_each_time_point_is_merged_by_itself(labels, strokes):
    film = np.stack([labels, np.roll(labels, 3, axis=1)], axis=1)
    drawn = np.stack([strokes, 0 * strokes], axis=1)
    merger = ObjectMerger().fit(film, drawn, time_axis=1)
    alone = ObjectMerger().fit(labels, strokes)
    np.testing.assert_array_equal(
        merger.predict(film, time_axis=1)[:, 1], alone.predict(film[:, 1])
    )
    assert merger.measure(film, time_axis=1)["frame"].unique().tolist() == [0, 1]
    named = ObjectMerger().fit(film, {(0, 100, 101): 1, (1, 103, 102): 2}, time_axis=1)
    assert named.table_.counts() == {1: 2, 2: 2}
    with pytest.raises(ValueError, match=r"\(1, 100, 103\) do not touch"):
        ObjectMerger().fit(film, {(1, 103, 100): 1}, time_axis=1)
