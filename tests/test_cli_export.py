"""``spinney export``: from a model and images to a notebook or a script."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import napari_spinney as spinney
from napari_spinney import samples
from napari_spinney.cli import app
from napari_spinney.files.images import read_image, write_image
from napari_spinney.provenance import read_origin, sha256_of


def spin(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def image():
    return samples.folder() / "nuclei.tif"


@pytest.fixture
def trained():
    sample = samples.load_sample("nuclei")
    clf = spinney.ObjectSegmenter("small_quick", n_trees=10, split="watershed", min_size=9)
    return clf.fit(sample.image, sample.strokes, spacing=sample.spacing, device="cpu")


def test_a_script_makes_the_objects_that_the_model_makes(tmp_path, trained, image):
    trained.save(tmp_path / "m.spinney")
    result = spin("export", tmp_path / "m.spinney", image, "--to", "script", "-o", tmp_path / "s")
    assert result.exit_code == 0, result.output
    run = subprocess.run(
        [sys.executable, tmp_path / "s.py"], check=True, capture_output=True, text=True
    )
    assert "held out" in run.stdout
    (made,) = (tmp_path / "s_results").glob("*.tif")
    found = read_image(image)
    wanted = trained.predict(np.asarray(found.data), spacing=found.spacing)
    assert wanted.max() > 3
    np.testing.assert_array_equal(read_image(made).data, wanted)
    origin = read_origin(made)
    assert origin["model"]["sha256"] == sha256_of(tmp_path / "s_files" / "model.spinney")
    assert origin["options"]["what"] == "objects"


def test_a_notebook_is_written_by_default(tmp_path, trained, image):
    trained.save(tmp_path / "m.spinney")
    result = spin("export", tmp_path / "m.spinney", image, "-o", tmp_path / "n.ipynb")
    assert "n.ipynb" in result.output
    cells = json.loads((tmp_path / "n.ipynb").read_text())["cells"]
    assert any("spinney.load" in "".join(cell["source"]) for cell in cells)


def test_a_model_of_objects_needs_objects(tmp_path):
    labels = np.repeat([[0, 1, 0, 2, 0, 3, 3]], 3, axis=0)
    clf = spinney.ObjectClassifier("area", n_trees=2).fit(labels, {1: 1, 3: 2})
    clf.save(tmp_path / "o.spinney")
    result = spin("export", tmp_path / "o.spinney", "-o", tmp_path / "n")
    assert result.exit_code == 1
    assert "name the label images" in result.stderr


@pytest.mark.parametrize("kind", ["classes", "values", "objects"])
def test_a_model_of_objects_is_exported_and_gives_the_same(tmp_path, kind):
    sample = samples.load_sample("shapes")
    numbers = np.unique(sample.labels)[1:]
    painted = np.where(np.isin(sample.labels, numbers[::2]), 1, 2) * (sample.labels > 0)
    if kind == "classes":
        model = spinney.ObjectClassifier("area mean_intensity", n_trees=5)
        model.fit(sample.labels, painted, sample.image)
    elif kind == "values":
        model = spinney.ObjectMapper("area mean_intensity", n_trees=5)
        values = {int(n): float(n) for n in numbers}
        model.fit(sample.labels, values, sample.image)
    else:
        model = spinney.ObjectSelector("area mean_intensity", n_trees=5)
        model.fit(sample.labels, painted, sample.image)
    model.save(tmp_path / "o.spinney")
    write_image(tmp_path / "labels.tif", sample.labels)
    write_image(tmp_path / "image.tif", sample.image)
    words = ["export", "o.spinney", "labels.tif", "-i", "image.tif", "--to", "script", "-o", "x.py"]
    words = [str(tmp_path / w) if "." in w else w for w in words]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    subprocess.run([sys.executable, tmp_path / "x.py"], check=True, capture_output=True)
    (path,) = (tmp_path / "x_results").glob("*.tif")
    expected = model.predict(sample.labels, sample.image)
    np.testing.assert_array_equal(read_image(path).data, expected)
    assert read_origin(path)["model"]["kind"] == model.state_.kind
    assert len(pd.read_csv(path.with_suffix(".csv"))) == len(numbers)
