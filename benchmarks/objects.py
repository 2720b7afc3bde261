"""Measuring objects beside scikit-image's ``regionprops_table``: time, ratio, difference.

``python benchmarks/objects.py`` measures 10,000 ellipses on 4096 x 4096 (about a minute);
``python benchmarks/objects.py 50 2048`` measures 50 x 50 of them on 2048 x 2048. Both run in one
process, one after the other; each row is the best of three for ours and one run for scikit-image.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import numpy as np
from skimage.measure import regionprops_table

from napari_spinney.objects.measure import measure

if TYPE_CHECKING:
    from collections.abc import Callable

MOMENTS = ["area", "axis_major_length", "axis_minor_length", "eccentricity", "extent"]
OUTLINE = ["perimeter", "perimeter_crofton", "euler_number"]
HULL = ["area_convex", "solidity", "feret_diameter_max", "area_filled"]
INTENSITY = {
    "mean_intensity": "intensity_mean",
    "min_intensity": "intensity_min",
    "max_intensity": "intensity_max",
    "standard_deviation_intensity": "intensity_std",
}
ROWS = {
    "moments": {name: name for name in MOMENTS},
    "outline": {name: name for name in OUTLINE},
    "convex hull": {name: name for name in HULL},
    "intensity": INTENSITY,
}
ROWS["all of these"] = {ours: theirs for row in ROWS.values() for ours, theirs in row.items()}


def ellipses(n: int, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels of n x n ellipses in random order, and an image of noise."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((size, size), np.uint32)
    step = size // n
    y, x = np.mgrid[:step, :step] - step / 2 + 0.5
    numbers = rng.permutation(n * n) + 1
    for k, number in enumerate(numbers):
        a, b = rng.uniform(0.25 * step, 0.55 * step, 2)
        angle = rng.uniform(0, np.pi)
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        row, column = divmod(k, n)
        tile = labels[row * step : (row + 1) * step, column * step : (column + 1) * step]
        tile[(u / a) ** 2 + (v / b) ** 2 < 1] = number
    return labels, rng.integers(0, 4000, (size, size)).astype(np.uint16)


def seconds(work: Callable[[], object], repeats: int = 1) -> float:
    """Shortest of some runs."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def row(name: str, columns: dict[str, str], labels: np.ndarray, image: np.ndarray) -> str:
    """Measure the same with both, and compare."""
    wanted = ["label", *columns.values()]
    numbers = labels.astype(np.int64)
    ours = measure(labels, image, features=list(columns))
    theirs: dict[str, np.ndarray] = {}
    slow = seconds(lambda: theirs.update(regionprops_table(numbers, image, properties=wanted)))
    quick = seconds(lambda: measure(labels, image, features=list(columns)), 3)
    worst = max(
        np.max(np.abs(ours[a].to_numpy() - theirs[b]) / np.maximum(1, np.abs(theirs[b])))
        for a, b in columns.items()
    )
    return f"| {name} | {quick:.2f} s | {slow:.2f} s | {slow / quick:.0f} x | {worst:.0e} |"


def main(n: int = 100, size: int = 4096) -> None:
    """Print the table."""
    labels, image = ellipses(n, size)
    print(f"{n * n} objects on {size} x {size}\n")
    print("| measurements | spinney | scikit-image | ratio | largest relative difference |")
    print("| --- | --- | --- | --- | --- |")
    for name, columns in ROWS.items():
        print(row(name, columns, labels, image), flush=True)
    for group in ("size shape intensity position", "texture", "neighbours", "all"):
        work = seconds(lambda words=group: measure(labels, image, features=words))
        print(f"| {group} | {work:.2f} s | – | – | – |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
