"""Read and write images: TIFF (ImageJ, OME), PNG, JPEG, NPY, zarr."""

from __future__ import annotations

import json
import struct
import tokenize
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from napari_spinney.files.atomic import replacing, replacing_folder
from napari_spinney.files.errors import ImageFileError
from napari_spinney.files.image_data import (
    ImageData,
    check_axes,
    check_spacing,
    default_axes,
    storable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike

    from numpy.typing import ArrayLike, NDArray

__all__ = ["ImageData", "ImageFileError", "read_image", "read_provenance", "write_image"]

TIFF = (".tif", ".tiff", ".btf", ".tf8")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp")
READABLE = (*TIFF, *PICTURES, ".npy", ".zarr")
WRITABLE = (*TIFF, ".png", ".npy", ".zarr")

DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RecursionError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zlib.error,
)
"""What libraries raise on damaged files: they promise nothing."""


def read_image(path: str | PathLike[str]) -> ImageData:
    """Read an image.

    Parameters
    ----------
    path : path-like
        TIFF (the first series), PNG, JPEG, BMP, NPY (as a read-only memory map), or a zarr
        folder (an array, or the full resolution of an OME-Zarr image; as a dask array).

    Returns
    -------
    ImageData
        Pixels, axes, spacing in micrometres, names of channels, provenance. Axes that a file does
        not name are YX, ZYX, CZYX, TCZYX. Red, green and blue are the channel axis, ``YXC``.

    Raises
    ------
    ImageFileError
        If there is no such file, or it cannot be read; names the file and the reason.
    """
    source = Path(path)
    suffix = _suffix(source, READABLE, "read")
    with _reading(source):
        if suffix == ".zarr":
            from napari_spinney.files.zarr_images import read_zarr

            return read_zarr(source)
        if suffix == ".npy":
            return _read_npy(source)
        with source.open("rb") as file:
            if suffix in TIFF:
                from napari_spinney.files.tiff import read_tiff

                return read_tiff(file)
            from napari_spinney.files.pictures import read_picture

            return read_picture(file)


def read_provenance(path: str | PathLike[str]) -> dict[str, Any]:
    """Read what `write_image` was given as ``metadata``, without the pixels.

    Returns
    -------
    dict
        Empty where the file has none (another program wrote it, or it is NPY or JPEG).

    Raises
    ------
    ImageFileError
        If the file cannot be read.
    """
    source = Path(path)
    suffix = _suffix(source, READABLE, "read")
    with _reading(source):
        if suffix == ".zarr":
            from napari_spinney.files.zarr_images import read_zarr_provenance

            return read_zarr_provenance(source)
        with source.open("rb") as file:
            if suffix in TIFF:
                from napari_spinney.files.tiff import read_tiff_provenance

                return read_tiff_provenance(file)
            if suffix in PICTURES:
                from napari_spinney.files.pictures import read_picture_provenance

                return read_picture_provenance(file)
    return {}


def write_image(
    path: str | PathLike[str],
    array: ArrayLike,
    axes: str | None = None,
    spacing: Sequence[float] | None = None,
    metadata: Mapping[str, Any] | None = None,
    *,
    channel_names: Sequence[str] = (),
) -> None:
    """Write an image, whole or not at all.

    Parameters
    ----------
    path : path-like
        ``.tif`` (for ImageJ, or OME where ImageJ cannot show the type), ``.ome.tif`` (always OME),
        ``.png``, ``.npy`` (pixels only) or ``.zarr`` (OME-Zarr 0.5). Its folder must exist.
    array : array_like
        The pixels. 64-bit whole numbers become the smallest type that holds them, float64 becomes
        float32, booleans become 0 and 1 (NPY keeps every type).
    axes : str, optional
        One letter of TCZYX for each axis; by default YX, ZYX, CZYX, TCZYX. A TIFF for ImageJ is
        written in ImageJ's order TZCYX.
    spacing : sequence of float, optional
        Micrometres per pixel along the spatial axes, in the order of ``axes``.
    metadata : mapping, optional
        What made the image (JSON values); see `read_provenance`.
    channel_names : sequence of str, optional
        One for each channel.

    Raises
    ------
    ImageFileError
        If the format cannot hold the image; names the file, the value and the rule.
    OSError
        If it cannot be written; a file that was there before is as it was.
    """
    target = Path(path)
    suffix = _suffix(target, WRITABLE, "written")
    data = np.asarray(array)
    provenance = dict(metadata or {})
    try:
        letters = check_axes(axes or default_axes(data.shape), data.shape)
        sizes = check_spacing(spacing, letters)
        _check_facts(data, letters, channel_names, provenance)
        facts: dict[str, Any] = {"channel_names": channel_names, "provenance": provenance}
        if suffix == ".zarr":
            from napari_spinney.files.zarr_images import write_zarr

            with replacing_folder(target) as folder:
                write_zarr(folder, storable(data), letters, sizes, **facts)
        else:
            with replacing(target) as file:
                _write_file(file, target.name.lower(), data, letters, sizes, **facts)
    except (ValueError, TypeError) as error:
        raise ImageFileError(f"{target}: the image cannot be written: {error}") from error


def _write_file(
    file: BinaryIO,
    name: str,
    data: NDArray[Any],
    axes: str,
    spacing: Mapping[str, float],
    *,
    channel_names: Sequence[str],
    provenance: Mapping[str, Any],
) -> None:
    """Write one of the formats that are a single file."""
    if name.endswith(".npy"):
        np.lib.format.write_array(file, data, allow_pickle=False)
    elif name.endswith(".png"):
        from napari_spinney.files.pictures import write_png

        write_png(file, data, axes, spacing, provenance)
    else:
        from napari_spinney.files.tiff import write_tiff

        write_tiff(
            file,
            storable(data),
            axes,
            spacing,
            channel_names=channel_names,
            provenance=provenance,
            ome=name.endswith((".ome.tif", ".ome.tiff")),
        )


def _suffix(path: Path, known: tuple[str, ...], done: str) -> str:
    suffix = path.suffix.lower()
    if suffix not in known:
        raise ImageFileError(
            f"{path}: images that can be {done} end in {', '.join(known)}; "
            f"got {suffix or 'no suffix'}"
        )
    return suffix


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong into one error that names the file."""
    if not path.exists():
        raise ImageFileError(f"{path}: there is no such file")
    try:
        yield
    except ImageFileError:
        raise
    except DAMAGE as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise ImageFileError(f"{path}: the image cannot be read: {reason}") from error


def _read_npy(path: Path) -> ImageData:
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version} of the NPY format is not read")
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(file)
    if dtype.kind not in "buif":
        raise ValueError(f"an image holds numbers; got dtype {dtype}")
    axes = default_axes(shape)
    if 0 in shape:
        return ImageData(np.empty(shape, dtype), axes)
    # a map of a file shorter than its header says is refused
    return ImageData(np.lib.format.open_memmap(path, mode="r"), axes)


def _check_facts(
    data: Any, axes: str, channel_names: Sequence[str], provenance: Mapping[str, Any]
) -> None:
    n_channels = data.shape[axes.index("C")] if "C" in axes else 1
    if len(channel_names) not in (0, n_channels):
        raise ValueError(f"{len(channel_names)} channel_names for {n_channels} channel(s)")
    json.dumps(provenance, allow_nan=False)
    if data.size == 0:
        raise ValueError(f"it has no pixels: its shape is {data.shape}")
