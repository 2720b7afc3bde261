"""Zarr arrays, and OME-Zarr images at full resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.files.image_data import (
    ImageData,
    check_axes,
    complete_axes,
    default_axes,
    known_spacing,
    micrometres,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_CODECS = {
    "adler32", "bitround", "blosc", "bytes", "bz2", "crc32", "crc32c", "delta", "fixedscaleoffset",
    "fletcher32", "gzip", "lz4", "lzma", "packbits", "quantize", "scale_offset",
    "sharding_indexed", "shuffle", "transpose", "zlib", "zstd",
}  # fmt: skip
_KEY = "spinney"


def read_zarr(path: Path) -> ImageData:
    """Open a zarr array or the first level of an OME-Zarr image; pixels are read when used."""
    import dask.array as da
    import zarr

    node: Any = zarr.open(str(path), mode="r")
    attributes = dict(node.attrs)
    axes: str | None = None
    scale: dict[str, float | None] = {}
    names: tuple[str, ...] = ()
    if isinstance(node, zarr.Group):
        level, axes, scale, names = _ome_facts(attributes)
        node = node[level]
    _check_array(node)
    axes = _named_axes(node) if axes is None else axes
    axes = check_axes(axes or default_axes(node.shape), node.shape)
    n_channels = node.shape[axes.index("C")] if "C" in axes else 1
    return ImageData(
        data=da.from_zarr(node),  # type: ignore[no-untyped-call]
        axes=axes,
        spacing=known_spacing(axes, scale),
        channel_names=names if len(names) == n_channels else (),
        provenance=_provenance(attributes),
    )


def read_zarr_provenance(path: Path) -> dict[str, Any]:
    """What was given as metadata when the image was written."""
    import zarr

    node: Any = zarr.open(str(path), mode="r")
    return _provenance(dict(node.attrs))


def write_zarr(
    folder: Path,
    data: NDArray[Any],
    axes: str,
    spacing: Mapping[str, float],
    *,
    channel_names: Sequence[str],
    provenance: Mapping[str, Any],
) -> None:
    """Write OME-Zarr 0.5 with one level."""
    import zarr

    units = {"T": "time", "C": "channel"}
    described = [{"name": a.lower(), "type": units.get(a, "space")} for a in axes]
    for axis in described:
        if spacing and axis["type"] == "space":
            axis["unit"] = "micrometer"
    scale = [spacing.get(a, 1.0) for a in axes]
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}
    ome: dict[str, Any] = {
        "version": "0.5",
        "multiscales": [{"axes": described, "datasets": [level]}],
    }
    if channel_names:
        ome["omero"] = {"channels": [{"label": name} for name in channel_names]}
    attributes = {"ome": ome, **({_KEY: {"provenance": provenance}} if provenance else {})}
    group = zarr.create_group(str(folder), zarr_format=3, attributes=attributes)
    group.create_array("0", data=data, dimension_names=[a.lower() for a in axes])


def _ome_facts(
    attributes: Mapping[str, Any],
) -> tuple[str, str | None, dict[str, float | None], tuple[str, ...]]:
    """Path of the first level, axes, micrometres per pixel, names of channels."""
    image = _multiscale(attributes)
    try:
        level = str(image["datasets"][0]["path"])
        return level, *_ome_axes(image), _channel_names(attributes)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            f"its OME-Zarr description is damaged ({type(error).__name__}: {error})"
        ) from error


def _multiscale(attributes: Mapping[str, Any]) -> Any:
    """The first image of OME-Zarr 0.4 (attributes) or 0.5 (attributes / ome)."""
    ome = attributes.get("ome", attributes)
    images = ome.get("multiscales") if isinstance(ome, dict) else None
    if not images or not isinstance(images, list):
        raise ValueError("it is a group without an OME-Zarr image; give the path of an array in it")
    return images[0]


def _ome_axes(image: Any) -> tuple[str | None, dict[str, float | None]]:
    """Axes, and micrometres per pixel by axis."""
    described = image.get("axes")
    if not described:
        return None, {}
    axes = [a if isinstance(a, dict) else {"name": a} for a in described]
    letters = complete_axes("".join(str(a["name"])[:1].upper() for a in axes))
    scales = [
        step["scale"]
        for step in image["datasets"][0].get("coordinateTransformations", ())
        if step.get("type") == "scale"
    ]
    if not scales:
        return letters, {}
    factors = [micrometres(a.get("unit")) for a in axes]
    sizes = zip(letters, scales[0], factors, strict=True)
    return letters, {a: None if f is None else float(s) * f for a, s, f in sizes}


def _channel_names(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    ome = attributes.get("ome", attributes)
    channels = ome.get("omero", {}).get("channels", ())
    return tuple(str(channel.get("label", "")) for channel in channels)


def _named_axes(array: Any) -> str | None:
    names = getattr(array.metadata, "dimension_names", None)
    if not names or not all(names):
        return None
    letters = complete_axes("".join(name[:1].upper() for name in names))
    return letters if len(set(letters)) == len(letters) and set(letters) <= set("TCZYX") else None


def _check_array(array: Any) -> None:
    """Refuse arrays of objects, and codecs that run what they read (pickle)."""
    if not hasattr(array, "dtype") or np.dtype(array.dtype).kind not in "buif":
        raise ValueError(f"an image holds numbers; got {getattr(array, 'dtype', type(array))}")
    unknown = sorted(set(_codecs(array.metadata.to_dict())) - _CODECS)
    if unknown:
        raise ValueError(f"its pixels are packed with {', '.join(unknown)}, which is not read")


def _codecs(metadata: Any) -> Iterator[str]:
    """Names of all codecs of an array, also those inside others."""
    for key in ("compressor", "filters", "codecs", "index_codecs"):
        value = metadata.get(key) or ()
        for codec in value if isinstance(value, list | tuple) else (value,):
            described = codec if isinstance(codec, dict) else codec.get_config()
            name = str(described.get("name", described.get("id")))
            yield name.removeprefix("numcodecs.")
            yield from _codecs(described.get("configuration") or {})


def _provenance(attributes: Mapping[str, Any]) -> dict[str, Any]:
    own = attributes.get(_KEY)
    provenance = own.get("provenance") if isinstance(own, dict) else None
    return provenance if isinstance(provenance, dict) else {}
