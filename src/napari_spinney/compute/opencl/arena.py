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
        if buffer is None or buffer.size < n_bytes:
            self._buffers.pop(name, None)
            buffer = self._buffers[name] = self.new_buffer(n_bytes)
        return buffer

    def new_buffer(self, n_bytes: int) -> Any:
        """Buffer of this size that is the caller's own.

        Raises
        ------
        DeviceMemoryError
            If the device allows none so large.
        """
        if n_bytes > self._largest:
            raise DeviceMemoryError(
                f"a block needs a buffer of {n_bytes} bytes, but {self._context.devices[0].name} "
                f"allows {self._largest}; use smaller blocks"
            )
        return self._cl.Buffer(self._context, self._cl.mem_flags.READ_WRITE, n_bytes)

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

    def copy_plane(
        self,
        target: Any,
        target_layout: Layout,
        target_place: Place,
        target_region: Region,
        source: Any,
        source_layout: Layout,
        source_place: Place,
        source_region: Region,
    ) -> None:
        """Copy a region of a plane to one of equal shape in another arena; does not wait."""
        self._cl.enqueue_copy(
            self.queue,
            target,
            source,
            dst_origin=_origin(target_layout, target_place, target_region),
            src_origin=_origin(source_layout, source_place, source_region),
            region=_extent(source_region),
            dst_pitches=_pitches(target_layout, target_place),
            src_pitches=_pitches(source_layout, source_place),
        )

    def copy_start(self, target: Any, source: Any) -> None:
        """Copy a buffer to the start of a larger one; does not wait."""
        self._cl.enqueue_copy(self.queue, target, source, byte_count=source.size)

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
        _, ny, nx = region.shape
        self._cl.enqueue_copy(
            self.queue,
            target,
            source,
            buffer_origin=_origin(layout, place, region),
            host_origin=(0, 0, 0),
            region=_extent(region),
            buffer_pitches=_pitches(layout, place),
            host_pitches=(FLOAT * nx, FLOAT * nx * ny),
            is_blocking=False,
        )


def _origin(layout: Layout, place: Place, region: Region) -> tuple[int, int, int]:
    """Where a region of a plane begins: byte of a row, row, slice."""
    z, y, _ = (a - b for a, b in zip(region.start, place.region.start, strict=True))
    return FLOAT * (place.position + layout.margin + region.start[2]), y, z


def _extent(region: Region) -> tuple[int, int, int]:
    """Bytes of a row, rows, slices."""
    nz, ny, nx = region.shape
    return FLOAT * nx, ny, nz


def _pitches(layout: Layout, place: Place) -> tuple[int, int]:
    """Bytes from row to row, and from slice to slice."""
    return FLOAT * layout.pitch, FLOAT * layout.pitch * place.region.shape[1]
