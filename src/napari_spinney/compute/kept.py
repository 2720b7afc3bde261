"""Features of a region kept from one forest to the next, as while somebody paints."""

from __future__ import annotations

import math
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from napari_spinney.compute.program import Program, Stage
from napari_spinney.features.plan import Plan
from napari_spinney.features.steps import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from napari_spinney.compute.blocks import Block
    from napari_spinney.compute.program import Executor, Held, Output
    from napari_spinney.compute.source import ImageSource
    from napari_spinney.compute.trees import TreeArrays

    Key = tuple[int, tuple[tuple[int, int], ...]]

LIMIT = 256 * 2**20
"""Bytes of features that are kept, unless the caller says otherwise."""


class KeptFeatures:
    """Features of the blocks of one region, held on a device; safe across threads.

    A further stroke changes the forest, and not the features of what is in view. Whoever holds
    them must drop them when the pixels of the image change: they cannot see that.

    Parameters
    ----------
    limit : int
        Bytes; what is beyond is computed each time.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._owner: tuple[object, Plan, str] | None = None
        self._held: dict[Key, Held] = {}
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        """Bytes that are kept now."""
        with self._lock:
            return self._taken()

    def claim(
        self, image: object, plan: Plan, device: str, blocks: Iterable[tuple[int, Block]]
    ) -> None:
        """Forget what is of another image, plan or device, or of none of these blocks."""
        wanted = {_key(time, block) for time, block in blocks}
        with self._lock:
            owner = self._owner
            same = owner is not None and owner[0] is image and owner[1:] == (plan, device)
            self._owner = (image, plan, device)
            self._held = {k: v for k, v in self._held.items() if same and k in wanted}

    def hold(
        self, source: ImageSource, executor: Executor, plan: Plan, time: int, block: Block
    ) -> Held | None:
        """Features of a block, computed if they are not there; None where there is no room."""
        key = _key(time, block)
        with self._lock:
            owner, found = self._owner, self._held.get(key)
            room = self._limit - self._taken()
        if found is not None:
            return found
        if 4 * len(plan.outputs) * math.prod(block.inner_shape) > room:
            return None
        held = executor.hold(plan, source.read(time, block.outer), block.inner)
        with self._lock:
            if self._owner is owner and self._taken() + held.nbytes <= self._limit:
                self._held[key] = held
        return held

    def _taken(self) -> int:
        return sum(held.nbytes for held in self._held.values())


def _key(time: int, block: Block) -> Key:
    return time, tuple((s.start, s.stop) for s in block.target)


@dataclass(frozen=True, slots=True, eq=False)
class Keeping:
    """How a forest is run on kept features.

    Parameters
    ----------
    features : KeptFeatures
        Where they are.
    plan : Plan
        All of them, whatever a forest uses.
    program : Program
        The forest, which reads them as channels.
    """

    features: KeptFeatures
    plan: Plan
    program: Program

    @classmethod
    def of(
        cls,
        features: KeptFeatures,
        plan: Plan,
        trees: TreeArrays,
        columns: Sequence[int],
        labels: NDArray[np.unsignedinteger],
    ) -> Keeping:
        """Run ``trees``, whose column ``i`` is feature ``columns[i]`` of the plan."""
        reading = Plan(
            steps=tuple(Source(column) for column in columns),
            outputs=tuple(range(len(columns))),
            names=tuple(plan.names[column] for column in columns),
            ndim=plan.ndim,
            n_channels=len(plan.outputs),
        )
        return cls(features, plan, Program((Stage(reading, trees),), labels))

    def predict(
        self, source: ImageSource, executor: Executor, time: int, block: Block, output: Output
    ) -> NDArray[np.generic] | None:
        """Predict a block of ``plan`` from its features; None where there is no room for them."""
        held = self.features.hold(source, executor, self.plan, time, block)
        return None if held is None else held.predict(self.program, output)
