"""Objects, in a real napari window."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from napari_spinney import ObjectClassifier, load
from napari_spinney.samples import load_sample
from napari_spinney.widgets.objects_dock import ObjectsDock

pytestmark = pytest.mark.gui

WAIT = 60_000


@pytest.fixture
def sample():
    return load_sample("shapes")


@pytest.fixture
def dock(make_napari_viewer, sample, tmp_path, monkeypatch, qtbot):
    """The dock on the sample, measured."""
    monkeypatch.setenv("SPINNEY_CACHE", str(tmp_path / "cache"))
    viewer = make_napari_viewer(show=False)
    viewer.add_image(sample.image, name="image", scale=sample.spacing, units="um")
    viewer.add_labels(sample.labels, name="objects", scale=sample.spacing, units="um")
    viewer.add_labels(sample.strokes, name="strokes", scale=sample.spacing, units="um")
    dock = ObjectsDock(viewer)
    qtbot.addWidget(dock)
    dock.form.image.setCurrentText("image")
    dock.measure.click()
    qtbot.waitUntil(lambda: dock.measured is not None, timeout=WAIT)
    yield dock
    dock.close()


def truth_of(sample, labels):
    return [int(sample.truth[sample.labels == label].max()) for label in labels]


def answered(dock, qtbot):
    qtbot.waitUntil(
        lambda: dock.answer is not None and not dock.workspace.jobs.is_running("objects"),
        timeout=WAIT,
    )


def test_measurements_are_shown_and_given_to_the_layer(dock, sample):
    layer = dock.viewer.layers["objects"]
    assert len(layer.features) == 40
    assert {"index", "label", "area", "solidity", "mean_intensity"} <= set(layer.features.columns)
    area = layer.features.set_index("label")["area"]
    label = int(area.index[0])
    assert area[label] == np.count_nonzero(sample.labels == label) * 0.25
    assert dock.table.view.model().rowCount() == 40


def test_the_menu_opens_it(make_napari_viewer, sample):
    viewer = make_napari_viewer(show=False)
    viewer.add_labels(sample.labels, name="objects")
    _, dock = viewer.window.add_plugin_dock_widget("napari-spinney", "Objects")
    assert dock.form.labels.currentText() == "objects"
    assert dock.form.image.currentText() == "none"
    dock.start_learning()
    assert "Press Measure first" in dock.told.text()


def test_clicks_teach_classes_live(dock, sample, qtbot):
    labels = dock.measured.table["label"].tolist()
    truth = truth_of(sample, labels)
    for number in (1, 2):
        dock.form.click_class.setCurrentIndex(number - 1)
        chosen = [label for label, t in zip(labels, truth, strict=True) if t == number][:5]
        for label in chosen:
            dock.give_class(label)
    answered(dock, qtbot)
    assert np.mean(dock.measured.table["class"] == truth) >= 0.9
    picture = dock.viewer.layers["objects classes"]
    np.testing.assert_array_equal(picture.data > 0, sample.labels > 0)
    assert "class" in dock.viewer.layers["objects"].features
    assert "held out" in dock.told.text()


def test_strokes_teach_classes(dock, sample, qtbot, tmp_path):
    dock.form.strokes.setCurrentText("strokes")
    dock.train.click()
    answered(dock, qtbot)
    truth = truth_of(sample, dock.measured.table["label"])
    assert np.mean(dock.measured.table["class"] == truth) >= 0.95
    dock.save_model(str(tmp_path / "model.spinney"))
    model = load(tmp_path / "model.spinney")
    assert isinstance(model, ObjectClassifier)
    np.testing.assert_array_equal(
        model.predict(sample.labels, sample.image), dock.viewer.layers["objects classes"].data
    )


def test_a_click_again_takes_the_class_away(dock):
    dock.give_class(1)
    assert dock.clicked.by_object == {1: 1}
    dock.give_class(1)
    assert dock.clicked.by_object == {}


def press(dock, label, sample, *, drag=False):
    """What napari does with a press on an object, perhaps a move, and a release."""
    layer = dock.viewer.layers["objects"]
    place = np.argwhere(sample.labels == label)[3]
    event = SimpleNamespace(
        position=tuple(layer.data_to_world(place)),
        view_direction=None,
        dims_displayed=[0, 1],
        type="mouse_press",
    )
    steps = dock._on_layer_clicked(layer, event)
    next(steps)
    for kind in ["mouse_move", "mouse_release"] if drag else ["mouse_release"]:
        event.type = kind
        next(steps, None)


def test_a_press_gives_a_class_and_a_drag_does_not(dock, sample):
    press(dock, 9, sample, drag=True)
    assert dock.clicked.by_object == {}
    press(dock, 9, sample)
    assert dock.clicked.by_object == {9: 1}


def test_looking_gives_no_class_and_shows_the_row(dock, sample):
    dock.form.click_class.setCurrentText("no class, look only")
    press(dock, 9, sample)
    assert dock.clicked.by_object == {}
    chosen = dock.table.view.selectionModel().selectedRows()
    assert [dock.table.view.model().index(c.row(), 0).data() for c in chosen] == ["9"]


def test_a_row_leads_to_its_object(dock, sample):
    row = 7
    dock.table.row_chosen.emit(row)
    label = int(dock.measured.table["label"][row])
    assert dock.viewer.layers["objects"].selected_label == label
    middle = np.argwhere(sample.labels == label).mean(axis=0) * 0.5
    np.testing.assert_allclose(dock.viewer.scene.camera.center[-2:], middle)


def test_the_filter_takes_conditions_and_nothing_else(dock):
    dock.table.filter.setText("area > 0 and solidity < 0.0")
    dock.table.refresh()
    assert dock.table.view.model().rowCount() == 0
    for words in ("area.abs() > 1", "@dock", "__import__('os')", "area >"):
        dock.table.filter.setText(words)
        dock.table.refresh()
        assert dock.table.view.model().rowCount() == 40
        assert dock.table.filter.toolTip()


def test_tables_go_out_and_come_in(dock, tmp_path):
    dock.export_table(str(tmp_path / "t.csv"))
    table = pd.read_csv(tmp_path / "t.csv")
    assert len(table) == 40
    table[["label"]].assign(other=range(40)).to_csv(tmp_path / "other.csv", index=False)
    dock.join_table(str(tmp_path / "other.csv"))
    assert dock.measured.table["other"].tolist() == list(range(40))
    table[["area"]].to_csv(tmp_path / "wrong.csv", index=False)
    dock.join_table(str(tmp_path / "wrong.csv"))
    assert "no column label" in dock.told.text()


def test_an_image_of_another_size_says_so(dock):
    dock.viewer.add_image(np.zeros((8, 8)), name="small")
    dock.form.image.setCurrentText("small")
    dock.measure.click()
    assert "do not lie on each other" in dock.told.text()
