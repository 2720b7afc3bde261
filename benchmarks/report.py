"""The table, in the terminal and as a page of the documentation, with its plot."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.rows import place_of
from napari_spinney import list_devices

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.rows import Result, Setting

HEAD = ("row", "what", "target", "ours", "peer", "ratio", "met")


def cells_of(result: Result) -> list[str]:
    """Texts of one line of the table."""
    met = "" if result.met is None else ("yes" if result.met else "**no**")
    return [
        result.row,
        result.what,
        result.target,
        result.ours,
        result.peer,
        result.ratio,
        met,
    ]


def markdown(lines: Sequence[str]) -> str:
    """The table in Markdown, of lines from `line_of`."""
    return "\n".join([_joined(HEAD), _joined(("---",) * len(HEAD)), *lines])


def line_of(result: Result) -> str:
    """One line of the table in Markdown."""
    return _joined(cells_of(result))


def _joined(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def machine() -> str:
    """Where it was measured, and with what."""
    names = ("apoc", "numba", "numpy", "pyopencl", "scikit-learn", "scipy")
    versions = []
    for name in names:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    devices = "; ".join(f"{d} {d.version}" for d in list_devices())
    return (
        f"Measured on {os.cpu_count()} cores ({platform.machine()}, {vectors()}), Python "
        f"{platform.python_version()}, {', '.join(versions)}. Devices: {devices}."
    )


def vectors() -> str:
    """The widest vector instructions that numpy finds on this processor."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]
    return str([*found["baseline"], *found.get("found", [])][-1])


BEGIN, END = "<!-- table: made by `make benchmark` -->", "<!-- end of table -->"
PLOT = "![Time per pixel against size](images/time_per_pixel.png)"


def write(results: Sequence[Result], page: Path, setting: Setting, *, update: bool) -> None:
    """Write the page between its two marks, and the plot beside it.

    With ``update`` only the rows of these results are replaced; the others must be of the same
    machine and the same versions.
    """
    text = page.read_text() if page.exists() else f"# Benchmarks\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    table, _, after = rest.partition(END)
    page.parent.mkdir(parents=True, exist_ok=True)
    lines = [line_of(result) for result in results]
    if update:
        lines = _with_others(lines, table)
    plot = page.parent / "images" / "time_per_pixel.png"
    drawn = draw_sizes(setting.scratch / "sizes.json", plot) or (update and PLOT in table)
    body = f"{machine()}\n\n{markdown(lines)}\n" + (f"\n{PLOT}\n" if drawn else "")
    page.write_text(f"{before}{BEGIN}\n\n{body}\n{END}{after}")


def _with_others(lines: list[str], table: str) -> list[str]:
    if machine() not in table:
        raise ValueError("the page was measured elsewhere, or with other versions: run all rows")
    replaced = {HEAD[0], "---", *map(_row_of, lines)}
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    kept = [line for line in rows if _row_of(line) not in replaced]
    return sorted(kept + lines, key=lambda line: place_of(_row_of(line)))


def _row_of(line: str) -> str:
    return line.removeprefix("| ").partition(" | ")[0]


def draw_sizes(source: Path, target: Path) -> bool:
    """Plot time per pixel against size, where it was measured."""
    if not source.exists():
        return False
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
    for name, runs in json.loads(source.read_text()).items():
        pixels = [run["pixels"] / 1e6 for run in runs]
        cost = [1e9 * run["seconds"] / run["pixels"] for run in runs]
        axes.plot(pixels, cost, "o-", label=name)
    axes.set(xscale="log", xlabel="size of the image (Mpx)", ylabel="time per pixel (ns)")
    axes.set_ylim(bottom=0)
    axes.legend()
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110)
    pyplot.close(figure)
    return True
