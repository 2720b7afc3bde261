"""Reading images of every kind of axes and type as float32 blocks."""

import numpy as np
import pytest

from napari_spinney.compute.source import ImageSource


def test_axes_are_found_without_channels_and_time():
    source = ImageSource.of(np.zeros((5, 3, 8, 9)), channel_axis=1, time_axis=0)
    assert source.ndim == 2
    assert source.shape == (8, 9)
    assert source.n_channels == 3
    assert source.n_times == 5
    assert source.result_shape == (5, 8, 9)


def test_channels_come_first_whatever_axis_they_are_on():
    image = np.random.default_rng(0).random((8, 9, 5, 3))
    source = ImageSource.of(image, channel_axis=-1, time_axis=2)
    block = source.read(4, (slice(2, 6), slice(0, 9)))
    assert block.shape == (3, 4, 9)
    assert block.dtype == np.float32
    assert block.flags.c_contiguous
    np.testing.assert_array_equal(block[1], image[2:6, :, 4, 1].astype(np.float32))


def test_channel_axis_behind_time_axis_is_moved_to_the_front():
    image = np.random.default_rng(0).random((5, 8, 3, 9))
    block = ImageSource.of(image, channel_axis=2, time_axis=0).read(1, (slice(None), slice(None)))
    np.testing.assert_array_equal(block[2], image[1, :, 2].astype(np.float32))


def test_result_index_puts_time_where_the_image_has_it():
    source = ImageSource.of(np.zeros((8, 5, 9, 2)), channel_axis=3, time_axis=1)
    index = source.result_index(3, (slice(1, 2), slice(4, 5)))
    assert index == (slice(1, 2), 3, slice(4, 5))


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int16", "uint32", "int64", "float16", "float32", "float64"]
)
def test_every_type_of_number_is_read_as_float32(dtype):
    image = (np.arange(12).reshape(3, 4) % 2).astype(dtype)
    block = ImageSource.of(image).read(0, (slice(0, 3), slice(0, 4)))
    np.testing.assert_array_equal(block[0], image.astype(np.float32))


def test_values_beyond_float32_become_infinite_without_a_warning():
    block = ImageSource.of(np.full((2, 2), 1e300)).read(0, (slice(0, 2), slice(0, 2)))
    assert np.isinf(block).all()


@pytest.mark.parametrize(
    ("image", "axes", "message"),
    [
        (np.zeros(5), {}, "leaves 1"),
        (np.zeros((2, 2, 2, 2, 2)), {}, "leaves 5"),
        (np.zeros((0, 5)), {}, "empty"),
        (np.zeros((4, 5)), {"channel_axis": 2}, "channel_axis=2 is no axis"),
        (np.zeros((4, 5, 6, 7)), {"channel_axis": 1, "time_axis": -3}, "must differ"),
    ],
)
def test_images_that_make_no_sense_are_refused(image, axes, message):
    with pytest.raises(ValueError, match=message):
        ImageSource.of(image, **axes)


def test_elements_that_are_no_real_numbers_are_refused():
    with pytest.raises(TypeError, match="complex128"):
        ImageSource.of(np.zeros((4, 5), complex))
