"""From a mask to numbered objects."""

import numpy as np
import pytest
from skimage.draw import disk

from napari_spinney.classifiers.segmentation import segment_objects


@pytest.fixture
def two_touching_discs():
    mask = np.zeros((60, 90), bool)
    mask[disk((30, 30), 16)] = True
    mask[disk((30, 58), 16)] = True
    return mask


def test_diagonal_neighbours_are_two_objects():
    mask = np.array([[1, 0], [0, 1]], bool)
    np.testing.assert_array_equal(segment_objects(mask), [[1, 0], [0, 2]])


def test_objects_are_numbered_without_gaps_in_3d():
    mask = np.zeros((4, 6, 6), bool)
    mask[0, 0, 0] = mask[2, 2:4, 2:4] = mask[3, 5, 5] = True
    labels = segment_objects(mask, min_size=2)
    assert labels.dtype == np.uint32
    assert labels.max() == 1
    assert (labels > 0).sum() == 4


def test_touching_objects_are_one_unless_split(two_touching_discs):
    assert segment_objects(two_touching_discs).max() == 1
    labels = segment_objects(two_touching_discs, split="watershed")
    assert labels.max() == 2
    assert labels[30, 20] != labels[30, 70]
    np.testing.assert_array_equal(labels > 0, two_touching_discs)


def test_a_single_disc_is_not_split():
    mask = np.zeros((60, 60), bool)
    mask[disk((30, 30), 20)] = True
    assert segment_objects(mask, split="watershed").max() == 1


def test_splitting_keeps_objects_too_flat_for_a_maximum():
    mask = np.zeros((20, 20), bool)
    mask[3, 3] = True
    mask[10:18, 10:18] = True
    assert segment_objects(mask, split="watershed").max() == 2


def test_objects_at_the_border_are_dropped_on_request():
    mask = np.zeros((10, 10), bool)
    mask[0:3, 4] = mask[5:7, 5:7] = True
    labels = segment_objects(mask, clear_border=True)
    assert labels[1, 4] == 0
    assert labels[5, 5] == 1


def test_splitting_knows_anisotropic_voxels():
    z, y, x = np.mgrid[:10, :40, :64]
    ball = (4 * (z - 5)) ** 2 + (y - 20) ** 2
    mask = (ball + (x - 18) ** 2 < 15**2) | (ball + (x - 44) ** 2 < 15**2)
    assert segment_objects(mask).max() == 1
    assert segment_objects(mask, split="watershed", spacing=(2.0, 0.5, 0.5)).max() == 2


@pytest.mark.parametrize("split", [None, "watershed"])
def test_an_empty_mask_has_no_objects(split):
    assert segment_objects(np.zeros((5, 6), bool), split=split).max() == 0


def test_a_full_mask_is_one_object():
    assert segment_objects(np.ones((5, 6), bool), split="watershed").max() == 1
