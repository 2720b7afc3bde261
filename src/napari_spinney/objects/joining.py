"""Tables of other programs, brought to the objects by their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

LABEL_NAMES = ("label", "objectnumber", "number_object_number", "label_id", "object_id")
"""What the number of an object is called elsewhere (CellProfiler's among them), small letters."""
FRAME_NAMES = ("frame", "t", "timepoint", "imagenumber")
"""What a time point is called elsewhere. CellProfiler's ImageNumber counts from 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """What came of joining a table.

    Parameters
    ----------
    table : DataFrame
        The table of objects with the columns of the other one.
    new : tuple of str
        Columns that were not there before.
    unknown : int
        Objects that the other table does not have; the columns are NaN (or NA) there.
    """

    table: pd.DataFrame
    new: tuple[str, ...]
    unknown: int


def join_table(table: pd.DataFrame, other: pd.DataFrame, *, kept: Sequence[str] = ()) -> Joined:
    """Add the columns of another table by object; where a name is taken, the newer column wins.

    Parameters
    ----------
    table : DataFrame
        From `measure`: ``label``, and ``frame`` where there is time.
    other : DataFrame
        One row per object, with a column of `LABEL_NAMES` and, over time, one of `FRAME_NAMES`.
    kept : sequence of str
        Columns that are not taken from the other table.

    Raises
    ------
    ValueError
        If the other table does not number its objects, has one twice, or none of these.
    """
    import pandas as pd

    names = [_named(other, "label", LABEL_NAMES)]
    if "frame" in table:
        names.insert(0, _named(other, "frame", FRAME_NAMES))
    numbers = [_whole_numbers(other, name) for name in names]
    if names[0].lower() == "imagenumber":
        numbers[0] = numbers[0] - 1
    theirs = pd.MultiIndex.from_arrays(numbers)
    if theirs.has_duplicates:
        twice = numbers[-1][theirs.duplicated()].iloc[0]
        raise ValueError(
            f"a table is joined by object, and this one has {names[-1]} {twice} twice: keep the "
            "rows of one image"
        )
    ours = pd.MultiIndex.from_arrays([_own(table, n) for n in ("frame", "label") if n in table])
    place = theirs.get_indexer(ours)
    if len(table) and np.all(place < 0):
        raise ValueError(
            f"no object is in this table: its {names[-1]} goes from {numbers[-1].min()} to "
            f"{numbers[-1].max()}, the labels from {table['label'].min()} to {table['label'].max()}"
        )
    columns = [c for c in other if c not in (*names, "frame", "label", *kept)]
    taken = other[columns].reset_index(drop=True).reindex(np.where(place < 0, len(other), place))
    result = pd.concat(
        [table.drop(columns=columns, errors="ignore"), taken.set_axis(table.index)], axis=1
    )
    new = tuple(str(name) for name in columns if name not in table)
    return Joined(result, new, int(np.count_nonzero(place < 0)))


def _named(table: pd.DataFrame, what: str, names: Sequence[str]) -> str:
    """The column that is called one of these; small letters or large."""
    small = {str(name).strip().lower(): str(name) for name in reversed(table.columns)}
    for name in names:
        if name in small:
            return small[name]
    raise ValueError(
        f"a table is joined by {what}; this one has no column {what} (or "
        f"{', '.join(names[1:])}), but {list(table.columns)[:10]}"
    )


def _whole_numbers(table: pd.DataFrame, name: str) -> pd.Series:
    """A column as objects' numbers, whatever they were written as."""
    import pandas as pd

    numbers = pd.to_numeric(table[name], errors="coerce")
    wrong = numbers.isna() | (numbers % 1 != 0) | (numbers < 0)
    if wrong.any():
        raise ValueError(
            f"objects are numbered by whole numbers from 0; {name} holds "
            f"{table[name][wrong].iloc[0]!r}"
        )
    return numbers.astype(np.uint64)


def _own(table: pd.DataFrame, name: str) -> pd.Series:
    return table[name].astype(np.uint64)
