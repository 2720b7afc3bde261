"""The labels layer that objects were measured in: clicks on it, its features, its colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap
from psygnal import Signal

from napari_spinney.widgets.objects_layers import center_on
from napari_spinney.widgets.objects_model import CLASS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    import pandas as pd
    from napari import Viewer
    from napari.layers import Labels
    from numpy.typing import NDArray

    from napari_spinney.widgets.objects_model import Key, Measured

LARGE = 4_000_000
"""Pixels in view from which new colours of a labels layer take napari longer than 0.1 s."""
UNKNOWN = "#999999"
"""Colour of objects without a value."""


class ObjectsPicture:
    """Links a labels layer with the table of its objects.

    napari knows one row of features per label. Where a label is used at several time points, all
    rows are given to the layer, those of the time point in view last, which are the ones that
    napari then finds.
    """

    clicked = Signal(object)

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self.layer: Labels | None = None
        self._measured: Measured | None = None
        self._frame = 0
        self._colored_by = ""
        self._class_colors: Mapping[int, str] = {}
        self._colormap_before: Any = None
        self._shown_colors: dict[int | None, Any] = {}
        viewer.dims.events.current_step.connect(self._on_step_changed)

    def close(self) -> None:
        """Let go of the layer and the viewer."""
        self._viewer.dims.events.current_step.disconnect(self._on_step_changed)
        self.release()

    def bind(self, layer: Labels) -> None:
        """Take another layer."""
        if layer is not self.layer:
            self.release()
            # The viewer's, not the layer's: those are called for the selected layer alone.
            self._viewer.mouse_drag_callbacks.append(self._on_pressed)
            self.layer = layer

    def release(self) -> None:
        """Let go of the layer, with the colours that it had."""
        if self.layer is not None:
            if self._on_pressed in self._viewer.mouse_drag_callbacks:
                self._viewer.mouse_drag_callbacks.remove(self._on_pressed)
            self._restore_colors()
        self.layer = self._measured = None
        self._colored_by = ""

    # ----------------------------------------------------------------- features

    def show(self, measured: Measured) -> None:
        """Give the table to the layer as its features."""
        self._measured = measured
        self._frame = self._frame_in_view()
        self._give_features()
        self._color()

    def _give_features(self) -> None:
        if self.layer is None or self._measured is None:
            return
        table = self._measured.table.assign(index=self._measured.table["label"])
        if self._labels_repeat():
            table = table.sort_values(
                "frame", key=lambda frame: frame == self._frame, kind="stable", ignore_index=True
            )
        self.layer.features = table

    def _labels_repeat(self) -> bool:
        table = None if self._measured is None else self._measured.table
        return table is not None and "frame" in table and bool(table["label"].duplicated().any())

    def _frame_in_view(self) -> int:
        axis = None if self._measured is None else self._measured.objects.time_axis
        if axis is None or self.layer is None:
            return 0
        point = self.layer.world_to_data(self._viewer.dims.point[-self.layer.ndim :])
        return round(float(point[axis]))

    def _on_step_changed(self, event: Any = None) -> None:
        frame = self._frame_in_view()
        if frame != self._frame:
            self._frame = frame
            if self._labels_repeat():
                self._give_features()
                self._color()

    # ------------------------------------------------------------------- colours

    @property
    def is_large(self) -> bool:
        """Whether other colours take napari so long that painting would be held up."""
        if self.layer is None:
            return False
        sizes = [self.layer.data.shape[axis] for axis in self.layer._slice_input.displayed]
        return int(np.prod(sizes)) > LARGE

    def color_by(self, column: str, class_colors: Mapping[int, str]) -> None:
        """Colour the objects by a column of the table; by their label, if it is empty."""
        self._colored_by, self._class_colors = column, class_colors
        if column:
            self._color()
        else:
            self._restore_colors()

    def _color(self) -> None:
        if self.layer is None or self._measured is None or not self._colored_by:
            return
        table = self._measured.table
        if self._colored_by not in table:
            self._restore_colors()
            return
        if self._colormap_before is None:
            self._colormap_before = self.layer.colormap
        colors = colors_of(table[self._colored_by], self._colored_by, self._class_colors)
        if self._labels_repeat():
            here = (table["frame"] == self._frame).to_numpy()
            table, colors = table[here], [c for c, shown in zip(colors, here, strict=True) if shown]
        chosen: dict[int | None, Any] = {None: "transparent", 0: "transparent"}
        chosen.update(zip(table["label"].tolist(), colors, strict=True))
        if chosen != self._shown_colors:
            self._set_colormap(DirectLabelColormap(color_dict=chosen))
            self._shown_colors = chosen

    def _restore_colors(self) -> None:
        if self._colormap_before is not None:
            self._set_colormap(self._colormap_before)
            self._colormap_before = None
        self._shown_colors = {}

    def _set_colormap(self, colormap: Any) -> None:
        if self.layer is not None:
            selected = self.layer.selected_label
            self.layer.colormap = colormap
            self.layer.selected_label = selected

    # -------------------------------------------------------------------- places

    def _on_pressed(self, viewer: Viewer, event: Any) -> Iterator[None]:
        """Tell which object is under the mouse, unless a tool is in hand; a drag pans."""
        selected = viewer.layers.selection.active
        if getattr(selected, "mode", "pan_zoom") not in ("pan_zoom", "pick"):
            return
        if self.layer is None or not self.layer.visible:
            return
        value = self.layer.get_value(
            event.position,
            view_direction=event.view_direction,
            dims_displayed=event.dims_displayed,
            world=True,
        )
        yield
        dragged = event.type == "mouse_move"
        while event.type == "mouse_move":
            yield
        if value and not dragged:
            self.clicked.emit(self._key(int(value), event.position))

    def _key(self, label: int, position: Any) -> Key:
        axis = None if self._measured is None else self._measured.objects.time_axis
        if axis is None or self.layer is None:
            return label
        point = self.layer.world_to_data(position[-self.layer.ndim :])
        return round(float(point[axis])), label

    def go_to(self, row: int) -> None:
        """Centre the view on the object of a row, and select its label."""
        if self._measured is None or self.layer is None:
            return
        place = self._measured.middle_of(row)
        self.layer.selected_label = int(self._measured.table["label"].iloc[row])
        center_on(self._viewer, np.array(self.layer.data_to_world(place), float))


def compiling_colors(dtype: Any) -> Generator[None, None, None]:
    """Let napari compile what colours labels of this type, and classes: seconds, once."""
    colors: dict[int | None, Any] = {None: "transparent", 1: "white"}
    for kind in (dtype, np.uint8):
        yield
        DirectLabelColormap(color_dict=colors).map(np.zeros((2, 2), kind))


def colors_of(values: pd.Series, name: str, class_colors: Mapping[int, str]) -> list[Any]:
    """Colour of each value: of its class, or dark to bright from the 2nd to the 98th percentile."""
    if name == CLASS:
        return [class_colors.get(int(number), UNKNOWN) for number in values]
    from matplotlib import colormaps

    numbers: NDArray[np.float64] = values.to_numpy(np.float64, na_value=np.nan)
    finite = numbers[np.isfinite(numbers)]
    low, high = np.percentile(finite, (2, 98)) if len(finite) else (0.0, 1.0)
    share = np.clip((numbers - low) / (high - low if high > low else 1.0), 0, 1)
    painted = colormaps["viridis"](np.nan_to_num(share))
    known = np.isfinite(numbers)
    return [tuple(rgba) if ok else UNKNOWN for rgba, ok in zip(painted, known, strict=True)]
