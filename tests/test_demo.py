"""The demo: scores that can be checked by hand, and a run of all of it."""

import imageio.v3 as iio
import numpy as np
import pytest

import napari_spinney as spinney
from napari_spinney.demo import run_demo, score


def squares(*corners):
    image = np.zeros((20, 20), int)
    for number, (y, x) in enumerate(corners, start=1):
        image[y : y + 4, x : x + 4] = number
    return image


def test_the_truth_scores_one():
    truth = squares((2, 2), (10, 10))
    assert score(truth, truth) == pytest.approx(score(truth, truth))
    assert (score(truth, truth).dice, score(truth, truth).objects_found) == (1, 1)


def test_half_an_overlap():
    scores = score(squares((2, 4)), squares((2, 2)))
    assert scores.dice == pytest.approx(0.5)
    assert scores.jaccard == pytest.approx(8 / 24)
    assert scores.objects_found == 0


def test_objects_that_were_joined_are_not_found():
    truth = squares((2, 2), (2, 6), (12, 12))
    joined = np.where(truth == 2, 1, truth)
    assert score(joined, truth).dice == 1
    assert score(joined, truth).objects_found == pytest.approx(1 / 3)


def test_nothing_found_and_nothing_there():
    nothing = np.zeros((20, 20), int)
    assert score(nothing, squares((2, 2))).objects_found == 0
    assert score(nothing, nothing).dice == 0


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out, lines = tmp_path_factory.mktemp("demo"), []
    cases = run_demo(out, device="cpu", tell=lines.append)
    return out, lines, {case.sample.name: case for case in cases}


def test_the_demo_finds_the_nuclei(run):
    scores = run[2]["nuclei"].scores
    assert scores.dice > 0.93
    assert scores.objects_found > 0.9


def test_the_demo_finds_every_coin(run):
    assert run[2]["coins"].objects.max() == 24


def test_the_demo_writes_pictures_models_and_label_images(run):
    out = run[0]
    for name in ("coins", "nuclei"):
        assert iio.imread(out / f"{name}.png").shape[1] == 1200
        assert spinney.load(out / f"{name}.spinney").class_names[1] == "background"
        assert (out / f"{name}_objects.tif").exists()


def test_the_demo_says_device_times_and_scores(run):
    report = "\n".join(run[1])
    for word in ("Device: cpu", "train", "predict", "Dice", "Jaccard", " s"):
        assert word in report
