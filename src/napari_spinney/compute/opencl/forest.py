"""Trees in the form that the forest kernels read, and which kernel reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.compute.trees import TreeArrays

_LEFT_ENDS, _RIGHT_ENDS = np.int64(-(2**31)), np.int64(2**30)
COMPLETE_DEPTH = 3
"""Deepest trees that are evaluated completely, without branches."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedForest:
    """A forest for one kernel.

    Parameters
    ----------
    kernel : str
        "forest_complete_1" to "forest_complete_3", or "forest_walk".
    arrays : tuple of array
        What the kernel wants, in the order of its arguments.
    n_trees, n_columns, n_classes : int
        Sizes of the forest.
    n_summed : int
        Classes that the kernel adds up: one less than there are where the last follows.
    total : int
        Sum over all classes, modulo 2**32, where the last class follows from the others.
    exact : bool
        Whether sums are integers.
    factor : float
        Probability of one quantum.
    waiting : int
        Right children that wait, at most, in a walk down one tree.
    """

    kernel: str
    arrays: tuple[NDArray[Any], ...]
    n_trees: int
    n_columns: int
    n_classes: int
    n_summed: int
    total: int
    exact: bool
    factor: float
    waiting: int


def pack_forest(trees: TreeArrays, has_fp64: bool) -> PackedForest:
    """Choose the kernel for a forest and arrange its arrays.

    Parameters
    ----------
    trees : TreeArrays
        The forest.
    has_fp64 : bool
        Whether the device computes in float64.
    """
    exact = trees.sums == "exact"
    values: NDArray[Any]
    values, factor = trees.quanta() if exact else (trees.values, 0.0)
    total = _common_total(trees, values) if exact else None
    if total is not None:
        values = values[:, :-1]
    single = values.view(np.int32) if exact else values.astype(np.float32)
    depth = max(1, _depth(trees))
    if depth <= COMPLETE_DEPTH and (exact or not has_fp64 or np.array_equal(single, values)):
        kernel, arrays = f"forest_complete_{depth}", _complete(trees, single, depth)
    else:
        kernel, arrays = "forest_walk", _walk(trees, values if not exact and has_fp64 else single)
    return PackedForest(
        kernel=kernel,
        arrays=arrays,
        n_trees=trees.n_trees,
        n_columns=trees.n_features,
        n_classes=trees.n_classes,
        n_summed=values.shape[1],
        total=0 if total is None else total,
        exact=exact,
        factor=factor,
        waiting=_most_waiting(trees),
    )


def _common_total(trees: TreeArrays, quanta: NDArray[Any]) -> int | None:
    """Sum over trees and classes where in each tree all leaves add up to the same number."""
    if trees.n_classes < 2:
        return None
    nodes = np.flatnonzero(trees.leaf >= 0)
    sums = quanta.sum(axis=1, dtype=np.uint64)[trees.leaf[nodes]]
    first = np.searchsorted(nodes, trees.roots)
    lowest = np.minimum.reduceat(sums, first)
    if not np.array_equal(lowest, np.maximum.reduceat(sums, first)):
        return None
    return int(lowest.sum()) % 2**32


def _depth(trees: TreeArrays) -> int:
    level, depth = trees.roots, -1
    while len(level):
        inner = level[trees.feature[level] >= 0]
        level = np.concatenate([trees.left[inner], trees.right[inner]])
        depth += 1
    return depth


def _complete(trees: TreeArrays, values: NDArray[Any], depth: int) -> tuple[NDArray[Any], ...]:
    """Every tree filled up to ``depth``: a leaf above it becomes nodes with equal children."""
    at = trees.roots[:, None]
    levels: list[tuple[NDArray[Any], ...]] = []
    for _ in range(depth):
        inner = trees.feature[at] >= 0
        feature = np.where(inner, trees.feature[at], 0)
        levels.append(
            (feature, trees.threshold[at].view(np.int32), -trees.nan_left[at].astype("i4"))
        )
        children = (np.where(inner, trees.left[at], at), np.where(inner, trees.right[at], at))
        at = np.stack(children, axis=-1).reshape(trees.n_trees, -1)
    feature, threshold, nan_left = (
        np.concatenate(parts, axis=1) for parts in zip(*levels, strict=True)
    )
    leaves = values[trees.leaf[at]].view(np.int32).transpose(0, 2, 1)
    nodes = np.stack([feature, threshold], axis=-1)
    return tuple(np.ascontiguousarray(array, dtype=np.int32) for array in (nodes, nan_left, leaves))


def _walk(trees: TreeArrays, values: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Inner nodes only, in preorder; a tree that is one leaf gets a node with equal children."""
    kept = trees.feature >= 0
    kept[trees.roots] = True
    number = np.cumsum(kept) - 1
    at = np.flatnonzero(kept)
    is_inner = trees.feature[at] >= 0
    left = np.where(is_inner, trees.left[at], at)
    right = np.where(is_inner, trees.right[at], at)
    ends = np.stack([trees.leaf[left], trees.leaf[right]], axis=-1) + 1
    nodes = np.stack(
        [
            np.where(is_inner, trees.feature[at], 0),
            trees.threshold[at].view(np.int32),
            number[right] | _LEFT_ENDS * (ends[:, 0] > 0) | _RIGHT_ENDS * (ends[:, 1] > 0),
            -trees.nan_left[at].astype(np.int32),
        ],
        axis=-1,
    )
    leaves = np.concatenate([np.zeros_like(values[:1]), values])
    first = _leftmost(trees, values)
    turns = np.concatenate(
        [
            first[trees.roots].sum(axis=0, keepdims=True, dtype=values.dtype),
            first[right] - first[left],
        ]
    )
    return (
        np.ascontiguousarray(nodes, np.int32),
        np.ascontiguousarray(ends, np.int32),
        np.ascontiguousarray(number[trees.roots], np.int32),
        np.ascontiguousarray(leaves),
        np.ascontiguousarray(turns),
    )


def _leftmost(trees: TreeArrays, values: NDArray[Any]) -> NDArray[Any]:
    """Values of the leftmost leaf below each node."""
    is_leaf = trees.feature < 0
    following = np.where(is_leaf, np.arange(len(is_leaf)), len(is_leaf))
    first = np.minimum.accumulate(following[::-1])[::-1]
    return values[trees.leaf[first]]


def _most_waiting(trees: TreeArrays) -> int:
    """Right children that wait, at most, when a tree is walked in preorder."""
    steps = np.where(trees.feature >= 0, 1, -1)
    before = np.cumsum(steps) - steps
    sizes = np.diff(np.append(trees.roots, len(steps)))
    return int((before - np.repeat(before[trees.roots], sizes)).max()) + 2
