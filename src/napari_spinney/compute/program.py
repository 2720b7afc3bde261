"""What an executor is given to run: plans, trees, and which numbers to return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.compute.device import Device
    from napari_spinney.compute.trees import TreeArrays
    from napari_spinney.features.plan import Plan

Output: TypeAlias = Literal["classes", "probabilities", "uncertainty"]


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Features and the forest that reads them; feature ``i`` of the plan is column ``i``."""

    plan: Plan
    trees: TreeArrays


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """One or more stages in a row.

    The plan of a later stage has ``n_channels`` = channels of the image + classes: its further
    sources are the probabilities that the stage before it gave, in the order of the classes.

    Parameters
    ----------
    stages : tuple of Stage
        In the order in which they run.
    labels : (n_classes,) array of unsigned int
        The class number written for each column of the trees' values; its dtype is that of a
        class image.
    """

    stages: tuple[Stage, ...]
    labels: NDArray[np.unsignedinteger]

    @property
    def reach(self) -> tuple[int, ...]:
        """Halo needed around a block, in pixels, along each spatial axis."""
        return tuple(np.sum([stage.plan.reach for stage in self.stages], axis=0).tolist())

    def empty_result(self, shape: tuple[int, ...], output: Output) -> NDArray[Any]:
        """Array for a block of this shape, as `Executor.predict` returns it; not filled."""
        if output == "classes":
            return np.empty(shape, self.labels.dtype)
        if output == "probabilities":
            shape = (len(self.labels), *shape)
        return np.empty(shape, np.float32)


class Held(Protocol):
    """Features of the inner part of one block, held for forests to come; safe across threads."""

    @property
    def nbytes(self) -> int:
        """Memory that it takes, in bytes."""
        ...

    def predict(self, program: Program, output: Output = "classes") -> NDArray[np.generic]:
        """Run a program of one stage, whose channels are these features; see `Executor`."""
        ...


class Executor(Protocol):
    """Runs plans and programs on one block at a time; may be called from several threads.

    A block is a C-contiguous float32 array (channel, *spatial) that ends either at the border of
    the image or ``reach`` pixels outside ``inner``. What lies in ``inner`` is then the same,
    bit for bit, however the image was cut.
    """

    device: Device
    parallel: int
    """How many blocks it is worth having in flight (threads that call it)."""

    def block_bytes(self, program: Program | Plan, outer_shape: tuple[int, ...]) -> int:
        """Memory that one block of this outer shape takes, in bytes."""
        ...

    def preferred_block(self, ndim: int) -> tuple[int, ...]:
        """Inner shape of a block that runs fastest here, where memory is no concern."""
        ...

    def features(
        self, plan: Plan, block: NDArray[np.float32], inner: tuple[slice, ...]
    ) -> NDArray[np.float32]:
        """Planes of the plan's features, (feature, *inner)."""
        ...

    def hold(self, plan: Plan, block: NDArray[np.float32], inner: tuple[slice, ...]) -> Held:
        """Compute features as `features` does, and hold them where forests are run."""
        ...

    def predict(
        self,
        program: Program,
        block: NDArray[np.float32],
        inner: tuple[slice, ...],
        output: Output = "classes",
    ) -> NDArray[np.generic]:
        """Predict the inner part of one block.

        Returns
        -------
        array
            classes: (*inner), dtype of ``program.labels``; probabilities: (class, *inner),
            float32; uncertainty: (*inner), float32, 1 - (best - second best probability).
        """
        ...
