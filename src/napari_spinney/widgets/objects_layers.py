"""Objects as layers: read from a labels layer, answered in layers, gone to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels

from napari_spinney.batch.result_files import Result
from napari_spinney.objects.tracks import TrackPoints
from napari_spinney.widgets.layers import (
    axes_of,
    class_colormap,
    full_resolution,
    geometry,
    spacing_of,
)
from napari_spinney.widgets.objects_model import CLASS
from napari_spinney.widgets.objects_source import Sampling, UnreadObjects
from napari_spinney.widgets.results import KEY, ORIGIN, set_origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari import Viewer
    from napari.layers import Layer, Tracks

    from napari_spinney.session import ClassEntry
    from napari_spinney.widgets.objects_model import Painted

    Origin = Mapping[str, Any] | None


def objects_of(layer: Labels, image: Any) -> UnreadObjects:
    """Say how the objects of a labels layer, and the image under them, are read.

    An image of another shape than the labels is read at the middle of each of their pixels, by its
    place in the world, and is NaN where it does not reach.

    Raises
    ------
    ValueError
        If the image does not lie under the labels.
    """
    axes = axes_of(layer)
    labels = full_resolution(layer)
    spacing = spacing_of(layer, axes)
    time_axis = axes.index("t") if "t" in axes else None
    if image is None:
        return UnreadObjects(labels, time_axis=time_axis, spacing=spacing)
    under, axes_under = full_resolution(image), axes_of(image)
    sampling: tuple[Sampling, ...] = ()
    if _without_channels(under, axes_under) != tuple(labels.shape):
        sampling = _sampling(image, axes_under, layer, axes)
    elif spacing is None and axes_under.replace("c", "") == axes:
        spacing = spacing_of(image, axes_under)
    channel_axis = axes_under.index("c") if "c" in axes_under else None
    return UnreadObjects(labels, under, sampling, channel_axis, time_axis, spacing)


def _without_channels(array: Any, axes: str) -> tuple[int, ...]:
    return tuple(n for n, axis in zip(array.shape, axes, strict=True) if axis != "c")


def _sampling(image: Any, axes_under: str, labels: Labels, axes: str) -> tuple[Sampling, ...]:
    """The pixel of the image at each pixel of the labels, along each of their axes."""
    array, shape = full_resolution(image), full_resolution(labels).shape
    letters = axes_under.removesuffix("c") if getattr(image, "rgb", False) else axes_under
    spatial = [at for at, axis in enumerate(letters) if axis != "c"]
    found = []
    for to, at in enumerate(spatial if axes_under.replace("c", "") == axes else []):
        world = np.arange(shape[to]) * labels.scale[to] + labels.translate[to]
        index = np.floor((world - image.translate[at]) / image.scale[at] + 0.5).astype(np.int64)
        reached = np.any((index >= 0) & (index < array.shape[at]))
        if labels.units[to] == image.units[at] and reached:
            found.append(Sampling(at, index))
    if len(found) != len(shape):
        raise ValueError(
            f"{labels.name!r} has shape {shape} and {image.name!r} {array.shape}, and they do "
            "not lie on each other in the world: give both layers their scale and units"
        )
    return tuple(found)


def track_points(tracks: Tracks, labels: Labels) -> TrackPoints:
    """Points of a tracks layer, in pixels of a labels layer.

    Raises
    ------
    ValueError
        If the layers have other numbers of axes.
    """
    if tracks.ndim != labels.ndim:
        raise ValueError(
            f"the tracks {tracks.name!r} have {tracks.ndim} axes (time included), the objects "
            f"{labels.name!r} {labels.ndim}: tracks and objects need the same"
        )

    def place(point: np.ndarray) -> np.ndarray:
        return np.asarray(labels.world_to_data(tracks.data_to_world(point)), float)

    origin = place(np.zeros(tracks.ndim))
    steps = np.stack([place(unit) - origin for unit in np.eye(tracks.ndim)])
    parents = {int(child): int(np.atleast_1d(of)[0]) for child, of in tracks.graph.items()}
    points = np.asarray(tracks.data, float)
    return TrackPoints(points[:, 0].astype(np.int64), points[:, 1:] @ steps + origin, parents)


def add_strokes(viewer: Viewer, source: Labels, classes: Iterable[ClassEntry]) -> Labels:
    """Add a layer to paint classes on, with the brush in hand."""
    painted = Labels(
        np.zeros(full_resolution(source).shape, np.uint8),
        name=f"{source.name} strokes",
        metadata={KEY: {"image": source.name, "what": "object strokes"}},
        colormap=class_colormap(classes),
        **geometry(source, axes_of(source)),
    )
    viewer.add_layer(painted)
    viewer.layers.selection.active = painted
    painted.brush_size = max(1, round(max(painted.data.shape) / 100))
    painted.mode = "paint"
    return painted


def show_objects(viewer: Viewer, source: Labels, picture: np.ndarray, origin: Origin) -> None:
    """Show objects made of those of a layer."""
    set_origin(_show(viewer, source, "merged objects", picture, Labels), origin)


def show_column(
    viewer: Viewer,
    source: Labels,
    painted: Painted,
    classes: Iterable[ClassEntry],
) -> None:
    """Show a painted column of the table in a layer of its own: classes as labels, or an image."""
    look: dict[str, Any] = {"colormap": "viridis", "contrast_limits": painted.limits}
    what, kind = painted.column, Image
    if painted.column == CLASS:
        what, kind, look = "classes", Labels, {"colormap": class_colormap(classes)}
    set_origin(_show(viewer, source, what, painted.picture, kind, **look), painted.origin)


def result_layers(viewer: Viewer, source: Layer | None) -> dict[str, Result]:
    """What was made of the objects of a layer, by the names of its layers."""
    return {
        layer.name: _result(layer)
        for layer in viewer.layers
        if source is not None
        and layer.metadata.get(KEY, {}).get("image") == source.name
        and layer.metadata[KEY].get("what") != "object strokes"
    }


def _result(layer: Layer) -> Result:
    axes = axes_of(layer)
    return Result(layer.data, axes.upper(), spacing_of(layer, axes), layer.metadata.get(ORIGIN))


def _show(
    viewer: Viewer,
    source: Labels,
    what: str,
    picture: np.ndarray,
    kind: type[Layer],
    **options: Any,
) -> Layer:
    """Update the layer that shows this already, or make it."""
    wanted = {"image": source.name, "what": f"object {what}"}
    for layer in viewer.layers:
        if layer.metadata.get(KEY) == wanted:
            layer.data = picture
            return layer
    made = kind(
        picture,
        name=f"{source.name} {what}",
        metadata={KEY: wanted},
        opacity=0.6,
        **options,
        **geometry(source, axes_of(source)),
    )
    viewer.add_layer(made)
    viewer.layers.selection.active = source
    return made


def center_on(viewer: Viewer, world: np.ndarray) -> None:
    """Move camera and sliders to a place in the world."""
    dims, camera = viewer.dims, viewer.scene.camera
    first = dims.ndim - len(world)
    displayed = [axis for axis in dims.displayed if axis >= first]
    for axis in range(first, dims.ndim):
        if axis not in displayed:
            dims.set_point(axis, world[axis - first])
    center = np.array(camera.center, float)
    center[-len(displayed) :] = [world[axis - first] for axis in displayed]
    camera.center = tuple(center)
