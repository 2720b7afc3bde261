"""The Inspect dock on object classifiers."""

import pytest

from napari_spinney.samples import load_sample
from napari_spinney.widgets.inspect_dock import OF_OBJECTS, InspectDock
from napari_spinney.widgets.objects_dock import ObjectsDock

pytestmark = pytest.mark.gui

WAIT = 60_000


@pytest.fixture
def docks(make_napari_viewer, qtbot):
    """Inspect and Objects, trained."""
    sample = load_sample("shapes")
    viewer = make_napari_viewer(show=False)
    viewer.add_labels(sample.labels, name="objects")
    viewer.add_labels(sample.strokes, name="strokes")
    objects, inspect = ObjectsDock(viewer), InspectDock(viewer)
    for dock in (objects, inspect):
        qtbot.addWidget(dock)
    assert inspect.which.isHidden()
    objects.form.labels.setCurrentText("objects")
    objects.measure.click()
    qtbot.waitUntil(lambda: objects.work.measured is not None, timeout=WAIT)
    objects.form.strokes.setCurrentText("strokes")
    qtbot.waitUntil(
        lambda: objects.work.session.report is not None and not objects.work.is_busy(), timeout=WAIT
    )
    yield objects, inspect
    objects.close()
    inspect.close()


def test_importances_are_those_of_measurements(docks):
    objects, inspect = docks
    assert inspect.which.currentText() == OF_OBJECTS
    assert not inspect.which.isHidden()
    shown = dict(inspect.objects.importance.bars.values)
    assert shown == objects.work.answer.classifier.feature_importances()
    assert max(shown, key=shown.get) != "area"


def test_a_measurement_that_is_clicked_colours_the_objects(docks):
    objects, inspect = docks
    inspect.objects.importance.bars.choose(0)
    name = inspect.objects.importance.bars.values[0][0]
    assert objects.color_by.currentText() == name
    assert objects.charts.right.currentText() == name


def test_levels_and_trees_are_those_of_the_model(docks):
    objects, inspect = docks
    classifier = objects.work.answer.classifier
    assert inspect.objects.levels.rowCount() == len(classifier.feature_names_)
    assert inspect.objects.levels.columnCount() >= 1
    assert f"{classifier.forest_.n_trees} trees" in inspect.objects.trees.about.text()
    assert inspect.objects.trees.scene.items()


def test_the_report_speaks_of_objects(docks):
    text = docks[1].objects.report.toPlainText()
    assert "annotated objects are wrong" in text
    assert "px" not in text
    assert "strokes" not in text
