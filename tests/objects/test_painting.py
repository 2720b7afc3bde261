import numpy as np
import pytest

from napari_spinney.objects.painting import paint, painted_classes


@pytest.mark.parametrize("dtype", [np.uint8, np.uint32, np.uint64])
def test_values_lie_on_their_labels(dtype):
    big = 200 if dtype == np.uint8 else 4_000_000_000
    labels = np.array([[0, 3, 3], [big, 7, 0]], dtype)
    painted = paint(labels, np.array([3, big], dtype), np.array([0.5, 2.0]), background=-1)
    assert painted.tolist() == [[-1, 0.5, 0.5], [2.0, -1, -1]]


def test_unknown_and_no_objects():
    labels = np.array([[0, 3, 4_000_000_000]])
    nothing = np.zeros(0, np.int64)
    assert paint(labels, nothing, np.zeros(0, np.uint8)).tolist() == [[0, 0, 0]]
    assert paint(labels[:0], nothing, np.zeros(0)).shape == (0, 3)
    assert paint(labels, np.array([9]), np.array([5])).tolist() == [[0, 0, 0]]
    with pytest.raises(ValueError, match="one value per object"):
        paint(labels, np.array([1, 2]), np.array([5]))


def test_a_tie_goes_to_the_lowest_class():
    labels = np.array([[1, 1, 2, 2, 2, 0]])
    annotation = np.array([[2, 1, 3, 4, 4, 9]])
    objects = np.array([1, 2])
    assert painted_classes(labels, annotation, objects).tolist() == [1, 4]
    assert painted_classes(labels, annotation, objects, "largest").tolist() == [2, 4]
