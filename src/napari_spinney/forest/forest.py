"""A trained forest: trees as flat arrays, the classes they vote for, and a readable predict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.forest.structure import check_trees, node_depths
from napari_spinney.forest.structure import trees_from_sklearn as _trees_from_sklearn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_spinney.compute.trees import TreeArrays

_VISITS_AT_ONCE = 2**19
"""Rows x trees that are walked together: bounds the memory of the reference."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureUse:
    """How often each feature decides, by depth in the trees.

    Parameters
    ----------
    counts : (n_levels, n_features) int64
        Inner nodes that compare the feature at this depth; row 0 holds the roots.
    shares : (n_levels, n_features) float64
        The same, divided by all inner nodes of the depth.
    """

    counts: NDArray[np.int64]
    shares: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees and the classes that they tell apart; checked when it is made, and never changed.

    Parameters
    ----------
    trees : TreeArrays
        The trees. Nothing in them is trusted: see `check`.
    classes : (n_classes,) unsigned integers
        Class numbers as they were annotated, rising; kept in the smallest type that holds them.

    Raises
    ------
    TypeError
        If the classes are no whole numbers.
    ValueError
        If trees or classes break a rule of `TreeArrays`.
    """

    trees: TreeArrays
    classes: NDArray[np.unsignedinteger]

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", _class_numbers(self.classes))
        self.check()

    @classmethod
    def from_sklearn(cls, model: Any) -> Forest:
        """Take over a fitted classifier of scikit-learn, branch for branch.

        Parameters
        ----------
        model : RandomForestClassifier, ExtraTreesClassifier, or a single tree of either kind
            Fitted with non-negative whole numbers as classes.

        Returns
        -------
        Forest
            Every tree takes the branch that scikit-learn takes, NaN included: thresholds are
            rounded down to float32, because float32 ``x <= t`` is then ``x <= rounded t``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        TypeError
            If it is another kind of model, or its classes are no whole numbers.
        """
        trees = _trees_from_sklearn(model)
        return cls(trees, _class_numbers(model.classes_))

    @classmethod
    def from_trees(cls, trees: TreeArrays, classes: ArrayLike) -> Forest:
        """Put trees and class numbers together; the same as the constructor, for any sequence."""
        return cls(trees, _class_numbers(classes))

    def check(self) -> None:
        """Refuse trees that no executor could run safely.

        Raises
        ------
        ValueError
            That names the first rule broken: a child that is not behind its parent (so no
            cycle), a node with two parents, an index or a feature out of range, values that are
            not finite, arrays of the wrong length or type, classes that do not rise.
        """
        check_trees(self.trees)
        if len(self.classes) != self.trees.n_classes:
            raise ValueError(
                f"a forest needs one class number per column of its leaf values; got "
                f"{len(self.classes)} classes and {self.trees.n_classes} columns"
            )

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return self.trees.n_trees

    @property
    def n_nodes(self) -> int:
        """Number of nodes, leaves included."""
        return len(self.trees.feature)

    @property
    def n_leaves(self) -> int:
        """Number of leaves."""
        return int(np.count_nonzero(self.trees.feature < 0))

    @property
    def n_features(self) -> int:
        """Number of columns that `predict` expects."""
        return self.trees.n_features

    def apply(self, X: ArrayLike) -> NDArray[np.int32]:
        """Find the leaf of every row in every tree.

        Parameters
        ----------
        X : (n, n_features) array
            Converted to float32, as scikit-learn does. NaN and infinities are allowed.

        Returns
        -------
        (n, n_trees) int32
            Positions of leaves among all nodes of the forest.
        """
        table = self._table(X)
        nodes = np.empty((len(table), self.n_trees), np.int32)
        for part in self._parts(len(table)):
            nodes[part] = self._descend(table[part])
        return nodes

    def sums(self, X: ArrayLike) -> NDArray[Any]:
        """Add up what the leaves of each row say, in the semantics of ``trees.sums``.

        Returns
        -------
        (n, n_classes) uint32 for "exact", float32 for "float32"
        """
        table = self._table(X)
        total = np.empty(
            (len(table), self.trees.n_classes),
            np.uint32 if self.trees.sums == "exact" else np.float32,
        )
        for part in self._parts(len(table)):
            total[part] = self._add_up(self.trees.leaf[self._descend(table[part])])
        return total

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probability of each class for each row, (n, n_classes) float64.

        With ``trees.sums == "float32"`` it is the float32 quotient that a kernel of APOC writes;
        rows whose leaves are all zero have probability 0 for every class.
        """
        sums = self.sums(X)
        if self.trees.sums == "exact":
            return np.asarray(sums * self.trees.quanta()[1], np.float64)
        whole = sums[:, :1].copy()
        for column in range(1, sums.shape[1]):
            whole += sums[:, column : column + 1]
        return (sums / np.where(whole > 0, whole, np.float32(1))).astype(np.float64)

    def predict(self, X: ArrayLike) -> NDArray[np.unsignedinteger]:
        """Class number of each row, (n,); the lowest class wins a tie."""
        best: NDArray[np.unsignedinteger] = self.classes[np.argmax(self.sums(X), axis=1)]
        return best

    def uncertainty(self, X: ArrayLike) -> NDArray[np.float64]:
        """``1 - (best - second best probability)`` of each row, (n,) float64 in [0, 1]."""
        probability = self.predict_proba(X)
        if probability.shape[1] == 1:
            return 1.0 - probability[:, 0]
        best_two = np.partition(probability, -2, axis=1)[:, -2:]
        return 1.0 - (best_two[:, 1] - best_two[:, 0])

    def node_depths(self) -> NDArray[np.int64]:
        """Depth of every node, (n_nodes,) int64; 0 at a root."""
        return node_depths(self.trees)

    def depths(self) -> NDArray[np.int64]:
        """Depth of each tree, (n_trees,) int64; 0 for a tree of one node."""
        return np.maximum.reduceat(self.node_depths(), self.trees.roots)

    def sizes(self) -> NDArray[np.int64]:
        """Number of nodes of each tree, (n_trees,) int64."""
        ends = np.append(self.trees.roots[1:], self.n_nodes)
        return (ends - self.trees.roots).astype(np.int64)

    def used_features(self) -> NDArray[np.int32]:
        """Columns that some node compares, rising."""
        return np.unique(self.trees.feature[self.trees.feature >= 0])

    def statistics(self) -> FeatureUse:
        """Count which features decide at which depth of the trees."""
        inner = self.trees.feature >= 0
        depth = self.node_depths()[inner]
        levels = int(depth.max(initial=-1)) + 1
        cells = depth * self.n_features + self.trees.feature[inner]
        counts = np.bincount(cells, minlength=levels * self.n_features).astype(np.int64)
        counts = counts.reshape(levels, self.n_features)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        return FeatureUse(counts, shares)

    def with_columns(self, columns: Sequence[int]) -> Forest:
        """Renumber features for a table that keeps only some columns.

        Parameters
        ----------
        columns : sequence of int
            Columns kept: what was ``columns[i]`` becomes ``i``. All `used_features` must be in it.

        Returns
        -------
        Forest
            It gives for ``X[:, columns]`` what this one gives for ``X``.
        """
        kept = np.asarray(columns, dtype=np.int64).reshape(-1)
        if len(np.unique(kept)) != len(kept) or np.any((kept < 0) | (kept >= self.n_features)):
            raise ValueError(
                f"columns must be different numbers from 0 to {self.n_features - 1}; got {columns}"
            )
        missing = np.setdiff1d(self.used_features(), kept)
        if len(missing):
            raise ValueError(
                f"the forest compares columns {missing.tolist()}, so they cannot be dropped"
            )
        new_number = np.full(self.n_features + 1, -1, np.int32)
        new_number[kept] = np.arange(len(kept), dtype=np.int32)
        feature = new_number[self.trees.feature]
        return replace(self, trees=replace(self.trees, feature=feature, n_features=len(kept)))

    def _table(self, X: ArrayLike) -> NDArray[np.float32]:
        """Convert to float32 (n, n_features); too large numbers become infinite."""
        with np.errstate(over="ignore"):
            table = np.asarray(X).astype(np.float32, copy=False)
        if table.ndim != 2 or table.shape[1] != self.n_features:
            raise ValueError(
                f"the forest reads {self.n_features} features, so X must have the shape "
                f"(rows, {self.n_features}); got {table.shape}"
            )
        return table

    def _parts(self, n_rows: int) -> Iterator[slice]:
        """Cut rows into parts of a bounded size."""
        step = max(1, _VISITS_AT_ONCE // self.n_trees)
        return (slice(start, start + step) for start in range(0, n_rows, step))

    def _descend(self, table: NDArray[np.float32]) -> NDArray[np.int32]:
        """Walk down all trees at once, (rows, n_trees)."""
        trees = self.trees
        nodes = np.tile(trees.roots, (len(table), 1))
        rows = np.arange(len(table))[:, None]
        while True:
            feature = trees.feature[nodes]
            if np.all(feature < 0):
                return nodes
            value = table[rows, np.maximum(feature, 0)]
            goes_left = np.where(
                np.isnan(value), trees.nan_left[nodes], value <= trees.threshold[nodes]
            )
            child = np.where(goes_left, trees.left[nodes], trees.right[nodes])
            nodes = np.where(feature < 0, nodes, child)

    def _add_up(self, leaves: NDArray[np.int32]) -> NDArray[Any]:
        """Sum the values of the leaves, (rows, n_trees), over the trees."""
        if self.trees.sums == "exact":
            quanta, _ = self.trees.quanta()
            exact: NDArray[np.uint32] = quanta[leaves].sum(axis=1, dtype=np.uint32)
            return exact
        total = np.zeros((len(leaves), self.trees.n_classes), np.float32)
        with np.errstate(over="ignore"):
            for tree in range(self.n_trees):
                total = (total + self.trees.values[leaves[:, tree]]).astype(np.float32)
        return total


def _class_numbers(classes: ArrayLike) -> NDArray[np.unsignedinteger]:
    """Check class numbers and store them in the smallest unsigned type."""
    numbers = np.asarray(classes)
    if numbers.ndim != 1 or len(numbers) == 0:
        raise ValueError(f"classes must be a list of numbers; got the shape {numbers.shape}")
    whole = numbers.dtype.kind in "bui" or (
        numbers.dtype.kind == "f" and bool(np.all(numbers == np.round(numbers)))
    )
    if not whole:
        raise TypeError(f"classes must be whole numbers; got {numbers.tolist()[:10]}")
    if np.any(numbers < 0) or np.any(numbers > np.iinfo(np.uint32).max):
        raise ValueError(f"classes must lie in 0 .. 2**32 - 1; got {numbers.tolist()[:10]}")
    wide = numbers.astype(np.uint32)
    if np.any(wide[1:] <= wide[:-1]):
        raise ValueError(f"classes must rise; got {wide.tolist()[:10]}")
    return wide.astype(np.min_scalar_type(int(wide[-1])))
