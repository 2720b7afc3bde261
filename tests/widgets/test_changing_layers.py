"""Layers that are renamed, deleted, replaced or transposed while work runs; windows that close."""

import numpy as np
import pytest

from napari_spinney.samples import load_sample
from napari_spinney.widgets.workspace import existing_workspace

pytestmark = pytest.mark.gui


def start_predicting(someone):
    """Train, then start a prediction and do not wait for it."""
    someone.paint_sample()
    someone.train()
    someone.dock("Annotate").actions_bar.predict.click()
    assert someone.session.activity.kind == "predicting"


def test_renaming_the_image_while_predicting_names_the_result_anew(person, nuclei):
    someone = person(nuclei)
    start_predicting(someone)
    someone.viewer.layers["nuclei"].name = "other"
    someone.until(someone.idle)
    assert someone.result().name == "other classes"
    assert [entry.name for entry in someone.session.images.values()] == ["other"]


def test_deleting_the_image_while_predicting_ends_quietly(person, nuclei):
    someone = person(nuclei)
    start_predicting(someone)
    someone.viewer.layers.remove(someone.viewer.layers["nuclei"])
    someone.until(someone.idle)
    assert someone.session.activity.kind == "idle"
    assert someone.session.images == {}


def test_deleting_the_strokes_while_training_keeps_the_model(person, nuclei):
    someone = person(nuclei)
    someone.paint_sample()
    someone.dock("Annotate").actions_bar.train.click()
    someone.viewer.layers.remove(someone.strokes)
    someone.until(lambda: someone.session.model is not None)
    assert someone.session.painted() == ()


def test_deleting_the_result_makes_it_anew_next_time(person, nuclei):
    someone = person(nuclei)
    start_predicting(someone)
    someone.until(someone.idle)
    someone.viewer.layers.remove(someone.result())
    someone.predict()
    assert someone.result() in someone.viewer.layers


def test_an_image_of_another_shape_gets_new_strokes(person, nuclei):
    someone = person(nuclei)
    someone.paint_sample()
    someone.train()
    old = someone.strokes
    someone.viewer.layers["nuclei"].data = np.tile(nuclei, (1, 2))
    assert old in someone.viewer.layers
    someone.workspace.begin()
    assert someone.strokes is not old
    assert someone.strokes.data.shape == (320, 640)
    someone.predict()
    assert someone.result().data.shape == (320, 640)


def test_an_image_replaced_while_live_runs_drops_what_is_stale(person, nuclei):
    someone = person(nuclei)
    someone.paint_sample()
    someone.session.set_live(True)
    someone.viewer.layers["nuclei"].data = np.tile(nuclei, (1, 2))
    someone.until(lambda: not someone.workspace.jobs.is_running("live"))
    result = someone.result()
    assert result is None or result.data.shape == (320, 640)


def test_painting_goes_on_while_it_predicts(person, nuclei):
    someone = person(np.tile(nuclei, (4, 4)))
    someone.paint_sample()
    someone.train()
    someone.dock("Annotate").actions_bar.predict.click()
    someone.paint(2, [(900, x) for x in range(5, 60)])
    assert (someone.strokes.data[900, 5:60] == 2).all()
    someone.until(someone.idle)
    assert someone.result().data.all()


def test_cancel_stops_and_leaves_the_rest(person, nuclei):
    someone = person(np.tile(nuclei, (6, 6)))
    someone.paint_sample()
    someone.train()
    someone.dock("Annotate").actions_bar.predict.click()
    someone.dock("Annotate").status.cancel.click()
    assert someone.session.activity.kind == "idle"
    assert not someone.workspace.jobs.is_running("predict")


@pytest.mark.parametrize("doing", ["training", "predicting", "live"])
def test_closing_the_viewer_in_the_middle(person, nuclei, doing):
    someone = person(nuclei, show=True)
    someone.paint_sample()
    if doing == "live":
        someone.session.set_live(True)
    else:
        someone.dock("Annotate").actions_bar.train.click()
    if doing == "predicting":
        someone.until(lambda: someone.session.model is not None)
        someone.dock("Annotate").actions_bar.predict.click()
    workspace = someone.workspace
    someone.viewer.close()
    assert workspace.closed
    assert not workspace.jobs._lanes


def test_a_dock_can_be_closed_and_opened_again(person, nuclei):
    someone = person(nuclei, show=True)
    dock = someone.dock("Train").parent()
    someone.viewer.window.remove_dock_widget(someone.dock("Train"))
    dock.deleteLater()
    someone.paint_sample()
    someone.train()
    someone.viewer.window.add_plugin_dock_widget("napari-spinney", "Train")
    assert "Learnt from" in someone.dock("Train").learnt.text()
    assert existing_workspace(someone.viewer) is someone.workspace


def test_transposing_the_view_keeps_live_right(person):
    someone = person(load_sample("stack").image, name="stack")
    someone.paint_sample("stack")
    someone.session.set_live(True)
    someone.until(lambda: not someone.session.is_stale and someone.idle())
    someone.viewer.dims.transpose()
    someone.paint(1, [(0, 3, x) for x in range(5, 30)])
    someone.until(lambda: not someone.session.is_stale and someone.idle())
    assert someone.result().data.all()
