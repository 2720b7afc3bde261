"""Objects on the command line, from files to files."""

import shutil

import numpy as np
import pandas as pd
import pytest
import tifffile
from typer.testing import CliRunner

import napari_spinney as spinney
from napari_spinney import samples
from napari_spinney.cli import app
from napari_spinney.object_files import measure_files


def spin(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def folder(tmp_path):
    for path in samples.folder().glob("shapes*.tif"):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.fixture
def model(folder):
    sample = samples.load_sample("shapes")
    clf = spinney.ObjectClassifier("area eccentricity mean_intensity", n_trees=20)
    clf.fit(sample.labels, sample.strokes, sample.image, spacing=sample.spacing)
    clf.save(folder / "shapes.spinney")
    return folder / "shapes.spinney"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_measure_writes_what_python_measures(folder, suffix):
    out = folder / f"table{suffix}"
    result = spin(
        "measure", folder / "shapes_labels.tif", "--image", folder / "shapes.tif",
        "--features", "size intensity", "--spacing", "0.5", "--out", out,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "40 objects" in result.output
    table = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    sample = samples.load_sample("shapes")
    expected = spinney.measure(
        sample.labels, sample.image, features="size intensity", spacing=(0.5, 0.5)
    )
    pd.testing.assert_frame_equal(table, expected, check_dtype=False, rtol=1e-14)


def test_several_files_make_one_table(folder):
    paths = [
        folder / "shapes_labels.tif",
        shutil.copy(folder / "shapes_labels.tif", folder / "b.tif"),
    ]
    table = measure_files(paths, features="area")
    assert table.columns.tolist() == ["file", "label", "area"]
    assert table.groupby("file").size().tolist() == [40, 40]


def test_train_objects_writes_a_model_that_python_loads(folder):
    out = folder / "m.spinney"
    result = spin(
        "train", folder / "shapes_labels.tif", "-a", folder / "shapes_strokes.tif", "--objects",
        "--image", folder / "shapes.tif", "--features", "area eccentricity", "--trees", "20",
        "--name", "2=elongated", "--out", out,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "Learnt 2 classes from 10 objects, 2 features" in result.output
    loaded = spinney.load(out)
    assert isinstance(loaded, spinney.ObjectClassifier)
    assert loaded.class_names[2] == "elongated"


def test_predict_knows_a_model_of_objects(folder, model):
    result = spin(
        "predict", model, folder / "shapes_labels.tif", "-i", folder / "shapes.tif",
        "--out", folder / "out",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    classes = tifffile.imread(folder / "out" / "shapes_labels_classes.tif")
    sample = samples.load_sample("shapes")
    np.testing.assert_array_equal(classes, spinney.load(model).predict(sample.labels, sample.image))
    table = pd.read_csv(folder / "out" / "shapes_labels_classes.csv")
    assert {"label", "class", "area", "probability_of_1"} <= set(table.columns)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["predict", "MODEL", "shapes_labels.tif", "--out", "out"], "image="),
        (["measure", "shapes_labels.tif", "--out", "table.txt"], ".csv, .tsv, .parquet"),
        (["measure", "shapes_labels.tif", "--features", "aera", "--out", "t.csv"], "'area'"),
        (
            ["measure", "shapes_labels.tif", "-i", "small.tif", "--out", "t.csv"],
            "lie on each other",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(folder, model, monkeypatch, words, reason):
    monkeypatch.chdir(folder)
    tifffile.imwrite("small.tif", np.zeros((8, 8), np.uint8))
    result = spin(*[model if word == "MODEL" else word for word in words])
    assert result.exit_code == 1, result.output
    assert reason in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
