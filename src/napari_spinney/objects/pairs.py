"""Measure the borders between touching objects: one row per pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.objects.contacts import touching_pixels
from napari_spinney.objects.geometry import ratio
from napari_spinney.objects.measure import measure_regions, split_channels
from napari_spinney.objects.regions import Regions
from napari_spinney.objects.request import Words, split_words
from napari_spinney.objects.shapes import Shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from napari_spinney.objects.contacts import Contacts
    from napari_spinney.objects.regions import Values

PAIR_MEASUREMENTS = {
    "touch_count": "Pairs of pixels in which the two objects touch.",
    "touch_portion": "touch_count / all pairs in which the object with the smaller label touches "
    "something, background included.",
    "larger_touch_portion": "The larger one of the touch portions of the two objects.",
    "mean_touch_intensity": "Mean intensity of the touching pixels on both sides; of whole numbers "
    "the mean of two pixels is rounded down, as in APOC.",
    "centroid_distance": "Distance of the centroids.",
    "mean_intensity_difference": "Absolute difference of mean_intensity.",
    "standard_deviation_intensity_difference": "Absolute difference of "
    "standard_deviation_intensity.",
    "area_difference": "Absolute difference of area.",
    "mean_max_distance_to_centroid_ratio_difference": "Absolute difference of "
    "mean_max_distance_to_centroid_ratio.",
}
"""Names and definitions; a name that ends with ``_difference`` works for any measurement."""

_NEED_IMAGE = ("mean_touch_intensity",)


def measure_pairs(
    labels: ArrayLike,
    image: ArrayLike | None = None,
    *,
    features: Words | None = None,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
) -> pd.DataFrame:
    """Measure every pair of objects that touch along an edge (face).

    Parameters
    ----------
    labels : (Y, X) or (Z, Y, X) array of whole numbers
        0 is background.
    image : array of the same shape, one axis more with ``channel_axis``; optional
        For intensities; touching pixels are measured in its first channel.
    features : str or sequence of str, optional
        Names from `PAIR_MEASUREMENTS`, or a measurement of one object with ``_difference`` behind
        it. All that can be measured if not given.
    spacing, channel_axis
        As in `measure`.

    Returns
    -------
    pandas.DataFrame
        Columns ``label`` (the smaller one), ``other_label``, then one per name. No row where
        nothing touches.

    Raises
    ------
    ValueError
        If a name is unknown or needs an image that is not there.
    """
    label_image = np.asarray(labels)
    channels = split_channels(image, channel_axis, label_image.shape)
    return measure_pairs_of(Regions(label_image, spacing), channels, features)


def measure_pairs_of(
    regions: Regions, channels: Sequence[NDArray[Any]], features: Words | None
) -> pd.DataFrame:
    """Measure the pairs of objects that have been found already; see `measure_pairs`."""
    return _measured_pairs(regions, channels, features, _contacts_of(regions))


def measure_sides_of(
    regions: Regions, channels: Sequence[NDArray[Any]], features: Words | None
) -> pd.DataFrame:
    """Measure pairs from both sides: all of `measure_pairs`, then all again, turned round.

    Only ``touch_portion`` depends on the side: it is that of the object ``label``.
    """
    import pandas as pd

    contacts = _contacts_of(regions)
    there = _measured_pairs(regions, channels, features, contacts)
    back = there.assign(label=there["other_label"], other_label=there["label"])
    if "touch_portion" in there and contacts is not None:
        back["touch_portion"] = _from_the_other_side(contacts, _pair_rows(contacts))
    return pd.concat([there, back], ignore_index=True)


def _contacts_of(regions: Regions) -> Contacts | None:
    return Shapes(regions).neighbourhood().contacts if len(regions) else None


def _measured_pairs(
    regions: Regions,
    channels: Sequence[NDArray[Any]],
    features: Words | None,
    contacts: Contacts | None,
) -> pd.DataFrame:
    import pandas as pd

    words = pair_words(features, bool(channels))
    first, second = touching_pairs(contacts)
    table = {"label": regions.labels[first], "other_label": regions.labels[second]}
    single = {word: word.removesuffix("_difference") for word in words if _is_difference(word)}
    objects = _measured(regions, channels, sorted(set(single.values())))
    for word in words:
        if word in single:
            table |= _differences(objects, single[word], first, second)
        else:
            table[word] = _border_values(word, regions, channels, contacts)
    return pd.DataFrame(table)


def pair_words(features: Words | None, with_image: bool) -> list[str]:
    """Names of measurements of pairs, checked.

    Raises
    ------
    ValueError
        If a name is unknown or needs an image.
    """
    if features is None:
        return [w for w in PAIR_MEASUREMENTS if with_image or "intensity" not in w]
    words = split_words(features)
    for word in words:
        if word not in PAIR_MEASUREMENTS and not _is_difference(word):
            raise ValueError(
                f"{word!r} is no measurement of a pair; known are {', '.join(PAIR_MEASUREMENTS)} "
                f"and any measurement of one object with _difference behind it"
            )
        if word in _NEED_IMAGE and not with_image:
            raise ValueError(f"{word!r} is measured in an image; pass one with image=...")
    return words


def touching_pairs(contacts: Contacts | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers 0 .. n - 1 of the two objects of each pair, the smaller one first, in order."""
    if contacts is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    kept = _pair_rows(contacts)
    return contacts.object[kept] - 1, contacts.other[kept] - 1


def _pair_rows(contacts: Contacts) -> NDArray[np.int64]:
    rows = np.flatnonzero((contacts.other > 0) & (contacts.object < contacts.other))
    return rows[np.lexsort((contacts.other[rows], contacts.object[rows]))]


def _is_difference(word: str) -> bool:
    return word.endswith("_difference")


def _measured(regions: Regions, channels: Sequence[NDArray[Any]], words: list[str]) -> pd.DataFrame:
    import pandas as pd

    return measure_regions(regions, channels, words) if words else pd.DataFrame()


def _differences(
    objects: pd.DataFrame, word: str, first: NDArray[np.int64], second: NDArray[np.int64]
) -> dict[str, Values]:
    """Differences of one measurement, one column per channel."""
    columns = [word, *(c for c in objects.columns if _is_channel_of(str(c), word))]
    values = {name: objects[name].to_numpy() for name in columns}
    return {
        f"{name}_difference": np.abs(value[first] - value[second]) for name, value in values.items()
    }


def _is_channel_of(column: str, word: str) -> bool:
    return column.startswith(f"{word}_") and column[len(word) + 1 :].isdigit()


def _border_values(
    word: str, regions: Regions, channels: Sequence[NDArray[Any]], contacts: Contacts | None
) -> Values:
    if contacts is None:
        return np.zeros(0)
    rows = _pair_rows(contacts)
    if word == "touch_count":
        return contacts.count[rows]
    if word == "touch_portion":
        return contacts.portion[rows]
    if word == "larger_touch_portion":
        return np.maximum(contacts.portion[rows], _from_the_other_side(contacts, rows))
    first, second = touching_pairs(contacts)
    if word == "centroid_distance":
        points = (regions.centre * regions.spacing[:, None]).T
        return np.asarray(np.linalg.norm(points[first] - points[second], axis=1))
    return _touch_intensity(regions, channels[0], first, second)


def _from_the_other_side(contacts: Contacts, rows: NDArray[np.int64]) -> Values:
    key = contacts.object * (contacts.n + 1) + contacts.other
    order = np.argsort(key)
    mirrored = contacts.other[rows] * (contacts.n + 1) + contacts.object[rows]
    return contacts.portion[order[np.searchsorted(key[order], mirrored)]]


def _touch_intensity(
    regions: Regions, image: NDArray[Any], first: NDArray[np.int64], second: NDArray[np.int64]
) -> Values:
    """Mean over touching pixels of the mean of the two sides, rounded down for whole numbers."""
    whole = np.issubdtype(image.dtype, np.integer)
    n = len(regions) + 1
    wanted = (first + 1) * n + second + 1
    sums, counts = np.zeros((2, len(wanted)))
    for a, b, ((left, right),) in touching_pixels(regions.core, image):
        inner = (a > 0) & (b > 0)
        low, high = np.minimum(a, b)[inner].astype(np.int64), np.maximum(a, b)[inner]
        at = np.searchsorted(wanted, low * n + high)
        mean = (left[inner].astype(np.float64) + right[inner]) / 2
        mean = np.floor(mean) if whole else mean
        sums += np.bincount(at, mean, minlength=len(wanted))
        counts += np.bincount(at, minlength=len(wanted))
    return ratio(sums, counts)
