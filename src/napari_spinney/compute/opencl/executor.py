"""Runs plans and programs on an OpenCL device."""

from __future__ import annotations

import queue
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.compute.opencl.arena import FLOAT, Lane
from napari_spinney.compute.opencl.held import CLASSES_FORESEEN, HeldBlock
from napari_spinney.compute.opencl.launcher import Launcher, upload
from napari_spinney.compute.opencl.layout import Layout, places_in_row, region_of
from napari_spinney.compute.opencl.preparation import Preparation, ReadyPlan
from napari_spinney.compute.opencl.programs import Tuning
from napari_spinney.compute.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_spinney.compute.device import Device
    from napari_spinney.compute.program import Output
    from napari_spinney.compute.regions import Region
    from napari_spinney.features.plan import Plan

PARALLEL = 2
"""Blocks in flight: while one is computed, another is copied."""

_MEMORY = 192 * 2**20
"""Bytes of an arena; a block that needs more is done in parts. More where the device has much."""

_SMALLEST_PART = 8


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
        self._launcher = Launcher(self._ready)
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

    def hold(self, plan: Plan, block: NDArray[np.float32], inner: tuple[slice, ...]) -> HeldBlock:
        """Compute features as `features` does, and hold them on the device."""
        layout, own = self._ready.layout(plan, block.shape[1:]), Layout.of(_shape(inner), 0)
        places = places_in_row(own, own.whole, len(plan.outputs), 0)
        n_floats = (len(places) + CLASSES_FORESEEN) * own.size(own.whole)
        with self._working_lane() as lane:
            held = HeldBlock(self, lane.new_buffer(FLOAT * n_floats), _shape(inner))
            for part in self._cut(plan, layout, inner):
                arena, ready = self._compute(lane, plan, layout, block, part)
                within = region_of(_within(part, inner)[1:])
                for place, column in zip(places, ready.schedule.columns, strict=True):
                    lane.copy_plane(
                        held.arena, own, place, within, arena, layout, column, region_of(part)
                    )
        return held

    def predict_held(self, held: HeldBlock, program: Program, output: Output) -> NDArray[Any]:
        """Run a program of one stage on features that are held."""
        layout = self._ready.layout(program, held.shape)
        (stage,) = self._ready.stages(program, layout, layout.whole)
        result = program.empty_result(held.shape, output)
        with self._working_lane() as lane:
            held.make_room(lane, FLOAT * stage.plan.schedule.size)
            self._launcher.run_stage(lane, held.arena, layout, stage)
            self._launcher.give(lane, held.arena, stage, program, output, result)
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
        result = program.empty_result(_shape(inner), output)
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
        result = np.empty((len(plan.outputs), *_shape(inner)), np.float32)
        with self._working_lane() as lane:
            arena, ready = self._compute(lane, plan, layout, block, inner)
            for plane, place in zip(result, ready.schedule.columns, strict=True):
                lane.read_plane(arena, layout, place, region_of(inner), plane)
        return result

    def _compute(
        self,
        lane: Lane,
        plan: Plan,
        layout: Layout,
        block: NDArray[np.float32],
        inner: tuple[slice, ...],
    ) -> tuple[Any, ReadyPlan]:
        """Compute features in the arena of a lane; does not wait."""
        ready = self._ready.plan(plan, layout, region_of(inner))
        arena = lane.buffer("arena", FLOAT * ready.schedule.size)
        upload(lane, arena, layout, ready.schedule, block)
        self._launcher.run_plan(lane, arena, layout, ready)
        return arena, ready

    def _predict(
        self,
        program: Program,
        layout: Layout,
        block: NDArray[np.float32],
        inner: tuple[slice, ...],
        output: Output,
    ) -> NDArray[Any]:
        stages = self._ready.stages(program, layout, region_of(inner))
        result = program.empty_result(_shape(inner), output)
        n_floats = max(stage.plan.schedule.size for stage in stages)
        with self._working_lane() as lane:
            arena = lane.buffer("arena", FLOAT * n_floats)
            upload(lane, arena, layout, stages[0].plan.schedule, block)
            for stage in stages[:-1]:
                self._launcher.run_stage(lane, arena, layout, stage)
                self._launcher.give_planes(lane, arena, stage)
            self._launcher.run_stage(lane, arena, layout, stages[-1])
            self._launcher.give(lane, arena, stages[-1], program, output, result)
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


def _within(part: tuple[slice, ...], inner: tuple[slice, ...]) -> tuple[Any, ...]:
    """Index of a part of a region in an array whose last axes are that region."""
    return (
        ...,
        *(slice(p.start - i.start, p.stop - i.start) for p, i in zip(part, inner, strict=True)),
    )


def _shape(inner: tuple[slice, ...]) -> tuple[int, ...]:
    return tuple(s.stop - s.start for s in inner)
