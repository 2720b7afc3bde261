"""Make the files in sample_data/: synthetic images with exact truth, and strokes.

Run ``python scripts/make_samples.py sample_data``. Every run gives the same pixels.
"""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from scenes import Body, Labels, body, expose, label, light, scatter
from strokes import Annotation, paint_lines, paint_plane

Image = NDArray[np.uint8]
Files = dict[str, NDArray[Any]]

NUCLEI_SPACING = (0.5, 0.5)
STACK_SPACING = (1.0, 0.25, 0.25)


def nuclei() -> Files:
    """Nuclei from dim to bright on an uneven background; a third of them touch another."""
    rng = np.random.default_rng(2)
    shape, spacing = (320, 320), NUCLEI_SPACING
    bodies = _cell_population(rng, (160.0, 160.0), n=52, radius=(4.3, 6.8), pairs=14)
    truth = label(bodies, shape, spacing)
    image = expose(light(bodies, truth, spacing, rng), spacing, rng, blur=(0.6, 0.6), haze=26)
    picked = dict.fromkeys(_spread(bodies, truth, 8), 2)
    return {
        "nuclei": image,
        "nuclei_truth": truth,
        "nuclei_strokes": paint_plane(truth, picked, rng, n_background=8),
    }


def stack() -> Files:
    """A stack whose slices lie four pixel widths apart; painted on three slices."""
    rng = np.random.default_rng(3)
    shape, spacing = (24, 144, 144), STACK_SPACING
    radii = rng.uniform(3.2, 4.6, 22)
    extent = tuple(n * s for n, s in zip(shape, spacing, strict=True))
    centres = scatter(rng, extent, radii.tolist(), gap=-0.9)
    bodies = [
        body(rng, c, (r * rng.uniform(0.8, 1.0), r, r * rng.uniform(0.85, 1.1)), b)
        for c, r, b in zip(centres, radii, rng.uniform(55, 170, len(radii)), strict=True)
        if c is not None
    ]
    truth = label(bodies, shape, spacing)
    image = expose(
        light(bodies, truth, spacing, rng), spacing, rng, blur=(0.8, 0.3, 0.3), haze=14, noise=3
    )
    strokes = _paint_planes(truth, (5, 12, 18), rng, n_objects=3, n_background=2)
    return {"stack": image, "stack_truth": truth, "stack_strokes": strokes}


def two_channels() -> Files:
    """Nuclei in the first channel; the second tells which of them belong to marked cells.

    The truth holds classes: 1 background, 2 nucleus without the marker, 3 nucleus with it.
    """
    rng = np.random.default_rng(5)
    shape, spacing = (256, 256), NUCLEI_SPACING
    bodies = _cell_population(rng, (128.0, 128.0), n=34, radius=(4.5, 6.5), pairs=4)
    marked = rng.random(len(bodies)) < 0.5
    labels = label(bodies, shape, spacing)
    cells = [_around(thing) for thing, yes in zip(bodies, marked, strict=True) if yes]
    marker = light(cells, label(cells, shape, spacing), spacing, rng, texture=0.25)
    image = np.stack(
        [
            expose(light(bodies, labels, spacing, rng), spacing, rng, blur=(0.6, 0.6)),
            expose(marker, spacing, rng, blur=(0.9, 0.9), haze=20, photons=0.8),
        ]
    )
    classes = np.r_[1, np.where(marked, 3, 2)].astype(np.uint8)
    picked = {
        n: int(classes[n])
        for yes in (True, False)
        for n in _spread(bodies, labels, 5, marked == yes)
    }
    return {
        "two_channels": image,
        "two_channels_truth": classes[labels],
        "two_channels_strokes": paint_plane(labels, picked, rng, n_background=7),
    }


def time_lapse() -> Files:
    """Nuclei that wander and bleach; a nucleus keeps its number in the truth."""
    rng = np.random.default_rng(7)
    shape, spacing = (128, 128), NUCLEI_SPACING
    first = _cell_population(rng, (64.0, 64.0), n=10, radius=(4.5, 6.0), pairs=0)
    speed = rng.normal(0, 0.6, (len(first), 2))
    frames, truths = [], []
    for time in range(8):
        bodies = [
            b.moved(time * v, b.brightness * 0.93**time) for b, v in zip(first, speed, strict=True)
        ]
        truths.append(label(bodies, shape, spacing))
        signal = light(bodies, truths[-1], spacing, rng)
        frames.append(expose(signal, spacing, rng, blur=(0.6, 0.6)))
    truth = np.stack(truths)
    strokes = _paint_planes(truth, (0, 3, 7), rng, n_objects=4, n_background=2)
    return {
        "time_lapse": np.stack(frames),
        "time_lapse_truth": truth,
        "time_lapse_strokes": strokes,
    }


def shapes() -> Files:
    """Round (class 1) and elongated (class 2) objects of the same area."""
    kinds = {1: (4.6, 4.6), 2: (2.6, 8.2)}
    return _objects("shapes", kinds, counts={1: 20, 2: 20}, seed=11)


def sizes() -> Files:
    """Small round (class 1), large round (class 2) and large elongated (class 3) objects."""
    kinds = {1: (3.0, 3.0), 2: (5.8, 5.8), 3: (3.4, 9.4)}
    return _objects("sizes", kinds, counts={1: 20, 2: 14, 3: 12}, seed=13)


def real_strokes() -> Files:
    """Strokes for two images that scikit-image ships: 1 background, 2 coin or cell."""
    coins = paint_lines((303, 384), COINS, seed=17, radius=2)
    cell = paint_lines((660, 550), CELL, seed=19, radius=3)
    return {"coins_strokes": coins, "cell_strokes": cell}


# (y, x) points of each stroke, by class.
COINS = {
    1: [
        [(8, 20), (12, 90), (8, 170), (10, 260), (8, 310)],
        [(84, 20), (88, 90), (86, 170), (82, 230), (78, 290)],
        [(92, 330), (88, 350), (60, 374), (20, 372)],
        [(152, 20), (156, 100), (156, 180), (156, 230), (156, 280)],
        [(224, 100), (224, 170), (226, 250), (228, 290)],
        [(140, 375), (150, 300), (190, 304), (215, 305)],
        [(290, 10), (296, 90), (296, 200), (292, 300)],
        [(245, 85), (260, 85), (280, 90)],
        [(60, 8), (110, 12), (170, 14), (215, 10)],
        [(40, 74), (55, 74), (70, 78)],
        [(175, 72), (200, 70), (215, 72)],
    ],
    2: [
        [(44, 34), (56, 45), (66, 56)],
        [(44, 150), (58, 170)],
        [(24, 340), (40, 326), (60, 350)],
        [(38, 205), (55, 222), (66, 212)],
        [(116, 34), (130, 56)],
        [(115, 145), (130, 160)],
        [(105, 270), (125, 262), (135, 284)],
        [(164, 340), (185, 330), (205, 362)],
        [(182, 40), (204, 50)],
        [(180, 92), (206, 112)],
        [(245, 40), (262, 34), (278, 58)],
        [(254, 105), (278, 122)],
        [(242, 160), (262, 186), (276, 168)],
        [(250, 296), (272, 312)],
    ],
}
CELL = {
    1: [
        [(60, 60), (80, 200), (50, 320), (90, 480)],
        [(220, 80), (250, 200), (200, 330)],
        [(500, 80), (560, 250), (540, 430)],
        [(300, 360), (288, 430), (305, 490)],
        [(450, 370), (462, 430), (440, 500)],
        [(340, 335), (380, 345), (420, 350)],
        [(24, 300), (34, 320)],
        [(610, 60), (630, 300), (600, 520)],
        [(150, 30), (160, 300), (170, 520)],
    ],
    2: [
        [(330, 420), (360, 470), (400, 475)],
        [(380, 380), (415, 400), (424, 440)],
        [(350, 390), (375, 430)],
    ],
}


def _cell_population(
    rng: np.random.Generator,
    extent: tuple[float, float],
    n: int,
    radius: tuple[float, float],
    pairs: int,
) -> list[Body]:
    """Nuclei apart from each other, then ``pairs`` more that each touch one of them."""
    radii = rng.uniform(*radius, n - pairs)
    centres = scatter(rng, extent, radii.tolist(), gap=1.5, margin=0.6)
    kept = [(c, r) for c, r in zip(centres, radii, strict=True) if c is not None]
    bodies = [_nucleus(rng, c, r) for c, r in kept]
    for centre, size in kept[:pairs]:
        other = rng.uniform(*radius)
        angle = rng.uniform(0, 2 * np.pi)
        away = 0.88 * (size + other)
        bodies.append(
            _nucleus(
                rng, (centre[0] + away * np.sin(angle), centre[1] + away * np.cos(angle)), other
            )
        )
    return bodies


def _nucleus(rng: np.random.Generator, centre: tuple[float, ...], radius: float) -> Body:
    """A nucleus; most are of middling brightness, some are dim."""
    radii = (radius * rng.uniform(0.8, 1.0), radius * rng.uniform(0.95, 1.1))
    return body(rng, centre, radii, float(rng.uniform(38, 190)))


def _around(nucleus: Body) -> Body:
    """The cell of a nucleus."""
    radii = tuple(1.7 * r for r in nucleus.radii)
    return Body(nucleus.centre, radii, nucleus.angle, nucleus.waves, 110.0)


def _objects(
    name: str, kinds: dict[int, tuple[float, float]], counts: dict[int, int], seed: int
) -> Files:
    """Separate objects of some kinds, with dabs on a few of each kind."""
    rng = np.random.default_rng(seed)
    shape, spacing = (256, 256), NUCLEI_SPACING
    wanted = [kind for kind, count in counts.items() for _ in range(count)]
    rng.shuffle(wanted)
    reach = [max(kinds[k]) * 0.85 for k in wanted]
    centres = scatter(rng, (128.0, 128.0), reach, gap=1.0, margin=1.1)
    made = [(k, c) for k, c in zip(wanted, centres, strict=True) if c is not None]
    bodies = [
        body(rng, c, np.array(kinds[k]) * rng.uniform(0.88, 1.12), rng.uniform(70, 170), 0.04)
        for k, c in made
    ]
    labels = label(bodies, shape, spacing)
    classes = np.array([0, *(k for k, _ in made)], np.uint8)
    image = expose(light(bodies, labels, spacing, rng), spacing, rng, blur=(0.5, 0.5))
    return {
        name: image,
        f"{name}_labels": labels,
        f"{name}_truth": classes[labels],
        f"{name}_strokes": _dabs(labels, classes, rng),
    }


def _dabs(labels: Labels, classes: NDArray[np.uint8], rng: np.random.Generator) -> Annotation:
    """A scribble on five objects of each class."""
    picked: dict[int, int] = {}
    for kind in np.unique(classes[1:]):
        numbers = np.flatnonzero(classes == kind)
        picked.update({int(n): int(kind) for n in rng.choice(numbers, 5, replace=False)})
    return paint_plane(labels, picked, rng, n_background=0)


def _paint_planes(
    truth: Labels,
    planes: tuple[int, ...],
    rng: np.random.Generator,
    n_objects: int,
    n_background: int,
) -> Annotation:
    """Scribbles on some planes of a stack or frames of a film."""
    strokes = np.zeros(truth.shape, np.uint8)
    for plane in planes:
        areas = np.bincount(truth[plane].ravel())
        large = np.flatnonzero(areas > 60)[1:]
        picked = {int(n): 2 for n in rng.choice(large, min(n_objects, len(large)), replace=False)}
        strokes[plane] = paint_plane(truth[plane], picked, rng, n_background)
    return strokes


def _spread(
    bodies: list[Body], labels: Labels, count: int, wanted: NDArray[np.bool_] | None = None
) -> list[int]:
    """Labels of ``count`` bodies from the dimmest to the brightest, at least half in view."""
    areas = np.bincount(labels.ravel(), minlength=len(bodies) + 1)[1:]
    fit = areas > np.median(areas) / 2
    if wanted is not None:
        fit &= wanted
    numbers = np.flatnonzero(fit)
    order = numbers[np.argsort([bodies[n].brightness for n in numbers])]
    return [int(order[i]) + 1 for i in np.linspace(0, len(order) - 1, count).round().astype(int)]


def write(folder: Path, name: str, data: NDArray[Any]) -> None:
    """Write one OME-TIFF with axes and spacing."""
    axes = {"stack": "ZYX", "time_lapse": "TYX"}.get(name.rsplit("_", 1)[0], "YX")
    axes = {"stack": "ZYX", "time_lapse": "TYX", "two_channels": "CYX"}.get(name, axes)
    # Fixed, so that the same pixels make the same file.
    identity = uuid.uuid5(uuid.NAMESPACE_URL, name).urn
    metadata: dict[str, Any] = {"axes": axes, "UUID": identity, "Creator": "napari-spinney"}
    if not name.startswith(("coins", "cell")):
        spacing = STACK_SPACING if "Z" in axes else NUCLEI_SPACING
        for axis, size in zip("ZYX"[-len(spacing) :], spacing, strict=True):
            metadata |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": "µm"}
    if data.dtype == np.uint16 and data.max() < 256:
        data = data.astype(np.uint8)
    tifffile.imwrite(folder / f"{name}.tif", data, ome=True, metadata=metadata, compression="zlib")


def main(folder: Path) -> None:
    """Write all samples into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for make in (nuclei, stack, two_channels, time_lapse, shapes, sizes, real_strokes):
        for name, data in make().items():
            write(folder, name, data)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "sample_data"))
