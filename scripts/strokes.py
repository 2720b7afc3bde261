"""Strokes as a hand would paint them: short, a little unsteady, on a few things."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from skimage.graph import route_through_array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Annotation = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Path = NDArray[np.float64]


def steady(points: Sequence[Sequence[float]], step: float = 0.5) -> Path:
    """Points every half pixel along a smooth line through the given (y, x) points."""
    corners = np.asarray(points, float)
    lengths = np.r_[0, np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))]
    along = np.arange(0, lengths[-1] + step, step)
    line = np.stack([np.interp(along, lengths, c) for c in corners.T], axis=1)
    return ndi.gaussian_filter1d(line, 3 / step, axis=0, mode="nearest")


def unsteady(path: Path, rng: np.random.Generator, tremor: float = 0.6) -> Path:
    """The same path drawn by a hand: it wanders by about ``tremor`` pixels."""
    wander = ndi.gaussian_filter1d(rng.standard_normal(path.shape), 8, axis=0, mode="nearest")
    return path + wander * (tremor / max(wander.std(), 1e-9))


def brush(shape: Sequence[int], path: Path, radius: float) -> Mask:
    """Pixels within ``radius`` of the path."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    mask = np.zeros(tuple(shape), bool)
    for py, px in path:
        mask |= (y - py) ** 2 + (x - px) ** 2 <= radius**2
    return mask


def paint_lines(
    shape: Sequence[int],
    lines: Mapping[int, Sequence[Sequence[Sequence[float]]]],
    seed: int,
    radius: float = 1.5,
) -> Annotation:
    """Annotation from lists of (y, x) points per class, as somebody clicked them."""
    rng = np.random.default_rng(seed)
    annotation = np.zeros(tuple(shape), np.uint8)
    for number, strokes in lines.items():
        for points in strokes:
            annotation[brush(shape, unsteady(steady(points), rng), radius)] = number
    return annotation


def paint_plane(
    labels: NDArray[np.integer],
    classes: Mapping[int, int],
    rng: np.random.Generator,
    n_background: int,
    radius: float = 1.5,
) -> Annotation:
    """Scribbles on the labels in ``classes`` (label: class) and class 1 beside the things."""
    annotation = np.zeros(labels.shape, np.uint8)
    free = labels == 0
    for _ in range(n_background):
        line = unsteady(_walk(free, annotation, rng), rng, 0.4)
        annotation[brush(labels.shape, line, radius) & free] = 1
    for number, value in classes.items():
        inside = labels == number
        annotation[brush(labels.shape, _scribble(inside, rng), radius) & inside] = value
    return annotation


def _walk(free: Mask, annotation: Annotation, rng: np.random.Generator) -> Path:
    """A way past things, some 3 to 5 pixels off them, where nothing has been painted yet."""
    blank = annotation == 0
    distance = ndi.distance_transform_edt(free & blank)
    unpainted = ndi.distance_transform_edt(blank) if annotation.any() else distance
    cost = 1 + np.clip(4 - distance, 0, None) ** 2 + 0.05 * np.clip(distance - 5, 0, 10)
    room = np.argwhere((distance > 3) & (distance < 12))
    starts = room[rng.integers(len(room), size=12)]
    start = starts[np.argmax(unpainted[tuple(starts.T)])]
    apart = np.linalg.norm(room - start, axis=1)
    ends = room[(apart > 25) & (apart < 50)]
    ends = ends[rng.integers(len(ends), size=4)]
    end = ends[np.argmax(unpainted[tuple(ends.T)])]
    way, _ = route_through_array(cost, start, end)
    return steady(way)


def _scribble(inside: Mask, rng: np.random.Generator) -> Path:
    """A bent line from one end of a thing to the other, reaching close to its edge."""
    points = np.argwhere(inside).astype(float)
    centre = points.mean(axis=0)
    _, _, axes = np.linalg.svd(points - centre, full_matrices=False)
    along, across = ((points - centre) @ a for a in axes)
    half, width = np.abs(along).max() - 1.5, np.abs(across).max() - 1.5
    bend = rng.uniform(-0.7, 0.7, 3) * max(width, 0)
    t = np.array([-0.95, 0.0, 0.95]) * max(half, 0.5)
    room = np.sqrt(np.clip(1 - (t / (half + 1.5)) ** 2, 0, 1))
    return steady(centre + t[:, None] * axes[0] + (bend * room)[:, None] * axes[1])
