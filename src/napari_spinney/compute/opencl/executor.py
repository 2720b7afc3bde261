"""Runs plans and programs on an OpenCL device."""

from __future__ import annotations

import queue
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.compute.opencl.arena import FLOAT, Lane
from napari_spinney.compute.opencl.layout import Layout, region_of
from napari_spinney.compute.opencl.preparation import Preparation, ReadyPlan, ReadyStage
from napari_spinney.compute.opencl.programs import Kernels, Tuning
from napari_spinney.compute.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_spinney.compute.device import Device
    from napari_spinney.compute.opencl.launches import ExternalCall, Schedule
    from napari_spinney.compute.program import Output
    from napari_spinney.compute.regions import Region
    from napari_spinney.features.plan import Plan

PARALLEL = 2
"""Blocks in flight: while one is computed, another is copied."""

_MEMORY = 192 * 2**20
"""Bytes of an arena; a block that needs more is done in parts. More where the device has much."""

_SMALLEST_PART = 8

_GROUP = (32, 4, 1)
"""Work-group on devices where a work-item is a pixel."""

_LABEL_TYPES = {1: "uchar", 2: "ushort", 4: "uint", 8: "ulong"}


class OpenClExecutor:
    """Executor for one OpenCL device; see `napari_spinney.compute.program.Executor`.

    Parameters
    ----------
    device : Device
        An OpenCL device.
    tuning : Tuning, optional
        What the kernels are compiled with; measured numbers unless given.

    Raises
    ------
    DeviceError
        If the device cannot compile the kernels.
    """

    def __init__(self, device: Device, tuning: Tuning | None = None) -> None:
        self.device = device
        self.parallel = PARALLEL
        self.tuning = tuning or Tuning.of(device)
        self._ready = Preparation(device, self.tuning)
        self._memory = _MEMORY if device.type == "CPU" else max(_MEMORY, device.memory // 8)
        self._lanes: queue.LifoQueue[Lane] = queue.LifoQueue()
        for _ in range(self.parallel):
            self._lanes.put(Lane(self._ready.kernels.context))

    def block_bytes(self, program: Program | Plan, outer_shape: tuple[int, ...]) -> int:
        """Memory that one block of this outer shape takes on the device, in bytes."""
        layout = self._ready.layout(program, outer_shape)
        inner = self._likely_inner(program, outer_shape)
        results = program.stages[-1].trees.n_classes if isinstance(program, Program) else 0
        pixels = int(np.prod(inner.shape))
        return FLOAT * (self._ready.arena_floats(program, layout, inner) + results * pixels)

    def preferred_block(self, ndim: int) -> tuple[int, ...]:
        """Inner shape of a block that runs fastest here."""
        if self.device.type == "CPU":
            return (128, 1024) if ndim == 2 else (32, 64, 256)
        return (2048, 2048) if ndim == 2 else (128, 256, 256)

    def features(
        self, plan: Plan, block: NDArray[np.float32], inner: tuple[slice, ...]
    ) -> NDArray[np.float32]:
        """Planes of the plan's features, (feature, *inner)."""
        layout = self._ready.layout(plan, block.shape[1:])
        parts = list(self._cut(plan, layout, inner))
        if len(parts) == 1:
            return self._features(plan, layout, block, inner)
        result = np.empty((len(plan.outputs), *_shape(inner)), np.float32)
        for part in parts:
            result[_within(part, inner)] = self._features(plan, layout, block, part)
        return result

    def predict(
        self,
        program: Program,
        block: NDArray[np.float32],
        inner: tuple[slice, ...],
        output: Output = "classes",
    ) -> NDArray[np.generic]:
        """Predict the inner part of one block; see `Executor.predict`."""
        layout = self._ready.layout(program, block.shape[1:])
        parts = list(self._cut(program, layout, inner))
        if len(parts) == 1:
            return self._predict(program, layout, block, inner, output)
        result = _empty_result(program, inner, output)
        for part in parts:
            result[_within(part, inner)] = self._predict(program, layout, block, part, output)
        return result

    def _features(
        self,
        plan: Plan,
        layout: Layout,
        block: NDArray[np.float32],
        inner: tuple[slice, ...],
    ) -> NDArray[np.float32]:
        ready = self._ready.plan(plan, layout, region_of(inner))
        result = np.empty((len(plan.outputs), *_shape(inner)), np.float32)
        with self._working_lane() as lane:
            arena = lane.buffer("arena", FLOAT * ready.schedule.size)
            _upload(lane, arena, layout, ready.schedule, block)
            self._run_plan(lane, arena, layout, ready)
            for plane, place in zip(result, ready.schedule.columns, strict=True):
                lane.read_plane(arena, layout, place, region_of(inner), plane)
        return result

    def _predict(
        self,
        program: Program,
        layout: Layout,
        block: NDArray[np.float32],
        inner: tuple[slice, ...],
        output: Output,
    ) -> NDArray[Any]:
        stages = self._ready.stages(program, layout, region_of(inner))
        result = _empty_result(program, inner, output)
        n_floats = max(stage.plan.schedule.size for stage in stages)
        with self._working_lane() as lane:
            arena = lane.buffer("arena", FLOAT * n_floats)
            out = lane.buffer("out", result.nbytes)
            _upload(lane, arena, layout, stages[0].plan.schedule, block)
            for stage in stages[:-1]:
                self._run_stage(lane, arena, layout, stage)
                self._finish(lane, "finish_planes", arena, stage)
            self._run_stage(lane, arena, layout, stages[-1])
            if output == "classes":
                name = f"finish_classes_{_LABEL_TYPES[program.labels.itemsize]}"
                self._finish(lane, name, arena, stages[-1], self._ready.labels(program), out)
            else:
                self._finish(lane, f"finish_{output}", arena, stages[-1], out)
            lane.read(result, out)
        return result

    def _cut(
        self, work: Program | Plan, layout: Layout, inner: tuple[slice, ...]
    ) -> Iterator[tuple[slice, ...]]:
        """Halve a region until its planes fit in memory; their rows are whole and never cut."""
        sizes = [s.stop - s.start for s in inner[:-1]]
        longest = max(sizes)
        needed = FLOAT * self._ready.arena_floats(work, layout, region_of(inner))
        if needed <= self._memory or longest <= _SMALLEST_PART:
            yield inner
            return
        axis = sizes.index(longest)
        middle = inner[axis].start + longest // 2
        for half in (slice(inner[axis].start, middle), slice(middle, inner[axis].stop)):
            yield from self._cut(work, layout, (*inner[:axis], half, *inner[axis + 1 :]))

    def _likely_inner(self, program: Program | Plan, outer_shape: tuple[int, ...]) -> Region:
        """Inner part of a block: what a halo leaves, or up to the border of a small image."""
        preferred = self.preferred_block(len(outer_shape))
        parts = []
        for n, reach, p in zip(outer_shape, program.reach, preferred, strict=True):
            size = n - 2 * reach if n > 2 * reach else min(n, p)
            parts.append(slice((n - size) // 2, (n - size) // 2 + size))
        return region_of(tuple(parts))

    @contextmanager
    def _working_lane(self) -> Iterator[Lane]:
        """A lane that no other thread uses; what was enqueued is done at the end."""
        lane = self._lanes.get()
        try:
            with lane.working():
                yield lane
        finally:
            self._lanes.put(lane)

    def _run_stage(self, lane: Lane, arena: Any, layout: Layout, stage: ReadyStage) -> None:
        self._run_plan(lane, arena, layout, stage.plan)
        packed, schedule = stage.forest.packed, stage.plan.schedule
        nz, ny, nx = schedule.inner.shape
        self._enqueue(
            lane,
            stage.forest.kernels,
            packed.kernel,
            (nx, -(-ny // self.tuning.tall), nz),
            arena,
            stage.plan.code,
            *_ints(schedule.forest, packed.n_trees, packed.n_summed),
            *stage.forest.buffers,
            np.int32(packed.exact),
        )

    def _finish(self, lane: Lane, name: str, arena: Any, stage: ReadyStage, *extra: Any) -> None:
        """From sums to what was asked for."""
        packed, schedule = stage.forest.packed, stage.plan.schedule
        nz, ny, nx = schedule.inner.shape
        real = np.float64 if self._ready.kernels.has_fp64 else np.float32
        self._enqueue(
            lane,
            self._ready.kernels,
            name,
            (nx, ny, nz),
            arena,
            stage.plan.code,
            *_ints(schedule.finish, packed.n_classes, packed.exact),
            np.uint32(packed.total),
            real(packed.factor),
            *extra,
        )

    def _run_plan(self, lane: Lane, arena: Any, layout: Layout, ready: ReadyPlan) -> None:
        for launch in ready.schedule.launches:
            if launch.external is not None:
                _run_external(lane, arena, layout, launch.external)
                continue
            self._enqueue(
                lane,
                self._ready.kernels,
                launch.kernel,
                launch.items,
                arena,
                ready.code,
                ready.weights,
                *_ints(launch.first, launch.others),
            )

    def _enqueue(
        self,
        lane: Lane,
        kernels: Kernels,
        name: str,
        items: tuple[int, int, int],
        *arguments: Any,
    ) -> None:
        """Start a kernel for (pixels along x, items along dimensions 1 and 2)."""
        group = (1, 1, 1) if self.tuning.single else _GROUP
        wanted = (1, *items[1:]) if self.tuning.single else items
        shape = tuple(-(-n // g) * g for n, g in zip(wanted, group, strict=True))
        lane.kernel(kernels, name)(lane.queue, shape, group, *arguments)


def _upload(
    lane: Lane, arena: Any, layout: Layout, schedule: Schedule, block: NDArray[np.float32]
) -> None:
    for place, plane in zip(schedule.sources, block, strict=True):
        lane.write_plane(arena, layout, place, plane)


def _run_external(lane: Lane, arena: Any, layout: Layout, call: ExternalCall) -> None:
    """Hand one plane to pyclesperanto-prototype and write back what it returns."""
    from napari_spinney.compute.opencl.clesperanto import apply

    source, target = call.source.region, call.target.region
    plane = np.empty(source.shape, np.float32)
    lane.read_plane(arena, layout, call.source, source, plane)
    lane.queue.finish()
    found = apply(call.step, plane if call.ndim == 3 else plane[0]).reshape(plane.shape)
    part = tuple(
        slice(a - s, b - s) for a, b, s in zip(target.start, target.stop, source.start, strict=True)
    )
    lane.write_plane(arena, layout, call.target, np.ascontiguousarray(found[part]))
    lane.queue.finish()


def _empty_result(program: Program, inner: tuple[slice, ...], output: Output) -> NDArray[Any]:
    shape = _shape(inner)
    if output == "classes":
        return np.empty(shape, program.labels.dtype)
    if output == "probabilities":
        return np.empty((program.stages[-1].trees.n_classes, *shape), np.float32)
    return np.empty(shape, np.float32)


def _within(part: tuple[slice, ...], inner: tuple[slice, ...]) -> tuple[Any, ...]:
    """Index of a part of a region in an array whose last axes are that region."""
    return (
        ...,
        *(slice(p.start - i.start, p.stop - i.start) for p, i in zip(part, inner, strict=True)),
    )


def _shape(inner: tuple[slice, ...]) -> tuple[int, ...]:
    return tuple(s.stop - s.start for s in inner)


def _ints(*numbers: int) -> tuple[np.int32, ...]:
    return tuple(np.int32(number) for number in numbers)
