"""What a program needs on the device before its first block: made once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.compute.opencl.forest import PackedForest, pack_forest
from napari_spinney.compute.opencl.layout import ALIGNMENT, Box, Layout, grow
from napari_spinney.compute.opencl.programs import Kernels, Tuning, compile_kernels
from napari_spinney.compute.opencl.schedule import Schedule, StageSlots, make_schedule, radius_x
from napari_spinney.compute.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_spinney.compute.device import Device
    from napari_spinney.compute.program import Program, Stage
    from napari_spinney.features.plan import Plan


@dataclass(frozen=True, slots=True, eq=False)
class ReadyPlan:
    """A schedule, with its arrays on the device."""

    schedule: Schedule
    code: Any
    weights: Any


@dataclass(frozen=True, slots=True, eq=False)
class ReadyForest:
    """A forest, with its arrays on the device and the kernels that have room for it."""

    packed: PackedForest
    buffers: tuple[Any, ...]
    kernels: Kernels


@dataclass(frozen=True, slots=True, eq=False)
class ReadyStage:
    """A stage for blocks of one shape."""

    plan: ReadyPlan
    forest: ReadyForest


class Preparation:
    """Layouts, schedules and forests for one device.

    Parameters
    ----------
    device : Device
        An OpenCL device.
    tuning : Tuning
        What its kernels are compiled with.
    """

    def __init__(self, device: Device, tuning: Tuning) -> None:
        self.device = device
        self.tuning = tuning
        self.kernels = compile_kernels(device, tuning)
        self._plans: Recent[ReadyPlan] = Recent(256)
        self._forests: Recent[ReadyForest] = Recent(8)
        self._labels: Recent[Any] = Recent(8)
        self._slots: Recent[int] = Recent(64)

    def layout(self, plans: Sequence[Plan], shape: tuple[int, ...]) -> Layout:
        """How planes of this shape lie while these plans run."""
        radius = max(radius_x(plan) for plan in plans)
        return Layout.of(shape, radius)

    def plan(self, plan: Plan, layout: Layout, inner: Box) -> ReadyPlan:
        """A plan on its own."""
        slots = StageSlots(tuple(range(plan.n_channels)), plan.n_channels)
        return self._ready_plan(plan, layout, inner, slots)

    def stages(self, program: Program, layout: Layout, inner: Box) -> list[ReadyStage]:
        """All stages of a program; every one but the last is right as far as the next one sees."""
        inners = [inner]
        for stage in program.stages[:0:-1]:
            inners.append(grow(inners[-1], stage.plan.reach, layout.shape))
        forests = [self._ready_forest(stage) for stage in program.stages]
        slots = stage_slots(program, [forest.packed for forest in forests])
        return [
            ReadyStage(self._ready_plan(stage.plan, layout, box, taken), forest)
            for stage, forest, box, taken in zip(
                program.stages, forests, reversed(inners), slots, strict=True
            )
        ]

    def labels(self, program: Program) -> Any:
        """The class numbers on the device."""
        return self._labels.get(program, None, lambda: self._upload(program.labels))

    def n_slots(self, work: Program | Plan) -> int:
        """Planes that the arena must have, whatever the shape of the block."""
        return self._slots.get(work, None, lambda: self._count_slots(work))

    def _count_slots(self, work: Program | Plan) -> int:
        plans = [stage.plan for stage in work.stages] if hasattr(work, "stages") else [work]
        n_classes = [stage.trees.n_classes for stage in getattr(work, "stages", ())]
        shape = (ALIGNMENT,) * plans[0].ndim
        layout = self.layout(plans, shape)
        inner = ((0, layout.shape[0]), (0, ALIGNMENT), (0, ALIGNMENT))
        free = plans[0].n_channels + 2 * max(n_classes[:-1], default=0)
        counts = []
        for plan in plans:
            slots = StageSlots((0,) * plan.n_channels, free, n_sums=max(n_classes, default=0))
            counts.append(make_schedule(plan, layout, inner, slots, self.tuning).n_slots)
        return max(counts)

    def _ready_plan(self, plan: Plan, layout: Layout, inner: Box, slots: StageSlots) -> ReadyPlan:
        def make() -> ReadyPlan:
            schedule = make_schedule(plan, layout, inner, slots, self.tuning)
            return ReadyPlan(schedule, self._upload(schedule.code), self._upload(schedule.weights))

        return self._plans.get(plan, (layout, inner, slots), make)

    def _ready_forest(self, stage: Stage) -> ReadyForest:
        def make() -> ReadyForest:
            packed = pack_forest(stage.trees, self.kernels.has_fp64)
            tuning = self.tuning.with_room(packed.n_columns, packed.n_classes, packed.waiting)
            kernels = compile_kernels(self.device, tuning)
            return ReadyForest(packed, tuple(map(self._upload, packed.arrays)), kernels)

        return self._forests.get(stage.trees, None, make)

    def _upload(self, array: NDArray[Any]) -> Any:
        import pyopencl as cl

        flags = cl.mem_flags.READ_ONLY | cl.mem_flags.COPY_HOST_PTR
        return cl.Buffer(self.kernels.context, flags, hostbuf=np.ascontiguousarray(array))


def stage_slots(program: Program, forests: Sequence[PackedForest]) -> list[StageSlots]:
    """Slots of each stage: channels first, then two sets of probabilities in turn."""
    n_channels = program.stages[0].plan.n_channels
    widest = max((forest.n_classes for forest in forests[:-1]), default=0)
    result = []
    for number, forest in enumerate(forests):
        own = n_channels + widest * (number % 2)
        before = n_channels + widest * ((number - 1) % 2)
        n_before = forests[number - 1].n_classes if number else 0
        sources = (*range(n_channels), *range(before, before + n_before))
        result.append(
            StageSlots(
                sources=sources,
                first_free=n_channels + 2 * widest,
                probabilities=own,
                n_sums=forest.n_summed,
                last_follows=forest.n_summed < forest.n_classes,
            )
        )
    return result
