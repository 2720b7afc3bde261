"""A forest as flat arrays: what executors read. Nothing here knows classes or training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class TreeArrays:
    """Trees one after the other, each in preorder, so that a child always follows its parent.

    Parameters
    ----------
    roots : (n_trees,) int32
        Position of each tree's root; rising, ``roots[0] == 0``.
    feature : (n_nodes,) int32
        Column compared at an inner node; -1 at a leaf.
    threshold : (n_nodes,) float32
        Go left where ``value <= threshold``. Any value at a leaf.
    left, right : (n_nodes,) int32
        Positions of the children, ``left == node + 1``; -1 at a leaf.
    nan_left : (n_nodes,) bool
        Where NaN goes.
    leaf : (n_nodes,) int32
        Row of ``values`` for a leaf; -1 at an inner node.
    values : (n_leaves, n_classes) float64
        What a leaf adds to each class.
    sums : {"exact", "float32"}
        How leaves are added up. "exact": each value is rounded once to a multiple of
        ``1 / scale`` (see `quanta`) and the integers are added, so that the sum does not depend
        on the order and is the same on every device. "float32": one float32 sum per class, in
        the order of the trees, each addition done in float64 and rounded: what OpenCL C makes
        of ``s0 += 0.6666;`` in a kernel written by APOC.
    n_features : int
        Number of columns.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    nan_left: NDArray[np.bool_]
    leaf: NDArray[np.int32]
    values: NDArray[np.float64]
    n_features: int
    sums: Literal["exact", "float32"] = "exact"

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.roots)

    @property
    def n_classes(self) -> int:
        """Number of classes (columns of ``values``)."""
        return int(self.values.shape[1])

    def quanta(self) -> tuple[NDArray[np.uint32], float]:
        """Leaf values as integers, and the factor that turns their sum into a probability.

        Returns
        -------
        quanta : (n_leaves, n_classes) uint32
            ``rint(values * scale)`` where scale is the largest number for which no sum over one
            leaf of each tree can exceed 2**32 - 1.
        factor : float
            ``1 / (scale * n_trees)``: probabilities are ``sum * factor``. The error of a
            probability is at most ``n_trees / 2**33``.

        Raises
        ------
        ValueError
            If ``sums`` is not "exact": such trees have no integer form.
        """
        if self.sums != "exact":
            raise ValueError(f"only trees with sums='exact' have quanta; these have {self.sums!r}")
        scale = float((2**32 - 1) // self.n_trees)
        return np.rint(self.values * scale).astype(np.uint32), 1.0 / (scale * self.n_trees)
