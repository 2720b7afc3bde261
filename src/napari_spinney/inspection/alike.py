"""Which features carry the same information, judged by a sample of the training table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

ALIKE = 0.95
"""Features correlated more than this, of either sign, carry the same information."""

SAMPLE = 2000
"""Rows that are looked at."""


FILLED = 0.5
"""Columns with a smaller share of finite values are not compared."""


def alike(
    table: ArrayLike,
    names: Sequence[str],
    *,
    above: float = ALIKE,
    sample: int = SAMPLE,
    seed: int = 0,
) -> dict[str, dict[str, float]]:
    """Find the features that each feature is strongly correlated with.

    Parameters
    ----------
    table : (n, n_features) array_like
        One row per pixel or object. Columns without a finite value in half of the rows are left
        out, then rows without one in any column.
    names : sequence of str
        One name per feature.
    above : float
        How strong, from 0 to 1: the greater of Pearson's and Spearman's coefficient, of either
        sign.
    sample : int
        At most this many rows are looked at, drawn at random.
    seed : int
        Which rows are drawn.

    Returns
    -------
    dict of str to dict of str to float
        The coefficients, the strongest first; features without such partners are left out.

    Raises
    ------
    ValueError
        If there is not one name per column.
    """
    rows = np.asarray(table)
    if rows.ndim != 2 or rows.shape[1] != len(names):
        raise ValueError(
            f"a table has one column per name; got {len(names)} names for the shape {rows.shape}"
        )
    if len(rows) > sample:
        rows = rows[np.random.default_rng(seed).choice(len(rows), sample, replace=False)]
    rows = rows.astype(np.float64)
    rows[:, np.isfinite(rows).mean(axis=0) < FILLED] = 0
    rows = rows[np.isfinite(rows).all(axis=1)]
    found = _strongest(rows)
    np.fill_diagonal(found, 0)
    partners = {}
    for row, name in enumerate(names):
        order = np.argsort(-np.abs(found[row]), kind="stable")
        strong = {names[k]: float(found[row, k]) for k in order if abs(found[row, k]) > above}
        if strong:
            partners[name] = strong
    return partners


def brackets(
    importances: Mapping[str, float], partners: Mapping[str, Mapping[str, float]]
) -> list[tuple[str, ...]]:
    """Put features that carry the same information side by side.

    Each feature joins the most important one that it is correlated with, if that one leads a
    bracket.

    Parameters
    ----------
    importances : mapping of str to float
    partners : mapping
        What `alike` gave.

    Returns
    -------
    list of tuple of str
        All features, those of a bracket in one tuple, the most important first.
    """
    groups: dict[str, list[str]] = {}
    for name in sorted(importances, key=lambda n: -importances[n]):
        leader = next((first for first in groups if first in partners.get(name, {})), name)
        groups.setdefault(leader, []).append(name)
    return [tuple(group) for group in groups.values()]


def _strongest(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The greater of Pearson's and Spearman's coefficient of each pair; 0 if not defined."""
    from scipy.stats import rankdata

    if len(rows) < 3:
        return np.zeros((rows.shape[1],) * 2)
    pearson = _correlations(rows)
    spearman = _correlations(rankdata(rows, axis=0))
    return np.where(np.abs(spearman) > np.abs(pearson), spearman, pearson)


def _correlations(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    constant = np.ptp(rows, axis=0) == 0
    centred = rows - rows.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    length[constant | (length == 0)] = np.inf
    unit = centred / length
    found: NDArray[np.float64] = unit.T @ unit
    return found
