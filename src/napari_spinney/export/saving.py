"""The files that lie beside an export: images, strokes, objects, models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from napari_spinney.session import ImageEntry


class Folder:
    """A folder that arrays are saved in, each once, under a name that every system takes.

    Parameters
    ----------
    path : Path
        Made when the first file is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._names: dict[tuple[int, str], str] = {}
        self._kept: list[Any] = []
        self._taken: set[str] = set()

    def save_image(self, entry: ImageEntry) -> str:
        """Save the pixels of an image; returns the name of the file."""
        return self.save(entry.data, entry.name, entry.axes, entry.spacing)

    def save(self, data: Any, name: str, axes: str, spacing: Any = None) -> str:
        """Save an array; returns the name of the file.

        A TIFF file, or an NPY file where that would not give back the same array.
        """
        key = (id(data), name)
        if key not in self._names:
            self._kept.append(data)  # so that no other array gets its id
            self._names[key] = self._write(_in_memory(data), name, axes, spacing)
        return self._names[key]

    def save_tracks(self, tracks: np.ndarray[Any, Any], name: str) -> str:
        """Save tracks as a table that `read_tracks` takes; returns the name of the file."""
        import pandas as pd

        from napari_spinney.files.tables import write_table

        self.path.mkdir(parents=True, exist_ok=True)
        file = self._free(name, ".csv")
        columns = ["track", "t", *"zyx"[2 - tracks.shape[1] :]]
        write_table(self.path / file, pd.DataFrame(tracks, columns=columns))
        return file

    def save_model(self, classifier: Any, name: str) -> str:
        """Save a model; returns the name of the file."""
        self.path.mkdir(parents=True, exist_ok=True)
        file = self._free(name, ".spinney")
        classifier.save(self.path / file)
        return file

    def _write(self, array: np.ndarray[Any, Any], name: str, axes: str, spacing: Any) -> str:
        from napari_spinney.files.errors import ImageFileError
        from napari_spinney.files.images import read_image, write_image

        self.path.mkdir(parents=True, exist_ok=True)
        file = self._free(name, ".tif")
        try:
            write_image(self.path / file, array, axes.upper(), spacing)
            again = np.asarray(read_image(self.path / file).data)
            if _are_same(again, array):
                return file
        except ImageFileError:  # what TIFF cannot hold
            pass
        (self.path / file).unlink(missing_ok=True)
        file = self._free(name, ".npy")
        write_image(self.path / file, array)
        return file

    def _free(self, name: str, suffix: str) -> str:
        """A name that was not given yet."""
        stem = safe_name(name)
        number = 1
        file = f"{stem}{suffix}"
        while file.lower() in self._taken:
            number += 1
            file = f"{stem}_{number}{suffix}"
        self._taken.add(file.lower())
        return file


def _in_memory(data: Any) -> np.ndarray[Any, Any]:
    """All of an array; some that are read in blocks, as channels of several layers, only slice."""
    if isinstance(data, np.ndarray):
        return data
    return np.asarray(data[(slice(None),) * len(data.shape)])


def safe_name(name: str) -> str:
    """A file name without blanks and signs that some system does not take."""
    return re.sub(r"[^\w-]+", "_", name).strip("_")[:80] or "unnamed"


def _are_same(one: np.ndarray[Any, Any], two: np.ndarray[Any, Any]) -> bool:
    if one.shape != two.shape or one.dtype != two.dtype:
        return False
    return bool(np.array_equal(one, two, equal_nan=one.dtype.kind == "f"))
