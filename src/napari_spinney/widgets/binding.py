"""Which layers are images of the session and which are painted on; keeps both in step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from napari.layers import Image, Labels
from psygnal import Signal

from napari_spinney.widgets.layers import (
    Channels,
    axes_of,
    class_colormap,
    entry_of,
    geometry,
    recolor,
)
from napari_spinney.widgets.results import KEY
from napari_spinney.widgets.strokes import StrokeWatcher

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer

    from napari_spinney.session import Session
    from napari_spinney.widgets.jobs import Jobs

BRUSH_SHARE = 100
"""The brush is this part of the image's side to begin with."""


class Binding:
    """Images and annotation layers of one viewer.

    Parameters
    ----------
    viewer : napari.Viewer
    session : Session
        Is told about every change.
    jobs : Jobs
        Where strokes are counted.
    """

    current_changed = Signal()
    """Another image is worked on, or another layer is painted on."""

    def __init__(self, viewer: Viewer, session: Session, jobs: Jobs) -> None:
        self._viewer = viewer
        self._session = session
        self._jobs = jobs
        self.images: dict[str, list[Image]] = {}
        self.annotations: dict[str, Labels] = {}
        self._watchers: dict[str, StrokeWatcher] = {}
        self.current: str | None = None
        viewer.layers.events.removed.connect(self._on_layer_removed)
        session.classes_changed.connect(self._on_classes_changed)
        session.selected_class_changed.connect(self._on_class_selected)

    # images ------------------------------------------------------------------------------

    def candidates(self) -> list[Image]:
        """Image layers that can be classified: those that are no results."""
        layers = self._viewer.layers
        return [x for x in layers if isinstance(x, Image) and KEY not in x.metadata]

    def id_of(self, layer: Layer | None) -> str | None:
        """Id of the image that a layer belongs to: as image, annotation or result."""
        if layer is None:
            return None
        for image_id, layers in self.images.items():
            if layer in layers or layer is self.annotations.get(image_id):
                return image_id
        found = layer.metadata.get(KEY, {}).get("image")
        return found if found in self.images else None

    def use_image(self, layer: Image) -> str:
        """Make a layer an image of the session (once), and the current one."""
        image_id = self.id_of(layer)
        if image_id is None or layer not in self.images.get(image_id, []):
            image_id = uuid4().hex
            self._session.set_image(entry_of(layer, image_id))
            self.images[image_id] = [layer]
            layer.events.name.connect(self._on_image_renamed)
            layer.events.data.connect(self._on_image_replaced)
        self._set_current(image_id)
        return image_id

    def use_channels(self, image_id: str, layers: list[Image]) -> None:
        """Make several layers of one shape the channels of an image.

        Raises
        ------
        ValueError
            If their shapes differ; the message names them.
        """
        first = self.images[image_id][0]
        shapes = {layer.name: layer.data.shape for layer in [first, *layers]}
        if len(set(shapes.values())) > 1:
            listed = ", ".join(f"{name}: {shape}" for name, shape in shapes.items())
            raise ValueError(f"channels of one image have the same shape; got {listed}")
        self.images[image_id] = [first, *(layer for layer in layers if layer is not first)]
        self._refresh_entry(image_id)

    def set_axes(self, image_id: str, axes: str) -> None:
        """Say what the axes of an image are, e.g. "tyx" in place of "zyx"."""
        entry = entry_of(self.images[image_id][0], image_id, axes=axes)
        if tuple(entry.annotation_shape) != self._session.images[image_id].annotation_shape:
            self._drop_annotation(image_id)
        self._session.set_image(entry)

    def source(self, image_id: str) -> Image:
        """The layer of an image; of several channels the first."""
        return self.images[image_id][0]

    def source_axes(self, image_id: str) -> str:
        """Axes of the source layer itself."""
        axes = self._session.images[image_id].axes
        return axes[1:] if len(self.images[image_id]) > 1 else axes

    def _refresh_entry(self, image_id: str) -> None:
        layers = self.images[image_id]
        entry = entry_of(layers[0], image_id)
        if len(layers) > 1:
            from dataclasses import replace

            data = Channels(tuple(layer.data for layer in layers))
            entry = replace(entry, data=data, axes="c" + entry.axes)
        self._session.set_image(entry)

    def _set_current(self, image_id: str | None) -> None:
        if image_id != self.current:
            self.current = image_id
            self.current_changed.emit()

    # annotations -------------------------------------------------------------------------

    def annotate(self, image_id: str, data: Any = None) -> Labels:
        """The annotation layer of an image; made if there is none, brush in hand.

        With ``data`` it is made of these strokes; what was painted before stays as a layer.
        """
        layer = self.annotations.get(image_id)
        if layer is None or data is not None:
            layer = self._add_annotation(image_id, data)
        self.take_brush(image_id)
        return layer

    def take_brush(self, image_id: str) -> None:
        """Select the annotation layer, brush in hand, with the chosen class."""
        layer = self.annotations[image_id]
        self._viewer.layers.selection.active = layer
        layer.selected_label = self._session.selected_class
        layer.mode = "paint"

    def renew(self, image_id: str) -> None:
        """Begin with an empty layer; the old one stays as a layer of its own."""
        self._release(image_id)
        self.annotate(image_id)

    def adopt(self, image_id: str, layer: Labels) -> None:
        """Take a labels layer that is there already as the annotation of an image."""
        self._session.set_annotation(image_id, layer.data)
        self._release(image_id)
        layer.metadata[KEY] = {"image": image_id, "annotation": True}
        self._watch(image_id, layer)
        self._on_classes_changed()

    def _add_annotation(self, image_id: str, data: Any) -> Labels:
        source = self.source(image_id)
        entry = self._session.images[image_id]
        if data is None:
            data = np.zeros(entry.annotation_shape, np.uint8)
        self._session.set_annotation(image_id, data)
        if any(count.pixels for count in self._session.counts.get(image_id, {}).values()):
            self._release(image_id)
        else:
            self._drop_annotation(image_id, keep_in_session=True)
        layer = Labels(
            data,
            name=f"{source.name} strokes",
            opacity=0.9,
            colormap=class_colormap(self._session.classes.values()),
            metadata={KEY: {"image": image_id, "annotation": True}},
            **geometry(source, self.source_axes(image_id)),
        )
        layer.brush_size = max(3, min(entry.annotation_shape[-2:]) // BRUSH_SHARE)
        self._viewer.add_layer(layer)
        self._watch(image_id, layer)
        return layer

    def _watch(self, image_id: str, layer: Labels) -> None:
        self.annotations[image_id] = layer
        self._watchers[image_id] = StrokeWatcher(image_id, layer, self._session, self._jobs)
        layer.events.selected_label.connect(self._on_label_selected)
        self.current_changed.emit()

    def _drop_annotation(self, image_id: str, *, keep_in_session: bool = False) -> None:
        layer = self._release(image_id)
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
        if not keep_in_session:
            self._session.drop_annotation(image_id)

    def _release(self, image_id: str) -> Labels | None:
        watcher = self._watchers.pop(image_id, None)
        if watcher is not None:
            watcher.close()
        layer = self.annotations.pop(image_id, None)
        if layer is not None:
            layer.events.selected_label.disconnect(self._on_label_selected)
            layer.metadata.pop(KEY, None)
        return layer

    # events ------------------------------------------------------------------------------

    def _on_classes_changed(self) -> None:
        for layer in self.annotations.values():
            recolor(layer, self._session.classes.values())

    def _on_class_selected(self, number: int) -> None:
        for layer in self.annotations.values():
            layer.selected_label = number

    def _on_label_selected(self, event: Any) -> None:
        number = int(event.source.selected_label)
        self._session.select_class(number)

    def _on_image_renamed(self, event: Any) -> None:
        image_id = self.id_of(event.source)
        if image_id is not None and event.source is self.source(image_id):
            self._session.change_image(image_id, name=event.source.name)

    def _on_image_replaced(self, event: Any) -> None:
        image_id = self.id_of(event.source)
        if image_id is None:
            return
        fits = axes_of(event.source) == self.source_axes(image_id)
        if not fits or self._shape_of(event.source) != self._session.images[image_id].data.shape:
            self._release(image_id)
        self._refresh_entry(image_id)

    def _shape_of(self, layer: Image) -> tuple[int, ...]:
        return tuple((layer.data[0] if layer.multiscale else layer.data).shape)

    def _on_layer_removed(self, event: Any) -> None:
        for image_id, layer in list(self.annotations.items()):
            if layer is event.value:
                self._release(image_id)
                self._session.drop_annotation(image_id)
        for image_id, layers in list(self.images.items()):
            if event.value in layers:
                self._forget(image_id)

    def _forget(self, image_id: str) -> None:
        for layer in self.images.pop(image_id):
            layer.events.name.disconnect(self._on_image_renamed)
            layer.events.data.disconnect(self._on_image_replaced)
        self._release(image_id)
        self._session.remove_image(image_id)
        if self.current == image_id:
            self._set_current(next(iter(self.images), None))

    def close(self) -> None:
        """Let go of all layers."""
        self._viewer.layers.events.removed.disconnect(self._on_layer_removed)
        for image_id in list(self.annotations):
            self._release(image_id)
        for layers in self.images.values():
            layers[0].events.name.disconnect(self._on_image_renamed)
            layers[0].events.data.disconnect(self._on_image_replaced)
        self.images.clear()
        self.current_changed.disconnect()
