"""Samples: what they hold, that strokes agree with the truth, and that they can be made again."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_spinney import samples

ROOT = Path(__file__).parents[1]
SYNTHETIC = [name for name in samples.names() if name not in {"coins", "cell"}]


@pytest.mark.parametrize("name", samples.names())
def test_strokes_fit_the_image_without_its_channels(name):
    sample = samples.load_sample(name)
    shape = list(sample.image.shape)
    if sample.channel_axis is not None:
        del shape[sample.channel_axis]
    assert sample.strokes.shape == tuple(shape)
    assert len(sample.axes) == sample.image.ndim


@pytest.mark.parametrize("name", samples.names())
def test_every_named_class_is_painted(name):
    sample = samples.load_sample(name)
    assert set(np.unique(sample.strokes)) == {0, *sample.class_names}


@pytest.mark.parametrize("name", ["nuclei", "stack", "time_lapse"])
def test_strokes_agree_with_the_numbered_nuclei(name):
    sample = samples.load_sample(name)
    assert not sample.truth[sample.strokes == 1].any()
    assert sample.truth[sample.strokes == 2].all()


@pytest.mark.parametrize("name", ["two_channels", "shapes", "sizes"])
def test_strokes_agree_with_the_true_classes(name):
    sample = samples.load_sample(name)
    painted = sample.strokes > 0
    assert (sample.truth[painted] == sample.strokes[painted]).all()


@pytest.mark.parametrize("name", ["shapes", "sizes"])
def test_an_object_has_one_true_class(name):
    sample = samples.load_sample(name)
    for number in np.unique(sample.labels)[1:]:
        assert len(np.unique(sample.truth[sample.labels == number])) == 1


def test_most_objects_are_left_to_be_classified():
    sample = samples.load_sample("sizes")
    painted = np.unique(sample.labels[sample.strokes > 0])
    assert len(painted) < 0.4 * sample.labels.max()


def test_some_nuclei_touch():
    truth = samples.load_sample("nuclei").truth.astype(int)
    beside = truth[:, 1:], truth[:, :-1]
    assert ((beside[0] != beside[1]) & (beside[0] > 0) & (beside[1] > 0)).sum() > 20


def test_a_single_threshold_does_not_find_the_nuclei():
    sample = samples.load_sample("nuclei")
    truth = sample.truth > 0
    best = max(
        2 * (truth & (sample.image > t)).sum() / (truth.sum() + (sample.image > t).sum())
        for t in range(20, 120)
    )
    assert best < 0.95


def test_samples_are_small():
    assert sum(path.stat().st_size for path in samples.folder().iterdir()) < 3_000_000


@pytest.mark.parametrize("name", SYNTHETIC)
def test_files_say_axes_and_spacing(name):
    sample = samples.load_sample(name)
    with tifffile.TiffFile(samples.folder() / f"{name}.tif") as file:
        assert file.series[0].axes == sample.axes
        assert f'PhysicalSizeX="{sample.spacing[-1]}"' in file.ome_metadata


def test_the_script_makes_the_same_files(tmp_path):
    script = ROOT / "scripts" / "make_samples.py"
    subprocess.run([sys.executable, script, tmp_path], check=True)
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {path.name for path in (ROOT / "sample_data").iterdir()}
    for name in made:
        again, kept = (
            tifffile.imread(p / name).astype(int) for p in (tmp_path, ROOT / "sample_data")
        )
        assert np.abs(again - kept).max() <= 1, name


@pytest.mark.parametrize("name", samples.names())
def test_napari_gets_an_image_and_strokes(name):
    sample = samples.load_sample(name)
    made = getattr(samples, name)()
    image, options, kind = made[0]
    assert kind == "image"
    assert image is not sample.image
    assert made[-1][1]["name"] == f"{name} strokes"
    assert {layer[2] for layer in made[1:]} == {"labels"}
    if sample.spacing is not None:
        assert options["scale"][-1] == sample.spacing[-1]


def test_an_unknown_sample_is_named_with_those_that_exist():
    with pytest.raises(ValueError, match=r"'blobs'; there are nuclei, .*cell"):
        samples.load_sample("blobs")
