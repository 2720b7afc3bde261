"""Draw an image with classes or objects on top; what exported notebooks call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray


def draw(
    ax: Axes,
    image: ArrayLike,
    axes: str,
    labels: ArrayLike | None = None,
    *,
    colors: Mapping[int, str] | None = None,
) -> None:
    """Draw the middle plane of an image (its first channel, in grey) and labels on top.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    image : array
        The image.
    axes : str
        One letter per axis of the image: t, c, z, y, x.
    labels : array, optional
        Classes or objects, of the shape of the image without channels; 0 is not drawn.
    colors : mapping, optional
        "#rrggbb" by class; objects get colours of their own.
    """
    letters = axes.lower()
    plane = middle_plane(np.asarray(image), letters)
    low, high = np.nanpercentile(plane, [0.5, 99.5])
    ax.imshow(plane, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    if labels is not None:
        over = middle_plane(np.asarray(labels), letters.replace("c", ""))
        ax.imshow(_painted(over, colors or {}), interpolation="nearest")
    ax.set_axis_off()


def middle_plane(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """(Y, X): the middle of time and depth, the first channel."""
    place = tuple(
        slice(None) if axis in "yx" else 0 if axis == "c" else length // 2
        for axis, length in zip(axes, array.shape, strict=True)
    )
    plane: NDArray[Any] = array[place]
    return plane


def _painted(labels: NDArray[Any], colors: Mapping[int, str]) -> NDArray[np.float64]:
    """(Y, X, 4) colours, transparent where the label is 0."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    numbers, place = np.unique(labels, return_inverse=True)
    ring = colormaps["tab20"].resampled(20)
    table = np.zeros((len(numbers), 4))
    for row, number in enumerate(numbers.tolist()):
        if number:
            rgb = to_rgb(colors[number]) if number in colors else ring(number % 20)[:3]
            table[row] = (*rgb, 0.45)
    return np.asarray(table[place.reshape(labels.shape)])
