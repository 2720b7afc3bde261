"""Filters of pyclesperanto-prototype: the only module that imports it."""

from __future__ import annotations

import inspect
import warnings
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.compute.device import DeviceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.features.steps import External

_SIZES = 3
"""Most size parameters a filter has: one per axis."""

_COUNTING = ("mode_box", "mode_sphere")

_one_at_a_time = Lock()
"""The library keeps its queue and its kernels in module variables."""


def apply(step: External, plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Filter one plane.

    Parameters
    ----------
    step : External
        Which filter, and the number for each of its size parameters.
    plane : (Y, X) or (Z, Y, X) float32
        Its input.

    Returns
    -------
    (Y, X) or (Z, Y, X) float32

    Raises
    ------
    DeviceError
        If pyclesperanto-prototype is not installed or lacks the filter.
    ValueError
        If the filter counts values from 0 to 255 and there are others.
    """
    if step.function in _COUNTING:
        _check_countable(step, plane)
    with _one_at_a_time:
        library = _library()
        function = getattr(library, step.function, None)
        if function is None:
            raise DeviceError(
                f"this version of pyclesperanto-prototype has no {step.function!r}; install 0.24.4"
            )
        sizes = min(len(inspect.signature(function).parameters) - 2, _SIZES)
        source = library.push(plane)
        target = library.create_like(source)
        function(source, target, *[step.number] * sizes)
        return np.ascontiguousarray(library.pull(target), np.float32)


def _check_countable(step: External, plane: NDArray[np.float32]) -> None:
    """The library counts in 256 places, and writes beside them for other values."""
    low, high = float(plane.min()), float(plane.max())
    if not (low > -1 and high < 256):  # NaN is neither
        raise ValueError(
            f"'{step.function}={step.number:g}' counts values from 0 to 255; the image has {low:g} "
            f"to {high:g}: scale it, or leave this feature out"
        )


@cache
def _library() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pyclesperanto_prototype
    except ImportError as error:
        raise DeviceError(
            "filters of pyclesperanto-prototype need that package: "
            f"`pip install pyclesperanto-prototype` ({error})"
        ) from error
    return pyclesperanto_prototype
