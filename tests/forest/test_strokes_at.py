import numpy as np
import pytest

from napari_spinney.forest.annotation import Painted, painted_positions, strokes_at, strokes_of


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
@pytest.mark.parametrize(
    ("shape", "time_axis"),
    [((40, 50), None), ((7, 20, 30), None), ((7, 20, 30), 0), ((5, 6, 7, 8), 0), ((1, 9), None)],
)
def test_numbers_are_those_of_the_whole_annotation(shape, time_axis, share):
    rng = np.random.default_rng(0)
    annotation = ((rng.random(shape) < share) * rng.integers(1, 4, shape)).astype(np.uint8)
    position = np.flatnonzero(annotation)
    found = strokes_at(position, annotation.ravel()[position], shape, time_axis)
    wanted = strokes_of(annotation, time_axis=time_axis).ravel()[position]
    np.testing.assert_array_equal(found, wanted)


def test_nothing_painted_has_no_strokes():
    nothing = np.zeros(0, np.int64)
    assert strokes_at(nothing, nothing.astype(np.uint8), (4, 4)).shape == (0,)


@pytest.mark.parametrize(("shape", "dtype"), [((16, 16), "u1"), ((5, 7), "u1"), ((8, 8), "u4")])
def test_painted_positions_are_those_that_are_not_zero(shape, dtype):
    rng = np.random.default_rng(1)
    annotation = (rng.random(shape) < 0.2).astype(dtype)
    np.testing.assert_array_equal(painted_positions(annotation), np.flatnonzero(annotation))


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float64])
def test_painted_pixels_make_the_annotation_again(dtype):
    annotation = (3 * (np.random.default_rng(2).random((9, 11)) < 0.3)).astype(dtype)
    painted = Painted.of(annotation)
    np.testing.assert_array_equal(painted.whole(), annotation)
    assert set(painted.values) == {3}


def test_painted_pixels_are_checked_as_annotations_are():
    with pytest.raises(ValueError, match=r"-1 at \(0, 1\) is negative"):
        Painted.of(np.array([[0, -1]]))
