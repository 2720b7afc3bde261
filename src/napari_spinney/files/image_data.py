"""An image in memory with what its file says of its axes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

SPATIAL = "ZYX"
AXES = "TCZYX"

_MICROMETRES = {
    "nm": 1e-3,
    "nanometer": 1e-3,
    "nanometre": 1e-3,
    "um": 1.0,
    "µm": 1.0,  # micro sign
    "μm": 1.0,  # Greek mu
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "mm": 1e3,
    "millimeter": 1e3,
    "millimetre": 1e3,
    "cm": 1e4,
    "centimeter": 1e4,
    "centimetre": 1e4,
    "m": 1e6,
    "meter": 1e6,
    "metre": 1e6,
    "inch": 25_400.0,
    "in": 25_400.0,
}


@dataclass(frozen=True, slots=True, eq=False)
class ImageData:
    """An image and what its file says of it.

    Parameters
    ----------
    data : array_like
        The pixels: numpy, or dask for what is read when it is used (zarr).
    axes : str
        One letter for each axis of ``data``: T time, C channels (also red, green, blue),
        Z Y X space.
    spacing : tuple of float or None
        Micrometres per pixel along the spatial axes, in the order of ``axes``; None where the
        file does not say it for all of them.
    channel_names : tuple of str
        One for each channel, or empty.
    provenance : dict
        What `write_image` was told in ``metadata``; empty where there is nothing.
    """

    data: Any
    axes: str
    spacing: tuple[float, ...] | None = None
    channel_names: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.axes) != len(self.data.shape):
            raise ValueError(f"axes {self.axes!r} do not fit the shape {self.data.shape}")


def micrometres(unit: str | None) -> float | None:
    """How many micrometres a unit of length is; None if it is no known unit."""
    if unit is None:
        return None
    return _MICROMETRES.get(unit.replace("\\u00B5", "µ").strip().rstrip("\0").lower())


def known_spacing(axes: str, sizes: Mapping[str, float | None]) -> tuple[float, ...] | None:
    """Spacing along the spatial axes, if it is known and sensible for all of them."""
    spacing = [sizes.get(axis) for axis in axes if axis in SPATIAL]
    found = tuple(s for s in spacing if s is not None and math.isfinite(s) and s > 0)
    return found if spacing and len(found) == len(spacing) else None


def complete_axes(axes: str) -> str:
    """Name axes that a file leaves unnamed: from the last to the first Z, T, C."""
    letters = ["C" if axis == "S" and "C" not in axes else axis for axis in axes]
    free = [axis for axis in "ZTC" if axis not in letters]
    for position in reversed(range(len(letters))):
        if letters[position] not in AXES and free:
            letters[position] = free.pop(0)
    return "".join(letters)


def default_axes(shape: Sequence[int]) -> str:
    """Axes of a bare array: YX, ZYX, CZYX, TCZYX.

    Raises
    ------
    ValueError
        If it has other than 1 to 5 axes.
    """
    ndim = len(shape)
    if not 1 <= ndim <= 5:
        raise ValueError(f"an image has 1 to 5 axes; got the shape {tuple(shape)}")
    return {4: "CZYX"}.get(ndim, AXES[5 - ndim :])


def check_axes(axes: str, shape: Sequence[int]) -> str:
    """Axes in capitals, each one once, as many as the array has.

    Raises
    ------
    ValueError
        If they break that rule.
    """
    letters = axes.upper()
    if len(letters) != len(shape) or len(set(letters)) != len(letters) or set(letters) - set(AXES):
        raise ValueError(
            f"axes must be {len(shape)} different letters of {AXES} for the shape "
            f"{tuple(shape)}; got {axes!r}"
        )
    return letters


def check_spacing(spacing: Sequence[float] | None, axes: str) -> dict[str, float]:
    """Spacing by axis.

    Raises
    ------
    ValueError
        If there is not one number above 0 for each spatial axis.
    """
    if spacing is None:
        return {}
    spatial = [axis for axis in axes if axis in SPATIAL]
    values = [float(s) for s in spacing]
    if len(values) != len(spatial) or not all(math.isfinite(s) and s > 0 for s in values):
        raise ValueError(
            f"spacing must be one number above 0 (micrometres) for each of the axes "
            f"{''.join(spatial)}; got {tuple(spacing)}"
        )
    return dict(zip(spatial, values, strict=True))


def storable(data: NDArray[Any]) -> NDArray[Any]:
    """The array in a type that image files have: up to 32 bits.

    Booleans become uint8; 64-bit whole numbers the smallest type that holds them; float16 and
    float64 become float32.

    Raises
    ------
    ValueError
        If whole numbers need more than 32 bits, or the type is no number.
    """
    kind = data.dtype.kind
    if kind == "b":
        return data.astype(np.uint8)
    if kind == "f":
        with np.errstate(over="ignore"):
            return data.astype(np.float32)
    if kind not in "ui":
        raise ValueError(f"an image holds numbers; got dtype {data.dtype}")
    if data.dtype.itemsize <= 4:
        return data
    low, high = (int(data.min()), int(data.max())) if data.size else (0, 0)
    for dtype in (np.uint8, np.uint16, np.uint32, np.int32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return data.astype(dtype)
    raise ValueError(f"image files hold whole numbers of up to 32 bits; got {low} to {high}")
