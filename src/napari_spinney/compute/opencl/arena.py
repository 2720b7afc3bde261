"""What one thread needs to compute: a queue, kernels of its own and memory that is used again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari_spinney.compute.device import DeviceError, DeviceMemoryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from napari_spinney.compute.opencl.layout import Layout, Place
    from napari_spinney.compute.opencl.programs import Kernels
    from napari_spinney.compute.regions import Region

FLOAT = 4


class Lane:
    """An in-order queue with its arena of planes and its buffer of results.

    Parameters
    ----------
    context : pyopencl.Context
        Of one device.
    """

    def __init__(self, context: Any) -> None:
        import pyopencl as cl

        self._cl: Any = cl
        self._context = context
        self.queue = cl.CommandQueue(context)
        self._largest = int(context.devices[0].max_mem_alloc_size)
        self._buffers: dict[str, Any] = {}
        self._kernels: dict[tuple[int, str], Any] = {}
        # Kept until the queue is done: the destructor of such an event waits for it, and holds
        # Python's lock meanwhile, which would stop every other thread.
        self._copies: list[Any] = []

    def buffer(self, name: str, n_bytes: int) -> Any:
        """Buffer of at least this size; what it held may be lost.

        Raises
        ------
        DeviceMemoryError
            If the device has no room for it.
        """
        buffer = self._buffers.get(name)
        if buffer is not None and buffer.size >= n_bytes:
            return buffer
        if n_bytes > self._largest:
            raise DeviceMemoryError(
                f"a block needs a buffer of {n_bytes} bytes, but {self._context.devices[0].name} "
                f"allows {self._largest}; use smaller blocks"
            )
        self._buffers.pop(name, None)
        flags = self._cl.mem_flags.READ_WRITE
        self._buffers[name] = self._cl.Buffer(self._context, flags, n_bytes)
        return self._buffers[name]

    def kernel(self, kernels: Kernels, name: str) -> Any:
        """Instance of a kernel for this lane alone: its arguments are set before each start."""
        key = (id(kernels.program), name)
        if key not in self._kernels:
            self._kernels[key] = self._cl.Kernel(kernels.program, name)
        return self._kernels[key]

    def write_plane(
        self, arena: Any, layout: Layout, place: Place, plane: NDArray[np.float32]
    ) -> None:
        """Copy the C-contiguous pixels of a place's region to it; does not wait."""
        self._copy(arena, plane, layout, place, place.region)

    def read_plane(
        self,
        arena: Any,
        layout: Layout,
        place: Place,
        region: Region,
        plane: NDArray[np.float32],
    ) -> None:
        """Copy a region of what a place holds to a C-contiguous array; does not wait."""
        self._copy(plane, arena, layout, place, region)

    def read(self, target: NDArray[np.generic], source: Any) -> None:
        """Copy the start of a buffer to an array; does not wait."""
        self._copies.append(self._cl.enqueue_copy(self.queue, target, source, is_blocking=False))

    @contextmanager
    def working(self) -> Iterator[None]:
        """Wait for the end of what is enqueued inside; turn OpenCL's errors into ours.

        Raises
        ------
        DeviceMemoryError
            If the device ran out of memory.
        DeviceError
            If anything else of OpenCL failed.
        """
        try:
            try:
                yield
            finally:
                self.queue.finish()
                self._copies.clear()
        except self._cl.Error as error:
            self._buffers.clear()
            status = self._cl.status_code
            short = (
                status.MEM_OBJECT_ALLOCATION_FAILURE,
                status.OUT_OF_RESOURCES,
                status.OUT_OF_HOST_MEMORY,
            )
            kind = DeviceMemoryError if error.code in short else DeviceError
            name = self._context.devices[0].name
            raise kind(f"{name} failed: {error}") from error

    def _copy(self, target: Any, source: Any, layout: Layout, place: Place, region: Region) -> None:
        nz, ny, nx = region.shape
        z, y, _ = (a - b for a, b in zip(region.start, place.region.start, strict=True))
        rows = place.region.shape[1]
        start = place.position + layout.margin + region.start[2]
        self._cl.enqueue_copy(
            self.queue,
            target,
            source,
            buffer_origin=(FLOAT * start, y, z),
            host_origin=(0, 0, 0),
            region=(FLOAT * nx, ny, nz),
            buffer_pitches=(FLOAT * layout.pitch, FLOAT * layout.pitch * rows),
            host_pitches=(FLOAT * nx, FLOAT * nx * ny),
            is_blocking=False,
        )
