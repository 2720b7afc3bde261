"""From pictures to objects and back: what was painted on objects, and values painted on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Rule: TypeAlias = Literal["most", "largest"]
"""Which class an object takes that several were painted on: the one with most pixels inside it
(the lowest number wins a tie), or the largest number, which is APOC's rule."""

_LARGEST_TABLE = 1 << 24


def painted_classes(
    labels: NDArray[Any], annotation: NDArray[Any], objects: NDArray[Any], rule: Rule = "most"
) -> NDArray[np.uint32]:
    """Find the class painted on each object.

    Parameters
    ----------
    labels : array of whole numbers
        The objects.
    annotation : array of whole numbers
        Same shape; 0 is not annotated. What was painted outside objects is not looked at.
    objects : (n,) array
        Labels of the objects, rising.
    rule : {"most", "largest"}
        See `Rule`.

    Returns
    -------
    (n,) uint32
        0 where nothing was painted.

    Raises
    ------
    ValueError
        If the shapes differ or the rule is unknown.
    """
    if rule not in get_args(Rule):
        raise ValueError(f"rule must be one of {', '.join(get_args(Rule))}; got {rule!r}")
    if annotation.shape != labels.shape:
        raise ValueError(
            f"an annotation has the shape of its labels, {labels.shape}; got {annotation.shape}"
        )
    painted = np.flatnonzero(annotation)
    under = labels.reshape(-1)[painted]
    painted, under = painted[under != 0], under[under != 0]
    number = np.searchsorted(objects, under)
    classes, which = np.unique(annotation.reshape(-1)[painted], return_inverse=True)
    result = np.zeros(len(objects), np.uint32)
    if not len(classes):
        return result
    counts = np.bincount(number * len(classes) + which, minlength=len(objects) * len(classes))
    counts = counts.reshape(len(objects), len(classes))
    best = counts.argmax(axis=1)
    if rule == "largest":
        best = len(classes) - 1 - (counts[:, ::-1] > 0).argmax(axis=1)
    found = counts.any(axis=1)
    result[found] = classes[best[found]]
    return result


def paint(
    labels: ArrayLike, objects: ArrayLike, values: ArrayLike, *, background: float = 0
) -> NDArray[Any]:
    """Paint a value per object onto a label image.

    Parameters
    ----------
    labels : array of whole numbers
        Any shape; 0 is background.
    objects : (n,) array
        Labels.
    values : (n,) array
        What to paint on them.
    background : number
        What to paint elsewhere, also on labels that are not among ``objects``.

    Returns
    -------
    array
        Shape of the labels, type of the values.
    """
    image, numbers, chosen = np.asarray(labels), np.asarray(objects), np.asarray(values)
    if numbers.shape != chosen.shape or numbers.ndim != 1:
        raise ValueError(
            f"one value per object is needed; got {chosen.shape} values for {numbers.shape} objects"
        )
    if image.dtype == np.bool_:
        image = image.view(np.uint8)
    if not image.size:
        return np.full(image.shape, background, chosen.dtype)
    top = int(image.max())
    if top < _LARGEST_TABLE:
        table = np.full(top + 1, background, chosen.dtype)
        known = (numbers > 0) & (numbers <= top)
        table[numbers[known].astype(np.int64)] = chosen[known]
        return np.asarray(table[image])
    present, place = np.unique(image, return_inverse=True)
    order = np.argsort(numbers)
    at = np.minimum(np.searchsorted(numbers[order], present), max(len(numbers) - 1, 0))
    table = np.full(len(present), background, chosen.dtype)
    if len(numbers):
        known = (numbers[order][at] == present) & (present != 0)
        table[known] = chosen[order][at][known]
    return np.asarray(table[place].reshape(image.shape))
