"""The main job on real and on synthetic data, with pictures and a score: ``spinney demo``."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.samples import Sample, load_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_spinney.compute.device import Device

STROKE_COLORS = {1: (0.34, 0.71, 0.91), 2: (0.90, 0.62, 0.0)}
OUTLINE = (1.0, 0.85, 0.1)


@dataclass(frozen=True, slots=True)
class Scores:
    """How well a mask, and the objects in it, agree with the truth; 1 is perfect.

    Parameters
    ----------
    dice, jaccard : float
        Agreement of the masks, by pixels.
    objects_found : float
        Part of the true objects that one object covers with a Jaccard index above 0.5.
    """

    dice: float
    jaccard: float
    objects_found: float


@dataclass(slots=True)
class Case:
    """One image of the demo: what was made of it, and how long each stage took."""

    sample: Sample
    objects: NDArray[np.uint32]
    foreground: NDArray[np.float32]
    seconds: dict[str, float] = field(default_factory=dict)
    scores: Scores | None = None


def run_demo(
    out: Path, *, device: str | Device | None = None, tell: Callable[[str], None] = lambda _: None
) -> list[Case]:
    """Train, predict, score and draw; write everything into a folder.

    Parameters
    ----------
    out : Path
        Made if it is missing; holds a picture, a model and a label image per case afterwards.
    device : str or Device, optional
        As for `PixelClassifier.fit`.
    tell : callable
        Called with each line of the report.
    """
    from napari_spinney.compute.device import choose_device

    chosen = choose_device(device)
    tell(f"Device: {chosen}")
    out.mkdir(parents=True, exist_ok=True)
    cases = []
    for name, options in (
        ("coins", {"min_size": 200}),
        ("nuclei", {"split": "watershed", "min_size": 20}),
    ):
        case = run_case(load_sample(name), out, chosen, **options)
        cases.append(case)
        tell(describe(case))
    tell(f"Written: {', '.join(sorted(path.name for path in out.iterdir()))} in {out}")
    return cases


def run_case(sample: Sample, out: Path, device: Device, **options: Any) -> Case:
    """Train on the strokes of one sample, predict it, and write what came out."""
    from napari_spinney.classifiers.pixels import ObjectSegmenter
    from napari_spinney.files.images import write_image

    seconds: dict[str, float] = {}
    model = ObjectSegmenter(**options)
    model.class_names = sample.class_names
    with _timed(seconds, "train"):
        model.fit(sample.image, sample.strokes, device=device, **sample.options)
    with _timed(seconds, "predict"):
        objects = model.predict(sample.image, device=device)
    with _timed(seconds, "predict again"):
        foreground = model.predict_proba(sample.image, device=device)[1]
    case = Case(sample, objects, foreground, seconds)
    if sample.truth is not None:
        case.scores = score(objects, sample.truth)
    with _timed(seconds, "save and draw"):
        model.save(out / f"{sample.name}.spinney")
        write_image(out / f"{sample.name}_objects.tif", objects, sample.axes, sample.spacing)
        draw_case(case, out / f"{sample.name}.png")
    return case


def score(objects: NDArray[Any], truth: NDArray[Any]) -> Scores:
    """Compare a label image with the true one.

    Parameters
    ----------
    objects, truth : (*spatial) arrays of int
        0 = background.
    """
    found, true = objects > 0, truth > 0
    both = int((found & true).sum())
    either = int((found | true).sum())
    return Scores(
        dice=2 * both / max(int(found.sum()) + int(true.sum()), 1),
        jaccard=both / max(either, 1),
        objects_found=_objects_found(objects, truth),
    )


def _objects_found(objects: NDArray[Any], truth: NDArray[Any]) -> float:
    """Part of the true objects matched with a Jaccard index above 0.5 (a match is then unique)."""
    from sklearn.metrics.cluster import contingency_matrix

    table = np.asarray(contingency_matrix(truth.ravel(), objects.ravel()), float)
    union = table.sum(axis=1, keepdims=True) + table.sum(axis=0, keepdims=True) - table
    overlap = table / union
    true_rows = np.unique(truth) > 0
    found_columns = np.unique(objects) > 0
    matched = overlap[np.ix_(true_rows, found_columns)] > 0.5
    return float(matched.any(axis=1).mean()) if matched.size else 0.0


def describe(case: Case) -> str:
    """One line about a case: what was found, how well, how fast."""
    parts = [f"{case.sample.name}: {int(case.objects.max())} objects"]
    if case.scores is not None:
        s = case.scores
        parts.append(f"Dice {s.dice:.3f}, Jaccard {s.jaccard:.3f} against the truth")
        parts.append(f"{s.objects_found:.0%} of the true objects found")
    parts.append(", ".join(f"{stage} {t:.2f} s" for stage, t in case.seconds.items()))
    return "; ".join(parts)


# ------------------------------------------------------------------- pictures


def draw_case(case: Case, path: Path) -> None:
    """Write a picture of strokes, probability of the foreground, and outlines of objects."""
    from matplotlib.figure import Figure

    height, width = case.sample.image.shape
    figure = Figure(figsize=(12, 12 / 3 * height / width + 0.35), layout="constrained")
    strokes, foreground, outlines = figure.subplots(1, 3)
    draw_strokes(strokes, case.sample.image, case.sample.strokes)
    strokes.set_title("a few strokes")
    name = case.sample.class_names[2]
    foreground.imshow(case.foreground, cmap="magma", vmin=0, vmax=1)
    foreground.set_title(f"probability of {name}")
    draw_outlines(outlines, case.sample.image, case.objects)
    outlines.set_title(f"{int(case.objects.max())} objects")
    for ax in (strokes, foreground, outlines):
        ax.set_axis_off()
    figure.savefig(path, dpi=100)


def draw_strokes(ax: Axes, image: NDArray[Any], strokes: NDArray[Any]) -> None:
    """Show strokes in the colours of their classes on a (Y, X) image."""
    colored = _as_rgb(image)
    for number, color in STROKE_COLORS.items():
        colored[strokes == number] = color
    ax.imshow(colored)


def draw_outlines(ax: Axes, image: NDArray[Any], objects: NDArray[Any]) -> None:
    """Show the outlines of objects on a (Y, X) image."""
    from skimage.segmentation import find_boundaries

    colored = _as_rgb(image)
    colored[find_boundaries(objects, mode="inner")] = OUTLINE
    ax.imshow(colored)


def _as_rgb(image: NDArray[Any]) -> NDArray[np.float64]:
    low, high = np.percentile(image, (0.5, 99.8))
    gray = np.clip((image - low) / max(high - low, 1e-9), 0, 1)
    return np.repeat(gray[..., None], 3, axis=-1)


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start
