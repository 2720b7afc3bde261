"""From a mask to numbered objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Split: TypeAlias = Literal["watershed"] | None


def segment_objects(
    mask: NDArray[np.bool_],
    *,
    split: Split = None,
    min_size: int = 0,
    clear_border: bool = False,
    spacing: Sequence[float] | None = None,
) -> NDArray[np.uint32]:
    """Number the objects of a mask 1..n.

    Parameters
    ----------
    mask : (Y, X) or (Z, Y, X) bool
        Where objects are.
    split : None or "watershed"
        None: connected components over edges (faces in 3D), the diamond neighbourhood.
        "watershed": objects that touch are parted along the necks between the maxima of their
        smoothed distance to the background.
    min_size : int
        Objects of fewer pixels are dropped.
    clear_border : bool
        Drop objects that touch the border of the image.
    spacing : sequence of float, optional
        Micrometres per pixel along each axis; distances are taken in them.

    Returns
    -------
    array of uint32, of the shape of ``mask``
        0 where no object is.
    """
    from scipy import ndimage

    labels, _ = ndimage.label(mask)
    if split == "watershed" and mask.any():
        labels = _part(mask, labels, spacing)
    return _renumber(labels, _dropped(labels, min_size, clear_border))


def _part(
    mask: NDArray[np.bool_], labels: NDArray[np.int32], spacing: Sequence[float] | None
) -> NDArray[np.int32]:
    from scipy import ndimage
    from skimage.measure import label
    from skimage.morphology import h_maxima
    from skimage.segmentation import watershed

    sampling = np.ones(mask.ndim) if spacing is None else np.asarray(spacing, float)
    sampling = sampling / sampling.min()
    distance = ndimage.distance_transform_edt(mask, sampling=sampling)
    smooth = ndimage.gaussian_filter(distance, 1.0 / sampling) * mask
    depth = max(0.5, 0.1 * float(np.median(smooth[smooth > 0])))
    seeds = label(h_maxima(smooth.astype(np.float32), depth))
    seeds = _seed_every(labels, seeds)
    return np.asarray(watershed(-smooth, seeds, mask=mask), dtype=np.int32)


def _seed_every(labels: NDArray[np.int32], seeds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give components too flat to hold a maximum one seed each: themselves."""
    seeded = np.zeros(int(labels.max()) + 1, bool)
    seeded[labels[seeds > 0]] = True
    extra = np.where(seeded[labels], 0, labels.astype(np.int64))
    return np.where(extra > 0, extra + int(seeds.max()), seeds)


def _dropped(labels: NDArray[np.int32], min_size: int, clear_border: bool) -> NDArray[np.bool_]:
    sizes = np.bincount(labels.ravel())
    dropped = sizes < min_size
    if clear_border:
        for axis in range(labels.ndim):
            dropped[labels.take([0, -1], axis=axis)] = True
    dropped[0] = True
    return np.asarray(dropped | (sizes == 0))


def _renumber(labels: NDArray[np.int32], dropped: NDArray[np.bool_]) -> NDArray[np.uint32]:
    numbers = np.where(dropped, 0, np.cumsum(~dropped)).astype(np.uint32)
    return np.asarray(numbers[labels])
