"""From a plan and a block's shape to kernel launches: what runs where, in which order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_spinney.compute.opencl.layout import Box, Layout, grow, size, union
from napari_spinney.compute.opencl.programs import ROWS, Tuning
from napari_spinney.features.plan import step_reach
from napari_spinney.features.steps import (
    Combine,
    Correlate,
    Eigenvalue,
    External,
    Extremum,
    Source,
    Stencil,
    Step,
    Window,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.features.plan import Plan

INTS = 16
"""Ints of a step in the code; also of the code's header."""


@dataclass(frozen=True, slots=True)
class ExternalCall:
    """An External step with the slots of its input and output, and the shape of a plane."""

    step: External
    source: int
    target: int
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Launch:
    """One kernel over several steps, or an External step.

    Parameters
    ----------
    kernel : str
        Name of the kernel; "external" for a step of pyclesperanto-prototype.
    first : int
        Position in the code of the first step.
    items : tuple of int
        Work-items: pixels along x, items along dimension 1, steps times ``others``.
    others : int
        Positions along the axis that dimension 2 holds beside the steps.
    external : ExternalCall, optional
        What to do in the second case.
    """

    kernel: str
    first: int
    items: tuple[int, int, int]
    others: int
    external: ExternalCall | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Launches of one plan over blocks of one shape.

    Parameters
    ----------
    launches : tuple of Launch
        In order.
    code : int32 array
        Header, steps and lists of inputs; see kernels/planes.cl.
    weights : float32 array
        Weights of all steps.
    columns : tuple of int
        Slot of each feature.
    n_slots : int
        Slots that the arena must have.
    forest, finish : int
        Positions in the code of the description of the forest and of what follows it.
    box : Box
        Where the features are right.
    """

    launches: tuple[Launch, ...]
    code: NDArray[np.int32]
    weights: NDArray[np.float32]
    columns: tuple[int, ...]
    n_slots: int
    forest: int
    finish: int
    box: Box


@dataclass(frozen=True, slots=True)
class StageSlots:
    """Slots that a plan finds taken, and what its forest needs.

    Parameters
    ----------
    sources : tuple of int
        Slot of each channel; these slots are never overwritten.
    first_free : int
        First slot that may be used for other planes.
    probabilities : int
        First of the slots for the probabilities that the next stage reads.
    n_sums : int
        Planes for sums of leaves; 0 where there is no forest.
    last_follows : bool
        Whether the sum of one more class follows from the others.
    """

    sources: tuple[int, ...]
    first_free: int
    probabilities: int = 0
    n_sums: int = 0
    last_follows: bool = False


def radius_x(plan: Plan) -> int:
    """Largest reach of a single step along the last axis."""
    reaches = [step_reach(s, plan.ndim)[-1] for s in plan.steps if not isinstance(s, External)]
    return max(reaches, default=0)


def boxes(plan: Plan, inner: Box, shape: tuple[int, int, int]) -> list[Box]:
    """What is needed of the plane of each step, for the features to be right in ``inner``."""
    needed: list[Box | None] = [None] * len(plan.steps)
    for output in plan.outputs:
        needed[output] = inner
    for position in range(len(plan.steps) - 1, -1, -1):
        step, box = plan.steps[position], needed[position]
        if box is None:
            continue
        below = grow(box, step_reach(step, plan.ndim), shape)
        for i in step.inputs:
            needed[i] = union(needed[i], below)
    return [inner if box is None else box for box in needed]


def waves(plan: Plan, most: int) -> list[list[int]]:
    """Steps that run together: the same kernel, none needing another, in about plan order."""
    left = [i for i, step in enumerate(plan.steps) if not isinstance(step, Source)]
    done = {i for i, step in enumerate(plan.steps) if isinstance(step, Source)}
    result: list[list[int]] = []
    while left:
        ready = [i for i in left if done.issuperset(plan.steps[i].inputs)]
        kind = _kind(plan.steps[ready[0]])
        width = 1 if kind == "external" else most
        alike = [i for i in ready if _kind(plan.steps[i]) == kind]
        wave = alike[:width]
        if kind.startswith("eigenvalue"):
            matrices = {plan.steps[i].inputs for i in wave}
            wave = [i for i in alike if plan.steps[i].inputs in matrices]
        result.append(wave)
        done.update(wave)
        left = [i for i in left if i not in done]
    return result


def make_schedule(
    plan: Plan, layout: Layout, inner: Box, slots: StageSlots, tuning: Tuning
) -> Schedule:
    """Schedule a plan.

    Parameters
    ----------
    plan : Plan
        What to compute.
    layout : Layout
        Of the block.
    inner : Box
        Where the features must be right.
    slots : StageSlots
        Which slots of the arena are taken.
    tuning : Tuning
        Of the kernels.
    """
    return _Scheduler(plan, layout, inner, slots, tuning).run()


@dataclass
class _Slots:
    """Slots of the arena that are free again are used first."""

    next_new: int
    free: list[int] = field(default_factory=list)

    def take(self) -> int:
        if self.free:
            return self.free.pop()
        self.next_new += 1
        return self.next_new - 1


class _Scheduler:
    def __init__(
        self, plan: Plan, layout: Layout, inner: Box, stage: StageSlots, tuning: Tuning
    ) -> None:
        self.plan, self.layout, self.inner = plan, layout, inner
        self.stage, self.tuning = stage, tuning
        self.boxes = boxes(plan, inner, layout.shape)
        self.code = layout.header()
        self.weights: list[float] = []
        self._weights_at: dict[tuple[float, ...], int] = {}
        self.slots = _Slots(stage.first_free)
        self.slot: dict[int, int] = {
            i: stage.sources[step.channel]
            for i, step in enumerate(plan.steps)
            if isinstance(step, Source)
        }
        self._margins: dict[int, tuple[str, int]] = {}  # slot: boundary and radius that are valid
        self.launches: list[Launch] = []

    def run(self) -> Schedule:
        """Go over all waves."""
        order = waves(self.plan, self.tuning.wave)
        last = self._last_wave(order)
        for number, wave in enumerate(order):
            for step in wave:
                self.slot[step] = self.slots.take()
                self._margins.pop(self.slot[step], None)
            self._launch(wave)
            self.slots.free += [self.slot[i] for i, end in last.items() if end == number]
        columns = tuple(self.slot[output] for output in self.plan.outputs)
        forest = len(self.code)
        self._describe_forest(columns)
        return Schedule(
            launches=tuple(self.launches),
            code=np.array(self.code, np.int32),
            weights=np.array(self.weights or [0.0], np.float32),
            columns=columns,
            n_slots=self.slots.next_new + self.stage.n_sums,
            forest=forest,
            finish=forest + INTS,
            box=self.inner,
        )

    def _describe_forest(self, columns: tuple[int, ...]) -> None:
        """Two more descriptions: columns to sums, sums to probabilities."""
        sums = self.slots.next_new
        forest = _description(sums, self.inner, "nearest", len(columns))
        forest[5] = len(self.code) + 2 * INTS
        finish = _description(self.stage.probabilities, self.inner, "nearest")
        finish[1], finish[13] = sums, int(self.stage.last_follows)
        self.code += [*forest, *finish, *columns]

    def _last_wave(self, order: list[list[int]]) -> dict[int, int]:
        """Wave after which the slot of a step is free; features and sources stay."""
        last = {step: number for number, wave in enumerate(order) for step in wave}
        for number, wave in enumerate(order):
            for step in wave:
                last.update({i: number for i in self.plan.steps[step].inputs if i in last})
        return {i: number for i, number in last.items() if i not in self.plan.outputs}

    def _launch(self, wave: list[int]) -> None:
        step = self.plan.steps[wave[0]]
        if isinstance(step, External):
            shape = self.layout.shape[3 - self.plan.ndim :]
            call = ExternalCall(step, self.slot[step.inputs[0]], self.slot[wave[0]], shape)
            self.launches.append(Launch("external", 0, (0, 0, 0), 1, call))
            return
        self._fill_margins(wave)
        kernel = _kernel(step, self.plan.ndim)
        first = len(self.code)
        if isinstance(step, Eigenvalue):
            wave, descriptions = self._describe_matrices(wave)
        else:
            descriptions = [self._describe(i) for i in wave]
        start = first + INTS * len(wave)
        for description, inputs in descriptions:
            description[5] = start
            start += len(inputs)
            self.code += description
        self.code += [slot for _, inputs in descriptions for slot in inputs]
        self._append(kernel, first, [self.boxes[i] for i in wave])

    def _append(self, kernel: str, first: int, step_boxes: list[Box]) -> None:
        nz, ny, nx = np.max([size(box) for box in step_boxes], axis=0).tolist()
        along, others = (nz, ny) if kernel == "correlate_z" else (ny, nz)
        if kernel in ("correlate_y", "correlate_z"):
            along = -(-along // ROWS)
        items = (nx, along, others * len(step_boxes))
        self.launches.append(Launch(kernel, first, items, others))

    def _fill_margins(self, wave: list[int]) -> None:
        """Make valid the margins that the steps of a wave read."""
        wanted: dict[int, tuple[str, int, Box]] = {}
        for i in wave:
            step, box = self.plan.steps[i], self.boxes[i]
            boundary, radius = _boundary(step), step_reach(step, self.plan.ndim)[-1]
            inside = box[2][0] >= radius and box[2][1] + radius <= self.layout.shape[2]
            if radius == 0 or inside:
                continue
            plane = step.inputs[0]
            slot = self.slot[plane]
            state, valid = self._margins.get(slot, (boundary, 0))
            if state != boundary or valid < radius:
                radius = max(radius, wanted.get(slot, ("", 0))[1])
                wanted[slot] = (boundary, radius, self.boxes[plane])
        first = len(self.code)
        for slot, (boundary, radius, box) in wanted.items():
            self._margins[slot] = (boundary, radius)
            self.code += _description(slot, box, boundary, radius=radius)
        if wanted:
            self._append("fill_margin", first, [box for _, _, box in wanted.values()])
            nx = max(radius for _, radius, _ in wanted.values())
            self.launches[-1] = Launch(
                "fill_margin", first, (nx, *self.launches[-1].items[1:]), self.launches[-1].others
            )

    def _describe(self, i: int) -> tuple[list[int], list[int]]:
        """Ints of a step, and the list of its input slots."""
        step = self.plan.steps[i]
        inputs = [self.slot[k] for k in step.inputs]
        description = _description(self.slot[i], self.boxes[i], _boundary(step))
        description[1:3] = [inputs[0], inputs[-1]]
        match step:
            case Correlate():
                description[3:5] = [self._add_weights(step.weights), step.radius]
            case Extremum():
                description[4], description[13] = step.radius, int(step.kind == "maximum")
            case Window():
                radius = (0,) * (3 - len(step.radius)) + step.radius
                description[4], description[14], description[15] = radius[2], radius[1], radius[0]
            case Stencil():
                description[4] = self.plan.ndim
            case Combine():
                description[3:5] = [self._add_weights(step.weights), len(inputs)]
            case _:
                description[4] = len(inputs)
        return description, inputs

    def _describe_matrices(
        self, wave: list[int]
    ) -> tuple[list[int], list[tuple[list[int], list[int]]]]:
        """All eigenvalues of a matrix in one description; also one step for each matrix."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for i in wave:
            groups.setdefault(self.plan.steps[i].inputs, []).append(i)
        descriptions = []
        for members in groups.values():
            box = self.boxes[members[0]]
            for i in members:
                box = union(box, self.boxes[i])
            description, inputs = self._describe(members[0])
            description[6:12] = _description(0, box, "nearest")[6:12]
            for rank, place in enumerate((0, 13, 14)):
                slots = [self.slot[i] for i in members if self._rank(i) == rank]
                description[place] = slots[0] if slots else -1
            descriptions.append((description, inputs))
            for i in members:
                self.boxes[i] = box
        return [members[0] for members in groups.values()], descriptions

    def _rank(self, i: int) -> int:
        step = self.plan.steps[i]
        return step.rank if isinstance(step, Eigenvalue) else -1

    def _add_weights(self, weights: tuple[float, ...]) -> int:
        position = self._weights_at.setdefault(weights, len(self.weights))
        if position == len(self.weights):
            self.weights += weights
        return position


def _description(slot: int, box: Box, boundary: str, radius: int = 0) -> list[int]:
    (z0, z1), (y0, y1), (x0, x1) = box
    return [slot, 0, 0, 0, radius, 0, x0, x1, y0, y1, z0, z1, int(boundary == "reflect"), 0, 0, 0]


def _boundary(step: Step) -> str:
    if isinstance(step, Correlate | Extremum | Window):
        return step.boundary
    return "nearest"


def _kernel(step: Step, ndim: int) -> str:
    """Kernel of a step."""
    match step:
        case Stencil() | Window():
            return step.kind
        case Eigenvalue():
            return "eigenvalue_2" if len(step.inputs) == 3 else "eigenvalue_3"
        case Correlate() | Extremum():
            return f"{type(step).__name__.lower()}_{'zyx'[3 - ndim + step.axis]}"
        case _:
            return type(step).__name__.lower()


def _kind(step: Step) -> str:
    """Steps of one kind can share a launch: one kernel, and one boundary for the margins."""
    return "external" if isinstance(step, External) else _kernel(step, 3) + _boundary(step)
