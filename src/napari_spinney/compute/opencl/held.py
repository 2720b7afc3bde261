"""Features of a block that stay on the device, for one forest after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.compute.opencl.arena import Lane
    from napari_spinney.compute.opencl.executor import OpenClExecutor
    from napari_spinney.compute.program import Output, Program

CLASSES_FORESEEN = 4
"""Forests of so many classes find room for their sums; for more, room is made once."""


@dataclass(slots=True, eq=False)
class HeldBlock:
    """An arena whose first planes are the features of one block; see `Held`.

    Parameters
    ----------
    executor : OpenClExecutor
        Of the device.
    arena : pyopencl.Buffer
        The planes one after the other, and room for sums.
    shape : tuple of int
        Pixels along each spatial axis.
    """

    executor: OpenClExecutor
    arena: Any
    shape: tuple[int, ...]
    _lock: Lock = field(default_factory=Lock)

    @property
    def nbytes(self) -> int:
        """Memory on the device, in bytes."""
        return int(self.arena.size)

    def predict(self, program: Program, output: Output = "classes") -> NDArray[Any]:
        """Run a program of one stage, whose channels are these features; see `Executor`."""
        with self._lock:  # sums are written to the arena
            return self.executor.predict_held(self, program, output)

    def make_room(self, lane: Lane, n_bytes: int) -> None:
        """Move to a larger arena if this one has no room for the sums of a forest."""
        if self.arena.size < n_bytes:
            larger = lane.new_buffer(n_bytes)
            lane.copy_start(larger, self.arena)
            self.arena = larger
