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
    return "\n".join([INTRODUCTION, *_features(), *_families(), *_sets(), *_filters()])


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
