"""Compare a segmentation with the truth: classes pixel by pixel, objects one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well the pixels of one class were found.

    Parameters
    ----------
    number : int
        The class.
    both, found, true : int
        Pixels that have this class in both, in the result, in the truth.
    """

    number: int
    both: int
    found: int
    true: int

    @property
    def dice(self) -> float:
        """Twice the shared pixels by the sum of both; NaN where neither has the class."""
        return _part(2 * self.both, self.found + self.true)

    @property
    def jaccard(self) -> float:
        """Shared pixels by those of either; NaN where neither has the class."""
        return _part(self.both, self.found + self.true - self.both)

    def __add__(self, other: ClassScore) -> ClassScore:
        """The score of two images taken together."""
        if self.number != other.number:
            raise ValueError(f"scores of classes {self.number} and {other.number} do not add up")
        return ClassScore(
            self.number, self.both + other.both, self.found + other.found, self.true + other.true
        )


@dataclass(frozen=True, slots=True)
class ObjectScore:
    """How many objects were found.

    Parameters
    ----------
    matched, found, true : int
        Pairs of objects that match, objects of the result, objects of the truth.
    """

    matched: int
    found: int
    true: int

    @property
    def precision(self) -> float:
        """Part of the objects of the result that match; NaN where there are none."""
        return _part(self.matched, self.found)

    @property
    def recall(self) -> float:
        """Part of the true objects that are matched; NaN where there are none."""
        return _part(self.matched, self.true)

    @property
    def f1(self) -> float:
        """Twice the matches by the objects of both; NaN where neither has any."""
        return _part(2 * self.matched, self.found + self.true)

    def __add__(self, other: ObjectScore) -> ObjectScore:
        """The score of two images taken together."""
        return ObjectScore(
            self.matched + other.matched, self.found + other.found, self.true + other.true
        )


def score_classes(
    result: ArrayLike, truth: ArrayLike, *, sparse: bool = False
) -> tuple[ClassScore, ...]:
    """Compare classes pixel by pixel.

    Parameters
    ----------
    result, truth : (*spatial) array_like of int
        Class of each pixel; 0 = background.
    sparse : bool
        0 in the truth means that nobody knows: such pixels count nowhere.

    Returns
    -------
    tuple of ClassScore
        One for each class above 0 of either, rising.

    Raises
    ------
    ValueError
        If the shapes differ, or the numbers are no classes.
    """
    found, true = _pair(result, truth)
    if sparse:
        known = true > 0
        found, true = found[known], true[known]
    counts = [_counts(labels) for labels in (found, true, true[found == true])]
    numbers = sorted(set(counts[0]) | set(counts[1]))
    return tuple(
        ClassScore(n, counts[2].get(n, 0), counts[0].get(n, 0), counts[1].get(n, 0))
        for n in numbers
    )


def score_objects(result: ArrayLike, truth: ArrayLike, *, overlap: float = 0.5) -> ObjectScore:
    """Compare objects one by one.

    Two objects match if the Jaccard index of their pixels reaches ``overlap``. As many are matched
    as can be where each has one partner at most; above 0.5 there is never a choice.

    Parameters
    ----------
    result, truth : (*spatial) array_like of int
        Number of the object at each pixel; 0 = background.
    overlap : float
        Above 0, up to 1.

    Raises
    ------
    ValueError
        If the shapes differ, the numbers are no labels, or ``overlap`` is out of range.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    if not 0 < overlap <= 1:
        raise ValueError(f"overlap must be above 0 and up to 1; got {overlap}")
    found, true = _pair(result, truth)
    rows, row_of = np.unique(found, return_inverse=True)
    columns, column_of = np.unique(true, return_inverse=True)
    sizes, true_sizes = np.bincount(row_of), np.bincount(column_of)
    ones = np.ones(found.size, np.int64)
    shape = (len(rows), len(columns))
    table = coo_matrix((ones, (row_of.ravel(), column_of.ravel())), shape).tocsr().tocoo()
    either = sizes[table.row] + true_sizes[table.col] - table.data
    good = (table.data >= overlap * either) & (rows[table.row] > 0) & (columns[table.col] > 0)
    edges = coo_matrix((table.data[good], (table.row[good], table.col[good])), shape).tocsr()
    matched = int((maximum_bipartite_matching(edges, perm_type="column") >= 0).sum())
    return ObjectScore(matched, int((rows > 0).sum()), int((columns > 0).sum()))


def pooled_classes(scores: Iterable[tuple[ClassScore, ...]]) -> tuple[ClassScore, ...]:
    """Scores of many images taken together, one for each class."""
    pooled: dict[int, ClassScore] = {}
    for score in (score for image in scores for score in image):
        before = pooled.get(score.number)
        pooled[score.number] = score if before is None else before + score
    return tuple(pooled[number] for number in sorted(pooled))


def _part(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _counts(labels: NDArray[Any]) -> dict[int, int]:
    """Pixels of each number above 0."""
    numbers, counts = np.unique(labels, return_counts=True)
    return {int(n): int(c) for n, c in zip(numbers, counts, strict=True) if n > 0}


def _pair(result: ArrayLike, truth: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both, flat and as whole numbers."""
    found, true = np.asarray(result), np.asarray(truth)
    if found.shape != true.shape:
        raise ValueError(
            f"a result and its truth have the same shape; got {found.shape} and {true.shape}"
        )
    return _whole(found, "result"), _whole(true, "truth")


def _whole(array: NDArray[Any], what: str) -> NDArray[Any]:
    if array.dtype.kind not in "buif":
        raise ValueError(f"the {what} holds no numbers but {array.dtype}")
    flat = array.ravel()
    if flat.size and not (np.isfinite(flat) & (flat == np.floor(flat)) & (flat >= 0)).all():
        raise ValueError(
            f"the {what} must hold whole numbers from 0 (classes or labels), no probabilities; "
            f"got {flat.min()} to {flat.max()} of type {array.dtype}"
        )
    return flat.astype(np.int64)
