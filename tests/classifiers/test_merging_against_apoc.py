"""A merger that APOC trained merges here what it merges there."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_spinney import ObjectMerger, load

pytestmark = [pytest.mark.opencl, pytest.mark.filterwarnings("ignore")]

FEATURES = [
    "touch_portion",
    "touch_count",
    "centroid_distance",
    "touch_portion touch_count",
    "mean_touch_intensity",
    "touch_portion mean_touch_intensity centroid_distance",
]


@pytest.fixture(scope="module")
def apoc():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import apoc

    return apoc


@pytest.fixture(scope="module")
def labels():
    """A tissue: objects of many sizes, numbered 1 .. n, with gaps between some of them."""
    rng = np.random.default_rng(3)
    seeds = np.zeros((80, 100), bool)
    seeds[rng.integers(0, 80, 45), rng.integers(0, 100, 45)] = True
    nearest = ndi.distance_transform_edt(~seeds, return_distances=False, return_indices=True)
    numbers = np.zeros(seeds.shape, np.uint32)
    numbers[seeds] = np.arange(1, seeds.sum() + 1)
    tissue = ndi.gaussian_filter(rng.normal(size=seeds.shape), 4) > -0.03
    labels = np.where(tissue, numbers[tuple(nearest)], 0)
    _, dense = np.unique(labels, return_inverse=True)
    return dense.reshape(labels.shape).astype(np.uint32)


@pytest.fixture(scope="module")
def image(labels):
    noise = np.random.default_rng(4).normal(size=labels.shape)
    return (100 + 400 * ndi.gaussian_filter(noise, 3)).astype(np.uint16)


@pytest.fixture(scope="module")
def strokes():
    strokes = np.zeros((80, 100), np.uint32)
    strokes[10:13, 5:40], strokes[50:53, 20:90] = 1, 2
    strokes[5:75, 80:82], strokes[30:33, 5:70], strokes[70:72, 5:95] = 2, 2, 2
    return strokes


def groups(before, after):
    """Which objects ended up together."""
    pairs = np.unique(np.stack([after[before > 0], before[before > 0]]), axis=1)
    found = {}
    for merged, label in pairs.T.tolist():
        found.setdefault(merged, []).append(label)
    return sorted(found.values())


@pytest.mark.parametrize("features", FEATURES)
def test_a_file_of_apoc_merges_as_apoc_does(apoc, tmp_path, labels, image, strokes, features):
    path = tmp_path / "merger.cl"
    theirs = apoc.ObjectMerger(opencl_filename=str(path), max_depth=3, num_ensembles=10)
    theirs.train(features, labels, strokes, image)
    wanted = np.asarray(theirs.predict(labels, image))
    ours = load(path)
    assert isinstance(ours, ObjectMerger)
    found = groups(labels, ours.predict(labels, image))
    assert found == groups(labels, wanted)
    assert len(found) > 1


def test_apoc_merges_by_a_file_of_ours_as_we_do(apoc, tmp_path, labels, image, strokes):
    merger = ObjectMerger("touch_portion touch_count", max_depth=3, n_trees=10, balance="none")
    merger.fit(labels, strokes, image).save(tmp_path / "merger.cl")
    theirs = apoc.ObjectMerger(opencl_filename=str(tmp_path / "merger.cl"))
    theirs.classifier.feature_specification = "touch_portion touch_count"
    wanted = np.asarray(theirs.predict(labels, image))
    assert groups(labels, merger.predict(labels, image)) == groups(labels, wanted)
