"""Run an executor over an image block by block: read, compute and write side by side."""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from napari_spinney.compute.blocks import (
    BUDGET,
    Block,
    Blocks,
    Slices,
    cut,
    fit_lanes,
)
from napari_spinney.compute.device import Device, DeviceError, DeviceMemoryError, choose_device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_spinney.compute.kept import Keeping
    from napari_spinney.compute.program import Executor, Output, Program
    from napari_spinney.compute.source import ImageSource
    from napari_spinney.features.plan import Plan

logger = logging.getLogger(__name__)

SMALLEST_HALF = 16
"""Blocks below this many pixels along their longest axis are not halved any further."""

WIDER = 1.5
"""Rows up to so much longer than an executor prefers are not cut in two."""

T = TypeVar("T")

_making = Lock()
"""Held while an executor is made: two of one OpenCL device have two contexts, which do not mix."""


class Writable(Protocol):
    """Where results go: numpy, memory maps and zarr arrays have it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length along each axis."""
        ...

    def __setitem__(self, key: Any, value: Any, /) -> None: ...


def executor_for(device: str | Device | None = None) -> Executor:
    """Executor of a device; the same object each time for the same device.

    Parameters
    ----------
    device : str, Device or None
        As in `napari_spinney.compute.device.choose_device`.

    Raises
    ------
    DeviceError
        If there is no such device; the message lists those there are.
    """
    chosen = choose_device(device)
    with _making:
        return _executor(chosen)


def executor_that_can(plans: tuple[Plan, ...], device: str | Device | None) -> Executor:
    """Like `executor_for`, but where the device is free to choose, one that can run these plans."""
    executor = executor_for(device)
    if not any(plan.needs_opencl for plan in plans) or executor.device.kind == "opencl":
        return executor
    names = [name for plan in plans for name in plan.opencl_names]
    try:
        return executor_for("opencl")
    except DeviceError as error:
        raise DeviceError(
            f"{', '.join(names)} can only be computed with OpenCL. {error}"
        ) from error


@cache
def _executor(device: Device) -> Executor:
    if device.kind == "cpu":
        from napari_spinney.compute.cpu.executor import CpuExecutor

        return CpuExecutor(device)
    from napari_spinney.compute.opencl.executor import OpenClExecutor

    return OpenClExecutor(device)


def plan_blocks(
    source: ImageSource,
    executor: Executor,
    program: Program | Plan,
    *,
    region: Slices | None = None,
    times: Sequence[int] | None = None,
    budget: int | None = None,
) -> Blocks:
    """Blocks to predict, each with its time point, sized for the executor and the budget.

    Parameters
    ----------
    region : tuple of slice, optional
        Part of the image to predict, one slice per spatial axis; all of it unless given.
    times : sequence of int, optional
        Time points to predict; all of them unless given.
    budget : int, optional
        Bytes for all blocks in flight together; 256 MiB unless said otherwise.
    """
    reach = clip_reach(program.reach, source.shape)
    part = _resolve(region, source.shape)
    sizes = [s.stop - s.start for s in part]
    # Where the halo is wide, larger blocks cost less: more of what is read is also written.
    preferred = [
        max(p, r) for p, r in zip(executor.preferred_block(source.ndim), reach, strict=True)
    ]
    if sizes[-1] <= WIDER * preferred[-1]:
        preferred[-1] = sizes[-1]
    inner, lanes = fit_lanes(
        source.shape,
        [min(p, n) for p, n in zip(preferred, sizes, strict=True)],
        reach,
        lambda outer: executor.block_bytes(program, outer),
        BUDGET if budget is None else budget,
        executor.parallel,
    )
    blocks = list(cut(part, inner, source.shape, reach))
    frames = range(source.n_times) if times is None else times
    return Blocks([(t, b) for t in frames for b in blocks], lanes)


def _resolve(region: Slices | None, shape: tuple[int, ...]) -> Slices:
    if region is None:
        return tuple(slice(0, n) for n in shape)
    part = tuple(slice(*s.indices(n)[:2]) for s, n in zip(region, shape, strict=True))
    if any(s.stop <= s.start for s in part):
        raise ValueError(f"region {region} holds no pixel of an image of shape {shape}")
    return part


def clip_reach(reach: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Halo that is no longer than the image."""
    return tuple(min(r, n) for r, n in zip(reach, shape, strict=True))


def iter_run(
    source: ImageSource,
    executor: Executor,
    program: Program,
    blocks: Blocks,
    out: Writable,
    output: Output = "classes",
    keeping: Keeping | None = None,
) -> Iterator[tuple[int, Block]]:
    """Predict block after block into ``out``; yield each once it is written.

    Several blocks are in flight at once. Where the device runs out of memory a block is halved,
    and in the end done without OpenCL, with a warning. Closing the generator leaves after the
    blocks that are running. With ``keeping``, blocks are those of its plan, and features are
    computed only where they are not kept.
    """
    if keeping is not None:
        keeping.features.claim(source.image, keeping.plan, str(executor.device), blocks.items)

    def work(time: int, block: Block) -> None:
        result = _predict(source, executor, program, time, block, output, keeping)
        index = source.result_index(time, block.target)
        out[(slice(None), *index) if output == "probabilities" else index] = result

    yield from in_flight(lambda item: work(*item), blocks.items, blocks.lanes)


def in_flight(work: Callable[[T], None], items: list[T], parallel: int) -> Iterator[T]:
    """Call ``work`` on each item, ``parallel`` at a time; yield the items in order when done."""
    if parallel == 1 or len(items) == 1:
        for item in items:
            work(item)
            yield item
        return
    waiting: deque[tuple[T, Future[None]]] = deque()
    pool = ThreadPoolExecutor(parallel, thread_name_prefix="spinney")
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > parallel:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _first(waiting: deque[tuple[T, Future[None]]]) -> T:
    item, future = waiting.popleft()
    future.result()
    return item


def _predict(
    source: ImageSource,
    executor: Executor,
    program: Program,
    time: int,
    block: Block,
    output: Output,
    keeping: Keeping | None = None,
) -> NDArray[np.generic]:
    try:
        if keeping is not None:
            result = keeping.predict(source, executor, time, block, output)
            if result is not None:
                return result
        data = source.read(time, block.outer)
        return executor.predict(program, data, block.inner, output)
    except DeviceMemoryError as error:
        if max(block.inner_shape) > SMALLEST_HALF:
            logger.info("%s; halving a block of %s pixels", error, block.inner_shape)
            return _predict_halves(source, executor, program, time, block, output)
        logger.warning("%s; going on without OpenCL", error)
        return _predict(source, executor_for("cpu"), program, time, block, output)


def _predict_halves(
    source: ImageSource,
    executor: Executor,
    program: Program,
    time: int,
    block: Block,
    output: Output,
) -> NDArray[np.generic]:
    reach = clip_reach(program.reach, source.shape)
    parts = block.halves(source.shape, reach)
    results = [_predict(source, executor, program, time, part, output) for part in parts]
    split = next(axis for axis, s in enumerate(parts[0].target) if s != parts[1].target[axis])
    return np.concatenate(results, axis=split + (output == "probabilities"))
