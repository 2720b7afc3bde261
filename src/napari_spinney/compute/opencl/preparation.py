"""What a program needs on the device before its first block: made once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.compute.opencl.forest import PackedForest, pack_forest
from napari_spinney.compute.opencl.launches import Schedule, StagePlaces
from napari_spinney.compute.opencl.layout import Layout, Place, places_in_row
from napari_spinney.compute.opencl.programs import Kernels, Tuning, compile_kernels
from napari_spinney.compute.opencl.schedule import make_schedule, radius_x, waves
from napari_spinney.compute.program import Program
from napari_spinney.compute.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_spinney.compute.device import Device
    from napari_spinney.compute.program import Stage
    from napari_spinney.compute.regions import Region
    from napari_spinney.features.plan import Plan

_PLANS_KEPT = 16
_FORESTS_KEPT = 8
_SCHEDULES_KEPT = 256


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
        self._known_plans: Recent[Plan] = Recent(_PLANS_KEPT)
        self._equal_plan = lru_cache(_PLANS_KEPT)(lambda plan: plan)
        self._orders: Recent[list[list[int]]] = Recent(_PLANS_KEPT)
        self._plans: Recent[ReadyPlan] = Recent(_SCHEDULES_KEPT)
        self._sizes: Recent[int] = Recent(_SCHEDULES_KEPT)
        self._forests: Recent[ReadyForest] = Recent(_FORESTS_KEPT)
        self._labels: Recent[Any] = Recent(_FORESTS_KEPT)

    def layout(self, work: Program | Plan, shape: tuple[int, ...]) -> Layout:
        """How planes of a block of this shape lie while a plan or program runs."""
        plans = [stage.plan for stage in work.stages] if isinstance(work, Program) else [work]
        return Layout.of(shape, max(radius_x(plan) for plan in plans))

    def plan(self, plan: Plan, layout: Layout, inner: Region) -> ReadyPlan:
        """A plan on its own."""
        places = places_in_row(layout, layout.whole, plan.n_channels, 0)
        return self._ready_plan(plan, layout, inner, StagePlaces(places, _end(layout, places)))

    def stages(self, program: Program, layout: Layout, inner: Region) -> list[ReadyStage]:
        """All stages of a program; every one but the last is right as far as the next one sees."""
        forests = [self._ready_forest(stage) for stage in program.stages]
        inners = stage_inners(program, layout, inner)
        summed = [forest.packed.n_summed for forest in forests]
        places = stage_places(program, layout, inners, summed)
        return [
            ReadyStage(self._ready_plan(stage.plan, layout, own, taken), forest)
            for stage, forest, own, taken in zip(
                program.stages, forests, inners, places, strict=True
            )
        ]

    def labels(self, program: Program) -> Any:
        """The class numbers on the device."""
        return self._labels.get(program, None, lambda: self._upload(program.labels))

    def arena_floats(self, work: Program | Plan, layout: Layout, inner: Region) -> int:
        """Floats that the arena needs for one block."""

        def count() -> int:
            if not isinstance(work, Program):
                return self.plan(work, layout, inner).schedule.size
            inners = stage_inners(work, layout, inner)
            summed = [stage.trees.n_classes for stage in work.stages]
            places = stage_places(work, layout, inners, summed)
            return max(
                self._schedule(self._known(stage.plan), layout, own, taken).size
                for stage, own, taken in zip(work.stages, inners, places, strict=True)
            )

        return self._sizes.get(work, (layout, inner), count)

    def _schedule(self, plan: Plan, layout: Layout, inner: Region, places: StagePlaces) -> Schedule:
        order = self._orders.get(plan, None, lambda: waves(plan, self.tuning.wave))
        return make_schedule(plan, layout, inner, places, order)

    def _known(self, plan: Plan) -> Plan:
        """Plans are made anew for each prediction, but equal ones share their schedules."""
        known: Plan = self._known_plans.get(plan, None, lambda: self._equal_plan(plan))
        return known

    def _ready_plan(
        self, plan: Plan, layout: Layout, inner: Region, places: StagePlaces
    ) -> ReadyPlan:
        known = self._known(plan)

        def make() -> ReadyPlan:
            schedule = self._schedule(known, layout, inner, places)
            return ReadyPlan(schedule, self._upload(schedule.code), self._upload(schedule.weights))

        return self._plans.get(known, (layout, inner, places), make)

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


def stage_inners(program: Program, layout: Layout, inner: Region) -> list[Region]:
    """Where each stage must be right, for the last one to be right in ``inner``."""
    inners = [inner]
    for stage in program.stages[:0:-1]:
        reach = (0,) * (3 - stage.plan.ndim) + stage.plan.reach
        inners.append(inners[-1].grown(reach, layout.shape))
    return inners[::-1]


def stage_places(
    program: Program, layout: Layout, inners: Sequence[Region], n_sums: Sequence[int]
) -> list[StagePlaces]:
    """What is in the arena for each stage: the channels, then two sets of probabilities in turn.

    Parameters
    ----------
    inners : sequence of Region
        Where each stage is right.
    n_sums : sequence of int
        Sums that are added up for each stage: one per class, or one less where the last follows.
    """
    sources = places_in_row(layout, layout.whole, program.stages[0].plan.n_channels, 0)
    n_classes = [stage.trees.n_classes for stage in program.stages]
    room = max(
        (n * layout.size(i) for n, i in zip(n_classes[:-1], inners, strict=False)), default=0
    )
    first = _end(layout, sources)
    result: list[StagePlaces] = []
    before: tuple[Place, ...] = ()
    for number, (own, n, summed) in enumerate(zip(inners, n_classes, n_sums, strict=True)):
        last = number == len(inners) - 1
        start = first + room * (number % 2)
        probabilities = () if last else places_in_row(layout, own, n, start)
        result.append(
            StagePlaces((*sources, *before), first + 2 * room, probabilities, summed, summed < n)
        )
        before = probabilities
    return result


def _end(layout: Layout, places: tuple[Place, ...]) -> int:
    return places[-1].position + layout.size(places[-1].region)
