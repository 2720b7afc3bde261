"""Rows F1 and F2: folders of images, from files to files."""

from __future__ import annotations

import shutil
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.rows import NotMeasuredError, Result, Setting, registry
from napari_spinney import PixelClassifier
from napari_spinney.batch import segmenter_of, train_files
from napari_spinney.files.images import read_image
from napari_spinney.folders import Job, predict_files
from napari_spinney.pairing import pair_folders
from napari_spinney.provenance import file_fact
from napari_spinney.scores import score_classes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NUCLEUS = 2


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
