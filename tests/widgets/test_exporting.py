"""From a session in napari to a script that gives the layer again."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from qtpy.QtWidgets import QApplication

from napari_spinney.files.images import read_image
from napari_spinney.samples import load_sample
from napari_spinney.widgets.objects_dock import ObjectsDock

pytestmark = pytest.mark.gui

WAIT = 60_000


def test_a_session_is_exported_and_gives_its_layer_again(person, nuclei, tmp_path):
    someone = person(nuclei)
    row = someone.dock("Predict").exporting
    assert not row.notebook.isEnabled()
    someone.paint_sample()
    someone.train()
    someone.predict()
    assert row.notebook.isEnabled()
    someone.until(lambda: someone.session.report is not None)
    kinds = [type(step).__name__ for step in row.steps()]
    assert sorted(kinds) == ["Predict", "Train", "Validate"]
    row.export("script", str(tmp_path / "nuclei"))
    someone.until(lambda: (tmp_path / "nuclei.py").exists())
    subprocess.run([sys.executable, tmp_path / "nuclei.py"], check=True, capture_output=True)
    found = read_image(tmp_path / "nuclei_results" / "nuclei_classes.tif").data
    np.testing.assert_array_equal(found, someone.result().data)


def test_the_code_of_what_is_ticked_is_copied(person, nuclei):
    someone = person(nuclei)
    someone.paint_sample()
    someone.train()
    someone.until(lambda: someone.session.report is not None)
    dock = someone.dock("Predict")
    assert [type(step).__name__ for step in dock.exporting.steps()][-1] == "Predict"
    dock.outputs.classes.setChecked(False)
    dock.outputs.objects.setChecked(True)
    dock.exporting.snippet.click()
    copied = QApplication.clipboard().text()
    assert "spinney.ObjectSegmenter.from_state(clf.state_)" in copied
    assert "min_size=20" in copied
    someone.dock("Train").snippet.click()
    assert "clf.fit(image, strokes)" in QApplication.clipboard().text()


def test_strokes_of_labkit_are_opened_with_the_names_of_their_classes(person, nuclei, tmp_path):
    someone = person(nuclei)
    height, width = nuclei.shape
    painted = {"Rand": [[x, 2] for x in range(20)], "Kern": [[5, y] for y in range(9, 30)]}
    path = tmp_path / "strokes.labeling"
    interval = {"min": [0, 0], "max": [width - 1, height - 1], "n": 2}
    path.write_text(json.dumps({"interval": interval, "labels": painted, "colors": {}}))
    someone.workspace.import_strokes(str(path))
    someone.until(lambda: someone.strokes.data.any())
    assert someone.strokes.data[2, :20].tolist() == [1] * 20
    assert someone.strokes.data.flags.writeable
    assert [entry.name for entry in someone.session.classes.values()] == ["Rand", "Kern"]
    someone.until(lambda: someone.session.painted() == (1, 2))


def test_objects_are_exported_and_classified_again(make_napari_viewer, qtbot, tmp_path):
    sample = load_sample("shapes")
    viewer = make_napari_viewer(show=False)
    viewer.add_image(sample.image, name="image", scale=sample.spacing, units="um")
    viewer.add_labels(sample.labels, name="objects", scale=sample.spacing, units="um")
    dock = ObjectsDock(viewer)
    qtbot.addWidget(dock)
    dock.form.image.setCurrentText("image")
    dock.work.live = False
    dock.measure.click()
    qtbot.waitUntil(lambda: dock.work.measured is not None, timeout=WAIT)
    dock.files.export_notebook(str(tmp_path / "measured"))
    qtbot.waitUntil(lambda: not dock.work.is_busy(), timeout=WAIT)
    assert "spinney.measure" in (tmp_path / "measured.ipynb").read_text()
    for label in dock.work.measured.table["label"].tolist()[:12]:
        truth = int(sample.truth[sample.labels == label].max())
        dock.form.click_class.setCurrentIndex(truth - 1)
        dock.give_class(label)
    dock.train.click()
    qtbot.waitUntil(lambda: dock.work.answer is not None and not dock.work.is_busy(), timeout=WAIT)
    dock.files.export_script(str(tmp_path / "objects"))
    qtbot.waitUntil(lambda: not dock.work.is_busy(), timeout=WAIT)
    subprocess.run([sys.executable, tmp_path / "objects.py"], check=True, capture_output=True)
    (path,) = (tmp_path / "objects_results").glob("*.csv")
    table = pd.read_csv(path)
    assert table["class"].tolist() == dock.work.answer.values.tolist()
    dock.close()
