"""The table, in the terminal and as a page of the documentation, with its plot."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np

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


def markdown(results: Sequence[Result]) -> str:
    """The table in Markdown."""
    lines = [HEAD, ("---",) * len(HEAD), *map(cells_of, results)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


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


def write(results: Sequence[Result], page: Path, setting: Setting) -> None:
    """Write the page between its two marks, and the plot beside it."""
    begin, end = "<!-- table: made by `make benchmark` -->", "<!-- end of table -->"
    text = page.read_text() if page.exists() else f"# Benchmarks\n\n{begin}\n{end}\n"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    page.parent.mkdir(parents=True, exist_ok=True)
    body = f"{machine()}\n\n{markdown(results)}\n"
    plot = page.parent / "images" / "time_per_pixel.png"
    if draw_sizes(setting.scratch / "sizes.json", plot):
        body += "\n![Time per pixel against size](images/time_per_pixel.png)\n"
    page.write_text(f"{before}{begin}\n\n{body}\n{end}{after}")


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
