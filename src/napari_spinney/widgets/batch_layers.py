"""An image from a file, and what was made of it, as layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Layer

from napari_spinney.session import ClassEntry
from napari_spinney.widgets.results import KEY, OPACITY, ORIGIN, result_colormap

if TYPE_CHECKING:
    from pathlib import Path

    from napari import Viewer

    from napari_spinney.batch.plan import Opened

FILE = "spinney_file"
"""Key of the metadata of a layer that says which file it shows."""


def show_opened(viewer: Viewer, opened: Opened, classes: dict[int, ClassEntry]) -> list[Layer]:
    """Show an image and its results at its scale; layers of files that are shown already are new.

    Parameters
    ----------
    viewer : Viewer
    opened : Opened
        What was read.
    classes : dict of int to ClassEntry
        Names and colours of classes.
    """
    forget_file(viewer, opened.path)
    layers = [_image(opened.path, opened.image)]
    layers += [_result(opened, *result, classes) for result in opened.results]
    shown = [viewer.add_layer(layer) for several in layers for layer in several]
    viewer.layers.selection.active = shown[-1]
    viewer.reset_view()
    return shown


def forget_file(viewer: Viewer, image: Path) -> None:
    """Remove the layers that an image and its results had before."""
    for layer in list(viewer.layers):
        if layer.metadata.get(FILE) == str(image):
            viewer.layers.remove(layer)


def _image(path: Path, image: Any) -> list[Layer]:
    options = {"name": path.name, "metadata": {FILE: str(path)}}
    axes, data = image.axes, image.data
    if "C" not in axes:
        return [Layer.create(data, {**options, **_place(image, axes)}, "image")]
    axis, rest = axes.index("C"), axes.replace("C", "")
    if axis == len(axes) - 1 and data.shape[axis] in (3, 4) and data.dtype == np.uint8:
        return [Layer.create(data, {**options, "rgb": True, **_place(image, rest)}, "image")]
    return [
        Layer.create(
            np.take(data, channel, axis),
            {
                **options,
                "name": f"{path.name} {_channel_name(image, channel)}",
                "blending": "additive",
                **_place(image, rest),
            },
            "image",
        )
        for channel in range(data.shape[axis])
    ]


def _channel_name(image: Any, channel: int) -> str:
    names = image.channel_names
    return names[channel] if channel < len(names) else f"channel {channel}"


def _result(
    opened: Opened,
    path: Path,
    what: str,
    result: Any,
    origin: dict[str, Any],
    classes: dict[int, ClassEntry],
) -> list[Layer]:
    known = {"image": str(opened.path), "what": what}
    metadata = {KEY: known, FILE: str(opened.path), ORIGIN: origin}
    options = {"name": path.name, "metadata": metadata}
    axes = result.axes.replace("C", "")
    place = _place(opened.image, axes)
    if what in ("classes", "objects"):
        colors = {"colormap": _colors(result.data, classes)} if what == "classes" else {}
        labels = np.asarray(result.data)
        return [Layer.create(labels, {**options, "opacity": OPACITY, **place, **colors}, "labels")]
    look = {"contrast_limits": (0, 1), "colormap": "magma", "opacity": 0.7, **place}
    if "C" not in result.axes:
        return [Layer.create(result.data, {**options, **look}, "image")]
    return [
        Layer.create(
            np.take(result.data, channel, result.axes.index("C")),
            {**options, **look, "name": f"{path.name} {_channel_name(result, channel)}"},
            "image",
        )
        for channel in range(result.data.shape[result.axes.index("C")])
    ]


def _colors(data: Any, classes: dict[int, ClassEntry]) -> Any:
    numbers = [int(number) for number in np.unique(data) if number]
    return result_colormap([classes.get(n) or ClassEntry.default(n) for n in numbers])


def _place(image: Any, axes: str) -> dict[str, Any]:
    """Scale, units and axis names of a layer with these axes; time counts frames."""
    named = {"axis_labels": tuple(axes.lower())}
    if image.spacing is None:
        return named
    others = len(axes) - len(image.spacing)
    return {
        **named,
        "scale": (1.0,) * others + tuple(image.spacing),
        "units": ("pixel",) * others + ("micrometer",) * len(image.spacing),
    }
