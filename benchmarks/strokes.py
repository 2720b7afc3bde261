"""Strokes as a person paints them: short, curved, of one class, and the same for the same seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRIES = 400
"""Attempts per stroke; in the second half short strokes count too."""

GAP = 2
"""Pixels kept free around a stroke, so that each one is a connected component of its own."""


def simulate_strokes(
    truth: NDArray[np.integer],
    n_strokes: int,
    n_pixels: int,
    *,
    seed: int = 0,
    radius: int = 2,
    share: Literal["fair", "sqrt", "equal"] = "sqrt",
) -> NDArray[np.uint8]:
    """Paint strokes that lie wholly inside one class.

    Parameters
    ----------
    truth : (Y, X) array of int
        Classes, 0 where unknown (never painted).
    n_strokes, n_pixels : int
        Strokes in all, at least two of each class, and pixels that they have in all, about.
    seed : int
        Same seed, same strokes.
    radius : int
        Of the round brush, in pixels.
    share : {"fair", "sqrt", "equal"}
        Strokes of a class go with its area, the root of its area, or are the same for all.

    Returns
    -------
    (Y, X) array of uint8
        0 where nothing is painted, else the class.

    Raises
    ------
    ValueError
        If a class has no room for its strokes.
    """
    random = np.random.default_rng(seed)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    brush = y * y + x * x <= radius * radius + 0.5 * radius
    painted = np.zeros(truth.shape, np.uint8)
    taken = np.zeros(truth.shape, bool)
    for number, wanted in _numbers(truth, n_strokes, share).items():
        room = ndimage.binary_erosion(truth == number, brush)
        done = 0
        for attempt in range(wanted * TRIES):
            least = 0.5 * n_pixels / n_strokes if attempt < wanted * TRIES // 2 else 1
            stroke = _one_stroke(room, taken, brush, n_pixels / n_strokes, random)
            if stroke.sum() < least:
                continue
            painted[stroke] = number
            taken |= ndimage.binary_dilation(stroke, iterations=GAP)
            done += 1
            if done == wanted:
                break
        else:
            raise ValueError(f"class {number} has room for {done} of {wanted} strokes")
    return painted


def _numbers(truth: NDArray[np.integer], n_strokes: int, share: str) -> dict[int, int]:
    """Strokes of each class."""
    classes, area = np.unique(truth[truth > 0], return_counts=True)
    weights = area ** {"fair": 1.0, "sqrt": 0.5, "equal": 0.0}[share]
    wanted = np.maximum(2, np.round(n_strokes * weights / weights.sum())).astype(int)
    wanted[np.argmax(wanted)] += n_strokes - wanted.sum()
    return dict(zip(classes.tolist(), wanted.tolist(), strict=True))


def _one_stroke(
    room: NDArray[np.bool_],
    taken: NDArray[np.bool_],
    brush: NDArray[np.bool_],
    n_pixels: float,
    random: np.random.Generator,
) -> NDArray[np.bool_]:
    """Walk from a random place, turning slowly, until it is long enough or leaves its class."""
    stroke = np.zeros(room.shape, bool)
    radius = brush.shape[0] // 2
    places = np.flatnonzero(room)
    if not len(places):
        return stroke
    place = np.array(np.unravel_index(random.choice(places), room.shape), float)
    angle, turn = random.uniform(0, 2 * np.pi), random.normal(0, 0.08)
    while stroke.sum() < n_pixels:
        row, column = np.round(place).astype(int)
        box = np.s_[row - radius : row + radius + 1, column - radius : column + radius + 1]
        inside = (
            radius <= row < room.shape[0] - radius and radius <= column < room.shape[1] - radius
        )
        if not inside or not room[row, column] or (taken[box] & brush).any():
            break
        stroke[box] |= brush
        angle += turn + random.normal(0, 0.15)
        place += np.sin(angle), np.cos(angle)
    return stroke
