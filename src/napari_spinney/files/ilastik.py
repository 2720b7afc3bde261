"""What ilastik exports to HDF5: labels, segmentations, probabilities."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = (".h5", ".hdf5", ".hdf", ".ilp")
_DEFAULT_DATASET = "exported_data"
MAX_GROWTH = 2000
"""An array of over 1 GiB may be this many times larger than its file."""
_UNNAMED = {2: "yx", 3: "zyx", 4: "zyxc", 5: "tzyxc"}
"""Axes where the file does not say them."""


def read_hdf5(path: Path, dataset: str | None = None) -> tuple[NDArray[Any], str]:
    """Read an array and its axes.

    Parameters
    ----------
    path : Path
        An HDF5 file.
    dataset : str, optional
        Which array; "exported_data", or the only one there is, unless given.

    Returns
    -------
    array, axes
        One letter of t, c, z, y, x per axis.

    Raises
    ------
    ImportError
        If h5py is not installed.
    ValueError
        If there is no such array, or its axes are unknown.
    """
    try:
        import h5py
    except ImportError as error:
        raise ImportError(f"reading {path.name} needs h5py: pip install h5py") from error
    if path.suffix.lower() == ".ilp":
        raise ValueError(
            "this is a project of ilastik, not an export: in ilastik choose Prediction Export, "
            "Source: Labels, and export to HDF5, TIFF or NPY"
        )
    with h5py.File(path, "r") as file:
        found = _arrays(file)
        name = dataset or (_DEFAULT_DATASET if _DEFAULT_DATASET in found else None)
        if name is None and len(found) == 1:
            name = found[0]
        if name is None or name.strip("/") not in found:
            raise ValueError(
                f"which array is meant? There is no {name or _DEFAULT_DATASET!r}; there are "
                f"{', '.join(found) or 'none'}: name one with dataset=..."
            )
        array = file[name]
        _check_stored(array, path.stat().st_size)
        return np.asarray(array[()]), _axes(array.attrs.get("axistags"), array.ndim)


def _check_stored(array: Any, size: int) -> None:
    """Refuse an array whose pixels lie in other files, or far more of them than are stored."""
    if array.external or array.is_virtual:
        raise ValueError(f"the pixels of {array.name!r} lie in other files, which are not read")
    if array.nbytes > max(2**30, MAX_GROWTH * size):
        raise ValueError(f"it unpacks from {size} to {array.nbytes} bytes, which is refused")


def _arrays(file: Any) -> list[str]:
    """Names of all arrays in a file."""
    import h5py

    names: list[str] = []

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim >= 2:
            names.append(name)

    file.visititems(note)
    return names


def _axes(tags: Any, ndim: int) -> str:
    """Letters of the axes, from the text that vigra writes."""
    if tags is None:
        if ndim not in _UNNAMED:
            raise ValueError(f"an array of {ndim} axes is no image")
        return _UNNAMED[ndim]
    text = tags.decode() if isinstance(tags, bytes) else str(tags)
    try:
        axes = "".join(str(axis["key"]) for axis in json.loads(text)["axes"]).lower()
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"its axistags cannot be read: {text[:80]!r}") from error
    if len(axes) != ndim or len(set(axes)) != ndim or set(axes) - set("tczyx"):
        raise ValueError(f"its axistags {axes!r} do not fit an image of {ndim} axes")
    return axes
