"""Objects on the command line, from files to files."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import tifffile
from typer.testing import CliRunner

import napari_spinney as spinney
from napari_spinney import samples
from napari_spinney.batch.object_files import measure_files
from napari_spinney.cli import app
from napari_spinney.provenance import file_fact


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


def test_a_table_says_what_made_it(folder):
    out, labels = folder / "table.csv", folder / "shapes_labels.tif"
    assert spin("measure", labels, "--features", "area", "--out", out).exit_code == 0
    shown = json.loads(spin("inspect", out, "--json").output)
    assert shown["labels"] == [file_fact(labels)]
    assert shown["measurements"] == "area"
    assert "images" not in shown


def test_several_files_make_one_table(folder):
    paths = [
        folder / "shapes_labels.tif",
        shutil.copy(folder / "shapes_labels.tif", folder / "b.tif"),
    ]
    table = measure_files(paths, features="area")
    assert table.columns.tolist() == ["file", "label", "area"]
    assert table.groupby("file").size().tolist() == [40, 40]


def test_measure_takes_tracks_from_a_table(tmp_path):
    film = samples.load_sample("time_lapse").truth[:3]
    tifffile.imwrite(tmp_path / "film.tif", film, metadata={"axes": "TYX"}, imagej=True)
    label = int(film[0].max())
    places = [np.argwhere(frame == label).mean(axis=0).round() for frame in film]
    rows = [{"ID": 5, "frame": t, "Y": y, "X": x} for t, (y, x) in enumerate(places)]
    pd.DataFrame(rows).to_csv(tmp_path / "tracks.csv", index=False)
    result = spin(
        "measure", tmp_path / "film.tif", "--tracks", tmp_path / "tracks.csv",
        "--features", "area", "--out", tmp_path / "table.csv",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "table.csv")
    assert table.columns.tolist() == ["frame", "label", "track", "area"]
    assert table.loc[table["track"] == 5, ["frame", "label"]].to_numpy().tolist() == [
        [0, label], [1, label], [2, label],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"id": [1], "t": [0], "y": [1]}, "there is no x"),
        ({"id": [1], "t": [0], "y": ["?"], "x": [1]}, "y do not"),
    ],
)
def test_a_table_without_tracks_is_named(folder, columns, words):
    pd.DataFrame(columns).to_csv(folder / "tracks.csv", index=False)
    result = spin(
        "measure", folder / "shapes_labels.tif", "--tracks", folder / "tracks.csv",
        "--out", folder / "table.csv",
    )  # fmt: skip
    assert result.exit_code == 1
    assert "tracks.csv" in result.output
    assert words in result.output


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


def test_inspect_speaks_of_objects(model):
    import json

    summary = json.loads(spin("inspect", model, "--json").output)
    assert summary["kind"] == "ObjectClassifier"
    assert summary["learnt_from"] == {"images": 1, "objects": {"1": 5, "2": 5}}
    assert summary["importances"]["eccentricity"] > 0.3
    assert sum(summary["levels"][0].values()) == pytest.approx(1)
    text = spin("inspect", model).output
    assert "objects: (1: 5, 2: 5)" in text
    assert "  0: " in text
    assert "pixels" not in text


def test_a_mapper_writes_values(folder):
    sample = samples.load_sample("shapes")
    table = spinney.measure(sample.labels, features="area")
    values = dict(zip(table["label"].tolist(), table["area"].tolist(), strict=True))
    mapper = spinney.ObjectMapper("size", n_trees=20).fit(sample.labels, values)
    mapper.save(folder / "mapper.spinney")
    labels = folder / "shapes_labels.tif"
    result = spin("predict", folder / "mapper.spinney", labels, "--out", folder / "out")
    assert result.exit_code == 0, result.output
    written = pd.read_csv(folder / "out" / "shapes_labels_values.csv")
    np.testing.assert_allclose(written["value"], table["area"], rtol=0.2)
    painted = tifffile.imread(folder / "out" / "shapes_labels_values.tif")
    assert painted.max() == pytest.approx(written["value"].max())
    text = spin("inspect", folder / "mapper.spinney").output
    assert "highest value" in text


def test_a_model_in_pixels_stays_in_pixels(folder):
    sample = samples.load_sample("shapes")
    clf = spinney.ObjectClassifier("area eccentricity", n_trees=10)
    clf.fit(sample.labels, sample.strokes).save(folder / "pixels.spinney")
    labels = folder / "shapes_labels.tif"
    result = spin("predict", folder / "pixels.spinney", labels, "--spacing", "0.5", "-o", folder)
    assert result.exit_code == 0, result.output
    written = pd.read_csv(folder / "shapes_labels_classes.csv")
    pd.testing.assert_series_equal(
        written["area"], spinney.measure(sample.labels, features="area")["area"]
    )


def test_a_merger_writes_objects_and_borders(folder):
    labels = np.zeros((30, 60), np.uint16)
    for k in range(3):
        labels[2:12, 20 * k + 1 : 20 * k + 9], labels[2:12, 20 * k + 9 : 20 * k + 17] = (
            4 * k + 1,
            4 * k + 2,
        )
        labels[15:25, 20 * k + 1 : 20 * k + 9] = 4 * k + 3
        labels[24:29, 20 * k + 9 : 20 * k + 17] = 4 * k + 4
    merger = spinney.ObjectMerger("touch_portion", n_trees=10)
    merger.fit(labels, {(1, 2): 1, (5, 6): 1, (3, 4): 2, (7, 8): 2}).save(folder / "m.spinney")
    tifffile.imwrite(folder / "tissue.tif", labels)
    result = spin("predict", folder / "m.spinney", folder / "tissue.tif", "--out", folder / "out")
    assert result.exit_code == 0, result.output
    merged = tifffile.imread(folder / "out" / "tissue_objects.tif")
    np.testing.assert_array_equal(np.unique(merged), [0, 1, 3, 4, 5, 7, 8, 9, 11, 12])
    borders = pd.read_csv(folder / "out" / "tissue_objects.csv")
    assert len(borders) == 12
    assert set(borders["class"]) == {1, 2}
