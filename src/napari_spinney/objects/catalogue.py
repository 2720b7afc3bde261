"""What a measurement is; the table of all of them is in `definitions`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_spinney.objects.regions import Values

Group: TypeAlias = Literal["size", "shape", "intensity", "texture", "position", "neighbours"]
"""Groups of measurements; the name of a group stands for all its measurements."""

Unit: TypeAlias = Literal["length", "area", "pixel", "count", "intensity", "radian", "bit", "none"]
"""``length`` and ``area`` are in the unit of the spacing (pixels without one); ``area`` is a
volume in 3D. ``pixel`` is always in pixels, ``intensity`` in the unit of the image."""

GROUPS: tuple[Group, ...] = get_args(Group)


@dataclass(frozen=True)
class Measurement:
    """One entry of the table.

    Parameters
    ----------
    name : str
        Name of the column. ``{}`` stands for a number, e.g. ``proximal_neighbor_count_d{}``.
    group : str
        The group it belongs to.
    unit : str
        See `Unit`.
    definition : str
        What it is, in one sentence, for the documentation and for tooltips.
    compute : callable
        ``compute(shapes, number)``, or ``compute(channel, number)`` for an intensity; (n,) array.
    ndims : tuple of int
        Images that have it: 2, 3 or both.
    grouped : tuple of int
        Images for which the name of the group includes it; the others have it by name only.
    numbers : tuple of float
        Numbers that the name of the group includes, where the name has a ``{}``.
    per_channel : bool
        Whether it needs an image; columns of channel c > 0 end with ``_c``.
    """

    name: str
    group: Group
    unit: Unit
    definition: str
    compute: Callable[[Any, float], Values]
    ndims: tuple[int, ...] = (2, 3)
    grouped: tuple[int, ...] = (2, 3)
    numbers: tuple[float, ...] = ()
    per_channel: bool = False

    @property
    def takes_number(self) -> bool:
        """Whether the name has a number in it."""
        return "{}" in self.name

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        number = r"([0-9]+(?:\.[0-9]+)?)"
        name = number.join(re.escape(part) for part in self.name.split("{}"))
        return re.compile(name + (r"(?:_([1-9][0-9]*))?" if self.per_channel else "()"))

    def match(self, word: str) -> tuple[float, int | None] | None:
        """Read a word: the number in it and the channel (None: all), or None if it is another."""
        found = self._pattern.fullmatch(word)
        if found is None:
            return None
        number = float(found.group(1)) if self.takes_number else 0.0
        channel = found.groups()[-1]
        return number, int(channel) if channel else None

    def column(self, number: float, channel: int = 0) -> str:
        """Name of the column for a number and a channel."""
        name = self.name.format(f"{number:g}") if self.takes_number else self.name
        return f"{name}_{channel}" if channel else name
