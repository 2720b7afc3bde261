"""Rows Q1 to Q4: how good the defaults are, on a real image with truth."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.rows import NotMeasuredError, Result, Setting, registry
from benchmarks.strokes import simulate_strokes
from napari_spinney import PixelClassifier

if TYPE_CHECKING:
    from numpy.typing import NDArray

CUT = 256
"""Annotated left of this column, scored from it on; features see the whole image."""

MITOCHONDRION = 2


def mitochondria(setting: Setting) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Electron micrograph at half its resolution, and the classes 1 other, 2 mitochondrion."""
    import imageio.v3 as iio

    if setting.data is None:
        raise NotMeasuredError("give the folder of measuring images (DATA=folder)")
    folder = setting.data / "em_mitochondria"
    try:
        image = np.asarray(iio.imread(folder / "image.png"))[::2, ::2]
        mask = np.asarray(iio.imread(folder / "mitochondria_mask.png"))[::2, ::2]
    except FileNotFoundError as error:
        raise NotMeasuredError("the folder of measuring images has no em_mitochondria") from error
    return np.ascontiguousarray(image), (1 + (mask > 0)).astype(np.uint8)


def dice(predicted: NDArray[Any], truth: NDArray[Any]) -> float:
    """Dice of the mitochondria, right of the cut."""
    p, t = predicted[:, CUT:] == MITOCHONDRION, truth[:, CUT:] == MITOCHONDRION
    return float(2 * np.sum(p & t) / max(1, p.sum() + t.sum()))


def dense(truth: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Everything left of the cut annotated."""
    annotation = truth.copy()
    annotation[:, CUT:] = 0
    return annotation


def painted(truth: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """65 strokes of 3,600 pixels in all, left of the cut."""
    annotation = np.zeros_like(truth)
    annotation[:, :CUT] = simulate_strokes(truth[:, :CUT], 65, 3600, seed=seed)
    return annotation


def _seeds(setting: Setting) -> range:
    return range(2 if setting.quick else 5)


@registry.row("Q1", "mitochondria in an electron micrograph, left half annotated densely")
def q1(setting: Setting) -> list[Result]:
    """Default settings beside APOC's defaults."""
    image, truth = mitochondria(setting)
    ours = dice(PixelClassifier().fit(image, dense(truth)).predict(image), truth)
    right = PixelClassifier().fit(image[:, :CUT], truth[:, :CUT]).predict(image[:, CUT:])
    apart = dice(np.concatenate([truth[:, :CUT], right], axis=1), truth)
    return [
        Result(
            "Q1",
            "mitochondria in an electron micrograph, left half annotated densely; Dice on the "
            f"right half ({apart:.3f} where the halves are images of their own)",
            ">= 0.77",
            f"{ours:.3f}",
            _apoc(image, truth, setting),
            met=ours >= 0.77,
        )
    ]


def _apoc(image: NDArray[np.uint8], truth: NDArray[np.uint8], setting: Setting) -> str:
    """What APOC finds with its default work, or why it was not asked."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import apoc
    except ImportError:
        return "APOC is not installed"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = str(setting.scratch / "mitochondria.cl")
        peer = apoc.PixelClassifier(opencl_filename=file, max_depth=2, num_ensembles=100)
        words = apoc.PredefinedFeatureSet.object_size_1_to_5_px.value
        peer.train(words, dense(truth).astype(np.uint32), image)
        return f"APOC {dice(np.asarray(peer.predict(image=image)), truth):.3f}"


@registry.row("Q2", "the same, two stages")
def q2(setting: Setting) -> list[Result]:
    """Autocontext."""
    image, truth = mitochondria(setting)
    ours = dice(PixelClassifier(stages=2).fit(image, dense(truth)).predict(image), truth)
    what = "the same, two stages (autocontext)"
    return [Result("Q2", what, ">= 0.81", f"{ours:.3f}", met=ours >= 0.81)]


@registry.row("Q3", "the same from 65 strokes (3,600 px)")
def q3(setting: Setting) -> list[Result]:
    """Mean of several draws of strokes, with one and two stages."""
    image, truth = mitochondria(setting)
    results = []
    for stages, target in ((1, 0.73), (2, None)):
        scores = []
        for seed in _seeds(setting):
            classifier = PixelClassifier(stages=stages).fit(image, painted(truth, seed))
            scores.append(dice(classifier.predict(image), truth))
        mean = float(np.mean(scores))
        results.append(
            Result(
                "Q3",
                f"the same from 65 strokes (3,600 px), {stages} stage(s), mean of {len(scores)} "
                f"draws ({min(scores):.3f} to {max(scores):.3f})",
                "" if target is None else f">= {target}",
                f"{mean:.3f}",
                met=None if target is None else mean >= target,
            )
        )
    return results


@registry.row("Q4", "estimated error beside the true one")
def q4(setting: Setting) -> list[Result]:
    """Held-out strokes, and what folds of random pixels would have promised."""
    image, truth = mitochondria(setting)
    true, held_out, random = [], [], []
    for seed in _seeds(setting):
        classifier = PixelClassifier().fit(image, painted(truth, seed))
        predicted = classifier.predict(image)
        true.append(float(np.mean(predicted[:, CUT:] != truth[:, CUT:])))
        held_out.append(classifier.validate().error)
        random.append(_random_folds(classifier))
    ratios = np.divide(held_out, true)
    return [
        Result(
            "Q4",
            f"error estimated by held-out strokes, {len(true)} draws; true error on the right half "
            f"{_percent(true)}",
            "within 1.5 x",
            _percent(held_out),
            f"folds of random pixels {_percent(random)}",
            f"{np.median(ratios):.2f} x ({ratios.min():.2f} to {ratios.max():.2f})",
            bool(np.all((ratios >= 1 / 1.5) & (ratios <= 1.5))),
        )
    ]


def _random_folds(classifier: PixelClassifier) -> float:
    """What the error seems to be by folds of random pixels."""
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    table, options = classifier.table_, classifier.options
    model = ExtraTreesClassifier(
        options.n_trees, min_samples_leaf=options.min_leaf, bootstrap=True, random_state=0
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return 1 - float(np.mean(cross_val_score(model, table.X, table.y, cv=folds)))


def _percent(values: list[float]) -> str:
    return f"{100 * float(np.mean(values)):.1f} %"
