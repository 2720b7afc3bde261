"""Scores of files."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from napari_spinney.batch.file_scores import score_files
from napari_spinney.cli import app
from napari_spinney.files.images import write_image


def spin(*words):
    return CliRunner().invoke(app, ["score", *map(str, words)])


@pytest.fixture
def folders(tmp_path):
    """Results and truth of two images: the first is perfect, the second is half right."""
    truth = np.zeros((2, 8, 8), np.uint8)
    truth[:, :4], truth[:, 4:] = 1, 2
    results = truth.copy()
    results[1, 4:, :4] = 1
    for name, images, what in (("result", results, "_classes"), ("truth", truth, "")):
        (tmp_path / name).mkdir()
        for stem, image in zip(("bild ä", "b"), images, strict=True):
            write_image(tmp_path / name / f"{stem}{what}.tif", image)
    return tmp_path / "result", tmp_path / "truth"


def test_two_folders_are_scored_by_name(folders, tmp_path):
    result = spin(folders[0], "--truth", folders[1], "--out", tmp_path / "new" / "s.csv")
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "new" / "s.csv").set_index(["file", "class"])
    half = table.loc[(str(folders[0] / "b_classes.tif"), 2)]
    assert (half["dice"], half["jaccard"]) == (pytest.approx(2 / 3), 0.5)
    assert table.loc[(str(folders[0] / "bild ä_classes.tif"), 2), "dice"] == 1
    assert table.loc[("all files", 2), "jaccard"] == 0.75
    assert "all files" in result.output


def test_lists_of_files_are_scored_as_json(folders, tmp_path):
    files = [sorted(folder.iterdir()) for folder in folders]
    result = spin(*files[0], "--truth", *files[1], "--json", "-o", tmp_path / "s.json")
    rows = json.loads(result.output)
    assert rows == json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    assert [row["class"] for row in rows] == [1, 2] * 3


def test_objects_are_scored_one_by_one(tmp_path):
    labels = np.zeros((9, 9), np.uint16)
    labels[:3, :3], labels[5:, 5:] = 1, 2
    write_image(tmp_path / "truth.tif", labels)
    write_image(tmp_path / "found.tif", np.where(labels == 2, 0, labels))
    words = (tmp_path / "found.tif", "-t", tmp_path / "truth.tif", "--what", "objects", "--json")
    (row,) = json.loads(spin(*words).output)
    assert (row["precision"], row["recall"]) == (1, 0.5)
    assert row["jaccard"] == pytest.approx(9 / 25)


def test_a_sparse_truth_says_nothing_of_other_pixels(tmp_path):
    write_image(tmp_path / "found.tif", np.array([[1, 1, 2, 2]], np.uint8))
    write_image(tmp_path / "truth.tif", np.array([[1, 0, 0, 2]], np.uint8))
    words = (tmp_path / "found.tif", "-t", tmp_path / "truth.tif", "--json")
    assert [row["jaccard"] for row in json.loads(spin(*words, "--sparse").output)] == [1, 1]
    assert [row["jaccard"] for row in json.loads(spin(*words).output)] == [0.5, 0.5]


def test_a_broken_file_and_one_of_another_shape_do_not_stop_the_others(folders):
    (folders[0] / "b_classes.tif").write_bytes(b"II*\0broken")
    for folder in folders:
        write_image(folder / "c.png", np.ones((3 if folder == folders[0] else 4, 3), np.uint8))
    result = spin(folders[0], "-t", folders[1], "--json")
    assert result.exit_code == 1
    first, second = result.stderr.strip().splitlines()
    assert "b_classes.tif" in first
    assert "(3, 3)" in second
    assert "(4, 3)" in second
    assert "c.png" in second
    assert [row["dice"] for row in json.loads(result.stdout)] == [1, 1]


def test_files_that_do_not_pair_are_named(folders):
    (folders[1] / "b.tif").unlink()
    result = spin(folders[0], "-t", folders[1])
    assert result.exit_code == 1
    assert "b_classes.tif" in result.stderr


def test_sparse_objects_are_refused(folders):
    result = spin(folders[0], "-t", folders[1], "--sparse", "--what", "objects")
    assert result.exit_code == 1
    assert "no whole objects" in result.stderr


def test_files_are_read_one_after_the_other(folders):
    pairs = iter([(folders[0] / "b_classes.tif", folders[1] / "b.tif"), None])
    assert next(score_files(pairs)).classes[0].number == 1
    assert next(pairs) is None
