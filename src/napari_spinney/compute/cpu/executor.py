"""Runs plans and programs on the processor, without OpenCL."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.compute.cpu.arena import new_arena, padded_planes
from napari_spinney.compute.cpu.schedule import Schedule, make_schedule
from napari_spinney.compute.cpu.trees import PackedTrees, pack, predict_planes
from napari_spinney.compute.program import Output, Program, Stage
from napari_spinney.compute.recent import Recent
from napari_spinney.compute.regions import Region
from napari_spinney.features.steps import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_spinney.compute.device import Device
    from napari_spinney.compute.regions import Triple
    from napari_spinney.features.plan import Plan

_BLOCKS = {2: (128, 1024), 3: (32, 64, 256)}
_MEMORY = 256 * 2**20
"""Bytes for the planes of all blocks in flight; a block that takes more is done in parts."""
_SMALLEST_MEMORY = 32 * 2**20
_SMALLEST_PART = 16
_SCHEDULES_KEPT = 64
_FORESTS_KEPT = 4
_PLANS_KEPT = 8


class CpuExecutor:
    """Executor for machines without OpenCL; see `napari_spinney.compute.program.Executor`.

    Parameters
    ----------
    device : Device
        The processor.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self.parallel = os.cpu_count() or 1
        self._schedules: Recent[Schedule] = Recent(_SCHEDULES_KEPT)
        self._packed: Recent[PackedTrees] = Recent(_FORESTS_KEPT)
        self._equal_plan = lru_cache(_PLANS_KEPT)(lambda plan: plan)
        self._known_plans: Recent[Plan] = Recent(_PLANS_KEPT)
        self._arenas: list[NDArray[np.float32]] = []
        self._memory = max(_MEMORY // self.parallel, _SMALLEST_MEMORY)

    def preferred_block(self, ndim: int) -> tuple[int, ...]:
        """Inner shape of a block that runs fastest here, where memory is no concern."""
        return _BLOCKS[ndim]

    def block_bytes(self, program: Program | Plan, outer_shape: tuple[int, ...]) -> int:
        """Memory that one block of this outer shape takes, in bytes."""
        if not isinstance(program, Program):
            inner = self._likely_inner(program, outer_shape)
            return 4 * self._schedule(program, _triple(outer_shape), inner).size
        arenas = [self.block_bytes(stage.plan, outer_shape) for stage in program.stages]
        n_pixels = int(np.prod(outer_shape))
        n_between = max(stage.plan.n_channels for stage in program.stages) + len(program.labels)
        return max(arenas) + 4 * n_pixels * n_between

    def features(
        self, plan: Plan, block: NDArray[np.float32], inner: tuple[slice, ...]
    ) -> NDArray[np.float32]:
        """Planes of the plan's features, (feature, *inner)."""
        shape = tuple(s.stop - s.start for s in inner)
        out = np.empty((len(plan.outputs), *shape), np.float32)
        for part, planes in self._parts(plan, block, inner):
            out[(slice(None), *part)] = planes
        return out

    def hold(self, plan: Plan, block: NDArray[np.float32], inner: tuple[slice, ...]) -> HeldPlanes:
        """Compute features as `features` does, and hold them as the kernels read them best."""
        shape = tuple(s.stop - s.start for s in inner)
        planes = padded_planes(len(plan.outputs), shape)
        for part, found in self._parts(plan, block, inner):
            planes[(slice(None), *part)] = found
        return HeldPlanes(self, planes)

    def predict_held(
        self, planes: NDArray[np.float32], program: Program, output: Output
    ) -> NDArray[Any]:
        """Run a program of one stage, whose channels are these planes."""
        (stage,) = program.stages
        whole = tuple(slice(0, n) for n in planes.shape[1:])
        channels = [s.channel for s in stage.plan.steps if isinstance(s, Source)]
        if channels != list(range(len(planes))):
            return self.predict(program, planes, whole, output)
        out = program.empty_result(planes.shape[1:], output)
        packed = self._packed.get(stage.trees, (), lambda: pack(stage.trees))
        predict_planes(packed, planes, out, output, program.labels)
        return out

    def predict(
        self,
        program: Program,
        block: NDArray[np.float32],
        inner: tuple[slice, ...],
        output: Output = "classes",
    ) -> NDArray[np.generic]:
        """Predict the inner part of one block; see `Executor.predict`."""
        for i, stage in enumerate(program.stages[:-1]):
            later = Program(program.stages[i + 1 :], program.labels)
            block, inner = self._append_probabilities(stage, later, block, inner)
        out = program.empty_result(tuple(s.stop - s.start for s in inner), output)
        self._evaluate(program.stages[-1], block, inner, out, output, program.labels)
        return out

    def _append_probabilities(
        self,
        stage: Stage,
        later: Program,
        block: NDArray[np.float32],
        inner: tuple[slice, ...],
    ) -> tuple[NDArray[np.float32], tuple[slice, ...]]:
        """The part of a block that later stages read, with this stage's answer as channels."""
        part = tuple(
            slice(max(0, s.start - r), min(n, s.stop + r))
            for s, r, n in zip(inner, later.reach, block.shape[1:], strict=True)
        )
        n_channels = stage.plan.n_channels
        shape = tuple(s.stop - s.start for s in part)
        n_image = later.stages[0].plan.n_channels - stage.trees.n_classes
        image = block[(slice(0, n_image), *part)]
        wider = np.empty((len(image) + stage.trees.n_classes, *shape), np.float32)
        wider[: len(image)] = image
        self._evaluate(stage, block[:n_channels], part, wider[len(image) :], "probabilities", None)
        return wider, tuple(
            slice(s.start - p.start, s.stop - p.start) for s, p in zip(inner, part, strict=True)
        )

    def _evaluate(
        self,
        stage: Stage,
        block: NDArray[np.float32],
        inner: tuple[slice, ...],
        out: NDArray[Any],
        output: Output,
        labels: NDArray[np.unsignedinteger] | None,
    ) -> None:
        packed = self._packed.get(stage.trees, (), lambda: pack(stage.trees))
        for part, planes in self._parts(stage.plan, block, inner):
            where: tuple[Any, ...] = (..., *part)
            predict_planes(packed, planes, out[where], output, labels)

    def _parts(
        self, plan: Plan, block: NDArray[np.float32], inner: tuple[slice, ...]
    ) -> Iterator[tuple[tuple[slice, ...], NDArray[np.float32]]]:
        """Parts of the inner region that fit in memory, from its corner, and their features.

        The planes (feature, *part) are valid until the next ones are asked for.
        """
        volume = block.reshape(len(block), *(1,) * (3 - plan.ndim), *block.shape[1:])
        outer = _triple(block.shape[1:])
        for part in self._cut(plan, outer, inner):
            schedule = self._schedule(plan, outer, _region(part))
            arena = self._take_arena(schedule.size)
            try:
                planes = schedule.run(arena, volume)
                target = (
                    slice(p.start - i.start, p.stop - i.start)
                    for p, i in zip(part, inner, strict=True)
                )
                yield tuple(target), planes if plan.ndim == 3 else planes[:, 0]
            finally:
                self._arenas.append(arena)

    def _cut(
        self, plan: Plan, outer: Triple, inner: tuple[slice, ...]
    ) -> Iterator[tuple[slice, ...]]:
        """Halve the inner region along its longest axis until its planes fit in memory."""
        sizes = [s.stop - s.start for s in inner]
        longest = max(sizes)
        needed = 4 * self._schedule(plan, outer, _region(inner)).size
        if needed <= self._memory or longest <= _SMALLEST_PART:
            yield inner
            return
        axis = sizes.index(longest)
        middle = inner[axis].start + longest // 2
        for half in (slice(inner[axis].start, middle), slice(middle, inner[axis].stop)):
            yield from self._cut(plan, outer, (*inner[:axis], half, *inner[axis + 1 :]))

    def _take_arena(self, size: int) -> NDArray[np.float32]:
        """Memory used before, where it is large enough; a thread has it for itself."""
        try:
            arena = self._arenas.pop()
        except IndexError:
            return new_arena(size)
        return arena if len(arena) >= size else new_arena(size)

    def _schedule(self, plan: Plan, outer: Triple, inner: Region) -> Schedule:
        # Plans are made anew for each prediction, but equal ones share their schedules.
        known = self._known_plans.get(plan, (), lambda: self._equal_plan(plan))
        return self._schedules.get(
            known, (outer, inner), lambda: make_schedule(known, outer, inner)
        )

    def _likely_inner(self, plan: Plan, outer_shape: tuple[int, ...]) -> Region:
        """Inner part of a block of this shape: what a halo leaves, or the whole of a small image.

        Where the guess is too small, `_cut` keeps the block within its memory all the same.
        """
        preferred = self.preferred_block(plan.ndim)
        sizes = [
            n - 2 * r if n > 2 * r else min(n, p)
            for n, r, p in zip(outer_shape, plan.reach, preferred, strict=True)
        ]
        starts = [(n - size) // 2 for n, size in zip(outer_shape, sizes, strict=True)]
        return _region(tuple(slice(a, a + n) for a, n in zip(starts, sizes, strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class HeldPlanes:
    """Features of one block; see `Held`.

    Parameters
    ----------
    executor : CpuExecutor
        Runs forests on them.
    planes : (feature, *inner) float32
        With rows that may be read past their ends.
    """

    executor: CpuExecutor
    planes: NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        """Memory that they take, in bytes."""
        return self.planes.strides[0] * len(self.planes)

    def predict(self, program: Program, output: Output = "classes") -> NDArray[Any]:
        """Run a program of one stage, whose channels are these features; see `Executor`."""
        return self.executor.predict_held(self.planes, program, output)


def _region(inner: tuple[slice, ...]) -> Region:
    volume = (slice(0, 1),) * (3 - len(inner)) + inner
    z, y, x = volume
    return Region((z.start, y.start, x.start), (z.stop, y.stop, x.stop))


def _triple(shape: tuple[int, ...]) -> Triple:
    z, y, x = (1,) * (3 - len(shape)) + tuple(shape)
    return z, y, x
