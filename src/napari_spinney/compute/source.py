"""An image as executors read it: float32 blocks (channel, *spatial), one time point at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_spinney.compute.blocks import Slices


class ArrayLike(Protocol):
    """What is needed of an image: numpy, dask, zarr and memory maps have it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length along each axis."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        ...

    def __getitem__(self, key: Any, /) -> Any: ...


@dataclass(frozen=True, slots=True, eq=False)
class ImageSource:
    """An image and what its axes are.

    Parameters
    ----------
    image : array_like
        Any array of numbers or booleans, in memory or not; read in blocks only.
    channel_axis, time_axis : int or None
        Positions of these axes in ``image`` (not negative), where it has them.
    """

    image: ArrayLike
    channel_axis: int | None = None
    time_axis: int | None = None

    @classmethod
    def of(
        cls, image: Any, *, channel_axis: int | None = None, time_axis: int | None = None
    ) -> ImageSource:
        """Check an image and its axes.

        Raises
        ------
        TypeError
            If the elements are no real numbers.
        ValueError
            If the image is empty, the axes do not exist or coincide, or what is left of the
            shape without them is not 2D or 3D.
        """
        if not hasattr(image, "shape") or not hasattr(image, "dtype"):
            image = np.asarray(image)
        ndim = len(image.shape)
        channel = _axis(channel_axis, ndim, "channel_axis", image.shape)
        time = _axis(time_axis, ndim, "time_axis", image.shape)
        if channel is not None and channel == time:
            raise ValueError(f"channel_axis and time_axis must differ; both are {channel}")
        if np.dtype(image.dtype).kind not in "buif":
            raise TypeError(
                f"an image holds booleans, integers or real numbers; got dtype {image.dtype}"
            )
        source = cls(image, channel, time)
        if source.ndim not in (2, 3):
            raise ValueError(
                f"an image has 2 or 3 spatial axes; shape {tuple(image.shape)} leaves "
                f"{source.ndim} without channel_axis={channel_axis} and time_axis={time_axis}"
            )
        if 0 in image.shape:
            raise ValueError(f"the image is empty: its shape is {tuple(image.shape)}")
        return source

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """Positions of the spatial axes in the image."""
        others = (self.channel_axis, self.time_axis)
        return tuple(a for a in range(len(self.image.shape)) if a not in others)

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.spatial_axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the spatial axes."""
        return tuple(int(self.image.shape[a]) for a in self.spatial_axes)

    @property
    def n_channels(self) -> int:
        """Number of channels; 1 without a channel axis."""
        return 1 if self.channel_axis is None else int(self.image.shape[self.channel_axis])

    @property
    def n_times(self) -> int:
        """Number of time points; 1 without a time axis."""
        return 1 if self.time_axis is None else int(self.image.shape[self.time_axis])

    @property
    def result_shape(self) -> tuple[int, ...]:
        """Shape of a result: that of the image without the channel axis."""
        return tuple(int(n) for a, n in enumerate(self.image.shape) if a != self.channel_axis)

    def result_index(self, time: int, target: Slices) -> tuple[int | slice, ...]:
        """Where a block of one time point lies in a result."""
        spatial = iter(target)
        return tuple(
            time if a == self.time_axis else next(spatial)
            for a in range(len(self.image.shape))
            if a != self.channel_axis
        )

    def read(self, time: int, outer: Slices) -> NDArray[np.float32]:
        """Read one block as C-contiguous float32, (channel, *outer).

        Values beyond float32 become infinite, as they do in scikit-learn's features.
        """
        spatial = iter(outer)
        index = tuple(
            time
            if a == self.time_axis
            else slice(None)
            if a == self.channel_axis
            else next(spatial)
            for a in range(len(self.image.shape))
        )
        piece = np.asarray(self.image[index])
        with np.errstate(over="ignore"):
            values = piece.astype(np.float32)
        if self.channel_axis is None:
            return np.ascontiguousarray(values[None])
        before = sum(a < self.channel_axis for a in (self.time_axis,) if a is not None)
        return np.ascontiguousarray(np.moveaxis(values, self.channel_axis - before, 0))


def _axis(axis: int | None, ndim: int, name: str, shape: Sequence[int]) -> int | None:
    if axis is None:
        return None
    if not -ndim <= axis < ndim:
        raise ValueError(f"{name}={axis} is no axis of an image of shape {tuple(shape)}")
    return axis % ndim
