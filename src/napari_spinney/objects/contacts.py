"""Which objects touch, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.objects.geometry import ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_spinney.objects.regions import Values

_PIXELS_AT_ONCE = 1 << 21


@dataclass(frozen=True, slots=True, eq=False)
class Contacts:
    """Pairs of neighbours, each in both directions; a sparse matrix of touches.

    Two pixels touch along an edge (2D) or face (3D). The border of the image touches nothing.

    Parameters
    ----------
    n : int
        Number of objects.
    object, other : (k,) int64
        Numbers 1 .. n of the two objects; ``other`` is 0 for background.
    count : (k,) float64
        Number of touching pairs of pixels.
    """

    n: int
    object: NDArray[np.int64]
    other: NDArray[np.int64]
    count: Values

    @property
    def portion(self) -> Values:
        """Part of the object's whole outline (background included) that touches the other."""
        total = np.bincount(self.object, self.count, minlength=self.n + 1)
        return ratio(self.count, total[self.object])

    @property
    def between_objects(self) -> NDArray[np.bool_]:
        """Which pairs are of two objects."""
        return self.other > 0

    def reduce(self, values: Values, how: str) -> Values:
        """Reduce a value per pair of objects to one per object, (n,); 0 without neighbours.

        Parameters
        ----------
        how : {"sum", "minimum", "maximum", "mean"}
        """
        inner = self.between_objects
        objects, chosen = self.object[inner] - 1, values[inner]
        if how in ("sum", "mean"):
            sums = np.bincount(objects, chosen, minlength=self.n)
            number = np.bincount(objects, minlength=self.n)
            return sums / np.maximum(number, 1) if how == "mean" else sums
        result = np.full(self.n, np.inf if how == "minimum" else -np.inf)
        function = np.minimum if how == "minimum" else np.maximum
        function.at(result, objects, chosen)
        return np.where(np.isfinite(result), result, 0.0)

    def neighbour_count(self, above: float = 0.0) -> Values:
        """Number of objects that touch more than this part of the object's outline."""
        return self.reduce((self.portion > above).astype(np.float64), "sum")

    def portion_deviation(self) -> Values:
        """Mean difference of portions from 1 / number of neighbours, background included."""
        number = np.bincount(self.object, minlength=self.n + 1).astype(np.float64)
        difference = np.abs(self.portion - 1 / number[self.object]) / number[self.object]
        return np.bincount(self.object, difference, minlength=self.n + 1)[1:]


def find_contacts(image: NDArray[np.int32], n: int) -> Contacts:
    """Count touching pixels of all pairs of objects.

    Parameters
    ----------
    image : array of int32
        0 is background, objects are 1 .. n.
    """
    keys, counts = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for first, second, _ in touching_pixels(image):
        low, high = np.minimum(first, second), np.maximum(first, second)
        found, times = np.unique(low.astype(np.int64) * (n + 1) + high, return_counts=True)
        keys.append(found)
        counts.append(times)
    pairs, position = np.unique(np.concatenate(keys), return_inverse=True)
    count = np.bincount(position, np.concatenate(counts), minlength=len(pairs)).astype(np.float64)
    low, high = np.divmod(pairs, n + 1)
    objects = np.concatenate([high, low[low > 0]])
    others = np.concatenate([low, high[low > 0]])
    return Contacts(n, objects, others, np.concatenate([count, count[low > 0]]))


def touching_pixels(
    image: NDArray[np.int32], *others: NDArray[Any]
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32], list[tuple[NDArray[Any], NDArray[Any]]]]]:
    """Go through neighbouring pixels of different objects, slab by slab.

    Yields
    ------
    first, second : (k,) int32
        Labels of the two pixels; 0 for background.
    values : list of pairs of (k,) arrays
        The two pixels of each of ``others``, which have the shape of the image.
    """
    height = max(1, _PIXELS_AT_ONCE // max(1, image[:1].size))
    for begin in range(0, len(image), height):
        for axis in range(image.ndim):
            here, there = _along(axis, begin, height, image.ndim)
            first, second = image[here], image[there]
            first = first[tuple(slice(0, size) for size in second.shape)]
            differ = first != second
            values = [(o[here][tuple(slice(0, s) for s in differ.shape)], o[there]) for o in others]
            yield first[differ], second[differ], [(a[differ], b[differ]) for a, b in values]


def _along(
    axis: int, begin: int, height: int, ndim: int
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    here = [slice(begin, begin + height), *[slice(None)] * (ndim - 1)]
    there = list(here)
    there[axis] = slice(begin + 1, begin + height + 1) if axis == 0 else slice(1, None)
    return tuple(here), tuple(there)


def dilate(image: NDArray[np.int32], radius: int) -> NDArray[np.int32]:
    """Grow objects into the background, as ``dilate_labels`` of pyclesperanto-prototype.

    One pixel at a time, in a box and in a diamond by turns; where two objects meet, the higher
    number wins.

    Parameters
    ----------
    image : array of int32
        0 is background.
    radius : int
        Number of steps.
    """
    result = image
    for step in range(radius):
        grown = _grow_box(result) if step % 2 == 0 else _grow_diamond(result)
        result = np.where(result == 0, grown, result)
    return result


def _grow_box(image: NDArray[np.int32]) -> NDArray[np.int32]:
    grown = image
    for axis in range(image.ndim):
        grown = _grow_along(grown, grown.copy(), axis)
    return grown


def _grow_diamond(image: NDArray[np.int32]) -> NDArray[np.int32]:
    grown = image.copy()
    for axis in range(image.ndim):
        grown = _grow_along(image, grown, axis)
    return grown


def _grow_along(
    source: NDArray[np.int32], target: NDArray[np.int32], axis: int
) -> NDArray[np.int32]:
    """Take the maximum of the target and the two neighbours in the source along one axis."""
    moved, shifted = np.moveaxis(source, axis, 0), np.moveaxis(target, axis, 0)
    np.maximum(shifted[1:], moved[:-1], out=shifted[1:])
    np.maximum(shifted[:-1], moved[1:], out=shifted[:-1])
    return target
