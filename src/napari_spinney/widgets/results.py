"""Layers that show results: made once, then kept up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels

from napari_spinney.widgets.layers import class_colormap, full_resolution, geometry, recolor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari import Viewer
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_spinney.session import ClassEntry

KEY = "spinney"
ORIGIN = "spinney_origin"
"""Key of the metadata of a layer that says what made it, as `spinney inspect` does of a file."""

OPACITY = 0.45


class Results:
    """The result layers of one viewer, found by what they show of which image."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer

    def find(self, image_id: str, what: str) -> Layer | None:
        """The layer that shows this of that image, if it is still there."""
        wanted = {"image": image_id, "what": what}
        return next(
            (layer for layer in self._viewer.layers if layer.metadata.get(KEY) == wanted), None
        )

    def of_image(self, image_id: str) -> list[Layer]:
        """All result layers of an image."""
        return [
            layer
            for layer in self._viewer.layers
            if layer.metadata.get(KEY, {}).get("image") == image_id
            and "what" in layer.metadata[KEY]
        ]

    def all(self) -> list[Layer]:
        """All result layers."""
        return [layer for layer in self._viewer.layers if "what" in layer.metadata.get(KEY, {})]

    def array(self, image_id: str, what: str, shape: tuple[int, ...], dtype: Any) -> Any:
        """The array of the layer that is there, if it can be written again; else None."""
        layer = self.find(image_id, what)
        if layer is None or layer.data.shape != shape or layer.data.dtype != np.dtype(dtype):
            return None
        return layer.data

    def show_labels(
        self,
        source: Layer,
        axes: str,
        image_id: str,
        what: str,
        data: NDArray[Any],
        classes: Iterable[ClassEntry] | None,
    ) -> Labels:
        """Show classes (or objects, without ``classes``) on top of their image."""
        layer = self.find(image_id, what)
        if layer is not None:
            _give(layer, data)
            return layer
        colors = {} if classes is None else {"colormap": result_colormap(classes)}
        layer = Labels(
            data,
            name=f"{source.name} {what}",
            opacity=OPACITY,
            metadata={KEY: {"image": image_id, "what": what}},
            **geometry(source, axes),
            **colors,
        )
        self._insert(layer, source)
        return layer

    def show_image(
        self,
        source: Layer,
        axes: str,
        image_id: str,
        what: str,
        data: NDArray[Any],
        *,
        color: str | None = None,
    ) -> Image:
        """Show probabilities or uncertainty (0 to 1) on top of their image."""
        layer = self.find(image_id, what)
        if layer is not None:
            _give(layer, data)
            return layer
        layer = Image(
            data,
            name=f"{source.name} {what}",
            contrast_limits=(0, 1),
            colormap="magma" if color is None else _ramp(color),
            blending="translucent" if color is None else "additive",
            opacity=0.7,
            metadata={KEY: {"image": image_id, "what": what}},
            **geometry(source, axes),
        )
        self._insert(layer, source)
        return layer

    def recolor(self, classes: Iterable[ClassEntry]) -> None:
        """Give the class layers the colours of the classes."""
        for layer in self.all():
            if isinstance(layer, Labels) and layer.metadata[KEY]["what"] == "classes":
                recolor(layer, classes, unknown="transparent")

    def _insert(self, layer: Layer, source: Layer) -> None:
        """Put a layer right above its image, so that strokes stay on top and the brush in hand."""
        viewer = self._viewer
        active = viewer.layers.selection.active
        position = viewer.layers.index(source) + 1 if source in viewer.layers else 0
        viewer.layers.insert(position, layer)
        if active is not None:
            viewer.layers.selection.active = active


def _give(layer: Layer, data: NDArray[Any]) -> None:
    if layer.data is not data:
        layer.data = data
    else:
        layer.refresh()


def set_origin(layer: Layer, origin: Mapping[str, Any] | None) -> None:
    """Note on a layer what made it; None where it is being made, or nobody knows."""
    if origin is None:
        layer.metadata.pop(ORIGIN, None)
    else:
        layer.metadata[ORIGIN] = dict(origin)


def result_colormap(classes: Iterable[ClassEntry]) -> Any:
    """Colours of the classes; what is not predicted yet is transparent."""
    return class_colormap(classes, unknown="transparent")


def _ramp(color: str) -> Any:
    from napari.utils.colormaps import ensure_colormap

    return ensure_colormap(["black", color])


def update_region(layer: Layer, index: tuple[int | slice, ...]) -> None:
    """Draw anew the part of a layer whose array was written at ``index``.

    For class layers seen in 2D only that part travels to the screen; the array of eight bits is
    the texture. Other layers are refreshed as a whole, if the part is in view.
    """
    displayed = tuple(layer._slice_input.displayed)
    if not _in_view(layer, index, displayed):
        return
    partial = (
        isinstance(layer, Labels)
        and len(displayed) == 2
        and displayed == tuple(sorted(displayed))
        and layer.data.dtype == np.uint8
        and layer.contour == 0
        and layer.visible
    )
    if not partial:
        layer.refresh(thumbnail=False, extent=False, highlight=False)
        return
    point = layer.world_to_data(layer._slice_input.world_slice.point)
    view = tuple(
        index[axis] if axis in displayed else round(float(point[axis]))
        for axis in range(layer.ndim)
    )
    data = full_resolution(layer)[view]
    layer.events.labels_update(data=data, offset=[index[axis].start for axis in displayed])


def _in_view(layer: Layer, index: tuple[int | slice, ...], displayed: tuple[int, ...]) -> bool:
    point = layer.world_to_data(layer._slice_input.world_slice.point)
    for axis, part in enumerate(index):
        if axis in displayed:
            continue
        here = round(float(point[axis]))
        inside = part == here if isinstance(part, int) else part.start <= here < part.stop
        if not inside:
            return False
    return True
