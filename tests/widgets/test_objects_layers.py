"""Objects read from layers of other scales, sizes and numbers."""

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_spinney.widgets.objects_layers import objects_of


@pytest.fixture
def numbers():
    """Labels with gaps, huge ones, single pixels, on the border."""
    numbers = np.zeros((20, 30), np.uint32)
    numbers[0:6, 0:8], numbers[10:16, 12:20], numbers[19, 29] = 7, 4_000_000_001, 12
    return numbers


def test_an_image_of_another_resolution_is_read_by_its_place(numbers):
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 200, (20, 30)).astype(np.uint8)
    fine = coarse.repeat(2, axis=0).repeat(2, axis=1)
    labels = Labels(numbers, scale=(1, 1), units=("um", "um"))
    image = Image(fine, scale=(0.5, 0.5), translate=(-0.25, -0.25), units=("um", "um"))
    alone = objects_of(labels, Image(coarse, scale=(1, 1), units=("um", "um"))).read()
    scaled = objects_of(labels, image).read()
    wanted = alone.measure("intensity size")
    got = scaled.measure("intensity size")
    assert got["label"].tolist() == [7, 12, 4_000_000_001]
    np.testing.assert_allclose(got.to_numpy(), wanted.to_numpy(), equal_nan=True)
    assert got["area"].tolist() == [48, 1, 48]


def test_channels_stay_channels(numbers):
    two = np.stack([np.full((10, 15), 3), np.full((10, 15), 5)], axis=0)
    image = Image(two, scale=(1, 2, 2), translate=(0, 0.5, 0.5), axis_labels=("c", "y", "x"))
    table = (
        objects_of(Labels(numbers, axis_labels=("y", "x")), image).read().measure("mean_intensity")
    )
    assert table["mean_intensity"].tolist() == [3, 3, 3]
    assert table["mean_intensity_1"].tolist() == [5, 5, 5]


def test_beyond_the_image_there_is_no_value(numbers):
    image = Image(np.full((10, 30), 9, np.uint8))
    table = objects_of(Labels(numbers), image).read().measure("mean_intensity")
    assert table["mean_intensity"].tolist()[0] == 9
    assert np.isnan(table["mean_intensity"]).tolist() == [False, True, True]


def test_an_image_elsewhere_is_refused(numbers):
    image = Image(np.zeros((8, 8)), translate=(500, 0))
    with pytest.raises(ValueError, match="do not lie on each other"):
        objects_of(Labels(numbers), image)
    with pytest.raises(ValueError, match="scale and units"):
        objects_of(Labels(numbers), Image(np.zeros((8, 8)), units=("um", "um")))


def test_labels_without_a_pixel_size_take_that_of_the_image(numbers):
    image = Image(np.zeros((20, 30)), scale=(0.5, 0.25), units=("um", "um"))
    assert objects_of(Labels(numbers), image).spacing == (0.5, 0.25)
    own = Labels(numbers, scale=(2, 2), units=("um", "um"))
    assert objects_of(own, image).spacing == (2, 2)


def test_no_objects_make_an_empty_table():
    table = objects_of(Labels(np.zeros((5, 5), int)), Image(np.zeros((5, 5)))).read().measure("all")
    assert len(table) == 0
    assert "mean_intensity" in table
