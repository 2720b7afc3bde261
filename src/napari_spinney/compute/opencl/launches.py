"""What a schedule consists of: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_spinney.compute.opencl.layout import Place
    from napari_spinney.compute.regions import Region
    from napari_spinney.features.steps import External


@dataclass(frozen=True, slots=True)
class ExternalCall:
    """An External step, and where its input and output are."""

    step: External
    source: Place
    target: Place
    ndim: int


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
        Header, steps, lists of inputs and table of planes; see kernels/planes.cl.
    weights : float32 array
        Weights of all steps.
    sources : tuple of Place
        Of the channels, in order.
    places : tuple of Place
        Of each step.
    columns : tuple of Place
        Of the features.
    size : int
        Floats that the arena must have.
    forest, finish : int
        Positions in the code of the description of the forest and of what follows it.
    inner : Region
        Where the features are right.
    """

    launches: tuple[Launch, ...]
    code: NDArray[np.int32]
    weights: NDArray[np.float32]
    sources: tuple[Place, ...]
    places: tuple[Place, ...]
    columns: tuple[Place, ...]
    size: int
    forest: int
    finish: int
    inner: Region


@dataclass(frozen=True, slots=True)
class StagePlaces:
    """What a plan finds in the arena, and what its forest needs.

    Parameters
    ----------
    sources : tuple of Place
        Of each channel; they are never overwritten.
    first_free : int
        First float that may be used for other planes.
    probabilities : tuple of Place
        Of the probabilities that the next stage reads.
    n_sums : int
        Planes for sums of leaves; 0 where there is no forest.
    last_follows : bool
        Whether the sum of one more class follows from the others.
    """

    sources: tuple[Place, ...]
    first_free: int
    probabilities: tuple[Place, ...] = ()
    n_sums: int = 0
    last_follows: bool = False
