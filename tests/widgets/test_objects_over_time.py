"""Objects over time, in a real viewer."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from napari_spinney.samples import load_sample
from napari_spinney.widgets.objects_dock import ObjectsDock

pytestmark = pytest.mark.gui

WAIT = 60_000
AXES = ("t", "y", "x")
SCALE = (1, 0.5, 0.5)


@pytest.fixture
def film():
    """Four frames of labels that last."""
    return load_sample("time_lapse").truth[:4]


@pytest.fixture
def measured(make_napari_viewer, qtbot):
    """Measure labels over time, with tracks if there are some."""
    docks = []

    def make(film, tracks=None, **options):
        viewer = make_napari_viewer(show=False)
        viewer.add_labels(film, name="film", axis_labels=AXES, scale=SCALE)
        if tracks is not None:
            viewer.add_tracks(tracks, name="tracks", scale=SCALE, **options)
        dock = ObjectsDock(viewer)
        qtbot.addWidget(dock)
        docks.append(dock)
        if tracks is not None:
            dock.form.tracks.setCurrentText("tracks")
        dock.measure.click()
        qtbot.waitUntil(
            lambda: dock.work.measured is not None and not dock.work.is_busy(), timeout=WAIT
        )
        return dock

    yield make
    for dock in docks:
        dock.close()


def shuffled(film):
    """The same objects, numbered anew at each time point."""
    rng = np.random.default_rng(0)
    tables = [np.r_[0, rng.permutation(np.arange(1, 256))].astype(np.uint8) for _ in film]
    return np.stack([table[frame] for table, frame in zip(tables, film, strict=True)])


def points_of(film):
    """A track per number: its middle at each time point (which lies inside)."""
    rows = []
    for t, frame in enumerate(film):
        for number in np.unique(frame[frame > 0]):
            place = np.argwhere(frame == number)
            rows.append([number, t, *place[len(place) // 2]])
    return np.array(sorted(rows), float)


def test_one_table_has_a_column_frame(measured, film):
    table = measured(film).work.measured.table
    assert table.columns[0] == "frame"
    assert table["frame"].unique().tolist() == [0, 1, 2, 3]
    assert len(table) == sum(len(np.unique(f[f > 0])) for f in film)


def test_labels_that_last_are_tracks(measured, film):
    table = measured(film).work.measured.table
    assert table["track"].tolist() == table["label"].tolist()


def test_labels_that_do_not_last_have_no_tracks(measured, film):
    assert "track" not in measured(shuffled(film)).work.measured.table


def test_tracks_of_a_layer_are_joined_by_position(measured, film):
    points = points_of(film)
    last = points[-1, 0]
    dock = measured(shuffled(film), points[points[:, 0] != last], graph={2: [1]})
    table = dock.work.measured.table
    numbers = [
        int(film[frame][dock.work.measured.objects.labels[frame] == label].max())
        for frame, label in zip(table["frame"], table["label"], strict=True)
    ]
    expected = [None if n == last else n for n in numbers]
    assert [
        None if v is None else int(v)
        for v in table["track"].astype(object).where(table["track"].notna(), None)
    ] == expected
    assert set(table["parent_track"].dropna()) == {1}
    assert set(table["track"][table["parent_track"].notna()]) == {2}
    assert "track" not in dock.work.measured.measurements()


def test_napari_finds_the_row_of_the_time_point_in_view(measured, film):
    dock = measured(film)
    layer = dock.viewer.layers["film"]
    table = dock.work.measured.table
    label = int(table["label"].iloc[0])
    for frame in (0, 2):
        dock.viewer.dims.set_point(0, frame)
        assert len(layer.features) == len(table)
        row = layer._label_index[label]
        wanted = table[(table["frame"] == frame) & (table["label"] == label)]["area"].item()
        assert layer.features["area"].iloc[row] == wanted


def test_a_row_leads_to_its_time_point(measured, film):
    dock = measured(film)
    row = int(np.flatnonzero(dock.work.measured.table["frame"] == 3)[2])
    dock.table.row_chosen.emit(row)
    assert dock.viewer.dims.current_step[0] == 3


def test_classes_are_given_at_a_time_point_and_learnt_over_all(measured, film, qtbot):
    dock = measured(film)
    table = dock.work.measured.table
    order = np.argsort(table["area"].to_numpy())
    for row in order[:4]:
        dock.work.give(dock.work.measured.key_of(int(row)), 1)
    for row in order[-4:]:
        dock.work.give(dock.work.measured.key_of(int(row)), 2)
    qtbot.waitUntil(lambda: dock.work.answer is not None and not dock.work.is_busy(), timeout=WAIT)
    assert set(dock.work.measured.table["class"]) == {1, 2}
    assert dock.work.measured.table["class"].iloc[order[0]] == 1
    layer = dock.viewer.layers["film"]
    dock.viewer.dims.set_point(0, 3)
    here = dock.work.measured.table.query("frame == 3")
    for label, number in zip(here["label"][:5], here["class"][:5], strict=True):
        color = dock.work.session.classes[number].color
        assert (
            "#" + bytes(np.round(255 * layer.get_color(label)[:3]).astype(np.uint8)).hex() == color
        )


def test_tracks_are_exported_with_the_objects(measured, film, tmp_path, qtbot):
    dock = measured(shuffled(film), points_of(film))
    dock.files.export_script(str(tmp_path / "steps.py"))
    qtbot.waitUntil(lambda: not dock.work.is_busy(), timeout=WAIT)
    subprocess.run([sys.executable, tmp_path / "steps.py"], check=True, capture_output=True)
    (path,) = (tmp_path / "steps_results").glob("*.csv")
    wanted = dock.work.measured.table[["frame", "label", "track"]]
    pd.testing.assert_frame_equal(pd.read_csv(path)[list(wanted)], wanted, check_dtype=False)
