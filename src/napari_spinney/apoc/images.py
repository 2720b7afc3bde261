"""Images as APOC takes them: arrays of numpy or pyclesperanto, or lists of channels."""

from __future__ import annotations

from typing import Any

import numpy as np


class ChannelsError(ValueError, AttributeError):
    """An image has other channels than were learnt; APOC raises an AttributeError there."""


def as_array(image: Any) -> Any:
    """An array to compute with; images of pyclesperanto are fetched from the device."""
    if isinstance(image, np.ndarray) or type(image).__module__.startswith(("dask", "zarr")):
        return image
    return np.asarray(image)


def as_whole_numbers(image: Any) -> Any:
    """Labels or an annotation; pyclesperanto keeps many of them as float32.

    Raises
    ------
    ValueError
        If there is a fraction, or a number below 0.
    """
    from napari_spinney.forest.annotation import check_annotation

    return check_annotation(as_array(image))


def channels_first(
    image: Any, ndim: int, *, shape: tuple[int, ...] | None = None, n_channels: int | None = None
) -> tuple[Any, int | None]:
    """An image and its channel axis.

    Parameters
    ----------
    image : array or list of arrays
        ``ndim`` axes, or one more for the channels: the first axis as in APOC, or the last one
        (colours) where only that fits. A list holds one image per channel.
    ndim : int
        Spatial axes.
    shape : tuple of int, optional
        Lengths of the spatial axes, where they are known.
    n_channels : int, optional
        Number of channels, where it is known.

    Returns
    -------
    image : array
    channel_axis : int or None

    Raises
    ------
    TypeError
        If there is no image.
    ValueError
        If it has neither ``ndim`` axes nor one more, or its channels differ in shape.
    """
    if image is None:
        raise TypeError("an image must be given as well, to generate features from")
    if isinstance(image, (list, tuple)):
        channels = [as_array(channel) for channel in image]
        shapes = {channel.shape for channel in channels}
        if len(shapes) != 1:
            raise ValueError(f"the channels of an image must have one shape; got {sorted(shapes)}")
        if channels[0].ndim == ndim:
            return (channels[0], None) if len(channels) == 1 else (np.stack(channels), 0)
        image = np.asarray(image)
    array = as_array(image)
    if array.ndim == ndim:
        return array, None
    if array.ndim != ndim + 1:
        raise ValueError(
            f"an image of {ndim} spatial axes has {ndim} axes, or {ndim + 1} with the channels "
            f"first; got the shape {array.shape}"
        )
    return array, 0 if _is_first(array.shape, shape, n_channels) else -1


def _is_first(
    found: tuple[int, ...], shape: tuple[int, ...] | None, n_channels: int | None
) -> bool:
    """Whether the first axis holds the channels, and not the last one."""
    fits_last = (shape is None or found[:-1] == shape) and n_channels in (None, found[-1])
    fits_first = (shape is None or found[1:] == shape) and n_channels in (None, found[0])
    return fits_first or not fits_last
