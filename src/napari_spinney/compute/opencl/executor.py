"""Runs plans and programs on an OpenCL device."""

from __future__ import annotations

import queue
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.compute.opencl.arena import FLOAT, Lane
from napari_spinney.compute.opencl.layout import Layout, box_of, size
from napari_spinney.compute.opencl.preparation import Preparation, ReadyPlan, ReadyStage
from napari_spinney.compute.opencl.programs import Kernels, Tuning
from napari_spinney.compute.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_spinney.compute.device import Device
    from napari_spinney.compute.opencl.schedule import ExternalCall
    from napari_spinney.compute.program import Output
    from napari_spinney.features.plan import Plan

PARALLEL = 2
"""Blocks in flight: while one is computed, another is copied."""

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
        self._lanes: queue.LifoQueue[Lane] = queue.LifoQueue()
        for _ in range(self.parallel):
            self._lanes.put(Lane(self._ready.kernels.context))

    def block_bytes(self, program: Program | Plan, outer_shape: tuple[int, ...]) -> int:
        """Memory that one block of this outer shape takes on the device, in bytes."""
        if isinstance(program, Program):
            plans = [stage.plan for stage in program.stages]
            results = program.stages[-1].trees.n_classes
        else:
            plans, results = [program], 0
        layout = self._ready.layout(plans, outer_shape)
        pixels = int(np.prod(outer_shape))
        return FLOAT * (self._ready.n_slots(program) * layout.plane + results * pixels)

    def preferred_block(self, ndim: int) -> tuple[int, ...]:
        """Inner shape of a block that runs fastest here."""
        if self.device.type == "CPU":
            return (128, 1024) if ndim == 2 else (64, 128, 128)
        return (2048, 2048) if ndim == 2 else (128, 256, 256)

    def features(
        self, plan: Plan, block: NDArray[np.float32], inner: tuple[slice, ...]
    ) -> NDArray[np.float32]:
        """Planes of the plan's features, (feature, *inner)."""
        layout = self._ready.layout([plan], block.shape[1:])
        box = box_of(inner)
        ready = self._ready.plan(plan, layout, box)
        result = np.empty((len(plan.outputs), *_shape(inner)), np.float32)
        with self._working_lane() as lane:
            arena = lane.buffer("arena", FLOAT * ready.schedule.n_slots * layout.plane)
            _upload(lane, arena, layout, block)
            self._run_plan(lane, arena, layout, ready)
            for plane, slot in zip(result, ready.schedule.columns, strict=True):
                lane.read_plane(arena, layout, slot, plane, (box[0][0], box[1][0], box[2][0]))
        return result

    def predict(
        self,
        program: Program,
        block: NDArray[np.float32],
        inner: tuple[slice, ...],
        output: Output = "classes",
    ) -> NDArray[np.generic]:
        """Predict the inner part of one block; see `Executor.predict`."""
        layout = self._ready.layout([stage.plan for stage in program.stages], block.shape[1:])
        stages = self._ready.stages(program, layout, box_of(inner))
        result = _empty_result(program, inner, output)
        n_slots = max(stage.plan.schedule.n_slots for stage in stages)
        with self._working_lane() as lane:
            arena = lane.buffer("arena", FLOAT * n_slots * layout.plane)
            out = lane.buffer("out", result.nbytes)
            _upload(lane, arena, layout, block)
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
        nz, ny, nx = size(schedule.box)
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
        nz, ny, nx = size(schedule.box)
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


def _upload(lane: Lane, arena: Any, layout: Layout, block: NDArray[np.float32]) -> None:
    for slot, plane in enumerate(block):
        lane.write_plane(arena, layout, slot, plane)


def _run_external(lane: Lane, arena: Any, layout: Layout, call: ExternalCall) -> None:
    """Hand one plane to pyclesperanto-prototype and write back what it returns."""
    from napari_spinney.compute.opencl.clesperanto import apply

    plane = np.empty(call.shape, np.float32)
    lane.read_plane(arena, layout, call.source, plane, (0, 0, 0))
    lane.queue.finish()
    lane.write_plane(arena, layout, call.target, apply(call.step, plane))
    lane.queue.finish()


def _empty_result(program: Program, inner: tuple[slice, ...], output: Output) -> NDArray[Any]:
    shape = _shape(inner)
    if output == "classes":
        return np.empty(shape, program.labels.dtype)
    if output == "probabilities":
        return np.empty((program.stages[-1].trees.n_classes, *shape), np.float32)
    return np.empty(shape, np.float32)


def _shape(inner: tuple[slice, ...]) -> tuple[int, ...]:
    return tuple(s.stop - s.start for s in inner)


def _ints(*numbers: int) -> tuple[np.int32, ...]:
    return tuple(np.int32(number) for number in numbers)
