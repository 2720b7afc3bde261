"""The shape of trees in flat arrays: taken from scikit-learn, checked, measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.compute.trees import TreeArrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NODE_ARRAYS = {
    "feature": np.int32,
    "threshold": np.float32,
    "left": np.int32,
    "right": np.int32,
    "nan_left": np.bool_,
    "leaf": np.int32,
}


def round_down(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round to the largest float32 that is not larger than the value; NaN stays NaN."""
    with np.errstate(over="ignore", under="ignore"):
        nearest = values.astype(np.float32)
        lower = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest > values, lower, nearest)


def trees_from_sklearn(model: Any, scale: NDArray[np.float64] | None = None) -> TreeArrays:
    """Read the trees of a fitted forest or tree classifier of scikit-learn.

    ``scale``, (n_features,), powers of two: what thresholds are multiplied by.
    """
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.utils.validation import check_is_fitted

    if not isinstance(
        model, (ExtraTreesClassifier, RandomForestClassifier, DecisionTreeClassifier)
    ):
        raise TypeError(
            f"a Forest is made from a RandomForestClassifier, an ExtraTreesClassifier or a single "
            f"tree classifier; got {type(model).__name__}"
        )
    check_is_fitted(model)
    if model.n_outputs_ != 1:
        raise TypeError(f"a Forest predicts one output; the model has {model.n_outputs_}")
    single = isinstance(model, DecisionTreeClassifier)
    estimators = [model] if single else model.estimators_
    return trees_from_estimators(estimators, int(model.n_features_in_), scale)


def trees_from_estimators(
    estimators: list[Any], n_features: int, scale: NDArray[np.float64] | None = None
) -> TreeArrays:
    """Read single trees of scikit-learn whose leaf values lie in 0 .. 1."""
    trees = [_in_preorder(each.tree_) for each in estimators]
    if scale is not None:
        for tree in trees:
            tree["threshold"] = tree["threshold"] * scale[np.maximum(tree["feature"], 0)]
    return _concatenate(trees, n_features)


def _in_preorder(tree: Any) -> dict[str, NDArray[Any]]:
    """Arrays of one scikit-learn tree, renumbered where it was grown best first."""
    left, right = tree.children_left, tree.children_right
    node = {
        "feature": tree.feature,
        "threshold": tree.threshold,
        "left": left,
        "right": right,
        "nan_left": tree.missing_go_to_left.astype(np.bool_),
        "values": tree.value[:, 0, :],
    }
    inner = left >= 0
    if np.all(left[inner] == np.flatnonzero(inner) + 1):
        return node
    order = _preorder(left, right)
    position = np.empty_like(order)
    position[order] = np.arange(len(order))
    node = {name: array[order] for name, array in node.items()}
    for side in ("left", "right"):
        node[side] = np.where(node[side] >= 0, position[node[side]], -1)
    return node


def _preorder(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.int64]:
    """Visit parents before left before right."""
    order: list[int] = []
    pending = [0]
    while pending:
        node = pending.pop()
        order.append(node)
        if left[node] >= 0:
            pending += [int(right[node]), int(left[node])]
    return np.array(order)


def _concatenate(trees: list[dict[str, NDArray[Any]]], n_features: int) -> TreeArrays:
    """Put trees one after the other."""
    sizes = [len(tree["left"]) for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]])
    joined = {name: np.concatenate([tree[name] for tree in trees]) for name in trees[0]}
    inner = joined["left"] >= 0
    offset = np.repeat(roots, sizes)
    leaf = np.where(inner, -1, np.cumsum(~inner) - 1)
    return TreeArrays(
        roots=roots.astype(np.int32),
        feature=np.where(inner, joined["feature"], -1).astype(np.int32),
        threshold=round_down(np.where(inner, joined["threshold"], 0.0)),
        left=np.where(inner, joined["left"] + offset, -1).astype(np.int32),
        right=np.where(inner, joined["right"] + offset, -1).astype(np.int32),
        nan_left=joined["nan_left"] & inner,
        leaf=leaf.astype(np.int32),
        # scikit-learn's fractions may exceed 1 by a rounding error.
        values=np.minimum(joined["values"][~inner], 1.0),
        n_features=n_features,
    )


def check_trees(trees: TreeArrays) -> None:
    """Refuse arrays that are not trees in preorder; see `TreeArrays` for the rules.

    Raises
    ------
    ValueError
        That names the rule and the first node that breaks it.
    """
    _check_form(trees)
    _check_values(trees)
    inner = trees.feature >= 0
    _check_nodes(trees, inner)
    _check_order(trees, inner)


def _check_form(trees: TreeArrays) -> None:
    """Types, lengths, and where trees begin."""
    n_nodes = len(np.atleast_1d(trees.feature))
    for name, dtype in _NODE_ARRAYS.items():
        array = getattr(trees, name)
        if not isinstance(array, np.ndarray) or array.dtype != dtype or array.shape != (n_nodes,):
            raise ValueError(
                f"{name} of a forest must be {np.dtype(dtype).name} of shape ({n_nodes},); "
                f"got {_described(array)}"
            )
    roots = trees.roots
    if not isinstance(roots, np.ndarray) or roots.dtype != np.int32 or roots.ndim != 1:
        raise ValueError(f"roots of a forest must be a list of int32; got {_described(roots)}")
    if len(roots) == 0 or roots[0] != 0 or roots[-1] >= n_nodes or np.any(np.diff(roots) <= 0):
        raise ValueError(
            f"roots of a forest must rise from 0 and stay below the number of nodes ({n_nodes}); "
            f"got {roots[:5].tolist()}..."
        )


def _check_values(trees: TreeArrays) -> None:
    """Leaf values and the way in which they are added."""
    values = trees.values
    if not isinstance(values, np.ndarray) or values.dtype != np.float64 or values.ndim != 2:
        raise ValueError(
            f"values of a forest must be float64 of shape (leaves, classes); "
            f"got {_described(values)}"
        )
    if trees.sums not in ("exact", "float32"):
        raise ValueError(f"sums must be 'exact' or 'float32'; got {trees.sums!r}")
    if values.shape[1] == 0:
        raise ValueError("a forest needs at least one class; its leaf values have no column")
    largest = 1.0 if trees.sums == "exact" else float(np.finfo(np.float32).max)
    wrong = ~((values >= 0) & (values <= largest))
    if np.any(wrong):
        row = int(np.argmax(wrong.any(axis=1)))
        raise ValueError(
            f"leaf values must lie in 0 .. {largest:g}; row {row} is {values[row].tolist()}"
        )


def _check_nodes(trees: TreeArrays, inner: NDArray[np.bool_]) -> None:
    """Each node by itself: leaf or inner, indices in range."""
    node = np.arange(len(inner), dtype=np.int32)
    sizes = np.diff(trees.roots, append=np.int32(len(inner)))
    end = np.repeat((trees.roots + sizes).astype(np.int32), sizes)
    feature, left, right, leaf = trees.feature, trees.left, trees.right, trees.leaf
    rules = {
        f"a feature lies in 0 .. {trees.n_features - 1}, or is -1 at a leaf": (
            (feature >= -1) & (feature < trees.n_features)
        ),
        f"a leaf has a row of values, 0 .. {len(trees.values) - 1}; an inner node has -1": np.where(
            inner, leaf == -1, (leaf >= 0) & (leaf < len(trees.values))
        ),
        "the left child is the next node, and -1 at a leaf": left == np.where(inner, node + 1, -1),
        "the right child lies behind the left one in the same tree, and is -1 at a leaf": np.where(
            inner, (right > node + 1) & (right < end), right == -1
        ),
        "a threshold is a number": ~(inner & np.isnan(trees.threshold)),
    }
    for rule, holds in rules.items():
        if not np.all(holds):
            at = int(np.argmin(holds))
            raise ValueError(
                f"not a forest: {rule}; node {at} has feature {feature[at]}, left {left[at]}, "
                f"right {right[at]}, leaf {leaf[at]}, threshold {trees.threshold[at]}"
            )


def _check_order(trees: TreeArrays, inner: NDArray[np.bool_]) -> None:
    """Every node but a root has one parent, and each tree is in preorder.

    In preorder the number of right children still to come is the same at a node and at its right
    child. With one parent for each node that is also enough.
    """
    parents = np.bincount(trees.right[inner], minlength=len(inner))
    parents[1:] += inner[:-1]
    parents[trees.roots] += 1
    if np.any(parents != 1):
        at = int(np.argmax(parents != 1))
        raise ValueError(
            f"not a forest: every node but a root has one parent; node {at} breaks that rule"
        )
    pending = _pending(inner)
    wrong = pending[trees.right[inner]] != pending[inner]
    if np.any(wrong):
        at = int(np.flatnonzero(inner)[np.argmax(wrong)])
        raise ValueError(
            f"not a forest: trees are in preorder; the right child of node {at} is "
            f"{trees.right[at]}, which lies elsewhere"
        )


def _pending(inner: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Right children still to come, before each node, up to a constant per tree."""
    steps = np.where(inner, np.int32(1), np.int32(-1))
    return np.cumsum(steps, dtype=np.int32) - steps


def node_depths(trees: TreeArrays) -> NDArray[np.int64]:
    """Depth of every node below its root, without a loop over levels."""
    inner = trees.feature >= 0
    last = np.where(inner, trees.right, np.arange(len(inner), dtype=np.int32))
    while True:  # follow right children to the last node of each subtree, doubling the step
        further = last[last]
        if np.array_equal(further, last):
            break
        last = further
    change = np.zeros(len(inner) + 1, np.int64)
    change[1:-1] += inner[:-1]
    change -= np.bincount(last[inner] + 1, minlength=len(inner) + 1)
    return np.cumsum(change[:-1])


def _described(array: object) -> str:
    """Name type and shape for a message."""
    if isinstance(array, np.ndarray):
        return f"{array.dtype} of shape {array.shape}"
    return type(array).__name__
