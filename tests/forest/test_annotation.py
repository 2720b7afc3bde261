import numpy as np
import pytest

from napari_spinney.forest.annotation import check_annotation, strokes_of


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.int64, np.uint64, np.float32])
def test_whole_numbers_of_any_type_are_classes(dtype):
    painted = np.array([[0, 1], [1, 0]]).astype(dtype)
    classes = check_annotation(painted, (2, 2))
    assert classes.dtype.kind == "u"
    assert classes.tolist() == [[0, 1], [1, 0]]


def test_large_class_numbers_keep_their_value():
    assert check_annotation(np.array([0, 70000])).tolist() == [0, 70000]
    assert check_annotation(np.array([0.0, 2.0**32 - 1])).tolist() == [0, 2**32 - 1]


def test_empty_annotation_is_empty():
    assert check_annotation(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (0.5, r"0\.5 at \(1, 2\) is no whole number"),
        (-3.0, r"-3\.0 at \(1, 2\) is negative"),
        (np.nan, r"nan at \(1, 2\) is no whole number"),
        (np.inf, r"inf at \(1, 2\) is larger"),
        (2.0**32, r"4294967296\.0 at \(1, 2\) is larger"),
    ],
)
def test_wrong_values_are_named_with_their_place(value, why):
    painted = np.zeros((2, 3))
    painted[1, 2] = value
    with pytest.raises(ValueError, match=why):
        check_annotation(painted)


def test_negative_integers_are_refused():
    with pytest.raises(ValueError, match=r"-1 at \(0,\) is negative"):
        check_annotation(np.array([-1, 2]))


def test_shape_must_be_that_of_the_image():
    with pytest.raises(ValueError, match=r"\(4, 4\); got \(4, 5\)"):
        check_annotation(np.zeros((4, 5), np.uint8), (4, 4))


def test_text_is_refused():
    with pytest.raises(TypeError, match="class numbers"):
        check_annotation(np.array(["nucleus"]))


def test_strokes_join_diagonally_and_only_within_a_class():
    painted = np.array([[1, 0, 2, 2], [0, 1, 1, 0], [0, 0, 0, 0], [1, 1, 0, 2]])
    assert strokes_of(painted).tolist() == [
        [1, 0, 2, 2],
        [0, 1, 1, 0],
        [0, 0, 0, 0],
        [3, 3, 0, 4],
    ]


def test_strokes_join_in_three_dimensions_but_not_over_time():
    painted = np.zeros((3, 4, 5), np.uint8)
    painted[0, 1, 1] = painted[1, 2, 2] = painted[2, 1, 1] = 3
    assert strokes_of(painted).max() == 1
    assert strokes_of(painted, time_axis=0).max() == 3
    over_time = strokes_of(np.moveaxis(painted, 0, 2), time_axis=-1)
    np.testing.assert_array_equal(over_time, np.moveaxis(strokes_of(painted, 0), 0, 2))


def test_nothing_painted_has_no_strokes():
    assert strokes_of(np.zeros((3, 3))).max() == 0


def test_classes_beyond_int32_are_strokes_too():
    assert strokes_of(np.array([0, 2**32 - 1, 1], np.uint32)).tolist() == [0, 1, 2]
