import numpy as np
import pandas as pd
import pytest

from napari_spinney import TableRowClassifier, measure
from napari_spinney.objects.tracks import TrackPoints, labels_persist, labels_under
from napari_spinney.samples import load_sample


def test_labels_that_follow_their_objects_persist():
    assert labels_persist(load_sample("time_lapse").truth)


def test_labels_given_anew_do_not_persist():
    truth = load_sample("time_lapse").truth
    rng = np.random.default_rng(0)
    renumbered = []
    for frame in truth:
        numbers = np.unique(frame[frame > 0])
        table = np.zeros(256, np.uint8)
        table[numbers] = rng.permutation(len(numbers)) + 1
        renumbered.append(table[frame])
    assert not labels_persist(renumbered)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_without_objects_or_time_nothing_persists(n):
    assert not labels_persist([np.zeros((4, 4), int)] * n)


def test_labels_are_found_under_positions():
    labels = np.arange(12, dtype=np.uint32).reshape(3, 4)
    positions = [[0.4, 0.6], [2.4, 3.4], [2.6, 0], [-0.6, 0], [1, np.nan]]
    assert labels_under(labels, positions).tolist() == [1, 11, 0, 0, 0]
    with pytest.raises(ValueError, match=r"\(n, 2\)"):
        labels_under(labels, [[1, 2, 3]])


def film():
    """Three time points of two or three objects; numbers differ from one to the next."""
    frames = np.zeros((3, 8, 12), np.uint32)
    frames[0, 1:4, 1:4], frames[0, 5:7, 8:11] = 70, 4_000_000_000
    frames[1, 1:4, 2:5] = 9
    frames[2, 1:4, 3:6], frames[2, 5:7, 8:11], frames[2, 0, 11] = 5, 6, 7
    return frames


TRACKS = np.array(
    [
        [3, 0, 2, 2], [3, 1, 2, 3], [3, 2, 2, 4],
        [1, 0, 6, 9], [1, 2, 6, 9],  # a gap
        [8, 2, 6.2, 8.6],  # a second track on the same object
        [5, 0, 0, 11], [5, 1, 7, 0],  # beside the objects
        [6, 9, 2, 2], [6, 0, np.nan, 2],  # beyond the film, and nowhere
    ],
    float,
)  # fmt: skip


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_measure_gives_objects_their_tracks(axis):
    moved = np.moveaxis(film(), 0, axis)
    table = measure(moved, features="area", time_axis=axis, tracks=TRACKS)
    assert table.columns.tolist() == ["frame", "label", "track", "area"]
    assert table["track"].dtype == "Int64"
    assert table["label"].tolist() == [70, 4_000_000_000, 9, 5, 6, 7]
    assert table["track"].tolist() == [3, 1, 3, 3, 1, pd.NA]


def test_tracks_in_3d_have_a_column_more():
    deep = np.stack([np.zeros_like(film()), film()], axis=1)
    tracks = np.insert(TRACKS, 2, 1, axis=1)
    table = measure(deep, features="area", time_axis=0, tracks=tracks)
    assert table["track"].tolist() == [3, 1, 3, 3, 1, pd.NA]
    with pytest.raises(ValueError, match=r"5 columns \(track, t, z, y, x"):
        measure(deep, features="area", time_axis=0, tracks=TRACKS)


def test_parents_of_tracks_become_a_column():
    points = TrackPoints.from_data(TRACKS, ndim=3, time_axis=0)
    family = TrackPoints(points.ids, points.positions, {3: 1})
    table = measure(film(), features="area", time_axis=0, tracks=family)
    assert table.columns.tolist() == ["frame", "label", "track", "parent_track", "area"]
    assert table["parent_track"].tolist() == [1, pd.NA, 1, 1, pd.NA, pd.NA]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_points_go_back_to_what_a_layer_holds(axis):
    points = TrackPoints.from_data(TRACKS, ndim=3, time_axis=axis)
    np.testing.assert_array_equal(points.to_data(axis), TRACKS)


def test_tracks_need_time_and_whole_numbers():
    with pytest.raises(ValueError, match="time_axis"):
        measure(film()[0], features="area", tracks=TRACKS)
    with pytest.raises(ValueError, match="whole numbers"):
        measure(film(), features="area", time_axis=0, tracks=TRACKS + 0.5)


def test_tracks_beside_all_objects_are_told_of(caplog):
    table = measure(film(), features="area", time_axis=0, tracks=TRACKS[6:8])
    assert table["track"].isna().all()
    assert "pixels of the labels" in caplog.text


def test_a_table_with_tracks_teaches_no_classifier_their_numbers():
    table = measure(film(), features="area", time_axis=0, tracks=TRACKS)
    classifier = TableRowClassifier(n_trees=3).fit(table, [1, 2, 1, 1, 2, 0])
    assert classifier.feature_names_ == ("area",)


def test_without_objects_there_is_no_track():
    table = measure(np.zeros((2, 4, 4), int), features="area", time_axis=0, tracks=TRACKS)
    assert table.columns.tolist() == ["frame", "label", "track", "area"]
    assert not len(table)
