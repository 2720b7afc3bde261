"""Save and load trained classifiers; the suffix of the file decides the format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_spinney.files.apoc_cl import read_cl, write_cl
from napari_spinney.files.errors import ModelFileError
from napari_spinney.files.model_file import read_model, write_model

if TYPE_CHECKING:
    from os import PathLike

    from napari_spinney.classifiers.base import ModelState

_READERS = {".spinney": read_model, ".cl": read_cl}
_WRITERS = {".spinney": write_model, ".cl": write_cl}


def save(state: ModelState, path: str | PathLike[str]) -> None:
    """Write a model, whole or not at all.

    Parameters
    ----------
    state : ModelState
        The trained classifier.
    path : path-like
        Ends in ``.spinney`` (everything is kept) or ``.cl`` (what APOC can read).

    Raises
    ------
    ModelFileError
        If the suffix is unknown, or the format cannot hold this model.
    OSError
        If it cannot be written; a file that was there before is as it was.
    """
    _WRITERS[_suffix(path)](state, path)


def load(path: str | PathLike[str]) -> ModelState:
    """Read a model; nothing in the file is executed.

    Parameters
    ----------
    path : path-like
        A ``.spinney`` file, or a ``.cl`` file of APOC.

    Raises
    ------
    ModelFileError
        If the suffix is unknown or the file breaks a rule of its format; the message names both.
    OSError
        If the file is missing or cannot be opened.
    """
    return _READERS[_suffix(path)](path)


def _suffix(path: str | PathLike[str]) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in _READERS:
        raise ModelFileError(
            f"{Path(path)}: the name of a model file ends in .spinney, or in .cl (APOC); "
            f"got {suffix or 'no suffix'}"
        )
    return suffix
