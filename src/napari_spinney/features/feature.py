"""A feature and a set of features: frozen values with a text form."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from napari_spinney.features.catalogue import FAMILIES, Parameter, find_entries
from napari_spinney.features.external import MOST_SORTED, sorted_pixels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Unit: TypeAlias = Literal["pixel", "micrometre"]

LARGEST_SIZE = 1000.0
"""Largest sigma or radius in pixels. Beyond it, a smaller copy of the image says the same."""

_MICROMETRES = ("um", "\u00b5m", "\u03bcm")
_WORD = re.compile(rf"(?P<name>[^=]+)(=(?P<numbers>.*?)(?P<unit>{'|'.join(_MICROMETRES)})?)?")


@dataclass(frozen=True, slots=True)
class Feature:
    """One quantity measured at every pixel.

    Parameters
    ----------
    name : str
        A name of the catalogue (``gaussian_blur``), ``outer_of_inner`` of two such names
        (``sobel_of_gaussian_blur``), a family (``hessian_eigenvalues``: one plane per axis of the
        image) or a filter of pyclesperanto-prototype (``top_hat_box``, needs OpenCL).
    number : tuple of float
        Empty for ``original``; else one number, or one per spatial axis, (Y, X) or (Z, Y, X).
    unit : {"pixel", "micrometre"}
        Unit of the numbers.

    Raises
    ------
    ValueError
        If the name is unknown or the number does not suit it.
    """

    name: str
    number: tuple[float, ...] = ()
    unit: Unit = "pixel"

    def __post_init__(self) -> None:
        object.__setattr__(self, "number", tuple(float(value) for value in self.number))
        if self.unit not in ("pixel", "micrometre"):
            raise ValueError(f"the unit must be 'pixel' or 'micrometre'; got {self.unit!r}")
        parameters = {entry.parameter for name in self._members() for entry in find_entries(name)}
        _check_count(self, parameters)
        for value in self.number:
            _check_number(self, value, parameters)

    @classmethod
    def parse(cls, word: str) -> Feature:
        """Read one word: ``original``, ``name=2``, ``name=1,2,2`` or ``name=0.5um``.

        Raises
        ------
        ValueError
            If the word does not follow the grammar; the message quotes it.
        """
        match = _WORD.fullmatch(word.strip())
        if match is None or len(word.split()) != 1:
            raise ValueError(f"{word!r} is not a feature; write 'original' or 'name=number'")
        name, numbers = match["name"], match["numbers"]
        name = "original" if name.lower() == "original" else name
        return cls(
            name,
            () if numbers is None else _parse_numbers(word, numbers),
            "micrometre" if match["unit"] else "pixel",
        )

    def __str__(self) -> str:
        if not self.number:
            return self.name
        unit = "um" if self.unit == "micrometre" else ""
        return f"{self.name}={','.join(map(_format_number, self.number))}{unit}"

    def pixels(self, ndim: int, spacing: Sequence[float] | None = None) -> tuple[float, ...]:
        """The number for every spatial axis, in pixels; empty for ``original``.

        Parameters
        ----------
        ndim : int
            Number of spatial axes.
        spacing : sequence of float, optional
            Micrometres per pixel along each spatial axis.

        Raises
        ------
        ValueError
            If there are more or fewer numbers than axes, micrometres without spacing, or sizes
            that make no sense in pixels.
        """
        if not self.number:
            return ()
        if len(self.number) not in (1, ndim):
            raise ValueError(
                f"{str(self)!r} has {len(self.number)} numbers, but the image has {ndim} spatial "
                "axes: give one number, or one per axis"
            )
        numbers = self.number if len(self.number) == ndim else self.number * ndim
        if self.unit == "micrometre":
            numbers = _to_pixels(self, numbers, spacing)
        if max(numbers) > LARGEST_SIZE and self._is_size():
            raise ValueError(
                f"{str(self)!r} is {max(numbers):g} pixels; at most {LARGEST_SIZE:g} are possible. "
                "Scale the image down instead."
            )
        _check_sorting(self, numbers[0], ndim)
        return numbers

    def for_ndim(self, ndim: int) -> tuple[Feature, ...]:
        """The feature itself, or the members of its family, in an image of ``ndim`` spatial axes.

        Raises
        ------
        ValueError
            If the feature does not exist with that many axes.
        """
        members = [Feature(name, self.number, self.unit) for name in self._members()]
        if len(members) == 1:
            _check_ndim(members[0], ndim)
            return tuple(members)
        return tuple(
            member
            for member in members
            if all(ndim in entry.ndims for entry in find_entries(member.name))
        )

    def _members(self) -> tuple[str, ...]:
        family, separator, inner = self.name.partition("_of_")
        if family not in FAMILIES:
            return (self.name,)
        return tuple(f"{name}{separator}{inner}" for name in FAMILIES[family])

    def _is_size(self) -> bool:
        entries = find_entries(self._members()[0])
        return any(entry.parameter in ("sigma", "radius") for entry in entries)


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """Features in the order in which they become columns.

    Parameters
    ----------
    features : tuple of Feature
        At least one. The same feature may come twice: APOC's files can hold that.
    """

    features: tuple[Feature, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", tuple(self.features))
        if not self.features:
            raise ValueError("a feature set needs at least one feature; got none")

    @classmethod
    def parse(cls, text: str) -> FeatureSet:
        """Read words separated by white space; each is a feature or the name of a named set.

        Examples
        --------
        >>> str(FeatureSet.parse("original gaussian_blur=1 sobel_of_gaussian_blur=2.0"))
        'original gaussian_blur=1 sobel_of_gaussian_blur=2'

        Raises
        ------
        ValueError
            If there is no word, or one that is no feature; the message names the word and the
            nearest known names.
        """
        return cls(_parse_words(text))

    @classmethod
    def of(cls, features: str | Iterable[str] | FeatureSet) -> FeatureSet:
        """Feature set from text in the grammar, several words or sets, or a set itself."""
        if isinstance(features, FeatureSet):
            return features
        return cls.parse(features if isinstance(features, str) else " ".join(map(str, features)))

    def __str__(self) -> str:
        return " ".join(map(str, self.features))

    def __len__(self) -> int:
        return len(self.features)

    def __iter__(self) -> Iterator[Feature]:
        return iter(self.features)

    def __contains__(self, feature: object) -> bool:
        return feature in self.features

    def with_features(self, features: Iterable[Feature]) -> FeatureSet:
        """The set with more features at the end; those it already holds are not repeated."""
        return FeatureSet(tuple(dict.fromkeys((*self.features, *features))))

    def without(self, features: Iterable[Feature]) -> FeatureSet:
        """The set without these features."""
        dropped = set(features)
        return FeatureSet(tuple(f for f in self.features if f not in dropped))

    def for_ndim(self, ndim: int) -> FeatureSet:
        """The set with one feature per column: families such as ``hessian_eigenvalues`` unfolded.

        Raises
        ------
        ValueError
            If a feature does not exist in an image of ``ndim`` spatial axes.
        """
        return FeatureSet(tuple(one for f in self.features for one in f.for_ndim(ndim)))

    def names(self, n_channels: int = 1, ndim: int = 2) -> tuple[str, ...]:
        """Name of every column: all features of channel 0, then of channel 1 with ``_1``, ...

        A feature that the set holds twice gets `` (2)`` the second time, so that names are unique.
        """
        words = _number_repeats(str(feature) for feature in self.for_ndim(ndim))
        return tuple(
            word + (f"_{channel}" if channel else "")
            for channel in range(n_channels)
            for word in words
        )


def _number_repeats(words: Iterable[str]) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for word in words:
        seen[word] = seen.get(word, 0) + 1
        names.append(word if seen[word] == 1 else f"{word} ({seen[word]})")
    return names


@lru_cache(maxsize=64)
def _parse_words(text: str) -> tuple[Feature, ...]:
    from napari_spinney.features.sets import SETS

    words = [word for given in text.split() for word in SETS.get(given, given).split()]
    return tuple(_parse_word(word, SETS) for word in words)


def _parse_word(word: str, set_names: Iterable[str]) -> Feature:
    near = [] if "=" in word else difflib.get_close_matches(word, list(set_names), 2, 0.7)
    if near:
        raise ValueError(f"{word!r} is no named set; the nearest known names are {', '.join(near)}")
    return Feature.parse(word)


def _parse_numbers(word: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        raise ValueError(
            f"{text!r} in {word!r} is not a number; write 'name=2', 'name=1,2,2' or 'name=0.5um'"
        ) from None


def _format_number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _check_count(feature: Feature, parameters: set[Parameter]) -> None:
    if "none" in parameters and feature.number:
        raise ValueError(f"{str(feature)!r}: {feature.name!r} takes no number")
    if "none" not in parameters and not feature.number:
        raise ValueError(f"{feature.name!r} needs a number: write '{feature.name}=2'")
    if "external" in parameters and len(feature.number) > 1:
        raise ValueError(f"{str(feature)!r}: {feature.name!r} takes one number for all axes")


def _check_number(feature: Feature, value: float, parameters: set[Parameter]) -> None:
    if not math.isfinite(value):
        raise ValueError(f"{str(feature)!r}: the number must be finite; got {value}")
    if "sigma" in parameters and value <= 0:
        raise ValueError(f"{str(feature)!r}: sigma must be above 0; got {value:g}")
    if "radius" in parameters:
        if value < 0 or max(feature.number) == 0:
            raise ValueError(f"{str(feature)!r}: the radius must be above 0; got {value:g}")
        if feature.unit == "pixel" and not value.is_integer():
            raise ValueError(
                f"{str(feature)!r}: the radius must be a whole number of pixels; got {value:g}"
            )


def _to_pixels(
    feature: Feature, numbers: Sequence[float], spacing: Sequence[float] | None
) -> tuple[float, ...]:
    if spacing is None:
        raise ValueError(
            f"{str(feature)!r} is in micrometres, but the image's spacing is not known: "
            "give spacing, in micrometres per pixel along each axis"
        )
    if len(spacing) != len(numbers) or not all(math.isfinite(s) and s > 0 for s in spacing):
        raise ValueError(
            f"spacing must be {len(numbers)} numbers above 0, one per spatial axis; "
            f"got {tuple(spacing)}"
        )
    pixels = tuple(n / float(s) for n, s in zip(numbers, spacing, strict=True))
    parameters = {entry.parameter for entry in find_entries(feature.for_ndim(3)[0].name)}
    if "external" in parameters and len(set(pixels)) > 1:
        raise ValueError(
            f"{str(feature)!r}: {feature.name!r} has one size for all axes, but the spacing "
            f"{tuple(spacing)} differs between them"
        )
    if "radius" not in parameters:
        return pixels
    radius = tuple(float(round(p)) for p in pixels)
    if max(radius) == 0:
        raise ValueError(f"{str(feature)!r} is less than a pixel wide at spacing {tuple(spacing)}")
    return radius


def _check_sorting(feature: Feature, number: float, ndim: int) -> None:
    for entry in find_entries(feature.for_ndim(3)[0].name):
        count = sorted_pixels(entry.name, number, ndim)
        if count > MOST_SORTED:
            raise ValueError(
                f"{str(feature)!r} sorts {count} pixels at each place; at most {MOST_SORTED} are "
                f"possible: name a smaller radius, or 'median={number:g}'"
            )


def _check_ndim(feature: Feature, ndim: int) -> None:
    for entry in find_entries(feature.name):
        if ndim not in entry.ndims:
            exists = " or ".join(f"{n}D" for n in entry.ndims)
            raise ValueError(
                f"{str(feature)!r} exists only in {exists}; the image has {ndim} spatial axes"
            )
