"""Row O1: measuring objects beside scikit-image's ``regionprops_table``."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from skimage.measure import regionprops_table

from benchmarks.rows import Result, Setting, registry
from benchmarks.speed import spread
from benchmarks.timing import Times, alternate
from napari_spinney import measure

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

MOMENTS = ["area", "axis_major_length", "axis_minor_length", "eccentricity", "extent"]
OUTLINE = ["perimeter", "perimeter_crofton", "euler_number"]
HULL = ["area_convex", "solidity", "feret_diameter_max", "area_filled"]
INTENSITY = {
    "mean_intensity": "intensity_mean",
    "min_intensity": "intensity_min",
    "max_intensity": "intensity_max",
    "standard_deviation_intensity": "intensity_std",
}
BESIDE_SKIMAGE = {
    "moments": {name: name for name in MOMENTS},
    "outline": {name: name for name in OUTLINE},
    "convex hull": {name: name for name in HULL},
    "intensity": INTENSITY,
}
"""Groups of measurements: our name to scikit-image's."""
BESIDE_SKIMAGE["all of these"] = {
    ours: theirs for group in BESIDE_SKIMAGE.values() for ours, theirs in group.items()
}
ALONE = ("size shape intensity position", "texture", "neighbours", "all")
SECONDS = 10.0
"""What "in seconds" promises for 10,000 objects, by the run least disturbed."""
LARGEST_DIFFERENCE = 1e-6


@registry.row("O1", "10,000 objects on 4096 x 4096, measured in seconds")
def o1(setting: Setting) -> list[Result]:
    """Groups of measurements beside scikit-image, then groups that it does not have."""
    n, size = (20, 512) if setting.quick else (100, 4096)
    labels, image = ellipses(n, size)
    repeats = 1 if setting.quick else 3
    what = f"{n * n:,} objects on {size} x {size}"
    beside = [
        _against_skimage(f"{what}: {group}", names, labels, image, repeats)
        for group, names in BESIDE_SKIMAGE.items()
    ]
    alone = [_alone(f"{what}: {words}", words, labels, image, repeats) for words in ALONE]
    return beside + alone


def _against_skimage(
    what: str, names: Mapping[str, str], labels: np.ndarray, image: np.ndarray, repeats: int
) -> Result:
    numbers, wanted = labels.astype(np.int64), ["label", *names.values()]
    ours = functools.partial(measure, labels, image, features=list(names))
    peer = functools.partial(regionprops_table, numbers, image, properties=wanted)
    worst = check_close(ours(), peer(), names)
    times = alternate({"ours": ours, "peer": peer}, repeats)
    return Result(
        "O1",
        f"{what} (largest relative difference {worst:.0e})",
        "seconds",
        _time(times["ours"]),
        f"scikit-image {_time(times['peer'])}",
        spread(times["peer"], times["ours"]),
        times["ours"].best <= SECONDS,
    )


def _alone(what: str, words: str, labels: np.ndarray, image: np.ndarray, repeats: int) -> Result:
    work = functools.partial(measure, labels, image, features=words)
    times = alternate({"ours": work}, repeats)["ours"]
    columns = f"{work().shape[1] - 1} columns"
    return Result("O1", f"{what}, {columns}", "seconds", _time(times), met=times.best <= SECONDS)


def _time(times: Times) -> str:
    return f"{times.median:.2f} s (best {times.best:.2f} s)"


def check_close(
    ours: pd.DataFrame, theirs: Mapping[str, np.ndarray], names: Mapping[str, str]
) -> float:
    """Largest difference, relative where numbers exceed 1; an error where it is too large."""
    np.testing.assert_array_equal(ours["label"], theirs["label"])
    difference = {
        mine: np.max(np.abs(ours[mine] - theirs[name]) / np.maximum(1, np.abs(theirs[name])))
        for mine, name in names.items()
    }
    worst = max(difference, key=lambda name: difference[name])
    if not difference[worst] <= LARGEST_DIFFERENCE:
        raise ValueError(
            f"{worst} differs from scikit-image's by {difference[worst]:.1e}, more than "
            f"{LARGEST_DIFFERENCE:.0e}"
        )
    return float(difference[worst])


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
