"""The whole first session of somebody who has never seen a manual."""

from pathlib import Path

import numpy as np
import pytest

from napari_spinney.samples import load_sample

pytestmark = pytest.mark.gui

PICTURES = Path(__file__).parents[2] / "test_output"


def test_from_sample_to_reopened_model(person, tmp_path):
    someone = person(show=True, trees=100)
    someone.dock("Annotate").empty.sample_button.click()
    assert someone.strokes.mode == "paint"
    assert someone.strokes.selected_label == 1

    someone.paint_sample()
    someone.train()
    someone.predict()
    truth = load_sample("nuclei").truth > 0
    assert np.mean((someone.result().data == 2) == truth) > 0.97

    someone.until(lambda: someone.session.report is not None)
    assert "strokes not learnt from" in someone.dock("Annotate").status.text.text()
    chart = someone.dock("Inspect").importance.bars
    assert sum(value for _, value in chart.values) == pytest.approx(1)

    path = str(tmp_path / "nuclei.spinney")
    someone.dock("Predict").saving.save_model(path)
    someone.until(lambda: Path(path).exists())
    first = someone.result().data.copy()
    someone.dock("Predict").model.open_path(path)
    assert someone.session.model.path == path
    someone.viewer.add_image(load_sample("nuclei").image[::-1], name="flipped")
    someone.viewer.layers.selection.active = someone.viewer.layers["flipped"]
    someone.workspace.begin()
    someone.predict()
    assert someone.result().name == "flipped classes"
    assert np.mean(someone.result().data == first[::-1]) > 0.99
    PICTURES.mkdir(exist_ok=True)
    someone.viewer.window.screenshot(str(PICTURES / "first_session.png"), flash=False)


def test_live_follows_the_brush(person, nuclei):
    someone = person(nuclei, show=True, trees=100)
    someone.dock("Annotate").actions_bar.live.click()
    someone.paint_sample()
    someone.until(lambda: not someone.session.is_stale and someone.idle())
    shown = someone.result()
    before = shown.data.copy()
    assert set(np.unique(before)) == {1, 2}

    someone.paint(1, [(160, x) for x in range(40, 200)])
    someone.until(lambda: not someone.session.is_stale and someone.idle())
    assert someone.result() is shown
    assert not np.array_equal(shown.data, before)
    PICTURES.mkdir(exist_ok=True)
    someone.viewer.window.screenshot(str(PICTURES / "live.png"), flash=False)


def test_features_that_carry_the_same_information_share_a_bracket(person, nuclei):
    someone = person(nuclei, show=True)
    someone.session.set_recipe(
        features="gaussian_blur=3 gaussian_blur=3.1 sobel_of_gaussian_blur=1"
    )
    someone.paint_sample()
    someone.train()
    chart = someone.dock("Inspect").importance
    assert len(chart.bars.brackets) == 3
    someone.viewer.window.dock_widgets["Inspect (napari-spinney)"].parent().raise_()
    someone.until(lambda: len(chart.bars.brackets) == 2)
    pair = next(group for group in chart.bars.brackets if len(group) == 2)
    assert set(pair) == {"gaussian_blur=3", "gaussian_blur=3.1"}
    assert "in a bracket" in chart.note.text()
    row = [name for name, _ in chart.bars.values].index("gaussian_blur=3")
    assert "Correlated: gaussian_blur=3.1 (+1.00)" in chart.bars.tip_at(row)
    assert dict(chart.bars.values) == someone.session.model.classifier.feature_importances()
