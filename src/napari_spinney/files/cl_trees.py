"""Trees put together from the statements of a kernel, in the order of the text."""

from __future__ import annotations

import numpy as np

from napari_spinney.compute.trees import TreeArrays
from napari_spinney.files.cl_text import literal_value, threshold_below

MAX_VALUES = 2**26
"""Most leaf values (leaves times classes) that are read."""


class TreeError(ValueError):
    """A statement in a place where it makes no tree."""


class _Block:
    """What stands between two braces; at the top, between two trees."""

    __slots__ = ("is_full", "is_right", "leaf", "parent")

    def __init__(self, parent: int, *, is_right: bool = False) -> None:
        self.parent = parent
        self.is_right = is_right
        self.is_full = False
        self.leaf: dict[int, float] | None = None


def _whole_number(text: str) -> float:
    """Value of a literal that is added to a ``uint``."""
    digits = text.rstrip("uU")
    if not digits.isdigit() or int(digits) >= 2**32:
        raise TreeError(f"a sum of whole numbers needs a whole number below 2**32, not {text}")
    return float(int(digits))


class TreeBuilder:
    """Trees that grow with each statement. No recursion: a file may nest as deep as it likes.

    Parameters
    ----------
    n_inputs, n_sums : int
        Columns that are read, and sums (classes) that are declared.
    exact : bool
        Whether the sums are whole numbers: see ``sums`` of `TreeArrays`.
    """

    def __init__(self, n_inputs: int, n_sums: int, *, exact: bool) -> None:
        self.n_inputs, self.n_sums, self.exact = n_inputs, n_sums, exact
        self._roots: list[int] = []
        self._feature: list[int] = []
        self._threshold: list[float] = []
        self._right: list[int] = []
        self._leaf: list[int] = []
        self._rows: list[dict[int, float]] = []
        self._blocks: list[_Block] = [_Block(-1)]  # the first is the top, outside all trees

    @property
    def is_inside(self) -> bool:
        """Whether a tree is not closed yet."""
        return len(self._blocks) > 1

    def branch(self, feature: int, text: str) -> None:
        """``if(iN<t) {``: an inner node, and the block of its left child."""
        if feature >= self.n_inputs:
            raise TreeError(f"i{feature} is not read from an image; {self.n_inputs} are")
        node = self._new_node()
        self._feature[node] = feature
        self._threshold[node] = threshold_below(text)
        self._blocks.append(_Block(node))

    def turn(self) -> None:
        """``} else {``: from the left child to the right one."""
        if not self.is_inside or self._blocks[-1].is_right:
            raise TreeError("'else' without 'if'")
        parent = self._leave_block().parent
        self._right[parent] = len(self._feature)
        self._blocks.append(_Block(parent, is_right=True))

    def close(self) -> None:
        """``}``: end of the right child."""
        if not self._blocks[-1].is_right:
            raise TreeError("expected '} else {'")
        self._leave_block()

    def add(self, column: int, text: str) -> None:
        """``sN+=v;``: what a leaf adds.

        At the top, where trees of a single leaf have no braces, a tree ends where the numbers
        of the sums stop rising. Sums do not depend on where.
        """
        if column >= self.n_sums:
            raise TreeError(f"s{column} is not declared; there are {self.n_sums} sums")
        block = self._blocks[-1]
        if block.leaf is None or (not self.is_inside and column <= max(block.leaf)):
            block.leaf = self._new_leaf()
        if column in block.leaf:
            raise TreeError(f"s{column} is added twice in one leaf")
        block.leaf[column] = _whole_number(text) if self.exact else literal_value(text)

    def _new_node(self) -> int:
        """A node at this place of the text; at the top it is the root of a new tree."""
        node = len(self._feature)
        block = self._blocks[-1]
        if self.is_inside and block.is_full:
            raise TreeError("a branch holds one leaf or one 'if', not more")
        if not self.is_inside:
            block.leaf = None
            self._roots.append(node)
        block.is_full = True
        self._feature.append(-1)
        self._threshold.append(0.0)
        self._right.append(-1)
        self._leaf.append(-1)
        return node

    def _new_leaf(self) -> dict[int, float]:
        node = self._new_node()
        self._leaf[node] = len(self._rows)
        self._rows.append({})
        if len(self._rows) * self.n_sums > MAX_VALUES:
            raise TreeError(f"more than {MAX_VALUES} leaf values, {self.n_sums} in each leaf")
        return self._rows[-1]

    def _leave_block(self) -> _Block:
        """Leave the innermost block; an empty one is a leaf that adds nothing."""
        if not self._blocks[-1].is_full:
            self._new_leaf()
        return self._blocks.pop()

    def finish(self) -> TreeArrays:
        """The trees as arrays.

        Raises
        ------
        TreeError
            If there is no tree, or one is not closed.
        """
        if self.is_inside:
            raise TreeError("expected a statement of a tree")
        if not self._roots:
            raise TreeError("expected a tree: 'if(i0<1.0){' or 's0+=1.0;'")
        values = np.zeros((len(self._rows), self.n_sums))
        for row, leaf in enumerate(self._rows):
            values[row, list(leaf)] = list(leaf.values())
        if self.exact:
            values /= float((2**32 - 1) // len(self._roots))
        feature = np.array(self._feature, np.int32)
        following = np.arange(1, len(feature) + 1, dtype=np.int32)
        return TreeArrays(
            roots=np.array(self._roots, np.int32),
            feature=feature,
            threshold=np.array(self._threshold, np.float32),
            left=np.where(feature >= 0, following, np.int32(-1)),
            right=np.array(self._right, np.int32),
            nan_left=np.zeros(len(feature), np.bool_),
            leaf=np.array(self._leaf, np.int32),
            values=values,
            n_features=self.n_inputs,
            sums="exact" if self.exact else "float32",
        )
