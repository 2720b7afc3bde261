"""Classify the rows of any table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from napari_spinney.classifiers.base import Classifier, ModelState
from napari_spinney.classifiers.rows import (
    annotated_rows,
    feature_columns,
    rows_of,
    train_rows,
)
from napari_spinney.objects.request import split_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray


class TableRowClassifier(Classifier):
    """Classify rows of a table by a forest trained on some of them.

    A missing value (NaN) is kept and is itself something to decide by: each decision of a tree
    learns to which side it goes. No row is dropped.

    Parameters
    ----------
    features : str or sequence of str, optional
        Columns to decide by: a sequence, or a text with blanks between them. If not given, all
        that hold numbers but those that number objects ("label", "index", "frame", "track", ...).
    n_trees : int
        Number of trees.
    max_depth : int or None
        Levels of decisions in a tree; None for no limit.
    kind : {"random_forest", "extra_trees"}
        Thresholds searched for, or drawn at random.
    balance : {"none", "sqrt", "balanced"}
        Weight of a row of a class that has n of them: 1, n ** -0.5 or 1 / n.
    min_leaf : int
        Fewest rows in a leaf.
    seed : int
        Same seed, same rows: same forest.

    Examples
    --------
    >>> import pandas as pd, napari_spinney as spinney
    >>> table = pd.DataFrame({"label": range(8), "area": [9, 8, 9, 7, 40, 41, 39, 44]})
    >>> clf = spinney.TableRowClassifier(n_trees=10).fit(table, [1, 1, 0, 0, 2, 2, 0, 0])
    >>> clf.predict(table).tolist()
    [1, 1, 1, 1, 2, 2, 2, 2]
    """

    learns_from = "objects"

    def __init__(
        self,
        features: str | Sequence[str] | None = None,
        *,
        n_trees: int = 100,
        max_depth: int | None = None,
        kind: str = "random_forest",
        balance: str = "sqrt",
        min_leaf: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.features = features
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.kind = kind
        self.balance = balance
        self.min_leaf = min_leaf
        self.seed = seed

    def fit(
        self, table: pd.DataFrame | dict[str, Any], classes: ArrayLike | str, *, add: bool = False
    ) -> Self:
        """Train on rows.

        Parameters
        ----------
        table : DataFrame or dict of columns
            One row per object.
        classes : (n,) whole numbers, or str
            Class of each row, 0 where it has none; or the name of the column that holds it.
        add : bool
            Learn from these rows besides those learnt before.

        Raises
        ------
        ValueError
            If a column is missing or holds no numbers, or there are no two classes.
        """
        frame = as_frame(table)
        if isinstance(classes, str):
            if classes not in frame.columns:
                raise ValueError(f"the table has no column {classes!r} with classes")
            classes, frame = frame[classes].to_numpy(), frame.drop(columns=classes)
        names = self.state_.stages[0].names if add and self.is_fitted else self._columns(frame)
        rows = annotated_rows(rows_of(frame, names), classes, names)
        self._set_state(train_rows(self, rows, features="", add=add))
        return self

    def predict(self, table: pd.DataFrame | dict[str, Any]) -> NDArray[np.unsignedinteger]:
        """Class of each row, (n,), in the smallest type that holds the classes."""
        return self.forest_.predict(self._rows(table))

    def predict_proba(self, table: pd.DataFrame | dict[str, Any]) -> NDArray[np.float64]:
        """Probability of each class for each row, (n, n_classes), in the order of `classes_`."""
        return self.forest_.predict_proba(self._rows(table))

    def predict_uncertainty(self, table: pd.DataFrame | dict[str, Any]) -> NDArray[np.float64]:
        """1 - (best - second best probability) of each row, (n,)."""
        return self.forest_.uncertainty(self._rows(table))

    @classmethod
    def from_state(cls, state: ModelState) -> Self:
        """Build a classifier from what a file holds."""
        classifier = super().from_state(state)
        classifier.features = list(state.stages[0].names)
        return classifier

    def _rows(self, table: pd.DataFrame | dict[str, Any]) -> NDArray[np.float32]:
        return rows_of(as_frame(table), self.feature_names_)

    def _columns(self, frame: pd.DataFrame) -> tuple[str, ...]:
        if isinstance(self.features, str):
            return feature_columns(frame, split_words(self.features) or None)
        return feature_columns(frame, self.features)


def as_frame(table: pd.DataFrame | dict[str, Any]) -> pd.DataFrame:
    """Make a table of columns."""
    import pandas as pd

    return table if isinstance(table, pd.DataFrame) else pd.DataFrame(table)
