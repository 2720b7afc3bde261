"""Which devices there are, which one is used, and why.

Nothing here imports OpenCL until a device is asked for, and a machine without OpenCL is a normal
machine: it has one device, its processor.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import Literal, TypeAlias

DeviceType: TypeAlias = Literal["CPU", "GPU", "accelerator"]

VARIABLE = "SPINNEY_DEVICE"
"""Environment variable that names the device where none is given."""

HOW_TO_GET_MORE = (
    "To get more devices: install the graphics driver of the GPU's maker (it brings OpenCL), or, "
    "for OpenCL on the processor, `conda install -c conda-forge pocl` or, on Debian and Ubuntu, "
    "`apt install pocl-opencl-icd`; and `pip install pyopencl` where Python lacks it."
)


class DeviceError(RuntimeError):
    """A device that was asked for is missing, or it failed."""


class DeviceMemoryError(DeviceError):
    """A device has too little memory for a block; a smaller block may fit."""


@dataclass(frozen=True, slots=True)
class Device:
    """A place where a program can run.

    Parameters
    ----------
    name : str
        As its driver calls it; ``"cpu"`` for the processor without OpenCL.
    kind : {"cpu", "opencl"}
        Which executor runs on it.
    type : {"CPU", "GPU", "accelerator"}
        What it is.
    platform : str
        The OpenCL platform, or ``"numba"``.
    memory : int
        Bytes of memory; 0 where it is not known.
    compute_units : int
        Cores of a CPU, multiprocessors of a GPU.
    version : str
        OpenCL's version and driver, such as ``OpenCL 3.0 CUDA 535.54``, or Python's.
    index : tuple of int, optional
        Number of the platform and of the device in it; None without OpenCL.
    """

    name: str
    kind: Literal["cpu", "opencl"]
    type: DeviceType
    platform: str
    memory: int
    compute_units: int
    version: str
    index: tuple[int, int] | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.type}, {self.platform})"


def list_devices() -> tuple[Device, ...]:
    """All devices: those of OpenCL in the order of its platforms, the plain processor last.

    Never raises: without OpenCL the processor is the only one.
    """
    return (*_opencl_devices()[0], _processor())


def choose_device(wanted: str | Device | None = None) -> Device:
    """Find the device that was asked for.

    Parameters
    ----------
    wanted : str or Device, optional
        ``"auto"`` (see `fastest`), ``"opencl"`` (the best OpenCL device), ``"cpu"`` (the processor
        without OpenCL), a part of the name of a device, its platform or its driver (as "nvidia",
        "pocl"; capitals do not matter), or a `Device`.
        None means the environment variable ``SPINNEY_DEVICE``, or else ``"auto"``.

    Raises
    ------
    DeviceError
        If there is no such device; the message lists those that were found.
    """
    devices = list_devices()
    if isinstance(wanted, Device):
        if wanted in devices:
            return wanted
        raise _missing(f"device {wanted} is not there (any more)", devices)
    origin = f" (from {VARIABLE})" if wanted is None else ""
    text = (os.environ.get(VARIABLE, "") if wanted is None else wanted).strip()
    matching = _matching(text.casefold() or "auto", devices)
    if not matching:
        rule = "want 'auto', 'opencl', 'cpu' or a part of a device's name"
        raise _missing(f"no device matches {text!r}{origin}; {rule}", devices)
    return matching[0]


def fastest(devices: tuple[Device, ...]) -> Device:
    """The device that ``"auto"`` stands for: the rule, in one place.

    The GPU with the most memory (where there are two, the one with memory of its own); else an
    OpenCL accelerator; else OpenCL on the processor; else the processor without OpenCL. OpenCL on
    the processor comes before numba because its kernels hold vectors of 16 pixels in registers.
    """
    rank = {"GPU": 3, "accelerator": 2, "CPU": 1}
    return max(
        devices,
        key=lambda device: (device.kind == "opencl", rank[device.type], device.memory),
    )


def explain() -> str:
    """Say in a sentence or two which device ``"auto"`` uses, why no GPU, and what to do."""
    devices, reason = _opencl_devices()
    chosen = fastest((*devices, _processor()))
    if chosen.type == "GPU":
        return f"Computing on the GPU {chosen}."
    fact = reason or f"OpenCL works, but the only device it offers is {chosen}"
    if len(devices) > 1 and not reason:
        fact = "OpenCL works, but none of its devices is a GPU"
    place = "the processor without OpenCL" if chosen.kind == "cpu" else str(chosen)
    return f"No GPU is used: {fact}. Computing on {place}. {HOW_TO_GET_MORE}"


def _matching(wanted: str, devices: tuple[Device, ...]) -> tuple[Device, ...]:
    """Devices that a word in lower case stands for, best first."""
    opencl = tuple(device for device in devices if device.kind == "opencl")
    if wanted == "auto":
        return (fastest(devices),)
    if wanted == "opencl":
        return (fastest(opencl),) if opencl else ()
    if wanted == "cpu":
        return tuple(device for device in devices if device.kind == "cpu")
    return tuple(d for d in opencl if wanted in f"{d.name} {d.platform} {d.version}".casefold())


def _missing(fact: str, devices: tuple[Device, ...]) -> DeviceError:
    found = "; ".join(str(device) for device in devices)
    reason = _opencl_devices()[1]
    why = f" OpenCL offers none: {reason}." if reason else ""
    return DeviceError(f"{fact}. Found: {found}.{why} {HOW_TO_GET_MORE}")


def _opencl_devices() -> tuple[tuple[Device, ...], str]:
    """OpenCL's devices, and the reason where there are none (else empty)."""
    from napari_spinney.compute.opencl.platforms import find_devices

    return find_devices()


def _processor() -> Device:
    return Device(
        name="cpu",
        kind="cpu",
        type="CPU",
        platform="numba",
        memory=physical_memory(),
        compute_units=os.cpu_count() or 1,
        version=f"Python {platform.python_version()}",
    )


def physical_memory() -> int:
    """Bytes of memory of this machine; 0 where the system does not say."""
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names or "SC_PAGE_SIZE" not in names:
        return 0
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
