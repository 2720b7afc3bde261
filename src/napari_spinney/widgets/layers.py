"""What a layer is, said in the session's words, and layers made to match another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap

from napari_spinney.session import ClassEntry, ImageEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.layers import Image, Labels, Layer

_AXIS_WORDS = {
    "t": "t", "time": "t", "frame": "t", "c": "c", "ch": "c", "channel": "c", "channels": "c",
    "z": "z", "plane": "z", "y": "y", "x": "x",
}  # fmt: skip
_DEFAULT_AXES = {2: "yx", 3: "zyx", 4: "tzyx", 5: "tczyx"}


@dataclass(frozen=True, slots=True)
class Channels:
    """Arrays of one shape seen as one array with a channel axis in front; nothing is copied."""

    arrays: tuple[Any, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """(channel, *shape of an array)."""
        return (len(self.arrays), *self.arrays[0].shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type that holds the values of all channels."""
        return np.result_type(*(np.dtype(a.dtype) for a in self.arrays))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __getitem__(self, key: Any) -> Any:
        key = key if isinstance(key, tuple) else (key,)
        if isinstance(key[0], int):
            return np.asarray(self.arrays[key[0]][key[1:]])
        return np.stack([np.asarray(a[key[1:]]) for a in self.arrays[key[0]]])


def full_resolution(layer: Layer) -> Any:
    """The array of a layer; of a multiscale layer the largest."""
    return layer.data[0] if layer.multiscale else layer.data


def axes_of(layer: Image) -> str:
    """One letter (t, c, z, y, x) per axis of the layer's array.

    Taken from the layer's axis labels where they are meant; else the last axes are z, y, x and
    time comes before.
    """
    rgb = bool(getattr(layer, "rgb", False))
    labels = [str(label).lower() for label in layer.axis_labels]
    known = [_AXIS_WORDS.get(label) for label in labels]
    if None not in known and len(set(known)) == len(known):
        axes = "".join(a for a in known if a is not None)
    else:
        axes = "tyx" if _first_is_no_length(layer) else _DEFAULT_AXES.get(layer.ndim, "")
    if not axes:
        raise ValueError(
            f"layer {layer.name!r} has {layer.ndim} axes; Spinney works with images of 2 to 5 axes "
            "(time, channel, z, y, x): name the axes of the layer"
        )
    return axes + ("c" if rgb else "")


def _first_is_no_length(layer: Image) -> bool:
    """Whether of three axes the last two are lengths and the first is not: then it is time."""
    lengths = [unit.dimensionality == {"[length]": 1} for unit in layer.units]
    return lengths == [False, True, True]


def spacing_of(layer: Layer, axes: str) -> tuple[float, ...] | None:
    """Micrometres per pixel of the spatial axes; None where the layer is measured in pixels."""
    import pint

    units = pint.get_application_registry()  # type: ignore[no-untyped-call]
    spatial = [i for i, axis in enumerate(axes.removesuffix("c")) if axis in "zyx"]
    try:
        return tuple(
            float((layer.scale[i] * layer.units[i]).to(units.micrometer).magnitude) for i in spatial
        )
    except pint.DimensionalityError:
        return None


def entry_of(layer: Image, image_id: str, *, axes: str | None = None) -> ImageEntry:
    """The layer as the session keeps it."""
    axes = axes_of(layer) if axes is None else axes
    return ImageEntry(image_id, layer.name, full_resolution(layer), axes, spacing_of(layer, axes))


def geometry(layer: Layer, axes: str) -> dict[str, Any]:
    """Scale, translation, units and axis labels for a layer without the channel axis."""
    rgb = bool(getattr(layer, "rgb", False))
    letters = axes.removesuffix("c") if rgb else axes
    keep = [i for i, axis in enumerate(letters) if axis != "c"]
    return {
        "scale": np.asarray(layer.scale)[keep],
        "translate": np.asarray(layer.translate)[keep],
        "units": [layer.units[i] for i in keep],
        "axis_labels": [layer.axis_labels[i] for i in keep],
        **_rotation(layer, keep),
    }


def _rotation(layer: Layer, keep: list[int]) -> dict[str, Any]:
    if len(keep) != layer.ndim:
        return {}
    return {"rotate": layer.rotate, "shear": layer.shear}


def class_colormap(classes: Iterable[ClassEntry], *, unknown: str = "#bbbbbb") -> Any:
    """Colours of the classes for a labels layer; hidden classes are transparent."""
    colors: dict[int | None, Any] = {None: unknown, 0: "transparent"}
    for entry in classes:
        colors[entry.number] = entry.color if entry.visible else "transparent"
    return DirectLabelColormap(color_dict=colors)


def recolor(layer: Labels, classes: Iterable[ClassEntry], *, unknown: str = "#bbbbbb") -> None:
    """Give a labels layer the colours of the classes, leaving the rest as it is."""
    selected = layer.selected_label
    layer.colormap = class_colormap(classes, unknown=unknown)
    layer.selected_label = selected


def visible_box(layer: Layer, *, whole: bool = False) -> tuple[slice, ...]:
    """What of a layer is on the screen, as slices into its array at full resolution.

    Axes that are not displayed are one plane thick. Where the canvas was never drawn, all of the
    displayed plane, which ``whole`` always gives.
    """
    shape = np.array(full_resolution(layer).shape[: layer.ndim])
    corners = np.array(layer.corner_pixels, float)
    if layer.multiscale:
        corners *= np.asarray(layer.downsample_factors[layer.data_level])
    point = layer.world_to_data(layer._slice_input.world_slice.point)
    displayed = set(layer._slice_input.displayed)
    box = []
    for axis in range(layer.ndim):
        low, high = int(corners[0, axis]), int(np.ceil(corners[1, axis])) + 1
        if axis not in displayed:
            low = int(np.clip(round(float(point[axis])), 0, shape[axis] - 1))
            high = low + 1
        elif whole or high - low <= 1:
            low, high = 0, int(shape[axis])
        box.append(slice(max(0, low), min(int(shape[axis]), high)))
    return tuple(box)
