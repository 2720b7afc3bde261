"""From a feature set to the steps that compute it; every distinct step appears once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from napari_spinney.features.catalogue import find_entries
from napari_spinney.features.steps import (
    Correlate,
    External,
    Extremum,
    Refine,
    Source,
    Stencil,
    Step,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_spinney.features.feature import Feature, FeatureSet

UNBOUNDED = 1 << 30
"""Reach of a step that may look at the whole image."""


class StepList:
    """Steps in the order in which they were first asked for.

    Parameters
    ----------
    ndim : int
        Number of spatial axes.
    exact : bool
        Whether long Gaussians are computed with all their weights.
    """

    def __init__(self, ndim: int, *, exact: bool = False) -> None:
        self.ndim = ndim
        self.exact = exact
        self.steps: list[Step] = []
        self._positions: dict[Step, int] = {}

    def add(self, step: Step) -> int:
        """Position of this step; an equal step is not added again."""
        position = self._positions.setdefault(step, len(self.steps))
        if position == len(self.steps):
            self.steps.append(step)
        return position


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in an order in which they can run, and which of their planes are features.

    Parameters
    ----------
    steps : tuple of Step
        The inputs of a step are positions of earlier ones.
    outputs : tuple of int
        Position of the step that gives each feature.
    names : tuple of str
        Name of each feature.
    ndim : int
        Number of spatial axes.
    n_channels : int
        Number of channels that a block has to have.
    """

    steps: tuple[Step, ...]
    outputs: tuple[int, ...]
    names: tuple[str, ...]
    ndim: int
    n_channels: int

    @property
    def reach(self) -> tuple[int, ...]:
        """Pixels around a block that its features depend on, along each spatial axis."""
        reaches = self.reaches()
        outputs = [reaches[output] for output in self.outputs]
        return tuple(max(reach[axis] for reach in outputs) for axis in range(self.ndim))

    @property
    def needs_opencl(self) -> bool:
        """Whether a step can only run on OpenCL."""
        return any(isinstance(step, External) for step in self.steps)

    @property
    def opencl_names(self) -> tuple[str, ...]:
        """Names of the features that can only be computed on OpenCL."""
        external = {i for i, step in enumerate(self.steps) if isinstance(step, External)}
        return tuple(
            name
            for name, output in zip(self.names, self.outputs, strict=True)
            if external & set(self._needed([output]))
        )

    def reaches(self) -> tuple[tuple[int, ...], ...]:
        """Pixels of the sources around a pixel that each step depends on, along each axis."""
        reaches: list[tuple[int, ...]] = []
        for step in self.steps:
            reach = (0,) * self.ndim
            for own, i in zip(input_reaches(step, self.ndim), step.inputs, strict=True):
                sums = (min(a + b, UNBOUNDED) for a, b in zip(own, reaches[i], strict=True))
                reach = tuple(map(max, reach, sums))
            reaches.append(reach)
        return tuple(reaches)

    def last_use(self) -> tuple[int, ...]:
        """Last step that reads each step's plane; ``len(steps)`` for features."""
        last = list(range(len(self.steps)))
        for position, step in enumerate(self.steps):
            for i in step.inputs:
                last[i] = position
        for output in self.outputs:
            last[output] = len(self.steps)
        return tuple(last)

    def keep(self, columns: Sequence[int]) -> Plan:
        """A plan of these features only, in this order, without the steps they do not need."""
        outputs = [self.outputs[column] for column in columns]
        if not outputs:
            raise ValueError("a plan needs at least one feature; got no columns")
        needed = self._needed(outputs)
        position = {old: new for new, old in enumerate(needed)}
        steps = tuple(_renumber(self.steps[old], position) for old in needed)
        names = tuple(self.names[column] for column in columns)
        return replace(self, steps=steps, outputs=tuple(position[o] for o in outputs), names=names)

    def _needed(self, outputs: Sequence[int]) -> list[int]:
        needed = set(outputs)
        for position in range(len(self.steps) - 1, -1, -1):
            if position in needed:
                needed.update(self.steps[position].inputs)
        return sorted(needed)


def build_plan(
    features: FeatureSet,
    *,
    ndim: int,
    n_channels: int = 1,
    spacing: Sequence[float] | None = None,
    exact: bool = False,
) -> Plan:
    """Steps that compute a feature set; the same object for the same arguments, while it is recent.

    Parameters
    ----------
    features : FeatureSet
        What to measure on each channel.
    ndim : {2, 3}
        Number of spatial axes.
    n_channels : int, default 1
        Number of channels. Features of channel 0 come first, then those of channel 1, ...
    spacing : sequence of float, optional
        Micrometres per pixel along each spatial axis; needed by numbers in micrometres.
    exact : bool, default False
        Compute long Gaussians with all their weights, as APOC and scipy do, rather than in two
        passes that together have nearly the same weights; see `cascade`.

    Raises
    ------
    ValueError
        If a feature does not exist in so many dimensions, or its number cannot be used.
    """
    if ndim not in (2, 3):
        raise ValueError(f"an image must have 2 or 3 spatial axes; got {ndim}")
    if n_channels < 1:
        raise ValueError(f"an image must have at least 1 channel; got {n_channels}")
    numbers = None if spacing is None else tuple(float(s) for s in spacing)
    return _build_plan(features, ndim, n_channels, numbers, exact)


@lru_cache(maxsize=8)
def _build_plan(
    features: FeatureSet,
    ndim: int,
    n_channels: int,
    spacing: tuple[float, ...] | None,
    exact: bool,
) -> Plan:
    steps = StepList(ndim, exact=exact)
    unfolded = features.for_ndim(ndim)
    outputs = tuple(
        _add_feature(steps, feature, channel, spacing)
        for channel in range(n_channels)
        for feature in unfolded
    )
    names = features.names(n_channels, ndim)
    return Plan(tuple(steps.steps), outputs, names, ndim, n_channels)


def join_plans(first: Plan, second: Plan) -> Plan:
    """One plan with the features of two; the channels of the second follow those of the first."""
    if first.ndim != second.ndim:
        raise ValueError(f"cannot join a {first.ndim}D plan and a {second.ndim}D plan")
    offset = len(first.steps)
    position = {i: i + offset for i in range(len(second.steps))}
    moved = (
        Source(step.channel + first.n_channels)
        if isinstance(step, Source)
        else _renumber(step, position)
        for step in second.steps
    )
    return Plan(
        (*first.steps, *moved),
        (*first.outputs, *(position[o] for o in second.outputs)),
        (*first.names, *second.names),
        first.ndim,
        first.n_channels + second.n_channels,
    )


def input_reaches(step: Step, ndim: int) -> tuple[tuple[int, ...], ...]:
    """Pixels of each input around a pixel that a step reads, along each axis."""
    reach = step_reach(step, ndim)
    if isinstance(step, Refine):
        coarse = tuple(step.fine_radius if axis == step.axis else 0 for axis in range(ndim))
        return coarse, reach
    return (reach,) * len(step.inputs)


def step_reach(step: Step, ndim: int) -> tuple[int, ...]:
    """Pixels of its inputs around a pixel that a step reads at most, along each axis."""
    match step:
        case Correlate() | Refine() | Extremum():
            return tuple(step.radius if axis == step.axis else 0 for axis in range(ndim))
        case Window():
            return step.radius
        case Stencil():
            return (1,) * ndim
        case External():
            return (UNBOUNDED if step.reach is None else step.reach,) * ndim
        case _:
            return (0,) * ndim


def _add_feature(
    steps: StepList, feature: Feature, channel: int, spacing: Sequence[float] | None
) -> int:
    plane = steps.add(Source(channel))
    number = feature.pixels(steps.ndim, spacing)
    for entry in find_entries(feature.name):
        plane = entry.build(steps, plane, number)
    return plane


def _renumber(step: Step, position: dict[int, int]) -> Step:
    if isinstance(step, Source):
        return step
    inputs = tuple(position[i] for i in step.inputs)
    return replace(step, inputs=inputs)  # type: ignore[arg-type]
