"""Rows F1 to F3: folders of images, from files to files."""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.images import cells, squares
from benchmarks.rows import NotMeasuredError, Result, Setting, registry
from benchmarks.timing import Times, alternate, ratio
from napari_spinney import PixelClassifier
from napari_spinney.batch.files import load_pixel_model, segmenter_of, train_files
from napari_spinney.batch.folders import Job, Task, predict_files, run_tasks
from napari_spinney.batch.pairing import pair_folders
from napari_spinney.files.images import read_image, write_image
from napari_spinney.provenance import file_fact
from napari_spinney.scores import score_classes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NUCLEUS = 2


MIB = 2**20


@registry.row("F1", "a folder of images predicted, several files at a time and one at a time")
def f1(setting: Setting) -> list[Result]:
    """Seconds per file, read and written, of small and larger images."""
    results = []
    sizes = {128: 40, 512: 8} if setting.quick else {128: 200, 512: 40, 2048: 6}
    model = setting.scratch / "f1.spinney"
    _cells_model().save(model)
    for size, number in sizes.items():
        files = _cells_files(setting.scratch / f"f1_{size}", size, number)
        for what in ("classes", "objects"):
            times = _alternate(model, what, files, setting)
            median, low, high = ratio(times["one"], times["several"])
            results.append(
                Result(
                    "F1",
                    f"{number} files of {size} x {size} predicted ({what}), several at a time; "
                    "peer: one at a time",
                    "",
                    f"{1000 * times['several'].median / number:.0f} ms per file",
                    f"{1000 * times['one'].median / number:.0f} ms per file",
                    f"{median:.2f} x ({low:.2f} to {high:.2f})",
                )
            )
    return results


def _alternate(
    model: Path, what: Any, files: list[tuple[Path, Path]], setting: Setting
) -> dict[str, Times]:
    classifier = load_pixel_model(model)
    used = segmenter_of(classifier, split=True) if what == "objects" else classifier
    job = Job(used, file_fact(model), what, again=True)
    tasks = [Task(job, image, result) for image, result in files]
    works = {
        "several": lambda: deque(run_tasks(tasks), maxlen=0),
        "one": lambda: deque(run_tasks(tasks, parallel=1), maxlen=0),
    }
    return alternate(works, 2 if setting.quick else 5)


def _cells_model() -> PixelClassifier:
    image, truth = cells((256, 256))
    return PixelClassifier(n_trees=50).fit(image, squares(truth))


def _cells_files(folder: Path, size: int, number: int) -> list[tuple[Path, Path]]:
    folder.mkdir(exist_ok=True)
    image, _ = cells((size, size))
    for n in range(number):
        write_image(folder / f"{n:05}.tif", np.roll(image, 3 * n, 0))
    return [(path, folder / "out" / path.name) for path in sorted(folder.glob("*.tif"))]


@registry.row("F3", "memory and time of folders of many files")
def f3(setting: Setting) -> list[Result]:
    """Memory after the first part of the files, and after all: trained on, predicted, kept."""
    number, size = (400, 64) if setting.quick else (10_000, 64)
    files = _cells_files(setting.scratch / "f3", size, number)
    _, truth = cells((size, size))
    dabs = np.zeros_like(truth)
    for number_of_class in (1, 2):  # five pixels of each class: memory is that of rows learnt
        at = tuple(index[:5] for index in np.nonzero(truth == number_of_class))
        dabs[at] = number_of_class
    painted = setting.scratch / "f3_masks"
    painted.mkdir()
    for path, _ in files:
        write_image(painted / path.name, dabs)
    model = setting.scratch / "f3.spinney"
    _cells_model().save(model)
    code = [
        ("trained on", _TRAIN, (files[0][0].parent, painted)),
        ("predicted", _PREDICT, (files[0][0].parent, model)),
        ("listed and kept", _PREDICT, (files[0][0].parent, model)),
    ]
    results = []
    for what, script, (folder, other) in code:
        few, many, seconds = _memory_of(script, folder, other, number)
        growth = (many - few) / MIB
        results.append(
            Result(
                "F3",
                f"{number:,} files of {size} x {size} {what}: memory above that of a tenth of them",
                "< 100 MiB",
                f"{growth:.0f} MiB",
                ratio=f"{1000 * seconds / number:.1f} ms per file",
                met=growth < 100,
            )
        )
    return results


# The peak that getrusage tells is at least that of the process which started this one.
_HEAD = """
import sys, time
from pathlib import Path

folder, other, number = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])

def peak():
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))
"""

_TRAIN = """
from napari_spinney import PixelClassifier
from napari_spinney.batch.files import train_files
from napari_spinney.batch.pairing import pair_folders

pairs = pair_folders(folder, other)
for some in (pairs[: number // 10], pairs):
    images, masks = zip(*some)
    begin = time.perf_counter()
    train_files(PixelClassifier("small_quick", n_trees=10), images, masks)
    print(peak(), time.perf_counter() - begin)
"""

_PREDICT = """
from napari_spinney.batch.files import load_pixel_model
from napari_spinney.batch.folders import Job, predict_files
from napari_spinney.batch.pairing import images_in
from napari_spinney.provenance import file_fact

job = Job(load_pixel_model(other), file_fact(other), "classes")
begin = time.perf_counter()
files = [(path, folder / "out" / path.name) for path in images_in(folder)]
for done, outcome in enumerate(predict_files(job, files), 1):
    assert outcome.error is None, outcome.error
    if done in (number // 10, number):
        print(peak(), time.perf_counter() - begin)
"""


def _memory_of(script: str, folder: Path, other: Path, number: int) -> tuple[int, int, float]:
    """Most bytes after a tenth of the files and after all, and seconds, in a new process."""
    if not sys.platform.startswith("linux"):
        raise NotMeasuredError("the memory of a process is read from Linux's /proc")
    words = [sys.executable, "-c", _HEAD + script, str(folder), str(other), str(number)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    few, many = (line.split() for line in done.stdout.splitlines()[-2:])
    return int(few[0]), int(many[0]), float(many[1])


@registry.row("F2", "nuclei (BBBC007), trained on the folder of all crops but one, scored on that")
def f2(setting: Setting) -> list[Result]:
    """Each crop left out once; Dice of nuclei where the mask says what is there."""
    pairs = _crops(setting)
    ours, shallow, peers, found = [], [], [], 0
    for number, (image, mask) in enumerate(pairs):
        others = [pair for pair in pairs if pair[0] != image]
        folder = setting.scratch / f"bbbc007_{number}"
        classes, n_objects = _ours(others, image, folder)
        ours.append(_dice(classes, mask))
        found += n_objects
        shallow.append(_dice(_ours(others, image, folder, max_depth=2)[0], mask))
        peers.append(_apoc(others, image, mask, folder))
    low, high = min(ours), max(ours)
    apoc = [peer for peer in peers if isinstance(peer, float)]
    return [
        Result(
            "F2",
            f"nuclei (BBBC007): trained on a folder of {len(pairs) - 1} crops, scored on the one "
            f"left out, each in turn; Dice where the mask knows ({low:.3f} to {high:.3f}; "
            f"{np.mean(shallow):.3f} with trees as shallow as APOC's); {found} objects in all",
            "",
            f"{np.mean(ours):.3f}",
            f"APOC {np.mean(apoc):.3f}" if apoc else str(peers[0]),
        )
    ]


def _crops(setting: Setting) -> list[tuple[Path, Path]]:
    if setting.data is None:
        raise NotMeasuredError("give the folder of measuring images (DATA=folder)")
    folder = setting.data / "bbbc007_crops"
    try:
        return pair_folders(folder / "images", folder / "masks")
    except ValueError as error:
        raise NotMeasuredError(str(error)) from error


def _ours(
    others: list[tuple[Path, Path]], image: Path, folder: Path, **options: Any
) -> tuple[Any, int]:
    """Classes of an image, and how many objects, by way of files; learnt from the others."""
    model = PixelClassifier(**options)
    train_files(model, [pair[0] for pair in others], [pair[1] for pair in others])
    folder.mkdir(exist_ok=True)
    model.save(folder / "model.spinney")
    results = {}
    for what, used in (("classes", model), ("objects", segmenter_of(model, split=True))):
        job = Job(used, file_fact(folder / "model.spinney"), what)
        (outcome,) = predict_files(job, [(image, folder / f"{what}.tif")])
        if outcome.error is not None:
            raise outcome.error
        results[what] = np.asarray(read_image(outcome.result).data)
    return results["classes"], int(results["objects"].max())


def _dice(classes: NDArray[Any], mask: Path) -> float:
    truth = np.asarray(read_image(mask).data).astype(np.uint8)
    scores = {score.number: score for score in score_classes(classes, truth, sparse=True)}
    return scores[NUCLEUS].dice


def _apoc(others: list[tuple[Path, Path]], image: Path, mask: Path, folder: Path) -> float | str:
    """Dice of APOC with its default work, trained on folders as well; or why it was not asked."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import apoc
    except ImportError:
        return "APOC is not installed"
    for name, place in (("image", 0), ("ground_truth", 1)):
        (folder / name).mkdir(exist_ok=True)
        for pair in others:
            shutil.copy(pair[place], folder / name / pair[0].name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = apoc.PixelClassifier(
            opencl_filename=str(folder / "peer.cl"), max_depth=2, num_ensembles=100
        )
        apoc.train_classifier_from_image_folders(
            peer,
            apoc.PredefinedFeatureSet.object_size_1_to_5_px.value,
            image=str(folder / "image"),
            ground_truth=str(folder / "ground_truth"),
        )
        found = np.asarray(peer.predict(image=np.asarray(read_image(image).data)))
    return _dice(found, mask)
