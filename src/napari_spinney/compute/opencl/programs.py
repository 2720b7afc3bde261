"""The compiled kernels of one device: compiled once per process, kept on disk by pyopencl."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from napari_spinney.compute.device import Device, DeviceError
from napari_spinney.compute.opencl.platforms import opencl_device

_log = logging.getLogger(__name__)

ROWS = 8
"""Rows that correlations along y and z compute at once."""

SOURCES = ("planes", "linear", "pointwise", "local", "forest", "finish")


@dataclass(frozen=True, slots=True)
class Tuning:
    """Numbers that the kernels are compiled with.

    Parameters
    ----------
    vector : int
        Pixels in a vector: 16 on CPU devices; 1 on GPUs, where a work-item is a pixel.
    columns, classes, waiting : int
        Most columns and classes of a forest, and right children that wait in a walk down one of
        its trees, for which the kernels have room.
    wave : int
        Most steps in one launch.
    """

    vector: int
    columns: int = 256
    classes: int = 32
    waiting: int = 64
    wave: int = 4

    @classmethod
    def of(cls, device: Device) -> Tuning:
        """Numbers that were measured to be good for this type of device."""
        if device.type == "CPU":
            return cls(vector=16)
        return cls(vector=1, wave=32)

    def with_room(self, columns: int, classes: int, waiting: int) -> Tuning:
        """Numbers for a forest: the same ones, unless it is unusually large."""
        return replace(
            self,
            columns=_room(self.columns, columns),
            classes=_room(self.classes, classes),
            waiting=_room(self.waiting, waiting),
        )

    @property
    def single(self) -> bool:
        """Whether a work-group is one item, which walks along a row by itself."""
        return self.vector > 1

    @property
    def tall(self) -> int:
        """Rows of a tile of the forest kernels."""
        return 8 if self.single else 1

    def options(self) -> list[str]:
        """Options for the compiler."""
        group = "__attribute__((reqd_work_group_size(1,1,1)))" if self.single else ""
        return [
            f"-DV={self.vector}",
            f"-DR={ROWS}",
            f"-DMAX_COLUMNS={self.columns}",
            f"-DMAX_CLASSES={self.classes}",
            f"-DMAX_WAITING={self.waiting}",
            f"-DGROUP={group}",
            "-cl-std=CL1.2",
            "-w",
        ]


def _room(usual: int, needed: int) -> int:
    return usual if needed <= usual else 1 << (needed - 1).bit_length()


@dataclass(frozen=True, slots=True)
class Kernels:
    """Compiled program of one device and one tuning.

    Parameters
    ----------
    context, program : pyopencl.Context, pyopencl.Program
        Shared by all threads. Kernels made from the program are not: each thread makes its own.
    has_fp64 : bool
        Whether the device computes in float64.
    """

    context: Any
    program: Any
    has_fp64: bool


@lru_cache(maxsize=16)
def compile_kernels(device: Device, tuning: Tuning) -> Kernels:
    """Compile the kernels for a device, or fetch them.

    Raises
    ------
    DeviceError
        If the driver cannot compile them; the message holds its log.
    """
    import pyopencl as cl

    raw = opencl_device(device)
    context = _context(device)
    has_fp64 = "cl_khr_fp64" in raw.extensions
    options = tuning.options()
    if has_fp64:
        options.append("-DHAVE_FP64")
    if raw.single_fp_config & cl.device_fp_config.CORRECTLY_ROUNDED_DIVIDE_SQRT:
        options.append("-cl-fp32-correctly-rounded-divide-sqrt")
    try:
        return Kernels(context, _build(cl, context, options), has_fp64)
    except cl.Error as error:
        _log.info("compiling once more without processor-specific functions: %s", error)
    try:
        return Kernels(context, _build(cl, context, [*options, "-DPORTABLE"]), has_fp64)
    except cl.Error as error:
        raise DeviceError(f"the driver of {device} cannot compile the kernels: {error}") from error


@lru_cache(maxsize=16)
def _context(device: Device) -> Any:
    import pyopencl as cl

    return cl.Context([opencl_device(device)])


def _build(cl: Any, context: Any, options: list[str]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cl.CompilerWarning)
        return cl.Program(context, _source()).build(options)


@lru_cache(maxsize=1)
def _source() -> str:
    folder = files("napari_spinney.compute.opencl") / "kernels"
    return "\n".join((folder / f"{name}.cl").read_text(encoding="utf-8") for name in SOURCES)
