"""Row S5: from a stroke to the updated view, on a real viewer."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.rows import NotMeasuredError, Result, Setting, registry


@registry.row("S5", "stroke to updated view")
def s5(setting: Setting) -> list[Result]:
    """Paint on a viewer of 4096 x 4096 pixels with 1024 x 1024 in view, 16 features."""
    if importlib.util.find_spec("napari") is None:
        raise NotMeasuredError("napari is not installed")
    xvfb = shutil.which("xvfb-run")
    if xvfb is None:
        raise NotMeasuredError("no xvfb-run to open a window with (apt-get install xvfb)")
    script = Path(__file__).parent / "live_latency.py"
    run = subprocess.run(
        [xvfb, "--auto-servernum", sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise RuntimeError(run.stderr.strip().splitlines()[-1])
    names = ("first", "whole", "longest slot", "drawing once")
    first, whole, slot, drawing = (_line(run.stdout, name) for name in names)
    median = _milliseconds(first)
    return [
        Result(
            "S5",
            f"{first}; {whole}",
            "median <= 150 ms",
            f"{median} ms until the window has the first answer for the whole view; "
            f"to draw a window takes {_milliseconds(drawing)} ms here",
            met=median <= 150,
        ),
        Result(
            "S5",
            "longest work of the plugin on the GUI thread",
            "<= 50 ms",
            slot.split("(")[0].strip(),
            met=_milliseconds(slot) <= 50,
        ),
    ]


def _line(text: str, start: str) -> str:
    found = next(line for line in text.splitlines() if line.startswith(start))
    return re.sub(r"\s+", " ", found)


def _milliseconds(line: str) -> int:
    found = re.search(r"(\d+) ms", line)
    if found is None:
        raise ValueError(f"no milliseconds in {line!r}")
    return int(found[1])
