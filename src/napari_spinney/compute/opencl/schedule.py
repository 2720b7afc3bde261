"""From a plan and a block's shape to kernel launches: what runs where, in which order."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from napari_spinney.compute.opencl.descriptions import (
    Code,
    boundary_of,
    kernel_of,
    kind_of,
)
from napari_spinney.compute.opencl.launches import ExternalCall, Launch, Schedule, StagePlaces
from napari_spinney.compute.opencl.layout import Layout, Place
from napari_spinney.compute.opencl.programs import ROWS
from napari_spinney.compute.regions import Region, Space, frugal_order, needed_regions
from napari_spinney.features.plan import step_reach
from napari_spinney.features.steps import Correlate, Eigenvalue, External, Refine, Source

if TYPE_CHECKING:
    from napari_spinney.features.plan import Plan
    from napari_spinney.features.steps import Step


def radius_x(plan: Plan) -> int:
    """Largest reach of a single step along the last axis."""
    reaches = [step_reach(s, plan.ndim)[-1] for s in plan.steps if not isinstance(s, External)]
    return max(reaches, default=0)


def regions_of(plan: Plan, layout: Layout, inner: Region) -> list[Region]:
    """Where each step is computed; coarse planes also past the border, as far as they are read."""
    regions = needed_regions(plan, layout.shape, inner)
    for step, region in zip(plan.steps, list(regions), strict=True):
        if isinstance(step, Refine):
            margin = [0, 0, 0]
            margin[3 - plan.ndim + step.axis] = step.fine_radius
            z, y, x = (a - m for a, m in zip(region.start, margin, strict=True))
            k, j, i = (b + m for b, m in zip(region.stop, margin, strict=True))
            coarse = step.inputs[0]
            regions[coarse] = regions[coarse].union(Region((z, y, x), (k, j, i)))
    return regions


def waves(plan: Plan, most: int) -> list[list[int]]:
    """Steps that run together: the same kernel, none needing another, soon read again.

    All eigenvalues of a matrix are in one wave.
    """
    done = {i for i, step in enumerate(plan.steps) if isinstance(step, Source)}
    order = [i for i in frugal_order(plan) if i not in done]
    left: dict[str, dict[int, None]] = {}  # by kind, each in order
    for i in order:
        left.setdefault(kind_of(plan.steps[i]), {})[i] = None
    result: list[list[int]] = []
    for first in order:
        if first in done:
            continue
        kind = kind_of(plan.steps[first])
        ready = (i for i in left[kind] if done.issuperset(plan.steps[i].inputs))
        wave = list(islice(ready, 1 if kind == "external" else most))
        if isinstance(plan.steps[first], Eigenvalue):
            matrices = {plan.steps[i].inputs for i in wave}
            wave = [i for i in left[kind] if plan.steps[i].inputs in matrices]
        result.append(wave)
        done.update(wave)
        for i in wave:
            del left[kind][i]
    return result


def make_schedule(
    plan: Plan, layout: Layout, inner: Region, places: StagePlaces, order: list[list[int]]
) -> Schedule:
    """Schedule a plan.

    Parameters
    ----------
    plan : Plan
        What to compute.
    layout : Layout
        Of the block.
    inner : Region
        Where the features must be right.
    places : StagePlaces
        What is in the arena already.
    order : list of list of int
        Steps that run together, from `waves`.
    """
    return _Scheduler(plan, layout, inner, places).run(order)


class _Scheduler:
    """Walks through the waves of a plan once and notes launches and places."""

    def __init__(self, plan: Plan, layout: Layout, inner: Region, stage: StagePlaces) -> None:
        self.plan, self.layout, self.inner, self.stage = plan, layout, inner, stage
        self.regions = regions_of(plan, layout, inner)
        self.space = Space()
        self.space.take(stage.first_free)
        self.places: dict[int, Place] = {
            i: stage.sources[step.channel]
            for i, step in enumerate(plan.steps)
            if isinstance(step, Source)
        }
        self.code = Code(layout, plan.ndim)
        self.margins: dict[int, tuple[str, int]] = {}  # step: boundary and radius that are valid
        self.launches: list[Launch] = []

    def run(self, order: list[list[int]]) -> Schedule:
        """Go over all waves."""
        ends: dict[int, list[int]] = defaultdict(list)
        for step, end in self._last_waves(order).items():
            ends[end].append(step)
        for number, wave in enumerate(order):
            self._unite_regions(wave)
            for step in wave:
                position = self.space.take(self.layout.size(self.regions[step]))
                self.places[step] = Place(position, self.regions[step])
            self._launch(wave)
            for step in ends[number]:
                self.space.give(self.places[step].position, self.layout.size(self.regions[step]))
        forest, finish = self._add_forest()
        return Schedule(
            launches=tuple(self.launches),
            code=self.code.ints(),
            weights=self.code.floats(),
            sources=self.stage.sources,
            places=tuple(self.places[i] for i in range(len(self.plan.steps))),
            columns=tuple(self.places[output] for output in self.plan.outputs),
            size=self.space.size,
            forest=forest,
            finish=finish,
            inner=self.inner,
        )

    def _last_waves(self, order: list[list[int]]) -> dict[int, int]:
        """Wave after which the room of a step is free; features and sources stay."""
        last = {step: number for number, wave in enumerate(order) for step in wave}
        for number, wave in enumerate(order):
            for step in wave:
                last.update({i: number for i in self.plan.steps[step].inputs if i in last})
        return {i: number for i, number in last.items() if i not in self.plan.outputs}

    def _unite_regions(self, wave: list[int]) -> None:
        """Eigenvalues of one matrix are computed together, in one region."""
        for i in wave:
            for k in wave:
                if (
                    isinstance(self.plan.steps[i], Eigenvalue)
                    and self.plan.steps[i].inputs == self.plan.steps[k].inputs
                ):
                    self.regions[i] = self.regions[i].union(self.regions[k])

    def _launch(self, wave: list[int]) -> None:
        step = self.plan.steps[wave[0]]
        if isinstance(step, External):
            source, target = self.places[step.inputs[0]], self.places[wave[0]]
            call = ExternalCall(step, source, target, self.plan.ndim)
            self.launches.append(Launch("external", 0, (0, 0, 0), 1, call))
            return
        self._fill_margins(wave)
        steps = {i: self.plan.steps[i] for i in wave}
        first, regions = self.code.add_steps(steps, self.places, self.plan.steps)
        groups = max(self._row_groups(self.plan.steps[i], self.regions[i]) for i in wave)
        self._append(kernel_of(step, self.plan.ndim), first, regions, groups=groups)

    def _row_groups(self, step: Step, region: Region) -> int:
        """Work-items of a pass along rows, each of which computes ROWS of them; else 0."""
        axis = getattr(step, "axis", 0) + 3 - self.plan.ndim
        if axis == 2 or not isinstance(step, Correlate | Refine):
            return 0
        apart = step.dilation if isinstance(step, Correlate) else 1
        return -(-region.shape[axis] // (ROWS * apart)) * apart

    def _append(
        self, kernel: str, first: int, regions: list[Region], *, nx: int = 0, groups: int = 0
    ) -> None:
        """Note a launch over some regions: ``nx`` items along x, ``groups`` of rows, if not all."""
        nz, ny, widest = np.max([region.shape for region in regions], axis=0).tolist()
        along, others = (nz, ny) if kernel in ("correlate_z", "refine_z") else (ny, nz)
        items = (nx or widest, groups or along, others * len(regions))
        self.launches.append(Launch(kernel, first, items, others))

    def _fill_margins(self, wave: list[int]) -> None:
        """Make valid the margins that the steps of a wave read."""
        wanted: dict[int, tuple[str, int]] = {}
        for i in wave:
            step, region = self.plan.steps[i], self.regions[i]
            boundary, radius = boundary_of(step), step_reach(step, self.plan.ndim)[-1]
            left, right = region.start[2], self.layout.shape[2] - region.stop[2]
            if min(left, right) >= radius:
                continue
            radius -= min(left, right, 0)
            plane = step.inputs[-1] if isinstance(step, Refine) else step.inputs[0]
            state, valid = self.margins.get(plane, (boundary, 0))
            if state != boundary or valid < radius:
                wanted[plane] = (boundary, max(radius, wanted.get(plane, ("", 0))[1]))
        if wanted:
            self.margins.update(wanted)
            first = self.code.add_margins(wanted, self.places)
            regions = [self.places[plane].region for plane in wanted]
            self._append("fill_margin", first, regions, nx=max(r for _, r in wanted.values()))

    def _add_forest(self) -> tuple[int, int]:
        """Two more descriptions: columns to sums, sums to probabilities."""
        columns = [self.places[output] for output in self.plan.outputs]
        size = self.layout.size(self.inner)
        first = self.space.take(max(1, self.stage.n_sums) * size)
        sums = [Place(first + i * size, self.inner) for i in range(max(1, self.stage.n_sums))]
        return self.code.add_forest(
            columns, sums, self.stage.probabilities, self.inner, self.stage.last_follows
        )
