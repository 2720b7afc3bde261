"""Annotations and probabilities that other programs wrote: ilastik, Labkit, QuPath, Weka."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.files import ilastik, labkit, qupath
from napari_spinney.files.errors import ImageFileError
from napari_spinney.files.images import DAMAGE, READABLE, TIFF, read_image
from napari_spinney.files.pictures import read_indexed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from os import PathLike

    from numpy.typing import NDArray

LABELS = (*READABLE, *ilastik.SUFFIXES, ".labeling", *qupath.SUFFIXES)
"""Suffixes of files that `read_labels` takes."""

_ORDER = "tzyx"
_ROUNDING = 1e-3
"""How far a probability may lie outside 0 .. 1, as sums of float16 or float32 do."""


@dataclass(frozen=True, slots=True, eq=False)
class ForeignLabels:
    """An annotation, and what its file says of the classes.

    Parameters
    ----------
    classes : array of unsigned int
        0 where nothing is annotated, else the number of a class.
    axes : str
        One letter of t, z, y, x per axis.
    names, colors : dict
        Name and "#rrggbb" of the classes, where the file has them.
    """

    classes: NDArray[np.unsignedinteger]
    axes: str
    names: dict[int, str] = field(default_factory=dict)
    colors: dict[int, str] = field(default_factory=dict)

    def renumbered(
        self, known: Mapping[int, str], taken: Collection[int] | None = None
    ) -> ForeignLabels:
        """The same with the numbers of `numbers_by_name`, and the classes that are painted."""
        if not self.names:
            return self
        painted = set(np.unique(self.classes).tolist())
        names = {n: name for n, name in self.names.items() if n in painted}
        new = numbers_by_name(names, known, taken)
        table = np.arange(max(painted, default=0) + 1)
        table[list(new)] = list(new.values())
        return ForeignLabels(
            table.astype(np.min_scalar_type(max(table)))[self.classes],
            self.axes,
            {new[n]: name for n, name in names.items()},
            {new[n]: color for n, color in self.colors.items() if n in new},
        )


def numbers_by_name(
    names: Mapping[int, str], known: Mapping[int, str], taken: Collection[int] | None = None
) -> dict[int, int]:
    """New numbers for the classes of a file, so that a name means one class in all files.

    Parameters
    ----------
    names : mapping of int to str
        Names of the classes of the file.
    known : mapping of int to str
        Names of the classes there are.
    taken : collection of int, optional
        Those whose numbers must not go to others; all of them unless given.

    Returns
    -------
    dict of int to int
        For each number of ``names``: that of the known class of its name; else itself; or, where
        that one is taken, the smallest number that is free.
    """
    by_name = {name: number for number, name in known.items()}
    found = {number: by_name[name] for number, name in names.items() if name in by_name}
    used = {*found.values(), *(known if taken is None else taken)}
    for number in names:
        if number not in found:
            found[number] = number if number not in used else _free(used)
            used.add(found[number])
    return found


def _free(used: Collection[int]) -> int:
    return next(n for n in itertools.count(1) if n not in used)


def read_labels(
    path: str | PathLike[str], *, shape: Sequence[int] | None = None, dataset: str | None = None
) -> ForeignLabels:
    """Read an annotation (or a label image) that another program wrote.

    Parameters
    ----------
    path : path-like
        ilastik: labels or a segmentation, exported to HDF5, TIFF or NPY. Labkit: ``.labeling``,
        or ``.tif`` with its ``.tif.labels``. QuPath: GeoJSON, or a label image (TIFF, PNG, with
        indexed colours too). Weka, others: any label image.
    shape : sequence of int, optional
        That of the image without channels; needed for GeoJSON. Axes of length 1 are made to fit.
    dataset : str, optional
        Which array of an HDF5 file.

    Raises
    ------
    ImageFileError
        If it cannot be read, or does not have this shape; names the file and the reason.
    ImportError
        If it is HDF5 and h5py is not installed.
    """
    source = Path(path)
    try:
        found = _read(source, None if shape is None else tuple(shape), dataset)
        return found if shape is None else _shaped(found, tuple(shape))
    except DAMAGE as error:
        if isinstance(error, ImageFileError):
            raise
        raise ImageFileError(f"{source}: {error}") from error


def _read(path: Path, shape: tuple[int, ...] | None, dataset: str | None) -> ForeignLabels:
    suffix = path.suffix.lower()
    if suffix in ilastik.SUFFIXES:
        array, axes = ilastik.read_hdf5(path, dataset)
        return _as_labels(array, axes)
    if suffix == ".labeling":
        classes, names, colors = labkit.read_labeling(path)
        return ForeignLabels(classes, _ORDER[-classes.ndim :], names, colors)
    if suffix in qupath.SUFFIXES:
        if shape is None:
            raise ValueError("annotations of QuPath need the shape of their image: shape=...")
        classes, names, colors = qupath.read_geojson(path, tuple(n for n in shape if n != 1))
        return ForeignLabels(classes, "yx", names, colors)
    indexed = read_indexed(path) if suffix == ".png" else None
    if indexed is not None:
        return ForeignLabels(indexed, "yx")
    image = read_image(path)
    array, axes = np.asarray(image.data), image.axes.lower()
    if suffix == ".npy" and array.ndim > 2 and array.shape[-1] == 1:  # as ilastik writes it
        axes = "tzyxc"[-array.ndim :]
    found = _as_labels(array, axes)
    beside = labkit.labels_beside(path) if suffix in TIFF else None
    if beside is None:
        return found
    classes, names = labkit.to_classes(found.classes, beside)
    return ForeignLabels(classes, found.axes, names)


def _as_labels(array: NDArray[Any], axes: str) -> ForeignLabels:
    """Axes in the order t, z, y, x; those of length 1 are dropped, all but y and x."""
    from napari_spinney.forest.annotation import check_annotation

    if "c" in axes and array.shape[axes.index("c")] != 1:
        raise ValueError(
            f"labels have one number per pixel, and this has {array.shape[axes.index('c')]} "
            "channels (colours, or probabilities: see read_probabilities)"
        )
    array, axes = _ordered(array, axes, _ORDER)
    return ForeignLabels(check_annotation(array), axes)


def _ordered(array: NDArray[Any], axes: str, order: str) -> tuple[NDArray[Any], str]:
    """Axes in an order; t, z and c are dropped where their length is 1 and ``order`` lacks them."""
    kept = [a for a, n in zip(axes, array.shape, strict=True) if n != 1 or a in "yx"]
    kept += [a for a in axes if a not in kept and a == "c" and "c" in order]
    index = tuple(slice(None) if a in kept else 0 for a in axes)
    left = "".join(a for a in axes if a in kept)
    letters = "".join(a for a in order if a in left)
    return np.ascontiguousarray(array[index].transpose([left.index(a) for a in letters])), letters


def _shaped(found: ForeignLabels, shape: tuple[int, ...]) -> ForeignLabels:
    if tuple(n for n in found.classes.shape if n != 1) != tuple(n for n in shape if n != 1):
        raise ValueError(
            f"the labels have the shape {found.classes.shape} (axes {found.axes}); the image, "
            f"without its channels, has {shape}"
        )
    axes = _ORDER[-len(shape) :] if len(shape) != len(found.axes) else found.axes
    return ForeignLabels(found.classes.reshape(shape), axes, found.names, found.colors)


def read_probabilities(
    path: str | PathLike[str], *, dataset: str | None = None, axes: str | None = None
) -> tuple[NDArray[np.float32], str]:
    """Read probabilities that ilastik exported.

    Parameters
    ----------
    path : path-like
        HDF5, TIFF or NPY.
    dataset : str, optional
        Which array of an HDF5 file.
    axes : str, optional
        One letter of t, c, z, y, x per axis, where the file does not say them or says them wrong;
        an NPY file has the classes last unless this says otherwise.

    Returns
    -------
    probabilities : array of float32
        The classes first, as `predict_proba` gives them; whole numbers are scaled to 0 .. 1.
    axes : str
        "c", then those of t, z, y, x that there are.

    Raises
    ------
    ImageFileError
        If it cannot be read, or has no axis of classes.
    """
    source = Path(path)
    try:
        if source.suffix.lower() in ilastik.SUFFIXES:
            array, found = ilastik.read_hdf5(source, dataset)
        else:
            image = read_image(source)
            array, found = np.asarray(image.data), image.axes.lower()
            if source.suffix.lower() == ".npy":
                found = "tzyxc"[-array.ndim :]
        letters = (axes or found).lower()
        if len(letters) != array.ndim or not set("cyx") <= set(letters):
            raise ValueError(
                f"probabilities have an axis of classes; got the axes {letters!r} for the shape "
                f"{array.shape}: say which is which with axes=..., e.g. axes='yxc'"
            )
        ordered, order = _ordered(array, letters, f"c{_ORDER}")
        return _as_shares(ordered), order
    except DAMAGE as error:
        if isinstance(error, ImageFileError):
            raise
        raise ImageFileError(f"{source}: {error}") from error


def _as_shares(values: NDArray[Any]) -> NDArray[np.float32]:
    """Numbers from 0 to 1; whole numbers are scaled by the largest of their type."""
    if values.dtype.kind not in "buif":
        raise ValueError(f"probabilities are numbers; got an array of {values.dtype}")
    if values.dtype.kind in "ui":
        values = values / np.iinfo(values.dtype).max
    low, high = (float(values.min()), float(values.max())) if values.size else (0, 1)
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
        raise ValueError(
            f"probabilities lie from 0 to 1 (in whole numbers, from 0 to the largest of their "
            f"type); got {low:g} to {high:g}: export them without renormalising"
        )
    return np.asarray(np.clip(values, 0, 1), np.float32)
