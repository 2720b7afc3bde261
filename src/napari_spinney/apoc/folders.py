"""Training on folders of images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

    from napari_spinney.apoc.model import FileClassifier


def train_classifier_from_image_folders(
    classifier: FileClassifier, features: Any, **folders: str | PathLike[str]
) -> None:
    """Train a classifier on images that lie in several folders under the same names.

    Parameters
    ----------
    classifier : PixelClassifier, ObjectClassifier, ...
        What was learnt before is forgotten.
    features : str
        As in its ``train``.
    **folders : path-like
        A folder for each argument of its ``train``, e.g. ``image=..., ground_truth=...``. The
        files of the first folder are used, in the order of their names; hidden ones are not.

    Raises
    ------
    ValueError
        If the first folder is empty, or a file is missing in another one.
    """
    tables = []
    for files in _same_names({name: Path(folder) for name, folder in folders.items()}):
        arrays = {name: _read(path) for name, path in files.items()}
        tables.append(classifier._table(features, **arrays))
    table, facts = tables[0]
    for further, _ in tables[1:]:
        table = table.concat(further)
    classifier._learn(table, facts, continue_training=False)


def _same_names(folders: dict[str, Path]) -> list[dict[str, Path]]:
    """Files that belong together."""
    if not folders:
        raise ValueError("name a folder for each argument of train: image=..., ground_truth=...")
    first = next(iter(folders.values()))
    names = sorted(p.name for p in first.iterdir() if p.is_file() and not p.name.startswith("."))
    if not names:
        raise ValueError(f"there are no files in {first}")
    missing = [folder / name for folder in folders.values() for name in names
               if not (folder / name).is_file()]  # fmt: skip
    if missing:
        raise ValueError(
            f"every file of {first} needs a file of the same name in the other folders; missing "
            f"are {', '.join(map(str, missing[:5]))}"
        )
    return [{what: folder / name for what, folder in folders.items()} for name in names]


def _read(path: Path) -> NDArray[Any]:
    from napari_spinney.files.images import read_image

    return np.asarray(read_image(path).data)
