"""Starts kernels: those of a plan, of a forest, and what turns sums into an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.compute.opencl.arena import Lane
    from napari_spinney.compute.opencl.launches import ExternalCall, Schedule
    from napari_spinney.compute.opencl.layout import Layout
    from napari_spinney.compute.opencl.preparation import Preparation, ReadyPlan, ReadyStage
    from napari_spinney.compute.opencl.programs import Kernels
    from napari_spinney.compute.program import Output, Program

_GROUP = (32, 4, 1)
"""Work-group on devices where a work-item is a pixel."""

_LABEL_TYPES = {1: "uchar", 2: "ushort", 4: "uint", 8: "ulong"}


class Launcher:
    """Enqueues the kernels of one device in a lane; waits for none of them.

    Parameters
    ----------
    ready : Preparation
        What was prepared for the device.
    """

    def __init__(self, ready: Preparation) -> None:
        self._ready = ready

    def run_plan(self, lane: Lane, arena: Any, layout: Layout, ready: ReadyPlan) -> None:
        """Compute the features of a block whose channels are in the arena."""
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

    def run_stage(self, lane: Lane, arena: Any, layout: Layout, stage: ReadyStage) -> None:
        """Compute features, and the sums of the forest that reads them."""
        self.run_plan(lane, arena, layout, stage.plan)
        packed, schedule = stage.forest.packed, stage.plan.schedule
        nz, ny, nx = schedule.inner.shape
        self._enqueue(
            lane,
            stage.forest.kernels,
            packed.kernel,
            (nx, -(-ny // self._ready.tuning.tall), nz),
            arena,
            stage.plan.code,
            *_ints(schedule.forest, packed.n_trees, packed.n_summed),
            *stage.forest.buffers,
            np.int32(packed.exact),
        )

    def give(
        self,
        lane: Lane,
        arena: Any,
        stage: ReadyStage,
        program: Program,
        output: Output,
        result: NDArray[Any],
    ) -> None:
        """From the sums of the last stage to what was asked for; does not wait."""
        out = lane.buffer("out", result.nbytes)
        if output == "classes":
            name = f"finish_classes_{_LABEL_TYPES[program.labels.itemsize]}"
            self._finish(lane, name, arena, stage, self._ready.labels(program), out)
        else:
            self._finish(lane, f"finish_{output}", arena, stage, out)
        lane.read(result, out)

    def give_planes(self, lane: Lane, arena: Any, stage: ReadyStage) -> None:
        """From the sums of a stage to the probabilities that the next one reads."""
        self._finish(lane, "finish_planes", arena, stage)

    def _finish(self, lane: Lane, name: str, arena: Any, stage: ReadyStage, *extra: Any) -> None:
        """From sums to what was asked for."""
        packed, schedule = stage.forest.packed, stage.plan.schedule
        nz, ny, nx = schedule.inner.shape
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

    def _enqueue(
        self,
        lane: Lane,
        kernels: Kernels,
        name: str,
        items: tuple[int, int, int],
        *arguments: Any,
    ) -> None:
        """Start a kernel for (pixels along x, items along dimensions 1 and 2)."""
        group = (1, 1, 1) if self._ready.tuning.single else _GROUP
        wanted = (1, *items[1:]) if self._ready.tuning.single else items
        shape = tuple(-(-n // g) * g for n, g in zip(wanted, group, strict=True))
        lane.kernel(kernels, name)(lane.queue, shape, group, *arguments)


def upload(
    lane: Lane, arena: Any, layout: Layout, schedule: Schedule, block: NDArray[np.float32]
) -> None:
    """Write the channels of a block to the arena; does not wait."""
    for place, plane in zip(schedule.sources, block, strict=True):
        lane.write_plane(arena, layout, place, plane)


def _run_external(lane: Lane, arena: Any, layout: Layout, call: ExternalCall) -> None:
    """Hand one plane to pyclesperanto-prototype and write back what it returns."""
    from napari_spinney.compute.opencl.clesperanto import apply

    source, target = call.source.region, call.target.region
    plane = np.empty(source.shape, np.float32)
    lane.read_plane(arena, layout, call.source, source, plane)
    lane.queue.finish()
    found = apply(call.step, plane if call.ndim == 3 else plane[0]).reshape(plane.shape)
    part = tuple(
        slice(a - s, b - s) for a, b, s in zip(target.start, target.stop, source.start, strict=True)
    )
    lane.write_plane(arena, layout, call.target, np.ascontiguousarray(found[part]))
    lane.queue.finish()


def _ints(*numbers: int) -> tuple[np.int32, ...]:
    return tuple(np.int32(number) for number in numbers)
