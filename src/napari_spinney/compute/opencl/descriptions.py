"""Steps as the ints that kernels read; see kernels/planes.cl."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_spinney.features.steps import (
    Combine,
    Correlate,
    Eigenvalue,
    External,
    Extremum,
    Refine,
    Stencil,
    Step,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_spinney.compute.opencl.layout import Layout, Place
    from napari_spinney.compute.regions import Region

INTS = 16
"""Ints of a step in the code; also of the code's header."""

_TABLE = 5
"""Int of the header that says where the table of planes begins."""

_VALUES = (0, 13, 14)
"""Ints of a step that hold the planes of eigenvalues, the largest first; -1: not wanted."""


def kernel_of(step: Step, ndim: int) -> str:
    """Name of the kernel of a step."""
    match step:
        case Stencil() | Window():
            return step.kind
        case Eigenvalue():
            return "eigenvalue_2" if len(step.inputs) == 3 else "eigenvalue_3"
        case Correlate() | Refine() | Extremum():
            return f"{type(step).__name__.lower()}_{'zyx'[3 - ndim + step.axis]}"
        case _:
            return type(step).__name__.lower()


def kind_of(step: Step) -> str:
    """Steps of one kind can share a launch: one kernel, and one boundary for the margins."""
    return "external" if isinstance(step, External) else kernel_of(step, 3) + boundary_of(step)


def boundary_of(step: Step) -> str:
    """How a step continues its input past the border."""
    return step.boundary if isinstance(step, Correlate | Refine | Extremum | Window) else "nearest"


class Code:
    """The ints and floats of a schedule.

    Parameters
    ----------
    layout : Layout
        Of the block.
    ndim : int
        Number of spatial axes.
    """

    def __init__(self, layout: Layout, ndim: int) -> None:
        self._layout = layout
        self._ndim = ndim
        nz, ny, nx = layout.shape
        self._ints = [layout.pitch, layout.margin, nx, ny, nz] + [0] * (INTS - 5)
        self._floats: list[float] = []
        self._positions: dict[tuple[float, ...], int] = {}
        self._planes: dict[Place, int] = {}

    def ints(self) -> NDArray[np.int32]:
        """Header, steps, lists and the table of planes."""
        table = [number for place in self._planes for number in self._layout.entry(place)]
        ints = [*self._ints, *table]
        ints[_TABLE] = len(self._ints)
        return np.array(ints, np.int32)

    def floats(self) -> NDArray[np.float32]:
        """Weights."""
        return np.array(self._floats or [0.0], np.float32)

    def add_steps(
        self, wave: Mapping[int, Step], places: Mapping[int, Place], steps: Sequence[Step]
    ) -> tuple[int, list[Region]]:
        """Describe steps that share a launch; eigenvalues of one matrix are one description.

        Returns
        -------
        first : int
            Position of the first description.
        regions : list of Region
            Where each of them is computed.
        """
        groups: dict[object, list[int]] = {}
        for i, step in wave.items():
            groups.setdefault(step.inputs if isinstance(step, Eigenvalue) else i, []).append(i)
        described = []
        for members in groups.values():
            inputs = [self._plane(places[k]) for k in steps[members[0]].inputs]
            ints = self._describe(steps[members[0]], inputs, places[members[0]])
            if isinstance(steps[members[0]], Eigenvalue):
                self._put_values(ints, members, places, steps)
            described.append((ints, inputs))
        regions = [places[members[0]].region for members in groups.values()]
        return self._append(described), regions

    def add_margins(
        self, wanted: Mapping[int, tuple[str, int]], places: Mapping[int, Place]
    ) -> int:
        """Describe planes whose margins are to be filled: their boundary and radius."""
        described: list[tuple[list[int], list[int]]] = []
        for plane, (boundary, radius) in wanted.items():
            ints = self._blank(places[plane], boundary)
            ints[4] = radius
            described.append((ints, []))
        return self._append(described)

    def add_forest(
        self,
        columns: Sequence[Place],
        sums: Sequence[Place],
        probabilities: Iterable[Place],
        inner: Region,
        last_follows: bool,
    ) -> tuple[int, int]:
        """Describe a forest and what follows it; returns both positions.

        The planes of the sums lie one after the other.
        """
        forest = self._blank(sums[0], "nearest")
        finish = self._blank(sums[0], "nearest")
        forest[3] = finish[3] = self._layout.size(inner)
        forest[4] = len(columns)
        finish[1], finish[13] = finish[0], int(last_follows)
        first = self._append(
            [
                (forest, [self._plane(place) for place in columns]),
                (finish, [self._plane(place) for place in probabilities]),
            ]
        )
        return first, first + INTS

    def _append(self, described: list[tuple[list[int], list[int]]]) -> int:
        """Add descriptions, and behind them their lists of planes."""
        first = len(self._ints)
        start = first + INTS * len(described)
        for ints, planes in described:
            ints[5] = start
            start += len(planes)
            self._ints += ints
        self._ints += [plane for _, planes in described for plane in planes]
        return first

    def _describe(self, step: Step, inputs: list[int], place: Place) -> list[int]:
        ints = self._blank(place, boundary_of(step))
        ints[1], ints[2] = inputs[0], inputs[-1]
        match step:
            case Correlate():
                ints[3:5] = [self._add_weights(step.weights), step.radius]
                ints[14] = step.dilation
            case Refine():
                ints[3:5] = [self._add_weights(step.weights + step.ends), step.radius]
                ints[13:15] = [len(step.weights), len(step.ends) // 2]
            case Extremum():
                ints[4], ints[13] = step.radius, int(step.kind == "maximum")
            case Window():
                ints[15], ints[14], ints[4] = (0,) * (3 - len(step.radius)) + step.radius
            case Stencil():
                ints[4] = self._ndim
            case Combine():
                ints[3:5] = [self._add_weights(step.weights), len(inputs)]
            case _:
                ints[4] = len(inputs)
        return ints

    def _put_values(
        self,
        ints: list[int],
        members: list[int],
        places: Mapping[int, Place],
        steps: Sequence[Step],
    ) -> None:
        """Planes of the eigenvalues of one matrix, by rank."""
        for value in _VALUES:
            ints[value] = -1
        for i in members:
            step = steps[i]
            if isinstance(step, Eigenvalue):
                ints[_VALUES[step.rank]] = self._plane(places[i])

    def _blank(self, place: Place, boundary: str) -> list[int]:
        """Description of a step that writes one plane, without anything of its own."""
        z0, y0, x0 = place.region.start
        z1, y1, x1 = place.region.stop
        ints = [self._plane(place), 0, 0, 0, 0, 0, x0, x1, y0, y1, z0, z1]
        return [*ints, int(boundary == "reflect"), 0, 0, 0]

    def _plane(self, place: Place) -> int:
        """Number of a plane in the table."""
        return self._planes.setdefault(place, len(self._planes))

    def _add_weights(self, weights: tuple[float, ...]) -> int:
        position = self._positions.setdefault(weights, len(self._floats))
        if position == len(self._floats):
            self._floats += weights
        return position
