"""What the Objects dock says in each state."""

import numpy as np
import pytest

from napari_spinney import ObjectClassifier, PixelClassifier
from napari_spinney.samples import load_sample
from napari_spinney.session import Activity
from napari_spinney.widgets.objects_dock import ObjectsDock
from napari_spinney.widgets.objects_messages import Situation, status_of_objects
from napari_spinney.widgets.workspace import workspace_of

WAIT = 60_000
IDLE = Activity()


def test_each_state_is_told_by_its_sentence():
    tell = status_of_objects
    assert "press Measure" in tell(Situation(IDLE)).text
    assert "no objects" in tell(Situation(IDLE, n_objects=0)).text
    assert "Click some of class 1" in tell(Situation(IDLE, n_objects=9)).text
    one = Situation(IDLE, n_objects=9, given={2: 3}, names={2: "round"})
    assert tell(one).text.startswith("3 objects of round. Now choose another class")
    assert "Train" in tell(Situation(IDLE, n_objects=9, given={1: 3, 2: 1})).text
    assert "painted" in tell(Situation(IDLE, n_objects=9, strokes=True)).text
    busy = tell(Situation(Activity("training", "Measuring …")))
    assert (busy.mood, busy.text) == ("busy", "Measuring …")
    failed = tell(Situation(Activity("failed", "why", details="where"), n_objects=9))
    assert (failed.mood, failed.text, failed.details) == ("bad", "why", "where")


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer(show=False)


@pytest.fixture
def dock(viewer, qtbot):
    dock = ObjectsDock(viewer)
    qtbot.addWidget(dock)
    yield dock
    dock.close()


def until(qtbot, condition):
    qtbot.waitUntil(condition, timeout=WAIT)


def measured(dock, qtbot):
    dock.measure.click()
    until(qtbot, lambda: dock.work.measured is not None and not dock.work.is_busy())


@pytest.mark.gui
def test_without_labels_there_are_sample_objects(dock, viewer):
    assert dock._stack.currentWidget() is dock.no_objects
    dock.no_objects.sample_button.click()
    assert dock._stack.currentIndex() == 0
    assert dock.form.labels.count() >= 1


@pytest.mark.gui
def test_an_empty_layer_says_so(dock, viewer, qtbot):
    viewer.add_labels(np.zeros((20, 20), int))
    measured(dock, qtbot)
    assert "no objects in this layer" in dock.told.text.text()


@pytest.mark.gui
def test_measuring_can_be_cancelled(dock, viewer, qtbot):
    film = np.zeros((30, 200, 200), int)
    film[:, ::9, ::9] = np.arange(30 * 23 * 23).reshape(30, 23, 23) + 1
    viewer.add_labels(film, name="film", axis_labels=("t", "y", "x"))
    dock.measure.click()
    assert dock.told.text.text() == "Measuring …"
    assert not dock.told.cancel.isHidden()
    dock.told.cancel.click()
    assert not dock.work.is_busy()
    assert "press Measure" in dock.told.text.text()
    assert dock.told.cancel.isHidden()


@pytest.mark.gui
def test_changes_since_training_are_told(dock, viewer, qtbot):
    sample = load_sample("shapes")
    viewer.add_labels(sample.labels, name="objects")
    measured(dock, qtbot)
    dock.live.setChecked(False)
    for label, number in ((1, 1), (2, 2), (3, 1), (4, 2)):
        dock.work.give(label, number)
    assert "press Train" in dock.told.text.text().replace("Press", "press")
    dock.train.click()
    until(qtbot, lambda: dock.work.answer is not None and not dock.work.is_busy())
    assert dock.told.text.text().startswith("✓ Found")
    dock.work.give(5, 1)
    assert dock.told.text.text().startswith("↻ Classes or options changed")


@pytest.fixture
def model(tmp_path):
    """Trained on two channels, in µm."""
    sample = load_sample("shapes")
    two = np.stack([sample.image, sample.image])
    model = ObjectClassifier("eccentricity solidity mean_intensity", n_trees=10)
    model.class_names.update({1: "round", 2: "long"})
    model.fit(sample.labels, sample.strokes, two, channel_axis=0, spacing=sample.spacing)
    model.save(tmp_path / "two.spinney")
    return str(tmp_path / "two.spinney")


@pytest.mark.gui
def test_a_model_that_does_not_fit_says_what_it_needs(dock, viewer, qtbot, model):
    sample = load_sample("shapes")
    viewer.add_image(sample.image, name="one", scale=sample.spacing, units="um")
    layer = viewer.add_labels(sample.labels, name="objects")
    dock.form.image.setCurrentText("none")
    dock.work.open(model)
    assert "press Measure to use it" in dock.told.text.text()
    measured(dock, qtbot)
    assert "no pixel size" in dock.told.text.text()
    layer.units, layer.scale = ("um", "um"), sample.spacing
    measured(dock, qtbot)
    assert "choose the image" in dock.told.text.text()
    dock.form.image.setCurrentText("one")
    measured(dock, qtbot)
    assert "expects 2 channels, the image has 1" in dock.told.text.text()


@pytest.mark.gui
def test_a_model_from_a_file_classifies_objects(dock, viewer, qtbot, model):
    sample = load_sample("shapes")
    two = np.stack([sample.image, sample.image])
    viewer.add_image(
        two,
        name="two",
        axis_labels=("c", "y", "x"),
        scale=(1, *sample.spacing),
        units=("pixel", "um", "um"),
    )
    viewer.add_labels(sample.labels, name="objects", scale=sample.spacing, units="um")
    dock.form.image.setCurrentText("two")
    measured(dock, qtbot)
    dock.work.open(model)
    until(qtbot, lambda: dock.work.answer is not None and not dock.work.is_busy())
    truth = [int(sample.truth[sample.labels == n].max()) for n in dock.work.measured.table["label"]]
    assert np.mean(dock.work.answer.values == truth) > 0.95
    assert "round" in dock.told.text.text()


@pytest.mark.gui
def test_a_model_of_pixels_is_refused(dock, viewer, tmp_path):
    sample = load_sample("nuclei")
    PixelClassifier("small_quick", n_trees=2).fit(sample.image, sample.strokes).save(
        tmp_path / "p.spinney"
    )
    dock.work.open(str(tmp_path / "p.spinney"))
    assert "no model of objects" in dock.work.situation.activity.text


@pytest.mark.gui
def test_a_model_of_objects_goes_to_the_objects(viewer, model):
    workspace = workspace_of(viewer)
    workspace.open_model(model)
    assert workspace.session.model is None
    assert workspace.objects.session.model.path == model
    assert "Objects (napari-spinney)" in viewer.window.dock_widgets


@pytest.mark.gui
def test_measuring_anew_learns_anew(dock, viewer, qtbot):
    sample = load_sample("shapes")
    viewer.add_labels(sample.labels, name="objects")
    measured(dock, qtbot)
    for label in (1, 2, 3, 4):
        dock.work.give(label, int(sample.truth[sample.labels == label].max()))
    until(qtbot, lambda: dock.work.answer is not None and not dock.work.is_busy())
    dock.form.groups["position"].setChecked(True)
    dock.measure.click()
    dock.work.give(5, 1)  # does not put an end to measuring
    until(qtbot, lambda: not dock.work.is_busy())
    table = dock.work.measured.table
    assert "centroid_x" in table
    assert set(table["class"]) == {1, 2}
    assert "centroid_x" in dock.work.answer.classifier.feature_names_
    assert sum(dock.work.answer.classifier.table_.counts().values()) == 5


@pytest.mark.gui
def test_a_model_from_a_file_is_used_on_what_is_measured_anew(dock, viewer, qtbot, tmp_path):
    sample = load_sample("shapes")
    viewer.add_labels(sample.labels, name="objects")
    model = ObjectClassifier("area eccentricity", n_trees=5).fit(sample.labels, sample.strokes)
    model.save(tmp_path / "m.spinney")
    measured(dock, qtbot)
    dock.work.open(str(tmp_path / "m.spinney"))
    until(qtbot, lambda: dock.work.answer is not None and not dock.work.is_busy())
    dock.form.groups["position"].setChecked(True)
    dock.measure.click()
    until(qtbot, lambda: not dock.work.is_busy())
    assert {"class", "centroid_x"} <= set(dock.work.measured.table)


@pytest.mark.gui
def test_after_measuring_failed_one_learns_as_before(dock, viewer, qtbot):
    layer = viewer.add_labels(load_sample("shapes").labels, name="objects")
    measured(dock, qtbot)
    layer.data = -layer.data.astype(int)
    dock.measure.click()
    until(qtbot, lambda: not dock.work.is_busy())
    assert "must not be negative" in dock.told.text.text()
    for label, number in ((1, 1), (2, 2)):
        dock.work.give(label, number)
    until(qtbot, lambda: dock.work.answer is not None and not dock.work.is_busy())
