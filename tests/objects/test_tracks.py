import numpy as np
import pytest

from napari_spinney.objects.tracks import labels_persist, labels_under
from napari_spinney.samples import load_sample


def test_labels_that_follow_their_objects_persist():
    assert labels_persist(load_sample("time_lapse").truth)


def test_labels_given_anew_do_not_persist():
    truth = load_sample("time_lapse").truth
    rng = np.random.default_rng(0)
    renumbered = []
    for frame in truth:
        numbers = np.unique(frame[frame > 0])
        table = np.zeros(256, np.uint8)
        table[numbers] = rng.permutation(len(numbers)) + 1
        renumbered.append(table[frame])
    assert not labels_persist(renumbered)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_without_objects_or_time_nothing_persists(n):
    assert not labels_persist([np.zeros((4, 4), int)] * n)


def test_labels_are_found_under_positions():
    labels = np.arange(12, dtype=np.uint32).reshape(3, 4)
    positions = [[0.4, 0.6], [2.4, 3.4], [2.6, 0], [-0.6, 0], [1, np.nan]]
    assert labels_under(labels, positions).tolist() == [1, 11, 0, 0, 0]
    with pytest.raises(ValueError, match=r"\(n, 2\)"):
        labels_under(labels, [[1, 2, 3]])
