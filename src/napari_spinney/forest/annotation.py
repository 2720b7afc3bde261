"""From painted pixels to class numbers and strokes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_LARGEST_CLASS = int(np.iinfo(np.uint32).max)


def check_annotation(
    annotation: ArrayLike, shape: Sequence[int] | None = None
) -> NDArray[np.unsignedinteger]:
    """Turn an annotation into class numbers.

    Parameters
    ----------
    annotation : array
        0 where nothing is annotated, else the number of a class. Bool, integers, and floats that
        are whole numbers.
    shape : sequence of int, optional
        Spatial shape that it must have.

    Returns
    -------
    array of uint8, uint16 or uint32
        The same numbers; not a copy where the type is unsigned already.

    Raises
    ------
    TypeError
        If it holds something else than numbers.
    ValueError
        If the shape differs, or a value is a fraction, negative, NaN or too large; the message
        has the value and its place.
    """
    values = np.asarray(annotation)
    if values.dtype.kind not in "buif":
        raise TypeError(f"an annotation holds class numbers; got an array of {values.dtype}")
    if shape is not None and values.shape != tuple(shape):
        raise ValueError(
            f"an annotation has the spatial shape of its image, {tuple(shape)}; got {values.shape}"
        )
    if values.dtype == np.bool_:
        return values.view(np.uint8)
    if values.dtype.kind == "u" and values.dtype.itemsize <= 4:
        return values
    if values.size == 0:
        return values.astype(np.uint8)
    if values.dtype.kind == "f":
        _refuse(values, ~(np.floor(values) == values), "is no whole number")
    _refuse(values, values < 0, "is negative")
    _refuse(values, values > _LARGEST_CLASS, f"is larger than {_LARGEST_CLASS}")
    return values.astype(np.min_scalar_type(int(values.max())), copy=False)


def _refuse(values: NDArray[Any], wrong: NDArray[np.bool_], why: str) -> None:
    """Name the first wrong value and its place."""
    if not wrong.any():
        return
    place = tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape))
    raise ValueError(
        f"an annotation holds 0 (nothing) and positive whole numbers (classes); "
        f"{values[place].item()!r} at {place} {why}"
    )


def strokes_of(annotation: ArrayLike, time_axis: int | None = None) -> NDArray[np.int32]:
    """Number the strokes of an annotation.

    A stroke is a connected component of pixels of one class, diagonal neighbours included.

    Parameters
    ----------
    annotation : array
        See `check_annotation`.
    time_axis : int, optional
        Axis along which nothing is connected.

    Returns
    -------
    array of int32, same shape
        1 .. n in the order of their first pixels, 0 where nothing is annotated.
    """
    classes = check_annotation(annotation)
    strokes = np.zeros(classes.shape, np.int32)
    if time_axis is None:
        _number_strokes(classes, strokes, 0)
        return strokes
    n_strokes = 0
    frames = np.moveaxis(strokes, time_axis, 0)
    for frame, numbers in zip(np.moveaxis(classes, time_axis, 0), frames, strict=True):
        n_strokes = _number_strokes(frame, numbers, n_strokes)
    return strokes


def painted_positions(annotation: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
    """Flat indices of annotated pixels, rising; looks at eight bytes at a time where it can."""
    flat = annotation.ravel()
    # Comparing first is ten times as fast as looking for what is not zero.
    if flat.itemsize != 1 or flat.size % 8:
        return np.flatnonzero(flat != 0)
    words = np.flatnonzero(flat.view(np.uint64) != 0)
    positions = (8 * words[:, None] + np.arange(8)).ravel()
    return np.asarray(positions[flat[positions] != 0], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """The annotated pixels of an annotation.

    Parameters
    ----------
    shape : tuple of int
        Of the annotation.
    position : (n,) int64
        Flat indices of the annotated pixels, rising.
    values : (n,) unsigned int
        Their classes, 1 or more.
    """

    shape: tuple[int, ...]
    position: NDArray[np.int64]
    values: NDArray[np.unsignedinteger]

    @classmethod
    def of(cls, annotation: ArrayLike) -> Painted:
        """Take the annotated pixels of an annotation; raises as `check_annotation` does."""
        classes = check_annotation(annotation)
        flat = classes.ravel()
        position = painted_positions(flat)
        return cls(classes.shape, position, flat[position])

    def whole(self) -> NDArray[np.unsignedinteger]:
        """The annotation."""
        annotation = np.zeros(self.shape, self.values.dtype)
        annotation.reshape(-1)[self.position] = self.values
        return annotation


def is_sparse(annotation: NDArray[np.unsignedinteger]) -> bool:
    """Whether so few pixels are annotated that their positions take less room than all pixels."""
    flat = annotation.ravel()
    whole = flat.size - flat.size % 8
    words = flat if flat.itemsize != 1 else flat[:whole].view(np.uint64)
    return int(np.count_nonzero(words != 0)) * 64 < flat.size


def strokes_at(
    position: NDArray[np.int64],
    values: NDArray[np.unsignedinteger],
    shape: tuple[int, ...],
    time_axis: int | None = None,
) -> NDArray[np.int32]:
    """Number the strokes of annotated pixels, without looking at the other pixels.

    Takes time with the number of annotated pixels and not with the size of the image.

    Parameters
    ----------
    position : (n,) int64
        Flat indices of the annotated pixels, rising.
    values : (n,) unsigned int
        Their classes.
    shape : tuple of int
        Of the annotation.
    time_axis : int, optional
        Axis along which nothing is connected.

    Returns
    -------
    (n,) int32
        1 .. n_strokes in the order of their first pixels.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(position):
        return np.zeros(0, np.int32)
    pairs = [
        _neighbours(position, values, shape, offset)
        for offset in itertools.product((-1, 0, 1), repeat=len(shape))
        if offset > (0,) * len(shape) and (time_axis is None or offset[time_axis] == 0)
    ]
    first, second = np.concatenate(pairs, axis=1)
    size = (len(position), len(position))
    graph = coo_array((np.ones(len(first), bool), (first, second)), shape=size)
    _, component = connected_components(graph, directed=False)
    _, begin, inverse = np.unique(component, return_index=True, return_inverse=True)
    order = np.empty(len(begin), np.int32)
    order[np.argsort(begin)] = np.arange(1, len(begin) + 1)
    return np.asarray(order[inverse], dtype=np.int32)


def _neighbours(
    position: NDArray[np.int64],
    values: NDArray[np.unsignedinteger],
    shape: tuple[int, ...],
    offset: tuple[int, ...],
) -> NDArray[np.intp]:
    """Pairs of annotated pixels of one class that lie ``offset`` apart, as (2, n_pairs)."""
    inside = np.ones(len(position), bool)
    step, stride = 0, 1
    for length, move in zip(reversed(shape), reversed(offset), strict=True):
        place = position // stride % length + move
        inside &= (place >= 0) & (place < length)
        step += move * stride
        stride *= length
    wanted = position + step
    at = np.searchsorted(position, wanted).clip(max=len(position) - 1)
    found = inside & (position[at] == wanted) & (values[at] == values)
    first = np.flatnonzero(found)
    return np.stack([first, at[first]])


def _number_strokes(
    classes: NDArray[np.unsignedinteger], out: NDArray[np.int32], first: int
) -> int:
    """Write stroke numbers above ``first`` into ``out``; return the largest."""
    from skimage.measure import label

    box = []
    for axis in range(classes.ndim):  # strokes are few: label only the box that holds them
        others = tuple(a for a in range(classes.ndim) if a != axis)
        annotated = np.flatnonzero(classes.any(axis=others))
        if len(annotated) == 0:
            return first
        box.append(slice(int(annotated[0]), int(annotated[-1]) + 1))
    inside = classes[tuple(box)]
    # skimage joins equal values; numbers of classes up to 2**32 - 1 fit its int64.
    numbers = label(inside.astype(np.int64), background=0, connectivity=inside.ndim)
    out[tuple(box)] = np.where(numbers > 0, numbers + first, 0)
    return first + int(numbers.max())
