"""TIFF, with the axes, spacing and channel names of ImageJ and OME."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO
from xml.etree import ElementTree

import numpy as np
import tifffile

from napari_spinney.files.image_data import (
    ImageData,
    complete_axes,
    known_spacing,
    micrometres,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

MAX_GROWTH = 20_000
"""An image that unpacks to over 1 GiB may be this many times larger than its file."""

_IMAGEJ_TYPES = ("uint8", "uint16", "float32")
_IMAGEJ_BYTES = 2**32 - 2**25
_KEY = "spinney"


def read_tiff(file: BinaryIO) -> ImageData:
    """Read the first image series of a TIFF."""
    with tifffile.TiffFile(file) as tif:
        if not tif.series:
            raise ValueError("it holds no image")
        series = tif.series[0]
        size = file.seek(0, 2)
        if series.nbytes > 2**30 and series.nbytes > MAX_GROWTH * size:
            raise ValueError(f"it unpacks from {size} to {series.nbytes} bytes, which is refused")
        if series.dtype is None or series.dtype.kind not in "buif":
            raise ValueError(f"an image holds numbers; got dtype {series.dtype}")
        stored = series.axes
        axes = complete_axes(stored)
        sizes, names = _ome_facts(tif) if tif.is_ome else ({}, ())
        if tif.is_imagej:
            sizes, names = _imagej_facts(tif)
        n_channels = series.shape[axes.index("C")] if "C" in axes else 1
        if stored.endswith("S"):
            names = ("red", "green", "blue", "alpha")[:n_channels]
        return ImageData(
            data=series.asarray(),
            axes=axes,
            spacing=known_spacing(axes, sizes),
            channel_names=tuple(names) if len(names) == n_channels else (),
            provenance=_provenance(tif),
        )


def read_tiff_provenance(file: BinaryIO) -> dict[str, Any]:
    """What was given as metadata when the file was written."""
    with tifffile.TiffFile(file) as tif:
        return _provenance(tif)


def write_tiff(
    file: BinaryIO,
    data: NDArray[Any],
    axes: str,
    spacing: Mapping[str, float],
    *,
    channel_names: Sequence[str],
    provenance: Mapping[str, Any],
    ome: bool,
) -> None:
    """Write a TIFF for ImageJ where it can show the type, else (or if ``ome``) an OME-TIFF."""
    small = data.nbytes < _IMAGEJ_BYTES and data.dtype.name in _IMAGEJ_TYPES
    is_rgb = axes[-1] == "C" and data.dtype == np.uint8 and data.shape[-1] in (3, 4)
    order = [a for a in axes if a != "C" or not is_rgb]
    order = order if ome or not small else sorted(order, key="TZCYX".index)
    order.sort(key="YX".find)  # Y and X come last, the others stay
    order += ["C"] if is_rgb else []
    data = np.ascontiguousarray(data.transpose([axes.index(a) for a in order]))
    options: dict[str, Any] = {"photometric": "rgb" if is_rgb else "minisblack"}
    if small and not ome:
        metadata = _imagej_metadata(spacing, channel_names, provenance)
        options["imagej"] = True
        options["resolution"] = (1 / spacing.get("X", 1.0), 1 / spacing.get("Y", 1.0))
    else:
        metadata = _ome_metadata(spacing, channel_names, provenance)
        options["ome"] = True
    metadata["axes"] = "".join(order[:-1]) + ("S" if is_rgb else order[-1])
    tifffile.imwrite(file, data, metadata=metadata, **options)


# --- ImageJ ---------------------------------------------------------------------------------


def _imagej_metadata(
    spacing: Mapping[str, float], channel_names: Sequence[str], provenance: Mapping[str, Any]
) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if spacing:
        metadata["unit"] = "um"
    if "Z" in spacing:
        metadata["spacing"] = spacing["Z"]
    info: dict[str, Any] = {"provenance": provenance} if provenance else {}
    if channel_names:
        info["channels"] = list(channel_names)
    if info:
        metadata["Info"] = json.dumps({_KEY: info})
    return metadata


def _imagej_facts(tif: Any) -> tuple[dict[str, float | None], Sequence[str]]:
    """Spacing by axis, names of channels."""
    metadata = tif.imagej_metadata or {}
    names = tuple(map(str, _own_info(metadata.get("Info")).get("channels", ())))
    factor = micrometres(str(metadata.get("unit", "")))
    if factor is None:
        return {}, names
    sizes: dict[str, float | None] = {}
    for axis in "XY":
        tag = tif.pages[0].tags.get(f"{axis}Resolution")
        numerator, denominator = tag.value if tag is not None else (0, 0)
        sizes[axis] = factor * denominator / numerator if numerator else None
    if isinstance(depth := metadata.get("spacing"), int | float):
        sizes["Z"] = factor * depth
    return sizes, names


# --- OME ------------------------------------------------------------------------------------


def _ome_metadata(
    spacing: Mapping[str, float], channel_names: Sequence[str], provenance: Mapping[str, Any]
) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for axis, size in spacing.items():
        metadata[f"PhysicalSize{axis}"] = size
        metadata[f"PhysicalSize{axis}Unit"] = "µm"
    if channel_names:
        metadata["Channel"] = {"Name": list(channel_names)}
    if provenance:
        text = json.dumps({"provenance": provenance})
        metadata["MapAnnotation"] = {"Namespace": _KEY, "Value": {_KEY: text}}
    return metadata


def _ome_facts(tif: Any) -> tuple[dict[str, float | None], Sequence[str]]:
    """Spacing by axis, names of channels, of the first image."""
    pixels = next((e for e in _ome_elements(tif) if e.tag.endswith("}Pixels")), None)
    if pixels is None:
        return {}, ()
    sizes: dict[str, float | None] = {}
    for axis in "XYZ":
        factor = micrometres(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        size = pixels.get(f"PhysicalSize{axis}")
        if factor is not None and size is not None:
            sizes[axis] = float(size) * factor
    names = [e.get("Name", "") for e in pixels if e.tag.endswith("}Channel")]
    return sizes, tuple(names) if all(names) else ()


def _ome_elements(tif: Any) -> list[ElementTree.Element]:
    try:
        return list(ElementTree.fromstring(tif.ome_metadata).iter())
    except ElementTree.ParseError as error:
        raise ValueError(f"its OME description cannot be read: {error}") from None


# --- provenance -----------------------------------------------------------------------------


def _provenance(tif: Any) -> dict[str, Any]:
    texts: list[str | None] = []
    if tif.is_imagej:
        texts.append((tif.imagej_metadata or {}).get("Info"))
        found = _own_info(texts[0])
    elif tif.is_ome:
        texts = [e.text for e in _ome_elements(tif) if e.get("K") == _KEY]
        found = _parse(texts[0]) if texts else {}
    else:
        return {}
    provenance = found.get("provenance")
    return provenance if isinstance(provenance, dict) else {}


def _own_info(text: Any) -> dict[str, Any]:
    own = _parse(text).get(_KEY)
    return own if isinstance(own, dict) else {}


def _parse(text: Any) -> dict[str, Any]:
    """JSON object in a text that others may have changed."""
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
