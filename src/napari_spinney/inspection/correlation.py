"""Which measurements say the same: correlations, and what they do to importances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

STRONG = 0.9
"""Correlations from here on, of either sign, are told of."""


@dataclass(frozen=True, slots=True, eq=False)
class Correlation:
    """Correlations of the columns of a table.

    Parameters
    ----------
    matrix : DataFrame
        Pearson's correlation of each pair of columns, over the rows in which both have a value;
        NaN where it is not defined.
    missing : dict of str to int
        How many rows have no value (NaN), for the columns that lack some.
    undefined : tuple of str
        Columns without a correlation: the same value in all rows, or no value.
    """

    matrix: pd.DataFrame
    missing: dict[str, int]
    undefined: tuple[str, ...]

    def pairs(self, at_least: float = STRONG) -> list[tuple[str, str, float]]:
        """Pairs of different columns correlated so strongly, the strongest first."""
        names = [str(name) for name in self.matrix.columns]
        values = self.matrix.to_numpy()
        first, second = np.triu_indices(len(names), k=1)
        strength = np.nan_to_num(np.abs(values[first, second]))
        order = [int(k) for k in np.argsort(-strength, kind="stable") if strength[k] >= at_least]
        return [
            (names[first[k]], names[second[k]], float(values[first[k], second[k]])) for k in order
        ]

    def notes(self) -> str:
        """What a person must know who reads the matrix, or importances, in sentences."""
        parts = []
        pairs = self.pairs()
        if pairs:
            named = ", ".join(f"{a} and {b} ({value:+.2f})" for a, b, value in pairs[:3])
            more = f" and {len(pairs) - 3} more pairs" if len(pairs) > 3 else ""
            parts.append(
                f"Correlated: {named}{more}. Correlated measurements share their importance: "
                "each looks less important than what they measure together is."
            )
        if self.missing:
            named = ", ".join(f"{name} ({n})" for name, n in self.missing.items())
            parts.append(f"Objects without a value (NaN) are left out pair by pair: {named}.")
        if self.undefined:
            parts.append(
                f"No correlation, for want of different values: {', '.join(self.undefined)}."
            )
        return " ".join(parts)


def correlate(table: pd.DataFrame, names: Sequence[str]) -> Correlation:
    """Correlate columns of a table with each other.

    Parameters
    ----------
    table : DataFrame
        One row per object.
    names : sequence of str
        Columns with numbers.

    Raises
    ------
    ValueError
        If a column is missing or holds no numbers.
    """
    import pandas as pd

    for name in names:
        if name not in table.columns or not pd.api.types.is_numeric_dtype(table[name]):
            raise ValueError(f"{name!r} is no column of numbers; there are {list(table.columns)}")
    values = table[list(names)].astype(np.float64).replace([np.inf, -np.inf], np.nan)
    spread = values.nunique()
    missing = values.isna().sum()
    return Correlation(
        matrix=_correlations(values, spread),
        missing={str(name): int(n) for name, n in missing.items() if n},
        undefined=tuple(str(name) for name, n in spread.items() if n < 2),
    )


def _correlations(values: pd.DataFrame, spread: Any) -> pd.DataFrame:
    """Pearson's; rounding must not make a constant column correlate."""
    import pandas as pd

    varied = [name for name in values.columns if spread[name] > 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = values[varied].corr() if varied else pd.DataFrame()
    return found.reindex(index=values.columns, columns=values.columns)
