"""Exported notebooks and scripts, run from top to bottom somewhere else, give the same arrays."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

import napari_spinney as spinney
from napari_spinney import export
from napari_spinney.files.images import read_image
from napari_spinney.history import ClassifyObjects, Measure, OpenModel, Predict, Train, Validate
from napari_spinney.session import ImageEntry

# What Jupyter's own packages warn of is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")

NAMES = {1: "background", 2: 'kern "ü"'}


def noisy(shape, seed=0):
    rng = np.random.default_rng(seed)
    image = rng.normal(100, 5, shape)
    spots = ndimage.gaussian_filter(rng.normal(size=shape), 4) > 0.03
    return image + 60 * spots, spots


@pytest.fixture(scope="module")
def entries():
    """Two images; the second has its channels last and real numbers."""
    first, _ = noisy((48, 60))
    second, _ = noisy((40, 44), seed=1)
    return (
        ImageEntry("a", "Bild 1/ä", first.astype(np.uint8), "yx", (0.5, 0.25)),
        ImageEntry("b", "Bild 1/ä", second, "yx"),
    )


@pytest.fixture(scope="module")
def trained(entries):
    annotations = []
    for entry in entries:
        strokes = np.zeros(entry.data.shape, np.uint8)
        bright = entry.data > 130
        for row in (4, 14, 24, 34):
            strokes[row] = np.where(bright[row], 2, 1)
        strokes[:, ::2] = 0
        annotations.append(strokes)
    clf = spinney.PixelClassifier("original gaussian_blur=2 hessian_eigenvalues=1", n_trees=20)
    clf.class_names = dict(NAMES)
    clf.class_colors = {1: "#0072b2", 2: "#e69f00"}
    clf.fit([e.data for e in entries], annotations, device="cpu")
    return Train(clf, entries), annotations


@pytest.fixture(scope="module")
def objects(entries):
    labels, n = ndimage.label(entries[0].data > 130)
    classes = {number: 1 + (number % 2) for number in range(1, n + 1)}
    entry = ImageEntry("l", "Zellen", labels.astype(np.uint16), "yx")
    clf = spinney.ObjectClassifier("area mean_intensity", n_trees=10)
    clf.fit(labels, classes, entries[0].data)
    return ClassifyObjects(clf, entry, classes, entries[0])


@pytest.fixture(scope="module")
def steps(trained, entries, objects):
    step, _ = trained
    first, second = entries
    return (
        step,
        Validate(folds=3),
        Predict(first),
        Predict(second, "objects", 2, split="watershed", min_size=5),
        Predict(first, "probability", 2),
        Predict(first, "uncertainty", region=(slice(4, 30), slice(0, 60))),
        Predict(second, "probabilities"),
        objects,
        Measure(objects.labels, "size shape"),
    )


@pytest.fixture(scope="module")
def wanted(trained, entries, objects):
    """File name of each result, and what it must hold."""
    clf = trained[0].classifier
    first, second = (entry.data for entry in entries)
    segmenter = spinney.ObjectSegmenter.from_state(clf.state_)
    segmenter.set_params(target_class=2, split="watershed", min_size=5)
    return {
        "Bild_1_ä_classes.tif": clf.predict(first),
        "Bild_1_ä_2_objects_of_class_2.tif": segmenter.predict(second),
        "Bild_1_ä_probability_of_class_2.tif": clf.predict_proba(first)[1],
        "Bild_1_ä_uncertainty.tif": clf.predict_uncertainty(
            first, region=(slice(4, 30), slice(0, 60))
        ),
        "Bild_1_ä_2_probabilities.tif": clf.predict_proba(second),
        "Zellen_classes_of_objects.tif": objects.classifier.predict(objects.labels.data, first),
    }


def assert_results(folder: Path, wanted) -> None:
    for name, array in wanted.items():
        found = np.asarray(read_image(folder / name).data)
        np.testing.assert_array_equal(found, array, err_msg=name)
    table = pd.read_csv(folder / "Zellen_classes_of_objects.csv")
    assert set(table.columns) == {"label", "area", "mean_intensity", "class"}
    assert "eccentricity" in pd.read_csv(folder / "Zellen_measurements.csv").columns


def moved(path: Path, where: Path) -> Path:
    """As if copied to another machine: the export and the folder beside it."""
    where.mkdir()
    folder = path.with_name(f"{path.stem}_files")
    folder.rename(where / folder.name)
    return path.rename(where / path.name)


def run_script(path):
    run = subprocess.run([sys.executable, str(path)], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_a_notebook_gives_the_same_again(tmp_path, steps, wanted):
    import nbformat
    from nbclient import NotebookClient

    path = moved(export.notebook(steps, tmp_path / "my cells"), tmp_path / "elsewhere")
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}})
    client.execute()
    assert_results(path.with_name("my cells_results"), wanted)
    outputs = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    pictures = [o for o in outputs if "image/png" in o.get("data", {})]
    assert len(pictures) == 6
    texts = "".join(o.get("text", "") for o in outputs)
    assert "held out" in texts
    assert "results may differ" not in texts


def test_a_script_gives_the_same_again(tmp_path, steps, wanted):
    path = moved(export.script(steps, tmp_path / "cells.py"), tmp_path / "else where")
    run = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert_results(path.with_name("cells_results"), wanted)
    assert path.with_name("cells_results").joinpath("Bild_1_ä_classes.png").stat().st_size > 1000


def test_strokes_are_those_that_were_trained_on(trained):
    step, annotations = trained
    for found, painted in zip(step.strokes(), annotations, strict=True):
        np.testing.assert_array_equal(found, painted)


def test_strokes_of_other_images_are_refused(trained, entries):
    with pytest.raises(ValueError, match=r"learnt from 2 image\(s\), and 1 are known"):
        Train(trained[0].classifier, entries[:1]).strokes()


def test_an_opened_model_is_saved_beside_the_export(tmp_path, trained, entries):
    model = spinney.ProbabilityMapper.from_state(trained[0].classifier.state_)
    steps = (OpenModel(model, "/somewhere/m.cl"), Predict(entries[0]))
    path = export.script(steps, tmp_path / "a")
    assert (tmp_path / "a_files" / "model.spinney").exists()
    run_script(path)
    found = read_image(tmp_path / "a_results" / "Bild_1_ä_classes.tif").data
    np.testing.assert_array_equal(found, trained[0].classifier.predict(entries[0].data))


class OnlySliced:
    """An array that is read in blocks, as the channels of several layers are."""

    def __init__(self, data):
        self._data, self.shape, self.dtype = data, data.shape, data.dtype

    def __getitem__(self, key):
        return self._data[key]


def test_channels_and_times_come_back_in_their_places(tmp_path):
    rng = np.random.default_rng(0)
    movie = rng.normal(size=(3, 2, 20, 22)).astype(np.float32)
    strokes = np.zeros((3, 20, 22), np.uint16)
    strokes[0, :4], strokes[2, 10:13] = 1, 300
    entry = ImageEntry("m", "movie", OnlySliced(movie), "tcyx", (0.5, 0.5))
    clf = spinney.PixelClassifier("original gaussian_blur=1um", n_trees=5)
    clf.fit(movie, strokes, channel_axis=1, time_axis=0, spacing=(0.5, 0.5), device="cpu")
    path = export.script((Train(clf, (entry,)), Predict(entry, use_spacing=True)), tmp_path / "m")
    run_script(path)
    found = read_image(tmp_path / "m_results" / "movie_classes.tif").data
    assert set(np.unique(found)) == {1, 300}
    np.testing.assert_array_equal(found, clf.predict(movie))


def test_the_same_export_twice_is_the_same_file(tmp_path, steps):
    texts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        texts.append(export.notebook(steps, tmp_path / name / "n.ipynb").read_bytes())
    assert texts[0] == texts[1]


def test_a_script_needs_no_screen(tmp_path, trained, entries, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":9999")
    path = export.script(
        (OpenModel(trained[0].classifier, "m"), Predict(entries[0])), tmp_path / "s"
    )
    run_script(path)
    assert list((tmp_path / "s_results").glob("*.png"))


def test_names_cannot_become_code(tmp_path, trained, entries):
    evil = 'x"]; raise SystemExit(3) #\n`"""'
    entry = ImageEntry("e", evil, entries[0].data, "yx")
    step = OpenModel(trained[0].classifier, evil)
    path = export.script((step, Predict(entry)), tmp_path / "e", title="t\nraise SystemExit(4)")
    run_script(path)
    cells = json.loads(export.notebook((step, Predict(entry)), tmp_path / "e").read_text())
    assert len(cells["cells"]) > 5


def test_results_of_two_models_do_not_overwrite_each_other(tmp_path, trained, entries):
    step = OpenModel(trained[0].classifier, "m")
    path = export.script((step, Predict(entries[0]), step, Predict(entries[0])), tmp_path / "e")
    code = path.read_text()
    assert code.count('"Bild_1_ä_classes.tif"') == code.count('"Bild_1_ä_classes_2.tif"') == 1


def test_lines_of_code_are_short(tmp_path):
    image, spots = noisy((30, 40))
    clf = spinney.PixelClassifier(" ".join(f"gaussian_blur={n}" for n in range(1, 20)), n_trees=2)
    strokes = np.where(np.indices(image.shape)[0] % 9 == 4, 1 + spots, 0)
    clf.fit(image, strokes, device="cpu")
    text = export.snippet(Train(clf, (ImageEntry("a", "a", image, "yx"),)))
    assert max(map(len, text.splitlines())) <= 100
    names = {"image": image, "strokes": strokes}
    exec(text, names)
    np.testing.assert_array_equal(names["clf"].predict(image), clf.predict(image))


def test_nothing_to_export_and_steps_without_a_model_are_refused(tmp_path, entries):
    with pytest.raises(ValueError, match="nothing was done yet"):
        export.notebook((), tmp_path / "n")
    with pytest.raises(ValueError, match="Predict needs a model"):
        export.script((Predict(entries[0]),), tmp_path / "n")
    assert not list(tmp_path.glob("n*.py"))


def test_snippets_run_as_they_stand(trained, entries, objects):
    step, annotations = trained
    names = {f"image_{i + 1}": e.data for i, e in enumerate(entries)}
    names |= {f"strokes_{i + 1}": a for i, a in enumerate(annotations)}
    names |= {"image": entries[0].data, "labels": objects.labels.data}
    for each in (step, Predict(entries[0]), Validate(3), objects, Measure(objects.labels, "size")):
        exec(export.snippet(each), names)
        if isinstance(each, Predict):
            wanted = step.classifier.predict(entries[0].data)
            np.testing.assert_array_equal(names["classes"], wanted)
    assert len(names["table"]) == objects.labels.data.max()
