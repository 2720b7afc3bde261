"""Rows of a table as features of a forest: what tables and objects have in common."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.classifiers.base import ModelState, StageState
from napari_spinney.forest.annotation import check_annotation
from napari_spinney.forest.training import ForestOptions, TrainingTable, fit_forest
from napari_spinney.versions import installed_versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from napari_spinney.classifiers.base import Classifier

_FEW_ROWS = 5000
IDENTITY_COLUMNS = (
    "label",
    "original_label",
    "other_label",
    "index",
    "frame",
    "track",
    "parent_track",
    "ImageNumber",  # CellProfiler's
    "ObjectNumber",
    "Number_Object_Number",
    "Unnamed: 0",  # rows of pandas, written without a name
)
"""Columns that number objects: no features unless they are asked for by name."""


def feature_columns(table: pd.DataFrame, features: Sequence[str] | None) -> tuple[str, ...]:
    """Names of the columns that a classifier reads.

    Parameters
    ----------
    table : DataFrame
        One row per object.
    features : sequence of str, optional
        Columns; all with numbers in them, but for `IDENTITY_COLUMNS`, if not given.

    Raises
    ------
    ValueError
        If a column is missing or holds no numbers, or there is none.
    """
    if features is not None:
        rows_of(table, features)
        return tuple(features)
    names = tuple(
        str(name)
        for name in table.columns
        if name not in IDENTITY_COLUMNS and table[name].dtype.kind in "uifb"
    )
    if not names:
        raise ValueError(f"no column of the table holds numbers; got {list(table.columns)}")
    return names


def rows_of(table: pd.DataFrame, names: Sequence[str]) -> NDArray[np.float32]:
    """Take columns as float32, in order; a missing value is NaN.

    Raises
    ------
    ValueError
        If a column is missing or holds no numbers; all of them are named.
    """
    import pandas as pd

    missing = [name for name in names if name not in table.columns]
    if missing:
        raise ValueError(
            f"the table lacks the columns {', '.join(missing)}; it has {list(table.columns)[:20]}"
        )
    wrong = [n for n in names if not pd.api.types.is_numeric_dtype(table[n])]
    if wrong:
        raise ValueError(f"columns must hold numbers; {', '.join(wrong)} do not")
    rows = np.empty((len(table), len(names)), np.float32)
    with np.errstate(over="ignore"):
        for column, name in enumerate(names):
            rows[:, column] = table[name].to_numpy(np.float64, na_value=np.nan)
    return rows


def annotated_rows(
    rows: NDArray[np.float32],
    classes: Any,
    names: Sequence[str],
    image: NDArray[np.int32] | None = None,
) -> TrainingTable:
    """Keep the rows with a class; each row is held out by itself in validation.

    Parameters
    ----------
    rows : (n, f) float32
        Features.
    classes : (n,) whole numbers
        0 is not annotated.
    names : sequence of str
        Names of the features.
    image : (n,) int32, optional
        Image of each row; one image if not given.
    """
    y = check_annotation(classes, (len(rows),))
    kept = np.flatnonzero(y)
    of = np.zeros(len(rows), np.int32) if image is None else image
    return TrainingTable(
        X=rows[kept],
        y=y[kept].astype(np.uint32),
        stroke=np.arange(len(kept), dtype=np.int32),
        image=of[kept],
        position=kept.astype(np.int64),
        names=tuple(names),
    )


def train_rows(
    classifier: Classifier,
    table: TrainingTable,
    *,
    features: str,
    add: bool,
    ndim: int | None = None,
    n_channels: int = 1,
    spacing: tuple[float, ...] | None = None,
) -> ModelState:
    """Train a forest on annotated rows, perhaps added to those learnt from before.

    Raises
    ------
    ValueError
        If there are no two classes, or the model cannot be added to.
    """
    before: dict[str, Any] = {}
    if add and classifier.is_fitted:
        state = classifier.state_
        check_same(state, table, ndim, n_channels, spacing)
        table = kept_rows(state).concat(table)
        before = state.provenance
    # Threads cost more than they save on the few rows that somebody annotates.
    fitted = fit_forest(table, classifier.options, n_jobs=1 if len(table) < _FEW_ROWS else None)
    stage = StageState(features, table.names, fitted.forest, fitted.importances, table)
    return ModelState(
        kind=type(classifier).__name__,
        parameters={k: v for k, v in classifier.get_params().items() if k != "features"},
        stages=(stage,),
        class_names=dict(classifier.class_names),
        class_colors=dict(classifier.class_colors),
        ndim=ndim,
        n_channels=max(n_channels, 1),
        spacing=spacing,
        provenance=provenance_now(rows=len(table), before=before),
    )


def provenance_now(*, rows: int, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """What made a model of rows: date, versions, number of rows."""
    packages = ("napari-spinney", "scikit-learn", "numpy", "pandas")
    return {
        **(before or {}),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": installed_versions(*packages),
        "rows": rows,
    }


def kept_rows(state: ModelState) -> TrainingTable:
    """Rows that a model was trained on.

    Raises
    ------
    ValueError
        If it holds none.
    """
    table = state.stages[0].table
    if table is None:
        raise ValueError(
            "the model holds no training rows to add to (a .cl file has none): fit it anew with "
            "all objects"
        )
    return table


def check_same(
    state: ModelState,
    table: TrainingTable,
    ndim: int | None,
    n_channels: int,
    spacing: tuple[float, ...] | None,
) -> None:
    """Check that rows to add are measured as those learnt from.

    Raises
    ------
    ValueError
        If names, dimensions, channels or units differ.
    """
    if state.stages[0].names != table.names:
        raise ValueError(
            f"the model reads {list(state.stages[0].names)}; {list(table.names)} cannot be added"
        )
    for what, old, new in (
        ("dimensions", state.ndim, ndim),
        ("channels", state.n_channels, max(n_channels, 1)),
        ("spacing", state.spacing is None, spacing is None),
    ):
        if old != new and ndim is not None:
            raise ValueError(
                f"objects added must be measured as those learnt from: the model has {what} "
                f"{state.spacing if what == 'spacing' else old}, the new ones "
                f"{spacing if what == 'spacing' else new}"
            )


__all__ = [
    "IDENTITY_COLUMNS",
    "ForestOptions",
    "annotated_rows",
    "check_same",
    "feature_columns",
    "kept_rows",
    "provenance_now",
    "rows_of",
    "train_rows",
]
