"""Which measurements somebody asked for: words to columns."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from napari_spinney.objects.catalogue import GROUPS, Measurement
from napari_spinney.objects.definitions import MEASUREMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Words: TypeAlias = "str | Iterable[str]"
"""Names of measurements and groups: separated by blanks or commas, or a sequence of them."""

_KNOWN_ELSEWHERE = {
    "intensity_mean": "mean_intensity",
    "intensity_min": "min_intensity",
    "intensity_max": "max_intensity",
    "intensity_std": "standard_deviation_intensity",
    "intensity_median": "median_intensity",
    "bbox": "bbox_min_x",
    "centroid": "centroid_x",
    "centroid_weighted": "mass_center_x",
    "volume": "area",
    "num_pixels": "area",
    "major_axis_length": "axis_major_length",
    "minor_axis_length": "axis_minor_length",
    "convex_area": "area_convex",
    "equivalent_diameter": "equivalent_diameter_area",
}


@dataclass(frozen=True)
class Column:
    """One column of the table.

    Parameters
    ----------
    measurement : Measurement
        Entry of the catalogue.
    number : float
        The number in its name, 0 without one.
    channel : int
        Channel of the image, 0 for measurements of labels alone.
    """

    measurement: Measurement
    number: float = 0.0
    channel: int = 0

    @property
    def name(self) -> str:
        """Name of the column."""
        return self.measurement.column(self.number, self.channel)


_UNITS = {
    "length": "length, µm where the pixel size is known, else pixels",
    "area": "area (volume in 3D), µm² (µm³) where the pixel size is known, else pixels",
    "none": "none, a ratio or a number",
}


def columns_of(features: Words, *, ndim: int, n_channels: int) -> tuple[Column, ...]:
    """Translate words to columns, in their order, each once.

    Parameters
    ----------
    features : str or sequence of str
        Names of measurements and of groups ("size", "shape", "intensity", "texture",
        "position", "neighbours"), or "all". A group means those of its measurements that labels
        of this kind have: without an image it leaves intensities out.
    ndim : int
        2 or 3.
    n_channels : int
        Channels of the image; 0 without an image.

    Raises
    ------
    ValueError
        If a word is unknown (with the nearest known ones), needs an image, or does not exist in
        this number of dimensions; if nothing is asked for.
    """
    found: dict[str, Column] = {}
    for word in split_words(features):
        for column in _columns_of_word(word, ndim, n_channels):
            found.setdefault(column.name, column)
    if not found:
        raise ValueError(f"features must name at least one measurement or group; got {features!r}")
    return tuple(found.values())


def split_words(features: Words) -> list[str]:
    """Split at blanks and commas."""
    text = [features] if isinstance(features, str) else list(features)
    return [word for part in text for word in part.replace(",", " ").split()]


def _columns_of_word(word: str, ndim: int, n_channels: int) -> Iterator[Column]:
    if word in GROUPS or word == "all":
        for entry in MEASUREMENTS:
            if word in ("all", entry.group) and ndim in entry.grouped:
                yield from _columns_of_entry(entry, n_channels)
        return
    for entry in MEASUREMENTS:
        found = entry.match(word)
        if found is not None:
            _check(entry, word, ndim, n_channels, found[1])
            channels = range(max(n_channels, 1)) if found[1] is None else [found[1]]
            for channel in channels if entry.per_channel else [0]:
                yield Column(entry, found[0], channel)
            return
    raise ValueError(f"{word!r} is no measurement and no group; {_nearest(word)}")


def _columns_of_entry(entry: Measurement, n_channels: int) -> Iterator[Column]:
    """Columns that the name of a group stands for."""
    if entry.takes_number and not entry.numbers:
        return
    for number in entry.numbers or (0.0,):
        for channel in range(n_channels) if entry.per_channel else [0]:
            yield Column(entry, number, channel)


def _check(entry: Measurement, word: str, ndim: int, n_channels: int, channel: int | None) -> None:
    if ndim not in entry.ndims:
        raise ValueError(f"{word!r} exists in {entry.ndims[0]}D only; the labels are {ndim}D")
    if entry.per_channel and n_channels == 0:
        raise ValueError(f"{word!r} is measured in an image; pass one with image=...")
    if channel is not None and channel >= n_channels:
        raise ValueError(f"{word!r} asks for channel {channel}; the image has {n_channels}")


def _nearest(word: str) -> str:
    if word in _KNOWN_ELSEWHERE:
        return f"here it is {_KNOWN_ELSEWHERE[word]!r}"
    names = [entry.name.replace("{}", "<n>") for entry in MEASUREMENTS]
    close = difflib.get_close_matches(word, [*names, *GROUPS], n=3, cutoff=0.5)
    if close:
        return f"the nearest known are {', '.join(map(repr, close))}"
    return f"groups are {', '.join(GROUPS)}; measurement_table() lists all names"


def definition_of(column: str) -> str:
    """What a column of `measure` is, in one sentence with its unit; empty for other columns."""
    for entry in MEASUREMENTS:
        if entry.match(column) is not None:
            return f"{entry.definition} Unit: {_UNITS.get(entry.unit, entry.unit)}."
    return ""


def measurement_table() -> str:
    """Write the table of measurements as Markdown, for the documentation."""
    lines = [
        "| name | group | unit | dimensions | definition |",
        "| --- | --- | --- | --- | --- |",
    ]
    for entry in MEASUREMENTS:
        name = f"`{entry.name.replace('{}', '<n>')}`"
        ndims = " ".join(f"{ndim}D" for ndim in entry.ndims)
        numbers = f" Group: n = {', '.join(f'{n:g}' for n in entry.numbers)}."
        text = entry.definition + (numbers if entry.numbers else "")
        lines.append(f"| {name} | {entry.group} | {entry.unit} | {ndims} | {text} |")
    return "\n".join(lines) + "\n"
