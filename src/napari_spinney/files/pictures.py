"""PNG, JPEG and BMP: flat pictures of 8 or 16 bits."""

from __future__ import annotations

import json
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import imageio.v3 as iio
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from napari_spinney.files.image_data import ImageData, check_axes, known_spacing, storable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_KEY = "spinney"


def read_picture(file: BinaryIO) -> ImageData:
    """Read a PNG, JPEG or BMP: (Y, X), or (Y, X, C) with red, green, blue and perhaps alpha."""
    with _large_pictures():
        own = _own(file)
        file.seek(0)
        data = np.asarray(iio.imread(file.read(), plugin="pillow"))  # it closes what it is given
    names: tuple[str, ...] = ()
    if data.ndim == 3:
        by_count = {2: ("grey", "alpha"), 3: ("red", "green", "blue")}
        names = by_count.get(data.shape[-1], ("red", "green", "blue", "alpha"))
    axes = check_axes("YX" if data.ndim == 2 else "YXC", data.shape)
    spacing = own.get("spacing")
    sizes = dict(zip("YX", spacing, strict=False)) if isinstance(spacing, list) else {}
    sizes = {axis: s for axis, s in sizes.items() if isinstance(s, int | float)}
    provenance = own.get("provenance")
    return ImageData(
        data=data,
        axes=axes,
        spacing=known_spacing(axes, sizes),
        channel_names=names,
        provenance=provenance if isinstance(provenance, dict) else {},
    )


def read_indexed(path: Path) -> NDArray[np.uint8] | None:
    """Numbers of a PNG with indexed colours; None if it is none."""
    with _large_pictures(), Image.open(path) as picture:
        return np.array(picture, np.uint8) if picture.mode == "P" else None


def write_png(
    file: BinaryIO,
    data: NDArray[Any],
    axes: str,
    spacing: Mapping[str, float],
    provenance: Mapping[str, Any],
) -> None:
    """Write a PNG: one plane of up to 16 bits, or colours of 8 bits.

    Raises
    ------
    ValueError
        If the image has other axes or needs more bits.
    """
    if axes in ("YX", "YXC", "CYX"):
        data = data if axes != "CYX" else np.moveaxis(data, 0, -1)
        data = _in_png_type(data)
    else:
        raise ValueError(f"a PNG holds one plane (YX, or YXC in colour), not {axes}; use .tif")
    text = PngInfo()
    own: dict[str, Any] = {"provenance": provenance} if provenance else {}
    if spacing:
        own["spacing"] = [spacing["Y"], spacing["X"]]
    if own:
        text.add_itxt(_KEY, json.dumps(own))
    iio.imwrite(file, data, extension=".png", plugin="pillow", pnginfo=text)


def _in_png_type(data: NDArray[Any]) -> NDArray[Any]:
    if data.dtype.kind == "f":
        raise ValueError("a PNG holds whole numbers; use .tif for fractions")
    wide = np.asarray(storable(data.astype(np.int64)))  # the smallest type that holds them
    smallest = data.dtype if data.dtype in (np.uint8, np.uint16) else wide.dtype
    if smallest not in (np.uint8, np.uint16):
        raise ValueError(
            f"a PNG holds numbers from 0 to 65535; got {data.min()} to {data.max()}; use .tif"
        )
    if data.ndim == 3 and (smallest != np.uint8 or data.shape[-1] not in (2, 3, 4)):
        raise ValueError(f"a PNG in colour has 3 or 4 channels of uint8; got {data.shape}")
    return data.astype(smallest)


def read_picture_provenance(file: BinaryIO) -> dict[str, Any]:
    """What was given as metadata when the file was written."""
    with _large_pictures():
        provenance = _own(file).get("provenance")
    return provenance if isinstance(provenance, dict) else {}


@contextmanager
def _large_pictures() -> Iterator[None]:
    """Large pictures pass; those that Pillow takes for a bomb are refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            yield
        except Image.DecompressionBombError as error:
            raise ValueError(f"{error}; use .tif for pictures of this size") from None


def _own(file: BinaryIO) -> dict[str, Any]:
    """What Spinney wrote into the text of a PNG."""
    with Image.open(file) as picture:
        text = getattr(picture, "text", {}).get(_KEY)
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
