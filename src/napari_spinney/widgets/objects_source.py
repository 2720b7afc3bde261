"""Labels and image of two layers, not read yet: values that a worker reads, no Qt, no layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.classifiers.object_images import ObjectImage

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which pixel of an image lies at each pixel of the labels, along one axis.

    Parameters
    ----------
    axis : int
        Of the image.
    index : (n,) array of int
        One for each pixel of the labels along their axis; beyond the image where there is none.
    """

    axis: int
    index: NDArray[np.int64]

    def apply(self, array: NDArray[Any]) -> NDArray[Any]:
        """Take these pixels; NaN beyond the image."""
        size = array.shape[self.axis]
        taken = np.take(array, np.clip(self.index, 0, size - 1), axis=self.axis)
        beyond = (self.index < 0) | (self.index >= size)
        if beyond.any():
            taken = taken.astype(np.result_type(taken.dtype, np.float32))
            np.moveaxis(taken, self.axis, 0)[beyond] = np.nan
        return taken


@dataclass(frozen=True, slots=True, eq=False)
class UnreadObjects:
    """What `ObjectImage` is made of, as references to what the layers hold.

    Reading copies the labels: what is painted afterwards changes the layer, not what is measured.

    Parameters
    ----------
    labels, image : array_like
        Perhaps on disk, or large; no image where there is none.
    sampling : tuple of Sampling
        How the image is brought to the pixels of the labels; empty where it has them.
    channel_axis, time_axis : int or None
        As in `ObjectImage.of`.
    spacing : tuple of float or None
        Size of a pixel along each spatial axis.
    """

    labels: Any
    image: Any = None
    sampling: tuple[Sampling, ...] = ()
    channel_axis: int | None = None
    time_axis: int | None = None
    spacing: tuple[float, ...] | None = None

    def read(self) -> ObjectImage:
        """Read and copy; takes long where arrays are large.

        Raises
        ------
        ValueError
            If labels and image do not lie on each other.
        """
        under = None if self.image is None else np.asarray(self.image)
        for axis in self.sampling:
            under = axis.apply(under)  # type: ignore[arg-type]
        return ObjectImage.of(
            np.array(self.labels),
            under,
            channel_axis=self.channel_axis,
            time_axis=self.time_axis,
            spacing=self.spacing,
        )
