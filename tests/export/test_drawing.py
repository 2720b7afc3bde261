from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from napari_spinney.export.drawing import draw, middle_plane


@pytest.mark.parametrize(
    ("axes", "shape"), [("yx", (4, 5)), ("cyx", (2, 4, 5)), ("tzyxc", (3, 7, 4, 5, 2))]
)
def test_the_middle_of_time_and_depth_is_drawn(axes, shape):
    image = np.arange(np.prod(shape)).reshape(shape)
    plane = middle_plane(image, axes)
    assert plane.shape == (4, 5)
    if axes == "tzyxc":
        np.testing.assert_array_equal(plane, image[1, 3, :, :, 0])


def test_classes_have_their_colours_and_nothing_is_transparent():
    ax = Figure().subplots()
    labels = np.array([[0, 1], [2, 30]])
    draw(ax, np.zeros((2, 2)), "yx", labels, colors={1: "#ff0000"})
    picture = np.asarray(ax.images[1].get_array())
    assert picture[0, 0, 3] == 0
    assert picture[0, 1].tolist() == [1, 0, 0, 0.45]
    assert len(np.unique(picture.reshape(4, 4), axis=0)) == 4
