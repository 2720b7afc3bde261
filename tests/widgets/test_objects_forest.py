"""Options of the forest in the Objects dock."""

import pytest

from napari_spinney.samples import load_sample
from napari_spinney.widgets.forest_form import ForestForm
from napari_spinney.widgets.objects_dock import ObjectsDock

pytestmark = pytest.mark.gui

WAIT = 60_000


@pytest.fixture
def dock(make_napari_viewer, qtbot):
    """The dock on measured objects, four of which have a class."""
    sample = load_sample("shapes")
    viewer = make_napari_viewer(show=False)
    viewer.add_labels(sample.labels, name="objects")
    dock = ObjectsDock(viewer)
    qtbot.addWidget(dock)
    dock.measure.click()
    qtbot.waitUntil(lambda: dock.work.measured is not None, timeout=WAIT)
    for label in (1, 2, 3, 4):
        dock.work.give(label, int(sample.truth[sample.labels == label].max()))
    answered(dock, qtbot)
    yield dock
    dock.close()


def answered(dock, qtbot):
    def done():
        return dock.work.answer is not None and not dock.work.is_busy()

    qtbot.waitUntil(done, timeout=WAIT)


def options(dock):
    return dock.work.answer.classifier.get_params()


def test_without_a_choice_the_defaults_hold(dock):
    chosen = options(dock)
    assert (chosen["n_trees"], chosen["max_depth"], chosen["seed"]) == (100, None, 0)
    assert (chosen["kind"], chosen["balance"]) == ("random_forest", "sqrt")


def test_options_are_learnt_with_at_once(dock, qtbot):
    dock.forest.trees.setValue(7)
    dock.forest.max_depth.setValue(3)
    dock.forest.seed.setValue(5)
    dock.forest.balance.setCurrentText("equal")
    dock.forest.kind.setCurrentText("extremely random")
    answered(dock, qtbot)
    chosen = options(dock)
    assert (chosen["n_trees"], chosen["max_depth"], chosen["seed"]) == (7, 3, 5)
    assert (chosen["kind"], chosen["balance"]) == ("extra_trees", "balanced")
    assert dock.work.answer.classifier.forest_.n_trees == 7


def test_options_wait_for_train_where_live_is_off(dock, qtbot):
    dock.live.setChecked(False)
    before = dock.work.answer.classifier
    dock.forest.trees.setValue(9)
    assert dock.work.answer.classifier is before
    assert "options changed: press Train" in dock.told.text.text()
    dock.train.click()
    answered(dock, qtbot)
    assert options(dock)["n_trees"] == 9


def test_options_are_exported_and_saved(dock, qtbot, tmp_path):
    from napari_spinney import load

    dock.forest.trees.setValue(11)
    answered(dock, qtbot)
    dock.files.export_script(str(tmp_path / "steps.py"))
    answered(dock, qtbot)
    assert "n_trees=11" in (tmp_path / "steps.py").read_text()
    dock.work.save(str(tmp_path / "m.spinney"))
    assert load(tmp_path / "m.spinney").n_trees == 11


def test_a_form_opened_again_shows_what_is_chosen(dock, qtbot):
    dock.forest.max_depth.setValue(4)
    answered(dock, qtbot)
    again = ForestForm(dock.work.session, "objects")
    qtbot.addWidget(again)
    assert (again.max_depth.value(), again.trees.value()) == (4, 100)
    dock.work.session.set_recipe(n_trees=30, balance="balanced")
    assert (again.trees.value(), again.balance.currentText()) == (30, "equal")
    answered(dock, qtbot)


def test_only_pixels_are_looked_at_twice(dock, qtbot):
    form = dock.forest
    assert form.stages.isHidden()
    pixels = ForestForm(dock.session)
    qtbot.addWidget(pixels)
    assert not pixels.stages.isHidden()
