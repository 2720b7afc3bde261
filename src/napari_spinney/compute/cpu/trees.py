"""Forest evaluation on feature planes, for machines without OpenCL.

Pixels go in tiles of 64 neighbours. Two strategies give the same sums, bit for bit:

*perfect*: trees of depth 2 or less, as three comparisons and four leaves each; every pixel
evaluates all of them.
*walk*: a whole tile goes down a tree together, with the set of its pixels as a 64-bit mask. A
subtree that no pixel needs is never entered, which on images is most of a deep tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import float32, float64, int32, int64, njit, uint8, uint16, uint32, uint64, void

from napari_spinney.compute.cpu.lanes import LANES
from napari_spinney.compute.cpu.tree_kernels import FULL, predict_tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.compute.program import Output
    from napari_spinney.compute.trees import TreeArrays


@dataclass(frozen=True, slots=True, eq=False)
class PackedTrees:
    """Trees in the form that the kernels read; make it once per forest with `pack`.

    Parameters
    ----------
    roots : (n_trees,) int32
        First node of each tree.
    feature : (n_nodes,) int32
        Column compared, or -1 at a leaf.
    threshold : (n_nodes,) float32
        Go left where not above.
    link : (n_nodes,) int32
        Right child of an inner node (the left one is the next node), row of ``values`` of a leaf.
    nan_left : (n_nodes,) uint64
        All bits set where NaN goes left, else 0.
    values : (n_leaves, n_classes)
        uint32 quanta for sums="exact", float64 for sums="float32".
    factor : float
        Probability of a sum of quanta; 0 for sums="float32".
    pending : int
        Most right children that wait at one time.
    n_features : int
        Number of columns.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    link: NDArray[np.int32]
    nan_left: NDArray[np.uint64]
    values: NDArray[Any]
    factor: float
    pending: int
    n_features: int

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.values.shape[1])


def pack(trees: TreeArrays) -> PackedTrees:
    """Arrange trees for the kernels."""
    inner = trees.feature >= 0
    values, factor = trees.quanta() if trees.sums == "exact" else (trees.values, 0.0)
    return PackedTrees(
        roots=trees.roots,
        feature=trees.feature,
        threshold=trees.threshold,
        link=np.where(inner, trees.right, trees.leaf),
        nan_left=np.where(trees.nan_left, FULL, np.uint64(0)),
        values=np.ascontiguousarray(values),
        factor=factor,
        pending=_most_pending(trees, inner),
        n_features=trees.n_features,
    )


def _most_pending(trees: TreeArrays, inner: NDArray[np.bool_]) -> int:
    """Count the right children that wait, at most, in a walk of any tree in preorder."""
    before = np.concatenate([[0], np.cumsum(np.where(inner, 1, -1))])
    sizes = np.diff(np.append(trees.roots, len(inner)))
    return int((before[1:] - np.repeat(before[trees.roots], sizes)).max()) + 1


def predict_planes(
    packed: PackedTrees,
    planes: NDArray[np.float32],
    out: NDArray[Any],
    output: Output = "classes",
    labels: NDArray[np.unsignedinteger] | None = None,
) -> None:
    """Predict every pixel of some feature planes.

    Releases the GIL; several threads may share ``packed``.

    Parameters
    ----------
    packed : PackedTrees
        See `pack`.
    planes : (n_features, rows, columns) or (n_features, z, rows, columns) float32
        Any strides; more columns of the table than ``packed.n_features`` are an error.
    out : array
        classes: spatial shape, dtype of ``labels``; probabilities: (n_classes, *spatial) float32;
        uncertainty: spatial shape, float32. Any strides.
    output : {"classes", "probabilities", "uncertainty"}
        What to write.
    labels : (n_classes,) uint8, uint16 or uint32
        The number written for each class; needed for classes only.
    """
    n_classes = packed.n_classes
    spatial = planes.shape[1:]
    shape = (n_classes, *spatial) if output == "probabilities" else spatial
    if len(planes) != packed.n_features or len(spatial) not in (2, 3) or out.shape != shape:
        raise ValueError(
            f"{output} of {n_classes} classes from {packed.n_features} features: planes "
            f"{planes.shape} do not fit out {out.shape}"
        )
    if labels is None:
        labels = np.zeros(n_classes, np.uint8)
    volume: tuple[Any, ...] = (slice(None), *(None,) * (4 - planes.ndim))
    classes, numbers = np.empty((0, 0, 0), labels.dtype), np.empty((0, 0, 0, 0), np.float32)
    if output == "classes":
        classes = out[volume[1:]]
    elif output == "probabilities":
        numbers = out[volume]
    else:
        numbers = out[(None, *volume[1:])]
    exact = packed.values.dtype == np.uint32
    _kernel(labels.dtype.name, exact)(
        packed.roots,
        packed.feature,
        packed.threshold,
        packed.link,
        packed.nan_left,
        packed.values,
        packed.factor,
        planes[volume],
        np.empty((packed.n_features, LANES), np.float32),
        np.empty((n_classes, LANES), np.uint32 if exact else np.float32),
        np.empty(packed.pending, np.int64),
        np.empty(packed.pending, np.uint64),
        labels,
        ("classes", "probabilities", "uncertainty").index(output),
        classes,
        numbers,
    )


@cache
def _kernel(label_type: str, exact: bool) -> Any:
    """Compile (or fetch from numba's cache) the kernel for one type of class and of sum."""
    label = {"uint8": uint8, "uint16": uint16, "uint32": uint32}[label_type]
    value, total = (uint32, uint32) if exact else (float64, float32)
    signature = void(
        int32[::1],
        int32[::1],
        float32[::1],
        int32[::1],
        uint64[::1],
        value[:, ::1],
        float64,
        float32[:, :, :, :],
        float32[:, ::1],
        total[:, ::1],
        int64[::1],
        uint64[::1],
        label[::1],
        int64,
        label[:, :, :],
        float32[:, :, :, :],
    )
    return njit(signature, nogil=True, cache=True)(predict_tiles)
