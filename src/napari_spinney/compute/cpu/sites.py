"""Where a step reads and writes, and the call that computes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.compute.cpu.arena import aligned_down

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_spinney.compute.cpu.arena import Plane, Positions
    from napari_spinney.compute.regions import Region, Triple
    from napari_spinney.features.steps import Boundary


@dataclass(frozen=True, slots=True)
class Call:
    """One kernel and what it is given besides the arena."""

    kernel: Callable[..., None]
    args: tuple[Any, ...]

    def __call__(self, arena: NDArray[np.float32], block: NDArray[np.float32]) -> None:
        """Run it; it finds the block in the arena."""
        self.kernel(arena, *self.args)


@dataclass(frozen=True, slots=True)
class Load:
    """Copy a channel of the block (channel, Z, Y, X) into the arena."""

    channel: int
    plane: Plane

    def __call__(self, arena: NDArray[np.float32], block: NDArray[np.float32]) -> None:
        """Run it."""
        region = self.plane.region
        z, y, x = (slice(a, b) for a, b in zip(region.start, region.stop, strict=True))
        self.plane.view(arena, region)[:] = block[self.channel, z, y, x]


@dataclass(frozen=True, slots=True)
class Site:
    """Where a step reads and writes.

    Parameters
    ----------
    inputs : tuple of Plane
        In the order of the step's inputs.
    target : Plane
        What it writes.
    region : Region
        Where it writes it.
    outer : tuple of int
        Shape of the block (Z, Y, X): what lies outside is continued.
    ndim : int
        Spatial axes of the plan; the volume's last ones.
    scratch : callable
        Position of a place for so many floats, for the time of this call.
    """

    inputs: tuple[Plane, ...]
    target: Plane
    region: Region
    outer: Triple
    ndim: int
    scratch: Callable[[int], int]

    @property
    def column(self) -> int:
        """Where whole rows begin: the cache line that holds the region's first column."""
        return aligned_down(self.region.start[2])

    @property
    def width(self) -> int:
        """Length of whole rows."""
        return self.region.stop[2] - self.column

    def range(self, axis: int) -> Positions:
        """Positions of the region along one axis."""
        return np.arange(self.region.start[axis], self.region.stop[axis], dtype=np.int64)

    def continued(self, axis: int, radius: int, boundary: Boundary) -> Positions:
        """The same with ``radius`` more at each end, continued past the block's border."""
        start, stop = self.region.start[axis] - radius, self.region.stop[axis] + radius
        positions = np.arange(start, stop, dtype=np.int64)
        n = self.outer[axis]
        if boundary == "nearest":
            return np.clip(positions, 0, n - 1)
        folded = positions % (2 * n)
        return np.minimum(folded, 2 * n - 1 - folded)

    def past_border(self, axis: int, radius: int) -> tuple[int, int]:
        """How many of these positions lie before and after the block."""
        start, stop = self.region.start[axis], self.region.stop[axis]
        return max(0, radius - start), max(0, stop + radius - self.outer[axis])
