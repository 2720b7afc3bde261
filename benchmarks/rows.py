"""The rows of the table: each a function that measures one target."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Setting:
    """What the rows are run with.

    Parameters
    ----------
    data : Path or None
        Folder of measuring images.
    scratch : Path
        Folder for large files.
    quick : bool
        Smaller images and fewer repeats: to see that everything runs.
    """

    data: Path | None
    scratch: Path
    quick: bool = False


@dataclass(frozen=True)
class Result:
    """One line of the table."""

    row: str
    what: str
    target: str
    ours: str
    peer: str = ""
    ratio: str = ""
    met: bool | None = None


class NotMeasuredError(Exception):
    """A row that cannot be measured here; the message says why."""


Measure = Callable[[Setting], list[Result]]


@dataclass
class Registry:
    """Rows in the order in which they were defined."""

    rows: dict[str, tuple[str, Measure]] = field(default_factory=dict)

    def row(self, name: str, what: str) -> Callable[[Measure], Measure]:
        """Register a function as the row of this name."""

        def register(measure: Measure) -> Measure:
            self.rows[name] = (what, measure)
            return measure

        return register

    def run(self, names: list[str], setting: Setting) -> Iterator[Result]:
        """Measure rows one after the other; one that fails says so and stops no other."""
        for name in names:
            what, measure = self.rows[name]
            try:
                yield from measure(setting)
            except NotMeasuredError as reason:
                yield Result(name, what, "", f"not measured: {reason}")
            except Exception as error:  # noqa: BLE001 - the other rows are worth having
                traceback.print_exc()
                yield Result(name, what, "", f"failed: {error}")


registry = Registry()


def place_of(row: str) -> tuple[str, str, int]:
    """Where a row stands in the table: speed, quality, then other letters; each by number."""
    letters = row.rstrip("0123456789")
    first = {"S": "0", "Q": "1"}.get(letters, "2")
    return first, letters, int(row[len(letters) :] or 0)
