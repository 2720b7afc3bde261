"""A plan as calls of kernels, for one shape of block.

Each step is computed only where later steps need it: the features in the block's inner part, their
inputs in a margin around it, and so on. A plane's memory is used again after its last reader.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from napari_spinney.compute.cpu.arena import Plane
from napari_spinney.compute.cpu.calls import call_for, copy_call, eigenvalue_call
from napari_spinney.compute.cpu.sites import Call, Load, Site
from napari_spinney.compute.device import DeviceError
from napari_spinney.compute.regions import Region, Space, frugal_order, needed_regions
from napari_spinney.features.steps import Eigenvalue, External, Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from napari_spinney.compute.regions import Triple
    from napari_spinney.features.plan import Plan

_LARGEST_SLOT_MARGIN = 2
"""Features that others read further around than this are computed apart and copied."""


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """What to call in which order, and where the features are then.

    Parameters
    ----------
    calls : tuple
        Each is called with the arena and the block (channel, Z, Y, X).
    slots : tuple of Plane
        One for each feature, equal in shape, one after the other.
    inner : Region
        Where the features are wanted.
    size : int
        Floats that the arena needs.
    """

    calls: tuple[Call | Load, ...]
    slots: tuple[Plane, ...]
    inner: Region
    size: int

    def run(self, arena: NDArray[np.float32], block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute the features; returns a view (feature, Z, Y, X) of the arena."""
        for call in self.calls:
            call(arena, block)
        first = self.slots[0].view(arena, self.inner)
        return np.lib.stride_tricks.as_strided(
            first,
            (len(self.slots), *first.shape),
            (self.slots[0].size * arena.itemsize, *first.strides),
        )


def make_schedule(plan: Plan, outer: Triple, inner: Region) -> Schedule:
    """Arrange a plan for blocks of one shape.

    Parameters
    ----------
    plan : Plan
        What to compute.
    outer : tuple of int
        Shape of the block (Z, Y, X).
    inner : Region
        Part of the block where features are wanted.

    Raises
    ------
    DeviceError
        If a step needs OpenCL.
    """
    functions = {step.function for step in plan.steps if isinstance(step, External)}
    if functions:
        raise DeviceError(
            f"{', '.join(sorted(functions))}: filters of pyclesperanto-prototype need OpenCL, and "
            "this device is the processor without it; choose an OpenCL device or other features"
        )
    return _Builder(plan, outer, inner).build()


class _Builder:
    """Walks through a plan once and notes calls and places."""

    def __init__(self, plan: Plan, outer: Triple, inner: Region) -> None:
        self._plan = plan
        self._outer = outer
        self._inner = inner
        self._regions = needed_regions(plan, outer, inner)
        self._order = frugal_order(plan)
        self._last_reader = self._last_readers()
        self._space = Space()
        self._calls: list[Call | Load] = []
        self._planes: dict[int, Plane] = {}
        self._done: set[int] = set()
        self._direct = {output for output in plan.outputs if self._can_stay(output)}
        self._slots = self._place_slots()
        self._slots_of: dict[int, list[Plane]] = defaultdict(list)
        for slot, output in zip(self._slots, plan.outputs, strict=True):
            self._slots_of[output].append(slot)
        self._eigenvalues: dict[tuple[int, ...], list[tuple[int, Eigenvalue]]] = defaultdict(list)
        for position in self._order:
            step = plan.steps[position]
            if isinstance(step, Eigenvalue):
                self._eigenvalues[step.inputs].append((position, step))

    def build(self) -> Schedule:
        for position in self._order:
            if position not in self._done:
                self._add(position)
            self._fill_slots(position)
            self._release(position)
        return Schedule(tuple(self._calls), self._slots, self._inner, self._space.size)

    def _last_readers(self) -> dict[int, int]:
        """Last reader of each step; the step itself where none reads it."""
        last = {position: position for position in self._order}
        for position in self._order:
            last.update(dict.fromkeys(self._plan.steps[position].inputs, position))
        return last

    def _place_slots(self) -> tuple[Plane, ...]:
        """Room for the features; most are computed where they stay."""
        outputs = self._plan.outputs
        region = reduce(Region.union, (self._regions[o] for o in self._direct), self._inner)
        size = Plane(0, region).size
        first = self._space.take(size * len(outputs))
        slots = tuple(Plane(first + i * size, region) for i in range(len(outputs)))
        for slot, output in zip(slots, outputs, strict=True):
            if output in self._direct:
                self._planes.setdefault(output, slot)
        return slots

    def _can_stay(self, output: int) -> bool:
        if isinstance(self._plan.steps[output], Source):
            return False
        region = self._regions[output]
        return all(
            b - a <= 2 * _LARGEST_SLOT_MARGIN
            for a, b in zip(self._inner.shape, region.shape, strict=True)
        )

    def _add(self, position: int) -> None:
        step = self._plan.steps[position]
        target, region = self._place(position), self._regions[position]
        if isinstance(step, Eigenvalue):
            self._add_eigenvalues(step, target)
        elif isinstance(step, Source):
            self._calls.append(Load(step.channel, target))
        else:
            self._calls.append(call_for(step, self._site(step.inputs, target, region)))

    def _add_eigenvalues(self, step: Eigenvalue, target: Plane) -> None:
        """All eigenvalues of one matrix in one call, as far as their planes are alike."""
        targets: list[Plane | None] = [None] * {3: 2, 6: 3}[len(step.inputs)]
        region = self._inner
        for position, other in self._eigenvalues[step.inputs]:
            plane = self._place(position)
            if plane.region == target.region:
                targets[other.rank] = plane
                region = region.union(self._regions[position])
                self._done.add(position)
        self._calls.append(eigenvalue_call(self._site(step.inputs, target, region), targets))

    def _place(self, position: int) -> Plane:
        """Where a step is written."""
        plane = self._planes.get(position)
        if plane is None:
            region = self._regions[position]
            plane = Plane(self._space.take(Plane(0, region).size), region)
            self._planes[position] = plane
        return plane

    def _site(self, inputs: Iterable[int], target: Plane, region: Region) -> Site:
        planes = tuple(self._planes[i] for i in inputs)
        return Site(planes, target, region, self._outer, self._plan.ndim, self._scratch)

    def _scratch(self, size: int) -> int:
        position = self._space.take(size)
        self._space.give(position, size)
        return position

    def _fill_slots(self, position: int) -> None:
        """Copy a feature that was computed elsewhere, or that comes twice."""
        for slot in self._slots_of.get(position, ()):
            plane = self._planes[position]
            if slot != plane:
                site = Site((plane,), slot, self._inner, self._outer, self._plan.ndim, int)
                self._calls.append(copy_call(site))

    def _release(self, position: int) -> None:
        """Give back the memory of planes that nobody reads after this step."""
        for i in {position, *self._plan.steps[position].inputs}:
            if self._last_reader[i] == position and i not in self._direct:
                self._space.give(self._planes[i].position, self._planes[i].size)
