"""What is wished of many files, as tasks; and the work on them, as a generator for a worker."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from napari_spinney.batch.files import Wanted, segmenter_of
from napari_spinney.batch.folders import FileStep, Job, Outcome, Task, run_tasks
from napari_spinney.batch.pairing import expand, stem_of
from napari_spinney.interaction.tasks import Problem, plainly
from napari_spinney.provenance import state_fact

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

    from napari_spinney.classifiers.pixels import PixelClassifier

Made: TypeAlias = Literal["classes", "probability", "probabilities", "objects", "uncertainty"]
Happened: TypeAlias = FileStep | Outcome

TELL_EVERY = 0.05
"""Seconds between two messages to the screen."""


@dataclass(frozen=True, slots=True, eq=False)
class BatchOrder:
    """What to make of many files.

    Parameters
    ----------
    model : PixelClassifier
        Any classifier of pixels.
    model_fact : mapping, optional
        Name and SHA-256 of its file; None for a model that was not saved.
    images : tuple of Path
        The files.
    folder : Path
        Where results go.
    what : tuple of {"classes", "probability", "probabilities", "objects", "uncertainty"}
        "probability" and "objects" are those of ``target``.
    suffix : {"tif", "png", "npy", "zarr"}
        Kind of file.
    split, min_size, clear_border
        How objects are made, see `ObjectSegmenter`.
    device : str, optional
        Where to compute.
    again : bool
        Also make what is there already.
    """

    model: PixelClassifier
    images: tuple[Path, ...]
    folder: Path
    what: tuple[Made, ...] = ("classes",)
    model_fact: Mapping[str, str] | None = None
    target: int | None = None
    suffix: str = "tif"
    split: bool = True
    min_size: int = 0
    clear_border: bool = False
    device: str | None = None
    again: bool = False

    def result(self, image: Path, what: Made) -> Path:
        """Where a result of an image goes."""
        return self.folder / f"{stem_of(image)}_{what}.{self.suffix}"


def tasks_of(order: BatchOrder) -> list[Task]:
    """One task for each image and result, those of an image together.

    Raises
    ------
    Problem
        If nothing is to be made, results would overwrite images or each other, or the kind of file
        cannot hold them.
    """
    _check(order)
    with plainly("preparing the files"):
        jobs = {what: _job(order, what) for what in order.what}
    return [
        Task(job, image, order.result(image, what))
        for image in order.images
        for what, job in jobs.items()
    ]


def _check(order: BatchOrder) -> None:
    if not order.images:
        raise Problem("There are no images yet: add files, a folder or a pattern.")
    if not order.what:
        raise Problem("Nothing is ticked under Make: tick what to make, e.g. classes.")
    fractions = [what for what in order.what if what not in ("classes", "objects")]
    if order.suffix == "png" and fractions:
        raise Problem(f"A PNG holds whole numbers only: save {fractions[0]} as TIFF.")
    count = Counter(map(stem_of, order.images))
    twice = [str(image) for image in order.images if count[stem_of(image)] > 1]
    if twice:
        raise Problem(
            f"Results are named after their images, and these have the same name: {twice[0]} and "
            f"{twice[1]}. Remove one, or run them one after the other into different folders."
        )
    folder = order.folder.resolve()
    if folder in {parent.resolve() for parent in {image.parent for image in order.images}}:
        raise Problem(
            f"The images are in {order.folder}: choose another folder for the results, or they "
            "are taken for images the next time."
        )


def _job(order: BatchOrder, what: Made) -> Job:
    """What is done with each image for one kind of result."""
    wanted: Wanted = "probability" if what == "probabilities" else what
    model: PixelClassifier = order.model
    if what == "objects":
        model = segmenter_of(
            model,
            target_class=order.target,
            split=order.split,
            min_size=order.min_size,
            clear_border=order.clear_border,
        )
    fact = order.model_fact or state_fact(order.model.state_)
    target = order.target if what == "probability" else None
    return Job(model, dict(fact), wanted, target, device=order.device, again=order.again)


def running(order: BatchOrder) -> Generator[tuple[Happened, ...], None, None]:
    """Make all results; yields what happened, a few times a second.

    Raises
    ------
    Problem
        If it cannot begin, or the disk is full.
    """
    yield ()
    tasks = tasks_of(order)
    with plainly("predicting the files"), closing(run_tasks(tasks)) as run:
        yield from _gathered(run)


def _gathered(run: Iterator[Happened]) -> Generator[tuple[Happened, ...], None, None]:
    """What happens, as much at a time as happens between two messages."""
    happened: list[Happened] = []
    last = time.perf_counter()
    try:
        for one in run:
            happened.append(one)
            if time.perf_counter() - last > TELL_EVERY:
                yield tuple(happened)
                happened, last = [], time.perf_counter()
    except Exception:  # what was made before is told all the same
        yield tuple(happened)
        raise
    yield tuple(happened)


def listing(words: tuple[str, ...]) -> Generator[None, None, list[Path]]:
    """Find the images that files, folders and patterns name; see `pairing.expand`.

    Raises
    ------
    Problem
        If there are none.
    """
    yield
    with plainly("looking for images"):
        return [path.absolute() for path in expand(words)]


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """An image and what was made of it, read from their files.

    Parameters
    ----------
    path : Path
        The image.
    image : ImageData
        Its pixels.
    results : tuple of (Path, str, ImageData, dict)
        File, what it is ("classes", ...), pixels, and what made it.
    """

    path: Path
    image: Any
    results: tuple[tuple[Path, str, Any, dict[str, Any]], ...]


def opening(image: Path, results: tuple[tuple[Path, str], ...]) -> Generator[None, None, Opened]:
    """Read an image and its results, those that are there."""
    from napari_spinney.batch.files import open_picture
    from napari_spinney.files.images import read_image
    from napari_spinney.provenance import read_origin

    yield
    with plainly("opening the results"):
        picture = open_picture(image)
        found = tuple(
            (path, what, read_image(path), read_origin(path))
            for path, what in results
            if path.exists()
        )
        return Opened(image, picture.image, found)
