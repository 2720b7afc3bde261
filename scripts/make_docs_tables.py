"""Write docs/features.md and docs/measurements.md from the catalogues that the program reads.

``python scripts/make_docs_tables.py`` writes them; with ``--check`` it fails where one is old.
"""

from __future__ import annotations

import sys
from pathlib import Path

from napari_spinney.features.catalogue import CATALOGUE, FAMILIES
from napari_spinney.features.external import EXTERNAL
from napari_spinney.features.sets import SETS
from napari_spinney.objects.pairs import PAIR_MEASUREMENTS
from napari_spinney.objects.request import measurement_table

DOCS = Path(__file__).parents[1] / "docs"

NUMBERS = {
    "none": "–",
    "sigma": "sigma",
    "radius": "radius: the box is 2 radius + 1 wide",
    "ignored": "needed, but means nothing",
}

INTRODUCTION = """# Features

<!-- Made by scripts/make_docs_tables.py from the catalogue: change it there. -->

A feature is written as `name` or `name=number`, a set of features as such words with blanks
between: `original gaussian_blur=2 hessian_eigenvalue_largest=1.6`. The number is in pixels, or in
micrometres (`gaussian_blur=0.5um`) where the pixel size is known; one number counts for all axes,
`gaussian_blur=1,2,2` gives one per axis (Z, Y, X). `outer_of_inner=2` applies `inner` with 2, then
`outer`: `sobel_of_gaussian_blur=2`. With several channels, every feature is measured in each;
names of later channels end with `_1`, `_2`.
"""

LONG_GAUSSIANS = """## Gaussians of large sigma

From a sigma of about 10 to 16 on (in 3D: 20 to 30), where it pays, a Gaussian is computed along
each axis in two passes, one over every `d`-th pixel and one over neighbours, with a few taps that
cut it off at 4 sigma as APOC and scipy do. Instead of n weights that takes about 7 times the square
root of n. Reach, borders and independence of blocks are those of one pass, and CPU and OpenCL give
the same bits.

Largest error against scipy in float64, as a share of the feature's range, at sigma 10, 16, 25 and
100, on white noise of mean 0, the photographs `coins` and `camera`, and stripes; beside it that of
one pass with all weights, which is float32's rounding:

| feature | two passes | one pass |
| --- | --- | --- |
| `gaussian_blur` | 0.000001 | 0.000003 |
| `difference_of_gaussian` | 0.00002 | 0.00004 |
| `sobel_of_gaussian_blur` | 0.0002 | 0.0004 |
| `laplace_box_of_gaussian_blur` | 0.0009 | 0.002 |
| `laplacian_of_gaussian` | 0.00001 | 0.000002 |
| `gradient_magnitude` | 0.00002 | 0.000004 |

(Stencils of 3 pixels on a very smooth image are near the rounding of float32, here as in APOC: with
images of mean 0 both stay below 0.0003.)

Processor time in ns per pixel, image of 1024 x 2048, in blocks, on one core (AMD EPYC, AVX-512):

| sigma | `gaussian_blur`, one pass | two passes | `gradient_magnitude`, one pass | two passes |
| --- | --- | --- | --- | --- |
| 5 | 3.5 | (one pass) | 6.3 | (one pass) |
| 10 | 5.9 | (one pass) | 10.9 | 9.3 |
| 25 | 13.8 | 9.1 | 25.1 | 15.4 |
| 100 | 52.6 | 18.3 | 103 | 34.4 |

A model read from a `.cl` file uses APOC's weights, in one pass; so does
`build_plan(..., exact=True)`.
"""


MEASUREMENTS = """# Measurements of objects

<!-- Made by scripts/make_docs_tables.py from the catalogue: change it there. -->

`measure(labels, image, features=...)` takes these names, and names of groups, which stand for all
their members that such labels have. `<n>` is a number of yours. Lengths and areas (in 3D volumes)
are in the unit of `spacing`, or in pixels without it; `pixel` is always in pixels. Measurements of
groups intensity and texture are taken in each channel; names of later channels end with `_1`,
`_2`. Names and numbers are those of APOC, and scikit-image's for what APOC does not have. What is
not defined for an object is NaN. Distances to touching neighbours and parts of the outline are 0
where nothing touches, as in APOC.

"""


def measurements() -> str:
    """The page of measurements."""
    borders = ["## Borders between touching objects", ""]
    borders += ["`ObjectMerger` and `measure_pairs` take these:", ""]
    borders += ["| name | definition |", "| --- | --- |"]
    borders += [f"| `{name}` | {text} |" for name, text in PAIR_MEASUREMENTS.items()]
    return "\n".join([MEASUREMENTS + measurement_table(), *borders, ""])


def page() -> str:
    """The page of features."""
    return "\n".join(
        [INTRODUCTION, *_features(), *_families(), *_sets(), LONG_GAUSSIANS, *_filters()]
    )


def _features() -> list[str]:
    rows = ["## On every device", "", "| name | number | what it shows |", "| --- | --- | --- |"]
    for entry in CATALOGUE.values():
        only = "" if entry.ndims == (2, 3) else f" ({entry.ndims[0]}D only)"
        rows.append(f"| `{entry.name}` | {NUMBERS[entry.parameter]} | {entry.summary}{only} |")
    return [*rows, ""]


def _families() -> list[str]:
    rows = ["Several at once:", ""]
    rows += [
        f"- `{name}`: {', '.join(f'`{m}`' for m in members)} (`middle` in 3D only)"
        for name, members in FAMILIES.items()
    ]
    return [*rows, ""]


def _sets() -> list[str]:
    rows = ["## Named sets", "", "| name | features |", "| --- | --- |"]
    rows += [f"| `{name}` | {words} |" for name, words in SETS.items()]
    return [*rows, ""]


def _filters() -> list[str]:
    names = ", ".join(f"`{name}`" for name in sorted(EXTERNAL) if name not in CATALOGUE)
    return [
        "## With OpenCL only",
        "",
        f"Filters of pyclesperanto-prototype, under its names; the number is their size: {names}.",
        "",
    ]


def main(check: bool) -> int:
    """Write the pages, or say whether they are up to date."""
    pages = {DOCS / "features.md": page(), DOCS / "measurements.md": measurements()}
    if not check:
        for path, text in pages.items():
            path.write_text(text, encoding="utf-8")
        return 0
    old = [p for p, t in pages.items() if not p.exists() or p.read_text(encoding="utf-8") != t]
    for path in old:
        print(f"{path} is out of date: run python scripts/make_docs_tables.py")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
