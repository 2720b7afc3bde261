"""Score files against files that hold the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from napari_spinney.scores import (
    ClassScore,
    ObjectScore,
    pooled_classes,
    score_classes,
    score_objects,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

Of: TypeAlias = Literal["classes", "objects"]

ALL_FILES = "all files"


@dataclass(frozen=True, slots=True)
class FileScore:
    """The scores of one result.

    Parameters
    ----------
    result, truth : Path
        Both files.
    classes : tuple of ClassScore
        One for each class; for objects that of all their pixels, as class 1.
    objects : ObjectScore, optional
        Where objects were compared.
    error : str
        Why there is no score.
    """

    result: Path
    truth: Path
    classes: tuple[ClassScore, ...] = ()
    objects: ObjectScore | None = None
    error: str = ""


def score_files(
    pairs: Iterable[tuple[Path, Path]],
    of: Of = "classes",
    *,
    sparse: bool = False,
    overlap: float = 0.5,
) -> Iterator[FileScore]:
    """Score files one after the other; one that cannot be scored says why in ``error``.

    Parameters
    ----------
    pairs : iterable of (Path, Path)
        Result and truth.
    of : {"classes", "objects"}
        What the numbers of the files are.
    sparse : bool
        0 in the truth means that nobody knows; for classes only.
    overlap : float
        Jaccard index from which on two objects match.

    Raises
    ------
    ValueError
        If ``sparse`` is wanted of objects, or ``overlap`` is out of range.
    """
    if sparse and of == "objects":
        raise ValueError("a sparse truth shows no whole objects: score classes, or leave it out")
    if not 0 < overlap <= 1:
        raise ValueError(f"overlap must be above 0 and up to 1; got {overlap}")
    for result, truth in pairs:
        try:
            found, true = _read(result), _read(truth)
            if found.shape != true.shape:
                raise ValueError(f"{result} has shape {found.shape}, but {truth} {true.shape}")
            if of == "classes":
                yield FileScore(result, truth, score_classes(found, true, sparse=sparse))
            else:
                objects = score_objects(found, true, overlap=overlap)
                yield FileScore(result, truth, score_classes(found > 0, true > 0), objects)
        except (ValueError, OSError, MemoryError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            if str(result) not in reason and str(truth) not in reason:
                reason = f"{result}: {reason}"
            yield FileScore(result, truth, error=reason)


def score_table(scores: Iterable[FileScore]) -> pd.DataFrame:
    """Tabulate scores: a row for each file and class, and one for all files taken together.

    Parameters
    ----------
    scores : iterable of FileScore
        Those with an error are left out.
    """
    import pandas as pd

    good = [score for score in scores if not score.error]
    rows = [row for s in good for row in _rows(str(s.result), s.classes, s.objects)]
    if len(good) > 1:
        found = [score.objects for score in good if score.objects is not None]
        objects = sum(found[1:], found[0]) if found else None
        rows += _rows(ALL_FILES, pooled_classes(score.classes for score in good), objects)
    return pd.DataFrame(rows)


def _rows(
    name: str, classes: tuple[ClassScore, ...], objects: ObjectScore | None
) -> list[dict[str, Any]]:
    if objects is None:
        return [
            {"file": name, "class": s.number, "dice": s.dice, "jaccard": s.jaccard} for s in classes
        ]
    (whole,) = classes or (ClassScore(1, 0, 0, 0),)
    return [
        {
            "file": name,
            "dice": whole.dice,
            "jaccard": whole.jaccard,
            "precision": objects.precision,
            "recall": objects.recall,
            "f1": objects.f1,
            "matched": objects.matched,
            "found": objects.found,
            "true": objects.true,
        }
    ]


def _read(path: Path) -> NDArray[Any]:
    """The numbers of a file, without axes of length 1."""
    from napari_spinney.files.elsewhere import read_labels
    from napari_spinney.files.images import READABLE, read_image

    if path.suffix.lower() in READABLE:
        return np.squeeze(np.asarray(read_image(path).data))
    return np.squeeze(np.asarray(read_labels(path).classes))
