"""Rows S1 to S4: speed beside APOC, scipy with scikit-learn, and vigra."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import numpy as np

from benchmarks.images import cells, squares
from benchmarks.models import same_forest
from benchmarks.peers import scipy_sklearn
from benchmarks.rows import NotMeasuredError, Result, Setting, registry
from benchmarks.timing import Times, alternate, ratio
from napari_spinney import DeviceError, PixelClassifier, choose_device

SET = "object_size_1_to_5_px"


def opencl_device() -> str:
    """Name of the OpenCL device, or a row not measured."""
    try:
        return choose_device("opencl").name
    except DeviceError as error:
        raise NotMeasuredError("no OpenCL device") from error


def speed(pixels: int, times: Times) -> str:
    """Megapixels a second of the run in the middle, and its time."""
    return f"{pixels / times.median / 1e6:.2f} Mpx/s ({times.median * 1e3:.0f} ms)"


def spread(peer: Times, ours: Times) -> str:
    """Ratio of the median and the extremes."""
    middle, low, high = ratio(peer, ours)
    return f"{middle:.1f} x ({low:.1f} to {high:.1f})"


def check_same(ours: np.ndarray, theirs: np.ndarray, most: float) -> str:
    """Share of pixels decided otherwise; an error where there are more than allowed."""
    share = float(np.mean(ours != theirs))
    if share > most:
        raise ValueError(f"{share:.3%} of the pixels differ from the peer's, more than {most:.3%}")
    return f"{share:.4%} of pixels differ"


def _against_scipy(row: str, what: str, device: str, target: float, setting: Setting) -> Result:
    side = 512 if setting.quick else 2048
    image, truth = cells((side, side))
    classifier, model = same_forest(SET, image, squares(truth), max_depth=2)
    times = alternate(
        {
            "ours": lambda: classifier.predict(image, device=device),
            "peer": lambda: scipy_sklearn.predict(model, scipy_sklearn.object_size_features(image)),
        },
        2 if setting.quick else 5,
    )
    theirs = scipy_sklearn.predict(model, scipy_sklearn.object_size_features(image))
    same = check_same(classifier.predict(image, device=device), theirs, 1e-4)
    return Result(
        row,
        f"{what} ({same})",
        f">= {target:g} x",
        speed(image.size, times["ours"]),
        f"scipy + scikit-learn {speed(image.size, times['peer'])}",
        spread(times["peer"], times["ours"]),
        ratio(times["peer"], times["ours"])[0] >= target,
    )


@registry.row("S1", "16 features, 100 trees of depth 2, 2048 x 2048, OpenCL on this processor")
def s1(setting: Setting) -> list[Result]:
    """Beside scipy with scikit-learn, and beside APOC."""
    what = f"APOC's default work on OpenCL ({opencl_device()})"
    return [
        _against_scipy("S1", what, "opencl", 20, setting),
        _against_apoc(what, setting),
    ]


def _against_apoc(what: str, setting: Setting) -> Result:
    try:
        import apoc
    except ImportError as error:
        raise NotMeasuredError("apoc is not installed") from error
    side = 512 if setting.quick else 2048
    image, truth = cells((side, side))
    file = str(setting.scratch / "apoc.cl")
    peer = apoc.PixelClassifier(opencl_filename=file, max_depth=2, num_ensembles=100)
    peer.train(apoc.PredefinedFeatureSet[SET].value, squares(truth), image)
    classifier, _ = same_forest(SET, image, squares(truth), max_depth=2)
    times = alternate(
        {
            "ours": lambda: classifier.predict(image, device="opencl"),
            "peer": lambda: np.asarray(peer.predict(image=image)),
        },
        1 if setting.quick else 3,
    )
    from napari_spinney import load

    theirs = np.asarray(peer.predict(image=image))
    same = check_same(load(file).predict(image, device="opencl"), theirs, 1e-4)
    return Result(
        "S1",
        f"{what}; APOC's own forest read from its file: {same}",
        ">= 50 x",
        speed(image.size, times["ours"]),
        f"APOC {speed(image.size, times['peer'])}",
        spread(times["peer"], times["ours"]),
        ratio(times["peer"], times["ours"])[0] >= 50,
    )


@registry.row("S2", "the same without OpenCL")
def s2(setting: Setting) -> list[Result]:
    """The executor of numba beside scipy with scikit-learn."""
    return [_against_scipy("S2", "the same without OpenCL", "cpu", 15, setting)]


@registry.row("S3", "ilastik's 49 channels and 100 unlimited trees, 1 Mpx")
def s3(setting: Setting) -> list[Result]:
    """Beside vigra's filters and scikit-learn's forest."""
    side = 256 if setting.quick else 1024
    image, truth = cells((side, side))
    classifier, model = same_forest("ilastik", image, squares(truth, 60))
    planes = _all_features(classifier, image)
    repeats = 1 if setting.quick else 3
    times = alternate(
        {
            "ours": lambda: classifier.predict(image),
            "forest": lambda: scipy_sklearn.predict(model, planes),
        },
        repeats,
    )
    same = check_same(classifier.predict(image), scipy_sklearn.predict(model, planes), 1e-4)
    filters = _vigra(image, repeats, setting.scratch)
    pairs = zip(filters.seconds, times["forest"].seconds, strict=True)
    peer = Times(tuple(a + b for a, b in pairs))
    nodes = classifier.forest_.n_nodes - classifier.forest_.n_leaves
    return [
        Result(
            "S3",
            f"ilastik's 49 channels, 100 unlimited trees ({nodes} inner nodes; {same})",
            ">= 10 x",
            f"{speed(image.size, times['ours'])} on {choose_device()}",
            f"vigra {filters.median:.2f} s + scikit-learn {times['forest'].median:.2f} s",
            spread(peer, times["ours"]),
            ratio(peer, times["ours"])[0] >= 10,
        )
    ]


def _all_features(classifier: PixelClassifier, image: np.ndarray) -> np.ndarray:
    from napari_spinney.classifiers.prediction import plan_of
    from napari_spinney.compute.run import executor_for

    plan = plan_of(classifier.state_, 0, None)
    whole = tuple(slice(0, n) for n in image.shape)
    return executor_for("cpu").features(plan, image[None].astype(np.float32), whole)


def _vigra(image: np.ndarray, repeats: int, scratch: Path) -> Times:
    python = shutil.which("python3", path="/usr/bin")
    if python is None:
        raise NotMeasuredError("no system Python to run Debian's python3-vigra")
    np.save(scratch / "vigra.npy", image)
    script = Path(__file__).parent / "peers" / "vigra_features.py"
    command = [python, str(script), str(scratch / "vigra.npy"), str(repeats)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        last = run.stderr.strip().splitlines()[-1:]
        raise NotMeasuredError(f"vigra does not run (apt-get install python3-vigra): {last}")
    return Times(tuple(float(line) for line in run.stdout.split()))


@registry.row("S4", "first prediction after training beside a warm one")
def s4(setting: Setting) -> list[Result]:
    """Whether a new forest costs more the first time: nothing may be compiled for it."""
    side = 512 if setting.quick else 1024
    image, truth = cells((side, side))
    results = []
    for device in ("opencl", "cpu"):
        try:
            choose_device(device)
        except DeviceError:
            continue
        PixelClassifier(SET).fit(image, squares(truth), device=device).predict(image, device=device)
        first, warm = [], []
        for seed in range(2 if setting.quick else 7):
            classifier = PixelClassifier(SET, seed=seed)
            classifier.fit(image, squares(truth, seed=seed), device=device)
            for runs in (first, warm):
                start = time.perf_counter()
                classifier.predict(image, device=device)
                runs.append(time.perf_counter() - start)
        one, two = Times(tuple(first)), Times(tuple(warm))
        results.append(
            Result(
                "S4",
                f"first prediction of a new forest ({device})",
                "<= 1.2 x a warm one",
                f"{one.median * 1e3:.0f} ms",
                f"warm {two.median * 1e3:.0f} ms",
                spread(one, two),
                ratio(one, two)[0] <= 1.2,
            )
        )
    return results
