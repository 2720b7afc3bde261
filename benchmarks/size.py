"""Rows S6, S7 and S9: large images, memory, and starting up."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.images import cells, squares
from benchmarks.rows import Result, Setting, registry
from napari_spinney import PixelClassifier, choose_device

SET = "object_size_1_to_5_px"
ROUNDS = 4

MEMORY = """
import json, sys, threading, time
import numpy as np
import napari_spinney as spinney

def private():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1024

model, shape, folder = spinney.load(sys.argv[1]), tuple(json.loads(sys.argv[2])), sys.argv[3]
image = np.load(f"{folder}/image.npy", mmap_mode="r")
model.predict(np.ascontiguousarray(image[tuple(slice(0, 128) for _ in shape)]))
out = np.lib.format.open_memmap(f"{folder}/out.npy", "w+", np.uint8, shape)
before, peak, done = private(), [0.0], threading.Event()

def watch():
    while not done.wait(0.02):
        peak[0] = max(peak[0], private())

watcher = threading.Thread(target=watch)
watcher.start()
seconds, small = [], image.size < 2**25
for _ in model.iter_predict(image, out=out) if small else ():
    pass
for _ in range(10 if small else 1):
    start = time.perf_counter()
    for _ in model.iter_predict(image, out=out):
        pass
    seconds.append(time.perf_counter() - start)
done.set()
watcher.join()
print(json.dumps({"seconds": seconds, "extra": peak[0] - before, "last": int(out.flat[-1])}))
"""

FIRST = """
import sys, time
start = time.perf_counter()
import numpy as np
import napari_spinney as spinney
model = spinney.load(sys.argv[1])
image = np.load(sys.argv[2])
classes = model.predict(image)
print(time.perf_counter() - start)
"""


def _model(ndim: int, folder: Path) -> Path:
    image, truth = cells((512, 512) if ndim == 2 else (48, 96, 96))
    path = folder / f"size{ndim}.spinney"
    PixelClassifier(SET, max_depth=2).fit(image, squares(truth)).save(path)
    return path


def _large(shape: tuple[int, ...], folder: Path) -> None:
    """Write an image of this shape, slab by slab."""
    out = np.lib.format.open_memmap(folder / "image.npy", "w+", np.uint8, shape)
    slab, _ = cells((min(shape[0], 512 if len(shape) == 2 else 64), *shape[1:]))
    for start in range(0, shape[0], len(slab)):
        part = out[start : start + len(slab)]
        part[...] = slab[: len(part)]
    out.flush()


def _run(script: str, *arguments: str, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    if run.returncode:
        raise RuntimeError(run.stderr.strip().splitlines()[-1])
    return run.stdout.strip().splitlines()[-1]


def time_sizes(shapes: list[tuple[int, ...]], setting: Setting) -> list[dict[str, float]]:
    """Predict memory maps of these shapes, each in a process of its own, round after round.

    The run in the middle of all counts, and the largest memory. The quickest would not do: of many
    short runs one meets a quiet moment, and no long one does.
    """
    rounds = [_one_round(shapes, setting) for _ in range(1 if setting.quick else ROUNDS)]
    return [
        {
            "pixels": runs[0]["pixels"],
            "seconds": statistics.median(s for run in runs for s in run["seconds"]),
            "extra": max(run["extra"] for run in runs),
        }
        for runs in zip(*rounds, strict=True)
    ]


def _one_round(shapes: list[tuple[int, ...]], setting: Setting) -> list[dict[str, Any]]:
    results = []
    with tempfile.TemporaryDirectory(dir=setting.scratch) as name:
        folder = Path(name)
        for shape in shapes:
            model = _model(len(shape), folder)
            _large(shape, folder)
            numbers = json.loads(_run(MEMORY, str(model), json.dumps(shape), str(folder)))
            results.append({"pixels": float(np.prod(shape)), **numbers})
    return results


@registry.row("S6", "time per pixel whatever the size; peak memory (S7)")
def s6(setting: Setting) -> list[Result]:
    """Time per pixel and peak memory, 2D and 3D, from memory map to memory map."""
    sides = (512, 1024) if setting.quick else (1024, 2048, 4096, 8192, 16384)
    flat = time_sizes([(n, n) for n in sides], setting)
    deep = [(64, 128, 128)] if setting.quick else [(64, 512, 512), (256, 1024, 1024)]
    deep += [] if setting.quick else [(512, 1024, 1024)]
    solid = time_sizes(deep, setting)
    results = []
    for what, runs in (("2D", flat), ("3D", solid)):
        cost = [1e9 * run["seconds"] / run["pixels"] for run in runs]
        largest = max(abs(c / cost[0] - 1) for c in cost)
        sizes = ", ".join(
            f"{r['pixels'] / 1e6:.0f} Mpx {c:.0f} ns" for r, c in zip(runs, cost, strict=True)
        )
        results.append(
            Result(
                "S6",
                f"{what}, memory map to memory map, time per pixel",
                "within 15 %",
                sizes,
                "",
                f"{largest:.0%} from the smallest",
                largest <= 0.15,
            )
        )
        peak = max(run["extra"] for run in runs)
        results.append(
            Result(
                "S7",
                f"{what}, memory beyond input and output, at {runs[-1]['pixels'] / 1e6:.0f} Mpx",
                "<= 512 MiB",
                f"{peak:.0f} MiB",
                met=peak <= 512,
            )
        )
    setting.scratch.joinpath("sizes.json").write_text(json.dumps({"2D": flat, "3D": solid}))
    return results


@registry.row("S9", "start")
def s9(setting: Setting) -> list[Result]:
    """Import, first prediction with warm caches, very first prediction on a machine."""
    image, _ = cells((1024, 1024))
    with tempfile.TemporaryDirectory(dir=setting.scratch) as name:
        folder = Path(name)
        model = _model(2, folder)
        np.save(folder / "image.npy", image)
        imports = sorted(_import_seconds() for _ in range(5))[2]
        arguments = (str(model), str(folder / "image.npy"))
        _run(FIRST, *arguments)
        warm = sorted(float(_run(FIRST, *arguments)) for _ in range(3))[1]
        cold_caches = {
            name: str(folder / name)
            for name in ("NUMBA_CACHE_DIR", "POCL_CACHE_DIR", "XDG_CACHE_HOME")
        }
        for path in cold_caches.values():
            Path(path).mkdir()
        cold = float(_run(FIRST, *arguments, **cold_caches))
    device = choose_device()
    rows = [
        ("import napari_spinney", imports, 0.3),
        (f"first prediction of 1 Mpx in a new process ({device})", warm, 2.0),
        (f"the very first on a machine, caches empty ({device})", cold, 15.0),
    ]
    return [
        Result("S9", what, f"<= {limit:g} s", f"{seconds:.2f} s", met=seconds <= limit)
        for what, seconds, limit in rows
    ]


def _import_seconds() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    bare = time.perf_counter() - start
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import napari_spinney"], check=True)
    return time.perf_counter() - start - bare
