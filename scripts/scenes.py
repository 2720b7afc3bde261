"""Synthetic scenes whose truth is known exactly: what is there, and how a microscope would see it.

Shapes are given in micrometres and sampled at the pixels' centres, so that a stack with other
spacing along z shows the same things.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = NDArray[np.float64]
Labels = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Body:
    """A rounded thing with a slightly wavy outline; lengths in micrometres, (z,) y, x order.

    Parameters
    ----------
    centre, radii : tuple of float
        Centre and half axes.
    angle : float
        Rotation in the plane of y and x, in radians.
    waves : tuple of (float, float)
        Amplitude and phase of the outline's second, third, ... harmonic.
    brightness : float
        Mean signal inside.
    """

    centre: tuple[float, ...]
    radii: tuple[float, ...]
    angle: float
    waves: tuple[tuple[float, float], ...]
    brightness: float

    def moved(self, shift: Sequence[float], brightness: float) -> Body:
        """The same body elsewhere."""
        centre = tuple(c + s for c, s in zip(self.centre, shift, strict=True))
        return Body(centre, self.radii, self.angle, self.waves, brightness)

    def depth(self, grid: Sequence[Array]) -> Array:
        """0 in the centre, 1 on the outline, more outside."""
        *stacked, y, x = (g - c for g, c in zip(grid, self.centre, strict=True))
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        v, u = (cos * y - sin * x) / self.radii[-2], (sin * y + cos * x) / self.radii[-1]
        theta = np.arctan2(v, u)
        outline = 1 + sum(
            amplitude * np.cos(k * theta + phase)
            for k, (amplitude, phase) in enumerate(self.waves, start=2)
        )
        squares = (v**2 + u**2) / outline**2
        for z, radius in zip(stacked, self.radii, strict=False):
            squares = squares + (z / radius) ** 2
        return np.sqrt(squares)


def body(
    rng: np.random.Generator,
    centre: Sequence[float],
    radii: Sequence[float],
    brightness: float,
    waviness: float = 0.05,
) -> Body:
    """Body of the given size, turned and waved at random."""
    waves = tuple(
        (float(rng.normal(0, waviness / k)), float(rng.uniform(0, 2 * np.pi))) for k in (1, 2, 3)
    )
    angle = float(rng.uniform(0, np.pi))
    return Body(tuple(map(float, centre)), tuple(map(float, radii)), angle, waves, brightness)


def grid(shape: Sequence[int], spacing: Sequence[float]) -> list[Array]:
    """Positions of the pixels' centres in micrometres, one open grid per axis."""
    lines = [np.arange(n) * s for n, s in zip(shape, spacing, strict=True)]
    return list(np.meshgrid(*lines, indexing="ij", sparse=True))


def scatter(
    rng: np.random.Generator,
    extent: Sequence[float],
    sizes: Sequence[float],
    gap: float,
    margin: float = 0.3,
    tries: int = 4000,
) -> list[tuple[float, ...] | None]:
    """Centres for things of these radii that keep ``gap`` between each other; None = no room."""
    placed: list[tuple[Array, float]] = []
    centres: list[tuple[float, ...] | None] = []
    for size in sizes:
        for _ in range(tries // len(sizes)):
            low = [min(margin * size, e / 2) for e in extent]
            centre = np.array([rng.uniform(lo, e - lo) for e, lo in zip(extent, low, strict=True)])
            if all(np.linalg.norm(centre - c) > size + s + gap for c, s in placed):
                placed.append((centre, size))
                centres.append(tuple(centre.tolist()))
                break
        else:
            centres.append(None)
    return centres


def label(bodies: Sequence[Body], shape: Sequence[int], spacing: Sequence[float]) -> Labels:
    """Exact label image: body i is i + 1; where two overlap, the one that is deeper wins."""
    where = grid(shape, spacing)
    best = np.ones(shape)
    labels = np.zeros(shape, np.uint16)
    for number, thing in enumerate(bodies, start=1):
        depth = thing.depth(where)
        inside = depth < best
        labels[inside] = number
        best[inside] = depth[inside]
    return labels


def light(
    bodies: Sequence[Body],
    labels: Labels,
    spacing: Sequence[float],
    rng: np.random.Generator,
    texture: float = 0.15,
) -> Array:
    """What the bodies give off: brighter where they are thick, with a grain of about 1 µm."""
    where = grid(labels.shape, spacing)
    grain = ndi.gaussian_filter(rng.standard_normal(labels.shape), [0.8 / s for s in spacing])
    grain /= grain.std()
    signal = np.zeros(labels.shape)
    for number, thing in enumerate(bodies, start=1):
        inside = labels == number
        thickness = np.sqrt(np.clip(1 - thing.depth(where) ** 2, 0, 1))
        shade = thing.brightness * (0.7 + 0.3 * thickness) * (1 + texture * grain)
        signal[inside] = shade[inside]
    return signal


def expose(
    signal: Array,
    spacing: Sequence[float],
    rng: np.random.Generator,
    blur: Sequence[float],
    haze: float = 12.0,
    photons: float = 1.5,
    noise: float = 2.0,
) -> NDArray[np.uint8]:
    """Blur, uneven haze, photon and read-out noise, 8 bit.

    Parameters
    ----------
    blur : sequence of float
        Sigma of the optics along each axis, in micrometres.
    haze : float
        Mean grey value of the background; it grows threefold from one corner to the other.
    photons : float
        Photons per grey value: fewer are noisier.
    """
    seen = ndi.gaussian_filter(signal, [b / s for b, s in zip(blur, spacing, strict=True)])
    seen = seen + haze * (0.5 + _ramp(signal.shape))
    seen = rng.poisson(np.clip(seen, 0, None) * photons) / photons
    seen = seen + rng.normal(0, noise, seen.shape)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


def _ramp(shape: Sequence[int]) -> Array:
    """0 in the first corner of the last two axes, 1 in the last corner."""
    y, x = (np.linspace(0, 0.5, n) for n in shape[-2:])
    return np.broadcast_to(y[:, None] + x[None, :], shape)
