"""Runs plans and programs on the processor, without OpenCL."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from napari_spinney.compute.cpu.arena import Region, new_arena
from napari_spinney.compute.cpu.schedule import Schedule, make_schedule
from napari_spinney.compute.cpu.trees import PackedTrees, pack, predict_planes
from napari_spinney.compute.program import Output, Program, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from numpy.typing import NDArray

    from napari_spinney.compute.cpu.arena import Triple
    from napari_spinney.compute.device import Device
    from napari_spinney.compute.trees import TreeArrays
    from napari_spinney.features.plan import Plan

T = TypeVar("T")

_BLOCKS = {2: (128, 1024), 3: (32, 64, 256)}
_SCHEDULES_KEPT = 64
_FORESTS_KEPT = 4


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
        self._schedules: _Recent[Schedule] = _Recent(_SCHEDULES_KEPT)
        self._packed: _Recent[PackedTrees] = _Recent(_FORESTS_KEPT)
        self._arenas: list[NDArray[np.float32]] = []

    def preferred_block(self, ndim: int) -> tuple[int, ...]:
        """Inner shape of a block that runs fastest here, where memory is no concern."""
        return _BLOCKS[ndim]

    def block_bytes(self, program: Program | Plan, outer_shape: tuple[int, ...]) -> int:
        """Memory that one block of this outer shape takes, in bytes."""
        if not isinstance(program, Program):
            return 4 * self._schedule(program, *_typical_block(program, outer_shape)).size
        arenas = [self.block_bytes(stage.plan, outer_shape) for stage in program.stages]
        n_pixels = int(np.prod(outer_shape))
        n_between = max(stage.plan.n_channels for stage in program.stages) + len(program.labels)
        return max(arenas) + 4 * n_pixels * n_between

    def features(
        self, plan: Plan, block: NDArray[np.float32], inner: tuple[slice, ...]
    ) -> NDArray[np.float32]:
        """Planes of the plan's features, (feature, *inner)."""
        with self._planes(plan, block, inner) as planes:
            return planes.copy()

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
        shape = tuple(s.stop - s.start for s in inner)
        out: NDArray[Any]
        if output == "classes":
            out = np.empty(shape, program.labels.dtype)
        elif output == "probabilities":
            out = np.empty((len(program.labels), *shape), np.float32)
        else:
            out = np.empty(shape, np.float32)
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
        image = block[(slice(None), *part)]
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
        packed = self._pack(stage.trees)
        with self._planes(stage.plan, block, inner) as planes:
            predict_planes(packed, planes, out, output, labels)

    @contextmanager
    def _planes(
        self, plan: Plan, block: NDArray[np.float32], inner: tuple[slice, ...]
    ) -> Iterator[NDArray[np.float32]]:
        """Feature planes (feature, *inner), valid until the arena is given back."""
        volume = block.reshape(len(block), *(1,) * (3 - plan.ndim), *block.shape[1:])
        schedule = self._schedule(plan, _triple(volume.shape[1:]), _region(inner))
        arena = self._take_arena(schedule.size)
        try:
            planes = schedule.run(arena, volume)
            yield planes if plan.ndim == 3 else planes[:, 0]
        finally:
            self._arenas.append(arena)

    def _take_arena(self, size: int) -> NDArray[np.float32]:
        """Memory used before, where it is large enough; a thread has it for itself."""
        try:
            arena = self._arenas.pop()
        except IndexError:
            return new_arena(size)
        return arena if len(arena) >= size else new_arena(size)

    def _schedule(self, plan: Plan, outer: Triple, inner: Region) -> Schedule:
        return self._schedules.get(plan, (outer, inner), lambda: make_schedule(plan, outer, inner))

    def _pack(self, trees: TreeArrays) -> PackedTrees:
        return self._packed.get(trees, (), lambda: pack(trees))


class _Recent(Generic[T]):
    """What was made last, for objects that are told apart by identity."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._made: OrderedDict[Hashable, tuple[object, T]] = OrderedDict()

    def get(self, owner: object, key: Hashable, make: Callable[[], T]) -> T:
        """What was made for this owner and key; kept with its owner, so that its id stays its."""
        key = (id(owner), key)
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key][1]
        made = make()
        with self._lock:
            self._made[key] = (owner, made)
            if len(self._made) > self._size:
                self._made.popitem(last=False)
        return made


def _region(inner: tuple[slice, ...]) -> Region:
    volume = (slice(0, 1),) * (3 - len(inner)) + inner
    z, y, x = volume
    return Region((z.start, y.start, x.start), (z.stop, y.stop, x.stop))


def _triple(shape: tuple[int, ...]) -> Triple:
    z, y, x = (1,) * (3 - len(shape)) + tuple(shape)
    return z, y, x


def _typical_block(plan: Plan, outer_shape: tuple[int, ...]) -> tuple[Triple, Region]:
    """A block of this shape with a whole halo, or where it has no room for one, half of one."""
    reach = [min(r, n // 3) for r, n in zip(plan.reach, outer_shape, strict=True)]
    inner = tuple(slice(r, n - r) for r, n in zip(reach, outer_shape, strict=True))
    return _triple(outer_shape), _region(inner)
