"""What OpenCL offers on this machine."""

from __future__ import annotations

import logging
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_spinney.compute.device import Device, DeviceError, DeviceType, physical_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def find_devices() -> tuple[tuple[Device, ...], str]:
    """Devices of all platforms that can compile kernels, and why there are none (else "").

    Never raises. The answer is kept: drivers do not come and go while a process runs.
    """
    _describe_processor()
    try:
        import pyopencl as cl
    except ImportError as error:
        return (), f"the Python package pyopencl cannot be imported ({error})"
    except OSError as error:
        return (), f"the OpenCL library cannot be loaded ({error})"
    try:
        platforms = cl.get_platforms()
    except cl.Error as error:
        return (), f"no OpenCL driver is installed, or it does not start ({error})"
    devices = tuple(
        device
        for number, platform in enumerate(platforms)
        for device in _devices_of(cl, platform, number)
    )
    reason = "" if devices else "OpenCL is installed, but its drivers offer no usable device"
    return devices, reason


def opencl_device(device: Device) -> Any:
    """The ``pyopencl.Device`` that a `Device` stands for.

    Raises
    ------
    DeviceError
        If it is not an OpenCL device.
    """
    import pyopencl as cl

    if device.index is None:
        raise DeviceError(f"{device} is not an OpenCL device")
    platform, number = device.index
    return cl.get_platforms()[platform].get_devices()[number]


def _describe_processor(sysfs: Path = Path("/sys/devices/system")) -> None:
    """Tell PoCL of the processor where Linux does not: in a chroot or a sandbox without ``/sys``.

    PoCL asks hwloc, hwloc asks ``/sys``; without an answer PoCL 3.1 ends the whole process with
    "Not enough memory to run on this device". hwloc believes this variable instead.
    """
    if sysfs.exists() or not physical_memory():
        return
    processor = f"NUMANode:1(memory={physical_memory()}) Core:{os.cpu_count() or 1} PU:1"
    os.environ.setdefault("HWLOC_SYNTHETIC", processor)


def _devices_of(cl: Any, platform: Any, number: int) -> Iterator[Device]:
    try:
        found = platform.get_devices()
    except cl.Error as error:  # such as DEVICE_NOT_FOUND from a driver without its hardware
        _log.info("OpenCL platform %s offers no device: %s", platform.name, error)
        return
    for position, device in enumerate(found):
        if device.available and device.compiler_available:
            yield Device(
                name=device.name.strip(),
                kind="opencl",
                type=_type_of(cl, device),
                platform=platform.name.strip(),
                memory=device.global_mem_size,
                compute_units=device.max_compute_units,
                version=f"{device.version.strip()} {device.driver_version.strip()}",
                index=(number, position),
            )


def _type_of(cl: Any, device: Any) -> DeviceType:
    if device.type & cl.device_type.GPU:
        return "GPU"
    return "CPU" if device.type & cl.device_type.CPU else "accelerator"
