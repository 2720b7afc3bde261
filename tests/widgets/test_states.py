"""What each dock shows when something is missing, wrong, or changed meanwhile."""

import numpy as np
import pytest

from napari_spinney.samples import load_sample
from napari_spinney.widgets.commands import open_pixel_classifier
from napari_spinney.widgets.workspace import workspace_of

pytestmark = pytest.mark.gui


def status(someone):
    return someone.dock("Annotate").status.text.text()


def test_without_an_image_there_is_a_button_for_the_sample(person):
    someone = person()
    dock = someone.dock("Annotate")
    assert dock._stack.currentWidget() is dock.empty
    dock.empty.sample_button.click()
    assert dock._stack.currentWidget() is not dock.empty
    assert someone.strokes.data.shape == load_sample("nuclei").image.shape


def test_the_brush_is_ready_and_the_missing_class_is_named(person, nuclei):
    someone = person(nuclei)
    assert someone.viewer.layers.selection.active is someone.strokes
    assert someone.strokes.mode == "paint"
    assert "two classes" in status(someone)
    someone.paint(1, [(5, x) for x in range(5, 60)])
    someone.until(lambda: someone.session.painted() == (1,))
    assert "foreground" in status(someone)


def test_training_with_nothing_painted_says_so_and_loses_nothing(person, nuclei):
    someone = person(nuclei)
    someone.dock("Annotate").actions_bar.train.click()
    someone.until(lambda: someone.session.activity.kind == "failed")
    assert "paint" in status(someone).lower()
    assert someone.strokes in someone.viewer.layers


def test_training_with_one_class_names_what_is_needed(person, nuclei):
    someone = person(nuclei)
    someone.paint(1, [(5, x) for x in range(5, 60)])
    someone.until(lambda: someone.session.painted() == (1,))
    someone.dock("Annotate").actions_bar.train.click()
    someone.until(lambda: someone.session.activity.kind == "failed")
    assert "second class" in status(someone)
    assert someone.session.count(1).pixels > 0


def test_strokes_painted_after_training_mark_the_result_as_old(person, nuclei):
    someone = person(nuclei)
    someone.paint_sample()
    someone.train()
    assert not someone.session.is_stale
    someone.paint(1, [(5, x) for x in range(5, 60)])
    assert someone.session.is_stale
    assert "press Train" in status(someone)


def test_undo_is_noticed(person, nuclei):
    someone = person(nuclei)
    someone.paint_sample()
    someone.train()
    strokes = someone.session.count(2).strokes
    someone.paint(2, [(5, x) for x in range(5, 60)])
    someone.until(lambda: someone.session.count(2).strokes > strokes)
    before = someone.session.generation
    someone.strokes.undo()
    someone.until(lambda: someone.session.generation > before)
    assert someone.session.count(2).strokes == strokes


def test_a_model_for_other_channels_asks_which_one(person, nuclei):
    someone = person(nuclei)
    someone.paint_sample()
    someone.train()
    someone.viewer.add_image(np.stack([nuclei] * 3, -1), rgb=True, name="rgb")
    someone.viewer.layers.selection.active = someone.viewer.layers["rgb"]
    someone.workspace.begin()
    assert "which one is it" in someone.dock("Predict").fit.text()
    someone.predict()
    assert someone.session.activity.kind == "failed"


def test_predicting_again_keeps_the_layer_and_its_looks(person, nuclei):
    someone = person(nuclei)
    someone.paint_sample()
    someone.train()
    someone.predict()
    layer = someone.result()
    layer.opacity, layer.visible = 0.2, False
    someone.predict()
    assert someone.result() is layer
    assert (layer.opacity, layer.visible) == (0.2, False)


def test_results_lie_where_their_image_lies(person, nuclei):
    place = {"scale": (0.5, 0.25), "translate": (3, 4), "units": ("um", "um")}
    someone = person(nuclei, axis_labels=("y", "x"), **place)
    someone.paint_sample()
    someone.train()
    someone.predict()
    for layer in (someone.result(), someone.strokes):
        np.testing.assert_array_equal(layer.scale, (0.5, 0.25))
        np.testing.assert_array_equal(layer.translate, (3, 4))
        assert layer.units == someone.viewer.layers["nuclei"].units
        assert layer.axis_labels == ("y", "x")


def test_every_result_can_be_made(person, nuclei):
    someone = person(nuclei)
    someone.paint_sample()
    someone.train()
    outputs = someone.dock("Predict").outputs
    for box in (outputs.probability, outputs.objects, outputs.all_probabilities):
        box.setChecked(True)
    outputs.uncertainty.setChecked(True)
    someone.dock("Predict").predict.click()
    someone.until(someone.idle)
    names = {layer.metadata["spinney"]["what"] for layer in someone.workspace.results.all()}
    assert names == {
        "classes",
        "foreground probability",
        "background probability",
        "foreground objects",
        "uncertainty",
    }
    assert someone.result("foreground objects").data.max() > 20
    assert someone.result("foreground probability").data.max() <= 1


def test_classes_are_renamed_recoloured_hidden_merged_and_deleted(person, nuclei):
    someone = person(nuclei)
    someone.paint_sample()
    table = someone.dock("Annotate").classes
    table.item(1, 1).setText("nucleus")
    assert someone.session.classes[2].name == "nucleus"
    someone.session.change_class(2, color="#ff0000")
    np.testing.assert_allclose(someone.strokes.get_color(2)[:3], (1, 0, 0))
    someone.session.change_class(2, visible=False)
    assert someone.strokes.get_color(2)[3] == 0

    someone.dock("Annotate").add_class.click()
    assert someone.strokes.selected_label == 3
    someone.paint(3, [(100, x) for x in range(100, 140)])
    someone.until(lambda: someone.session.count(3).pixels > 0)
    pixels = someone.session.count(3).pixels
    before = someone.session.count(1).pixels
    someone.workspace.editing.merge(3, 1)
    someone.until(lambda: someone.session.count(1).pixels == before + pixels)
    assert 3 not in someone.session.classes
    someone.workspace.editing.delete(2)
    someone.until(lambda: not (someone.strokes.data == 2).any())
    assert list(someone.session.classes) == [1]


def test_labels_with_a_new_number_become_a_class(person, nuclei):
    someone = person(nuclei)
    someone.strokes.paint((50, 50), 5)
    someone.until(lambda: 5 in someone.session.classes)
    assert someone.session.count(5).pixels > 0


def test_an_existing_labels_layer_can_be_the_annotation(person, nuclei):
    someone = person(nuclei)
    layer = someone.viewer.add_labels(load_sample("nuclei").strokes, name="mine")
    choice = someone.dock("Annotate").images
    choice.strokes.setCurrentText("mine")
    choice.strokes.activated.emit(choice.strokes.currentIndex())
    assert someone.strokes is layer
    someone.until(lambda: len(someone.session.painted()) == 2)


def test_the_visible_region_alone_can_be_predicted(person, nuclei):
    someone = person(nuclei, show=True)
    someone.paint_sample()
    someone.train()
    someone.viewer.scene.camera.zoom *= 4
    corners = someone.viewer.layers["nuclei"].corner_pixels.copy()
    someone.until(lambda: (someone.viewer.layers["nuclei"].corner_pixels != corners).any())
    where = someone.dock("Predict").where
    where.setCurrentText("visible region")
    someone.dock("Predict").predict.click()
    someone.until(someone.idle)
    assert 0 < (someone.result().data > 0).mean() < 0.5


def test_two_viewers_have_two_sessions(person, make_napari_viewer, nuclei):
    first = person(nuclei)
    other = make_napari_viewer()
    other.add_image(nuclei)
    open_pixel_classifier(other)
    assert workspace_of(other).session is not first.session
    assert len(workspace_of(other).session.images) == 1
    first.paint(1, [(5, 5)])
    assert workspace_of(other).session.generation != first.session.generation


def test_kept_strokes_are_offered_again(person, make_napari_viewer, nuclei, qtbot):
    someone = person(nuclei)
    someone.paint_sample()
    painted = someone.strokes.data.copy()
    someone.workspace.keeping.save()
    someone.until(lambda: any(someone.workspace.keeping.autosave.folder.glob("*.npz")))
    other = make_napari_viewer()
    other.add_image(nuclei)
    open_pixel_classifier(other)
    restore = other.window.dock_widgets["Annotate (napari-spinney)"].restore
    assert not restore.isHidden()
    restore.restore.click()
    strokes = workspace_of(other).binding.annotations[workspace_of(other).binding.current]
    np.testing.assert_array_equal(strokes.data, painted)


def test_the_time_per_megapixel_is_told_once_it_was_measured(person, nuclei):
    someone = person(nuclei)
    cost = someone.dock("Train").features.cost
    someone.paint_sample()
    someone.train()
    assert "per megapixel on this device" not in cost.text()
    someone.predict()
    assert " s per megapixel on this device" in cost.text()
    someone.session.set_recipe(features="gaussian_blur=3")
    assert "per megapixel on this device" not in cost.text()
    someone.session.set_recipe(features="default")
    assert " s per megapixel on this device" in cost.text()
