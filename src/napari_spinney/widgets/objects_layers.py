"""Objects as layers: read from a labels layer, shown as classes, gone to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels

from napari_spinney.classifiers.object_images import ObjectImage
from napari_spinney.session import ClassEntry
from napari_spinney.widgets.layers import (
    axes_of,
    class_colormap,
    full_resolution,
    geometry,
    spacing_of,
)
from napari_spinney.widgets.objects_form import N_CLASSES
from napari_spinney.widgets.results import KEY

if TYPE_CHECKING:
    from napari import Viewer


def objects_of(layer: Labels, image: Any) -> ObjectImage:
    """Copy the labels; the image under them is read where it lies."""
    axes = axes_of(layer)
    channel_axis = None
    if image is not None:
        under = axes_of(image)
        channel_axis = under.index("c") if "c" in under else None
    return ObjectImage.of(
        np.array(full_resolution(layer)),
        None if image is None else np.asarray(full_resolution(image)),
        channel_axis=channel_axis,
        time_axis=axes.index("t") if "t" in axes else None,
        spacing=spacing_of(layer, axes),
    )


def middle_of(objects: ObjectImage, label: int, frame: int) -> list[float]:
    """Middle of an object, in pixels of the layer."""
    where = np.argwhere(objects.frame_of(objects.labels, frame) == label)
    place = [float(value) for value in where.mean(axis=0)]
    if objects.time_axis is not None:
        place.insert(objects.time_axis, float(frame))
    return place


def show_classes(viewer: Viewer, source: Labels, picture: np.ndarray) -> None:
    """Show the class of each object on top of the objects; the layer is made once."""
    wanted = {"image": source.name, "what": "object classes"}
    for layer in viewer.layers:
        if layer.metadata.get(KEY) == wanted:
            layer.data = picture
            return
    result = Labels(
        picture,
        name=f"{source.name} classes",
        metadata={KEY: wanted},
        opacity=0.6,
        colormap=class_colormap(ClassEntry.default(n) for n in range(1, N_CLASSES + 1)),
        **geometry(source, axes_of(source)),
    )
    viewer.add_layer(result)
    viewer.layers.selection.active = source


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
