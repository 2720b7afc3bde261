"""Objects, in a real napari window."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from napari.utils.colormaps import DirectLabelColormap

from napari_spinney import ObjectClassifier, load
from napari_spinney.samples import load_sample
from napari_spinney.widgets.objects_dock import LABELS_OWN, ObjectsDock

pytestmark = pytest.mark.gui

WAIT = 60_000


@pytest.fixture
def sample():
    return load_sample("shapes")


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer(show=False)


@pytest.fixture
def open_dock(viewer, qtbot):
    """Open the dock in the viewer; it is closed in the end."""
    opened = []

    def make():
        dock = ObjectsDock(viewer)
        qtbot.addWidget(dock)
        opened.append(dock)
        return dock

    yield make
    for dock in opened:
        dock.close()


@pytest.fixture
def dock(viewer, sample, open_dock, qtbot):
    """The dock on the sample, measured."""
    viewer.add_image(sample.image, name="image", scale=sample.spacing, units="um")
    viewer.add_labels(sample.labels, name="objects", scale=sample.spacing, units="um")
    viewer.add_labels(sample.strokes, name="strokes", scale=sample.spacing, units="um")
    dock = open_dock()
    dock.form.image.setCurrentText("image")
    dock.measure.click()
    qtbot.waitUntil(lambda: dock.work.measured is not None, timeout=WAIT)
    return dock


def truth_of(sample, labels):
    return [int(sample.truth[sample.labels == label].max()) for label in labels]


def answered(dock, qtbot):
    qtbot.waitUntil(lambda: dock.work.answer is not None and not dock.work.is_busy(), timeout=WAIT)


def at_rest(dock, qtbot):
    qtbot.waitUntil(lambda: not dock.work.is_busy(), timeout=WAIT)


def teach(dock, sample, each=5):
    """Click some objects of both classes."""
    labels = dock.work.measured.table["label"].tolist()
    truth = truth_of(sample, labels)
    for number in (1, 2):
        dock.form.click_class.setCurrentIndex(number - 1)
        for label in [n for n, t in zip(labels, truth, strict=True) if t == number][:each]:
            dock.give_class(label)
    return truth


def test_measurements_are_shown_and_given_to_the_layer(dock, sample):
    layer = dock.viewer.layers["objects"]
    assert len(layer.features) == 40
    assert {"index", "label", "area", "solidity", "mean_intensity"} <= set(layer.features.columns)
    area = layer.features.set_index("label")["area"]
    label = int(area.index[0])
    assert area[label] == np.count_nonzero(sample.labels == label) * 0.25
    assert dock.table.view.model().rowCount() == 40


def test_the_menu_opens_it(viewer, sample):
    viewer.add_labels(sample.labels, name="objects")
    _, dock = viewer.window.add_plugin_dock_widget("napari-spinney", "Objects")
    assert dock.form.labels.currentText() == "objects"
    assert dock.form.image.currentText() == "none"
    dock.start_learning()
    assert "Press Measure first" in dock.told.text.text()


def test_clicks_teach_classes_live(dock, sample, qtbot):
    truth = teach(dock, sample)
    answered(dock, qtbot)
    layer = dock.viewer.layers["objects"]
    assert np.mean(dock.work.measured.table["class"] == truth) >= 0.9
    assert np.mean(layer.features["class"] == truth) >= 0.9
    assert "Error on objects not learnt from" in dock.told.text.text()


def test_objects_take_the_colour_of_their_class(dock, sample, qtbot):
    layer = dock.viewer.layers["objects"]
    before = layer.colormap
    teach(dock, sample)
    answered(dock, qtbot)
    assert dock.color_by.currentText() == "class"
    table = dock.work.measured.table
    for number, color in ((1, "#0072b2"), (2, "#e69f00")):
        label = int(table["label"][table["class"] == number].iloc[0])
        rgb = np.round(255 * layer.get_color(label)[:3]).astype(int)
        assert "#" + "".join(f"{part:02x}" for part in rgb) == color
    dock.color_by.setCurrentText(LABELS_OWN)
    assert layer.colormap is before


def test_a_measurement_colours_objects_and_becomes_a_layer(dock, sample, qtbot):
    layer = dock.viewer.layers["objects"]
    dock.color_by.setCurrentText("area")
    assert isinstance(layer.colormap, DirectLabelColormap)
    dock.as_layer.click()
    at_rest(dock, qtbot)
    made = dock.viewer.layers["objects area"]
    assert made.data.max() == pytest.approx(dock.work.measured.table["area"].max())
    np.testing.assert_array_equal(made.scale, layer.scale)
    dock.as_layer.click()
    at_rest(dock, qtbot)
    assert [x.name for x in dock.viewer.layers].count("objects area") == 1


def test_strokes_teach_classes(dock, sample, qtbot, tmp_path):
    dock.live.setChecked(False)
    dock.form.strokes.setCurrentText("strokes")
    assert "the class painted on it" in dock.told.text.text()
    dock.train.click()
    answered(dock, qtbot)
    truth = truth_of(sample, dock.work.measured.table["label"])
    assert np.mean(dock.work.measured.table["class"] == truth) >= 0.95
    dock.work.save(str(tmp_path / "model.spinney"))
    model = load(tmp_path / "model.spinney")
    assert isinstance(model, ObjectClassifier)
    dock.as_layer.click()
    at_rest(dock, qtbot)
    np.testing.assert_array_equal(
        model.predict(sample.labels, sample.image, spacing=sample.spacing),
        dock.viewer.layers["objects classes"].data,
    )


def test_a_stroke_painted_later_is_learnt_at_once(dock, qtbot):
    layer = dock.viewer.layers["strokes"]
    dock.form.strokes.setCurrentText("strokes")
    answered(dock, qtbot)
    trained = dock.work.session.model
    layer.data[...] = np.where(layer.data == 1, 3, layer.data)
    layer.events.paint(value=[])
    qtbot.waitUntil(lambda: dock.work.session.model is not trained, timeout=WAIT)
    assert dock.work.session.model.classifier.classes_.tolist() == [2, 3]
    qtbot.waitUntil(lambda: not dock.work.is_busy(), timeout=WAIT)


def test_a_click_again_takes_the_class_away(dock):
    dock.give_class(1)
    assert dock.work.given.by_object == {1: 1}
    dock.give_class(1)
    assert dock.work.given.by_object == {}


def test_digits_give_classes_to_rows(dock, qtbot):
    view = dock.table.view
    view.selectRow(4)
    label = int(view.model().index(4, 0).data())
    qtbot.keyClicks(view, "2")
    assert dock.work.given.by_object == {label: 2}
    qtbot.keyClicks(view, "0")
    assert dock.work.given.by_object == {}


def test_classes_can_be_named(dock):
    box = dock.form.click_class
    box.lineEdit().setText("long ones")
    box.lineEdit().editingFinished.emit()
    assert dock.work.session.classes[1].name == "long ones"
    dock.give_class(3)
    assert "1 object of long ones" in dock.told.text.text()


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
    steps = dock.viewer.mouse_drag_callbacks[-1](dock.viewer, event)
    next(steps, None)
    for kind in ["mouse_move", "mouse_release"] if drag else ["mouse_release"]:
        event.type = kind
        next(steps, None)


def test_a_press_gives_a_class_and_a_drag_does_not(dock, sample):
    press(dock, 9, sample, drag=True)
    assert dock.work.given.by_object == {}
    press(dock, 9, sample)
    assert dock.work.given.by_object == {9: 1}


def test_a_press_counts_whichever_layer_is_selected_unless_a_tool_is_in_hand(dock, sample):
    layers = dock.viewer.layers
    layers.selection.active = layers["image"]
    press(dock, 9, sample)
    assert dock.work.given.by_object == {9: 1}
    layers.selection.active = layers["strokes"]
    layers["strokes"].mode = "paint"
    press(dock, 12, sample)
    assert dock.work.given.by_object == {9: 1}
    layers["strokes"].mode = "pan_zoom"
    layers["objects"].visible = False
    press(dock, 12, sample)
    assert dock.work.given.by_object == {9: 1}


def test_looking_gives_no_class_and_shows_the_row(dock, sample):
    dock.form.click_class.setCurrentText("no class, look only")
    dock.form.click_class.setCurrentIndex(dock.form.click_class.count() - 1)
    press(dock, 9, sample)
    assert dock.work.given.by_object == {}
    chosen = dock.table.view.selectionModel().selectedRows()
    assert [dock.table.view.model().index(c.row(), 0).data() for c in chosen] == ["9"]


def test_a_row_leads_to_its_object(dock, sample):
    row = 7
    dock.table.row_chosen.emit(row)
    label = int(dock.work.measured.table["label"][row])
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


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ("class == 2", 20),
        ("class==1 and area > 0", 20),
        ("moments_hu-0 > 29", 10),
        ("not (moments_hu-0 > 29) and mean of x == 1", 30),
        ("-1.5 < area", 40),
    ],
)
def test_the_filter_knows_every_column_by_its_name(dock, words, rows):
    classes = [1 + k % 2 for k in range(40)]
    columns = {"class": classes, "moments_hu-0": range(40), "mean of x": 1}
    dock.table.show_frame(dock.work.measured.table.assign(**columns))
    dock.table.filter.setText(words)
    dock.table.refresh()
    assert "Shows only rows" in dock.table.filter.toolTip()
    assert dock.table.view.model().rowCount() == rows


def test_columns_of_words_do_not_colour(dock):
    table = dock.work.measured.table
    dock.work.set_measured(replace(dock.work.measured, table=table.assign(who="me", ok=True)))
    assert dock.color_by.findText("who") == -1
    dock.color_by.setCurrentText("ok")
    assert isinstance(dock.viewer.layers["objects"].colormap, DirectLabelColormap)


def test_the_table_sorts_by_numbers_and_keeps_what_is_selected(dock):
    from qtpy.QtCore import Qt

    column = list(dock.work.measured.table.columns).index("area")
    dock.table.choose(5)
    dock.table.view.sortByColumn(column, Qt.SortOrder.DescendingOrder)
    model = dock.table.view.model()
    shown = [float(model.index(k, column).data()) for k in range(40)]
    assert shown == sorted(shown, reverse=True)
    assert dock.table.chosen_row() == 5
    dock.table.filter.setText("area > 60")
    dock.table.refresh()
    shown = [float(model.index(k, column).data()) for k in range(model.rowCount())]
    assert shown == sorted(shown, reverse=True)
    assert min(shown) > 60


def test_headings_say_what_is_measured(dock):
    model = dock.table.view.model()
    column = list(dock.work.measured.table.columns).index("area")
    from qtpy.QtCore import Qt

    tip = model.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert "µm²" in tip


def test_tables_go_out_and_come_in(dock, tmp_path, qtbot):
    dock.files.export_table(str(tmp_path / "t.csv"))
    at_rest(dock, qtbot)
    assert "Saved" in dock.told.text.text()
    assert (tmp_path / "t.csv.json").exists()
    table = pd.read_csv(tmp_path / "t.csv")
    assert len(table) == 40
    table[["label"]].assign(other=range(40)).to_csv(tmp_path / "other.csv", index=False)
    dock.files.join_table(str(tmp_path / "other.csv"))
    at_rest(dock, qtbot)
    assert dock.work.measured.table["other"].tolist() == list(range(40))
    assert "1 columns more" in dock.told.text.text()
    table[["area"]].to_csv(tmp_path / "wrong.csv", index=False)
    dock.files.join_table(str(tmp_path / "wrong.csv"))
    at_rest(dock, qtbot)
    assert "no column label" in dock.told.text.text()


def test_an_image_of_another_size_says_so(dock):
    dock.viewer.add_image(np.zeros((8, 8)), name="small", translate=(900, 900))
    dock.form.image.setCurrentText("small")
    dock.measure.click()
    assert "do not lie on each other" in dock.told.text.text()
    assert not dock.told.details.isHidden()


def test_a_closed_dock_leaves_the_layer_as_it_was(dock):
    layer = dock.viewer.layers["objects"]
    before = layer.colormap
    callbacks = len(dock.viewer.mouse_drag_callbacks)
    dock.color_by.setCurrentText("area")
    dock.close()
    assert layer.colormap is before
    assert len(dock.viewer.mouse_drag_callbacks) == callbacks - 1


def test_classes_of_a_large_image_get_a_layer_of_their_own(dock, sample, qtbot, monkeypatch):
    monkeypatch.setattr("napari_spinney.widgets.objects_picture.LARGE", 100)
    before = dock.viewer.layers["objects"].colormap
    teach(dock, sample)
    answered(dock, qtbot)
    assert dock.viewer.layers["objects"].colormap is before
    classes = dock.viewer.layers["objects classes"]
    np.testing.assert_array_equal(classes.data > 0, sample.labels > 0)
    np.testing.assert_array_equal(classes.scale, dock.viewer.layers["objects"].scale)


def test_every_control_says_what_it_does(dock):
    from qtpy.QtWidgets import QAbstractButton, QComboBox, QLineEdit

    controls = [
        control
        for kind in (QAbstractButton, QComboBox, QLineEdit)
        for control in dock.findChildren(kind)
        if not control.objectName().startswith("qt_") and control.isEnabled()
    ]
    silent = [
        control
        for control in controls
        if not control.toolTip()
        and not isinstance(control.parent(), (QComboBox, QLineEdit))
        and type(control.parent()).__name__ not in ("QCollapsible", "Rows", "EmptyPage")
    ]
    assert len(controls) > 15
    assert silent == []


def test_the_image_of_the_same_size_is_proposed(viewer, sample, open_dock):
    viewer.add_image(np.zeros((8, 8)), name="small")
    viewer.add_image(sample.image, name="image")
    viewer.add_labels(sample.labels, name="objects")
    assert open_dock().form.image.currentText() == "image"


def test_a_dock_opened_again_knows_what_was_measured(dock, open_dock, sample, qtbot):
    teach(dock, sample)
    answered(dock, qtbot)
    dock.close()
    again = open_dock()
    assert again.table.view.model().rowCount() == 40
    press(again, 30, sample)
    assert 30 in again.work.given.by_object
    qtbot.waitUntil(lambda: not again.work.is_busy(), timeout=WAIT)
    again.measure.click()
    assert len(again.work.given.by_object) >= 10
    qtbot.waitUntil(lambda: not again.work.is_busy(), timeout=WAIT)


def test_a_new_layer_is_painted_on_at_once(dock, sample, qtbot):
    dock.form.new_strokes.click()
    layer = dock.viewer.layers["objects strokes"]
    assert dock.form.strokes.currentText() == "objects strokes"
    assert (layer.mode, dock.viewer.layers.selection.active) == ("paint", layer)
    assert dock.form.labels.findText("objects strokes") == -1
    labels = dock.work.measured.table["label"].tolist()
    for label, number in zip(labels, truth_of(sample, labels), strict=True):
        if label > 10:
            break
        layer.paint(tuple(np.argwhere(sample.labels == label)[20]), number)
    answered(dock, qtbot)
    truth = truth_of(sample, labels)
    assert np.mean(dock.work.measured.table["class"] == truth) >= 0.9


def test_one_class_painted_says_so_in_words(dock, sample, qtbot):
    dock.form.new_strokes.click()
    layer = dock.viewer.layers["objects strokes"]
    layer.paint(tuple(np.argwhere(sample.labels == 1)[20]), 1)
    said = "1 object of class 1. Now choose another class and paint"
    qtbot.waitUntil(lambda: dock.told.text.text().startswith(said), timeout=WAIT)
    assert dock.work.answer is None
