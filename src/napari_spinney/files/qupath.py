"""Annotations of QuPath: GeoJSON, and pictures with indexed colours."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = (".geojson",)
FURTHEST = 2**24
"""Pixels from the origin; what lies beyond is no place in an image."""

_IGNORED = "*"
"""QuPath's classes that are to be ignored end with it."""


def read_geojson(
    path: Path, shape: tuple[int, ...]
) -> tuple[NDArray[np.unsignedinteger], dict[int, str], dict[int, str]]:
    """Paint the annotations of a GeoJSON file.

    Parameters
    ----------
    path : Path
        "Export objects as GeoJSON" of QuPath, in pixels of the full image.
    shape : (n_rows, n_columns)
        Shape of the image.

    Returns
    -------
    classes : array
        Where annotations overlap, the later one counts; a pixel belongs to a polygon if its
        middle lies inside. Annotations without a class, and ignored ones ("Ignore*"), are left out.
    names, colors : dict
        Name and "#rrggbb" of each class, in the order in which they first appear.

    Raises
    ------
    ValueError
        If it is none, or nothing in it has a class.
    """
    if len(shape) != 2:
        raise ValueError(f"annotations of QuPath are 2D; the image has the shape {shape}")
    numbers: dict[str, int] = {}
    colors: dict[int, str] = {}
    found = [(*_class_of(f), f.get("geometry")) for f in _features(path)]
    known = {name for name, _, _ in found if name is not None}
    classes = np.zeros(shape, np.min_scalar_type(len(known)))
    for name, color, geometry in found:
        if name is None:
            continue
        number = numbers.setdefault(name, len(numbers) + 1)
        if color is not None:
            colors[number] = color
        _paint(classes, geometry, number)
    if not numbers:
        raise ValueError("nothing in it has a class: classify the annotations in QuPath")
    return classes, {n: name for name, n in numbers.items()}, colors


def _features(path: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no GeoJSON: {error}") from error
    if isinstance(content, dict):
        content = content.get("features", [content])
    if not isinstance(content, list) or not all(isinstance(f, dict) for f in content):
        raise ValueError("it is no GeoJSON: it holds no list of features")
    return content


def _class_of(feature: dict[str, Any]) -> tuple[str | None, str | None]:
    """Name and colour of the class of an annotation; None where it has none or is ignored."""
    properties = feature.get("properties")
    found = properties.get("classification") if isinstance(properties, dict) else None
    if not isinstance(found, dict):
        return None, None
    parts = found.get("names")
    name = found.get("name") or (": ".join(map(str, parts)) if isinstance(parts, list) else None)
    if not name or str(name).endswith(_IGNORED):
        return None, None
    return str(name), _color(found)


def _color(classification: dict[str, Any]) -> str | None:
    rgb = classification.get("color")
    packed = classification.get("colorRGB")
    if isinstance(packed, int):
        return f"#{packed & 0xFFFFFF:06x}"
    if isinstance(rgb, list) and len(rgb) == 3 and all(isinstance(v, int) for v in rgb):
        return "#" + "".join(f"{v & 255:02x}" for v in rgb)
    return None


def _paint(classes: NDArray[Any], geometry: Any, number: int) -> None:
    """Write the number of a class into the pixels of a geometry."""
    try:
        for kind, rings in _parts(geometry):
            points = [np.asarray(ring, float)[:, 1::-1] for ring in rings]
            if not all(np.all(np.abs(ring) <= FURTHEST) for ring in points):  # NaN is not, either
                raise ValueError("a point is no place in an image")
            if kind == "polygon" and points:
                _fill(classes, points, number)
            elif kind == "line":
                _draw(classes, np.floor(points[0]).astype(int), number)
    except (TypeError, ValueError, IndexError, LookupError) as error:
        raise ValueError(f"a geometry cannot be read: {str(geometry)[:80]}") from error


def _fill(classes: NDArray[Any], rings: list[NDArray[np.float64]], number: int) -> None:
    """Fill an outline but for its holes, in the window that the outline takes."""
    from skimage.draw import polygon

    low = np.maximum(np.floor(rings[0].min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(rings[0].max(axis=0)).astype(int) + 1, classes.shape)
    if np.any(high <= low):
        return
    window = classes[low[0] : high[0], low[1] : high[1]]
    inside = np.zeros(window.shape, bool)
    for hole, corners in enumerate(rings):
        # Middles of pixels lie at halves in QuPath and at whole numbers here.
        ring = corners - 0.5 - low
        rows, columns = polygon(ring[:, 0], ring[:, 1], window.shape)
        inside[rows, columns] = not hole
    window[inside] = number


def _draw(classes: NDArray[Any], places: NDArray[np.int64], number: int) -> None:
    """Draw a line of one pixel's width, or a point."""
    from skimage.draw import line

    ends = itertools.pairwise(places) if len(places) > 1 else [(places, places)]
    for start, end in ends:
        rows, columns = line(*np.ravel(start), *np.ravel(end))
        kept = (
            (rows >= 0) & (columns >= 0) & (rows < classes.shape[0]) & (columns < classes.shape[1])
        )
        classes[rows[kept], columns[kept]] = number


def _parts(geometry: Any) -> Iterator[tuple[str, list[Any]]]:
    """Polygons (an outline and its holes) and lines of a geometry."""
    kind, coordinates = geometry["type"], geometry.get("coordinates")
    if kind == "Polygon":
        yield "polygon", coordinates
    elif kind == "MultiPolygon":
        for rings in coordinates:
            yield "polygon", rings
    elif kind == "LineString":
        yield "line", [coordinates]
    elif kind == "MultiLineString":
        for each in coordinates:
            yield "line", [each]
    elif kind in ("Point", "MultiPoint"):
        for each in [coordinates] if kind == "Point" else coordinates:
            yield "line", [[each]]
    elif kind == "GeometryCollection":
        for each in geometry["geometries"]:
            yield from _parts(each)
    else:
        raise ValueError(f"unknown geometry {kind!r}")
