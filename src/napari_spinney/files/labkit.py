"""Labelings of Labkit: ``.labeling`` (JSON), and ``.tif`` with a ``.tif.labels`` beside it."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LARGEST = 2**34
"""Most pixels that a labeling may have."""


def read_labeling(
    path: Path,
) -> tuple[NDArray[np.unsignedinteger], dict[int, str], dict[int, str]]:
    """Read a ``.labeling`` file.

    Returns
    -------
    classes : array
        Axes in numpy's order (Labkit's are x, y, z). A pixel with several labels takes the last.
    names, colors : dict
        Name and "#rrggbb" of each class; classes are 1, 2, ... in the order of the file.

    Raises
    ------
    ValueError
        If it is none, or a point lies outside.
    """
    content = _json(path)
    try:
        low, high = content["interval"]["min"], content["interval"]["max"]
        shape = tuple(int(b) - int(a) + 1 for a, b in zip(low, high, strict=True))[::-1]
        labels = dict(content["labels"])
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise ValueError("no labeling of Labkit: it has no interval and labels") from error
    if not 2 <= len(shape) <= 5 or min(shape) < 1 or math.prod(shape) > LARGEST:
        raise ValueError(f"a labeling of the shape {shape} cannot be read")
    classes = np.zeros(shape, np.min_scalar_type(len(labels)))
    for number, (name, points) in enumerate(labels.items(), 1):
        classes[_index(points, low, shape, name)] = number
    names = dict(enumerate(labels, 1))
    return classes, names, _colors(content.get("colors"), names)


def _colors(found: Any, names: dict[int, str]) -> dict[int, str]:
    """Colours that are written "#rrggbb"; others are left out."""
    if not isinstance(found, dict):
        return {}
    texts = {n: str(found.get(name)) for n, name in names.items()}
    return {n: text for n, text in texts.items() if re.fullmatch("#[0-9a-fA-F]{6}", text)}


def _index(
    points: Any, low: Sequence[int], shape: tuple[int, ...], name: str
) -> tuple[NDArray[np.int64], ...]:
    """Places of the points of a label."""
    if not points:
        return tuple(np.zeros((len(shape), 0), np.int64))
    try:
        found = np.asarray(points)
        if np.any(found != found.astype(np.int64)):
            raise ValueError("points are whole numbers")
        places = found.astype(np.int64)[:, ::-1] - np.asarray(low, np.int64)[::-1]
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise ValueError(f"label {name!r} holds no list of points") from error
    if places.shape[1] != len(shape) or np.any((places < 0) | (places >= shape)):
        raise ValueError(f"label {name!r} has points outside the interval")
    return tuple(places.T)


def labels_beside(path: Path) -> Path | None:
    """The file that says what the numbers in a TIFF of Labkit stand for, if there is one."""
    beside = Path(f"{path}.labels")
    return beside if beside.exists() else None


def to_classes(
    numbers: NDArray[Any], beside: Path
) -> tuple[NDArray[np.unsignedinteger], dict[int, str]]:
    """Translate the numbers of a TIFF, which stand for sets of labels, to classes.

    Raises
    ------
    ValueError
        If a number has no set.
    """
    sets = _json(beside).get("labelSets")
    if not isinstance(sets, list) or not all(isinstance(s, list) for s in sets):
        raise ValueError(f"{beside.name} holds no sets of labels, as Labkit writes them")
    names = sorted({str(name) for one in sets for name in one})
    number_of = {name: n for n, name in enumerate(names, 1)}
    table = np.array([max((number_of[str(n)] for n in one), default=0) for one in sets])
    if numbers.size and int(numbers.max()) >= len(table):
        raise ValueError(f"{beside.name} has no set for the number {int(numbers.max())}")
    classes = table.astype(np.min_scalar_type(len(names)))[numbers]
    return classes, {n: name for name, n in number_of.items()}


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name} is no JSON, as Labkit writes it: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} is no labeling of Labkit")
    return content
