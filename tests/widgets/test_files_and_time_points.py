"""Results and strokes as files, and one time point of many."""

from __future__ import annotations

import numpy as np
import pytest

from napari_spinney.files.images import read_image, write_image
from napari_spinney.samples import load_sample

pytestmark = pytest.mark.gui


@pytest.fixture
def film(person):
    """Somebody who trained on a time lapse."""
    sample = load_sample("time_lapse")
    someone = person(
        sample.image, name="t", scale=(1, *sample.spacing), units=("pixel", "um", "um")
    )
    someone.paint_sample("time_lapse")
    someone.train()
    return someone


def predict_time_point(someone, time, *, objects=False):
    dock = someone.dock("Predict")
    dock.where.setCurrentText("time point in view")
    dock.outputs.objects.setChecked(objects)
    someone.viewer.dims.set_current_step(0, time)
    dock.predict.click()
    someone.until(someone.idle)
    assert someone.session.activity.text == ""


def made(layer):
    return np.flatnonzero(layer.data.any(axis=(1, 2))).tolist()


def test_the_time_point_in_view_alone_is_predicted_and_others_stay(film):
    truth = load_sample("time_lapse").truth
    predict_time_point(film, 1, objects=True)
    assert made(film.result()) == [1]
    assert made(film.result("foreground objects")) == [1]
    assert np.mean((film.result().data[1] == 2) == (truth[1] > 0)) > 0.95
    predict_time_point(film, 2, objects=True)
    assert made(film.result()) == [1, 2]
    assert made(film.result("foreground objects")) == [1, 2]


def test_results_of_a_time_lapse_are_saved_with_their_axes_and_pixel_size(film, tmp_path):
    predict_time_point(film, 0)
    film.dock("Predict").saving.save_results(str(tmp_path))
    film.until(lambda: not film.workspace.jobs.is_running("save"))
    saved = read_image(tmp_path / "t classes.tif")
    assert saved.axes == "TYX"
    np.testing.assert_allclose(saved.spacing, load_sample("time_lapse").spacing, rtol=1e-5)
    np.testing.assert_array_equal(saved.data, film.result().data)


def test_results_are_saved_with_the_scale_of_their_image(person, nuclei, tmp_path):
    someone = person(nuclei, name="a/b", scale=(0.5, 0.25), units=("um", "um"))
    someone.paint_sample()
    someone.train()
    saving = someone.dock("Predict").saving
    saving.save_results(str(tmp_path))
    assert not someone.workspace.jobs.is_running("save")
    someone.dock("Predict").outputs.objects.setChecked(True)
    someone.dock("Predict").predict.click()
    someone.until(someone.idle)
    saving.save_results(str(tmp_path))
    someone.until(lambda: not someone.workspace.jobs.is_running("save"))
    assert someone.session.activity.text == ""
    for what in ("classes", "foreground objects"):
        saved = read_image(tmp_path / f"a_b {what}.tif")
        np.testing.assert_allclose(saved.spacing, (0.5, 0.25), rtol=1e-5)
        np.testing.assert_array_equal(saved.data, someone.result(what).data)


def test_strokes_come_from_a_file_and_those_painted_stay(person, nuclei, tmp_path):
    someone = person(nuclei, scale=(0.5, 0.25))
    someone.paint(1, [(9, x) for x in range(5, 30)])
    someone.until(lambda: someone.session.painted() == (1,))
    painted = someone.strokes
    path = tmp_path / "strokes.tif"
    write_image(path, load_sample("nuclei").strokes)
    someone.workspace.import_strokes(str(path))
    someone.until(lambda: someone.session.painted() == (1, 2))
    assert painted in someone.viewer.layers
    assert (painted.data == 1).any()
    assert someone.strokes is not painted
    assert someone.viewer.layers.selection.active is someone.strokes
    np.testing.assert_array_equal(someone.strokes.data, load_sample("nuclei").strokes)
    np.testing.assert_array_equal(someone.strokes.scale, (0.5, 0.25))
    someone.train()
    assert someone.session.model is not None


@pytest.mark.parametrize(
    ("strokes", "words"),
    [(np.ones((5, 7), np.uint8), "shape"), (np.full((1, 1), 300, np.uint16), "up to 300")],
)
def test_strokes_that_do_not_fit_say_so_and_lose_nothing(person, nuclei, tmp_path, strokes, words):
    someone = person(nuclei)
    someone.paint(1, [(9, x) for x in range(5, 30)])
    before = someone.strokes
    if strokes.size == 1:
        strokes = np.full(nuclei.shape, strokes[0, 0])
    write_image(tmp_path / "strokes.tif", strokes)
    someone.workspace.import_strokes(str(tmp_path / "strokes.tif"))
    someone.until(lambda: someone.session.activity.kind == "failed")
    assert words in someone.session.activity.text
    assert someone.strokes is before
    assert (before.data == 1).any()
