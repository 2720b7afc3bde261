"""Layers and files that docks make say what made them."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from napari_spinney.cli import app
from napari_spinney.provenance import pixels_fact, read_origin, state_fact
from napari_spinney.samples import load_sample
from napari_spinney.widgets.objects_dock import ObjectsDock
from napari_spinney.widgets.results import ORIGIN

pytestmark = pytest.mark.gui

WAIT = 60_000


def inspected(path):
    result = CliRunner().invoke(app, ["inspect", str(path), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_a_prediction_and_its_file(person, nuclei, tmp_path):
    someone = person(nuclei)
    someone.paint_sample()
    someone.train()
    someone.dock("Predict").outputs.objects.setChecked(True)
    someone.dock("Predict").predict.click()
    someone.until(someone.idle)
    origin = someone.result().metadata[ORIGIN]
    classifier = someone.session.model.classifier
    assert origin["model"]["sha256"] == state_fact(classifier.state_)["sha256"]
    assert origin["image"] == pixels_fact("nuclei", nuclei)
    someone.dock("Predict").saving.save_results(str(tmp_path))
    someone.until(lambda: not someone.workspace.jobs.is_running("save"))
    assert inspected(tmp_path / "nuclei classes.tif") == origin
    assert inspected(tmp_path / "nuclei foreground objects.tif")["options"]["min_size"] == 20


def test_what_live_shows_says_it_when_it_is_done(person, nuclei):
    someone = person(nuclei)
    someone.session.set_live(True)
    someone.paint_sample()
    someone.until(lambda: someone.result() is not None and ORIGIN in someone.result().metadata)
    model = someone.session.model.classifier
    found = someone.result().metadata[ORIGIN]["model"]["sha256"]
    assert found == state_fact(model.state_)["sha256"]
    someone.paint(1, [(3, x) for x in range(20, 60)])
    someone.until(lambda: someone.session.model.classifier is not model)
    someone.until(
        lambda: (
            someone.result().metadata.get(ORIGIN, {"model": {"sha256": found}})["model"]["sha256"]
            != found
        )
    )


def test_classes_of_objects_and_their_table(make_napari_viewer, qtbot, tmp_path):
    sample = load_sample("shapes")
    viewer = make_napari_viewer(show=False)
    viewer.add_image(sample.image, name="image")
    viewer.add_labels(sample.labels, name="objects")
    dock = ObjectsDock(viewer)
    qtbot.addWidget(dock)
    dock.form.image.setCurrentText("image")
    dock.work.live = False
    dock.measure.click()
    qtbot.waitUntil(lambda: dock.work.measured is not None, timeout=WAIT)
    dock.files.export_table(str(tmp_path / "before.csv"))
    qtbot.waitUntil((tmp_path / "before.csv.json").exists, timeout=WAIT)
    assert "model" not in read_origin(tmp_path / "before.csv")
    for label in dock.work.measured.table["label"].tolist()[:12]:
        dock.work.give(label, int(sample.truth[sample.labels == label].max()))
    dock.train.click()
    qtbot.waitUntil(lambda: dock.work.answer is not None and not dock.work.is_busy(), timeout=WAIT)
    dock.color_by.setCurrentText("class")
    dock.as_layer.click()
    qtbot.waitUntil(lambda: "objects classes" in viewer.layers, timeout=WAIT)
    origin = viewer.layers["objects classes"].metadata[ORIGIN]
    model = dock.work.answer.classifier
    assert origin["model"]["sha256"] == state_fact(model.state_)["sha256"]
    dock.files.save_layers(str(tmp_path))
    dock_done = tmp_path / "objects classes.tif"
    qtbot.waitUntil(dock_done.exists, timeout=WAIT)
    assert inspected(dock_done) == origin
    dock.files.export_table(str(tmp_path / "after.csv"))
    qtbot.waitUntil((tmp_path / "after.csv.json").exists, timeout=WAIT)
    assert inspected(tmp_path / "after.csv") == origin
