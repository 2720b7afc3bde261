"""Predict many files; what fails does not stop the others."""

from __future__ import annotations

import errno
import logging
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from napari_spinney.batch.files import NOTHING_NAMED, Layout, Wanted, open_picture, predict_file
from napari_spinney.batch.flight import IN_FLIGHT, in_flight
from napari_spinney.compute.device import choose_device
from napari_spinney.provenance import file_fact, origin_of, same_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path

    from napari_spinney.classifiers.pixels import DeviceLike, PixelClassifier
    from napari_spinney.compute.device import Device

_log = logging.getLogger(__name__)

# What a file can do wrong. A full disk is none of these: the next file would fail as well.
_FAULTS = (ValueError, TypeError, OSError, RuntimeError, MemoryError)
FULL = (errno.ENOSPC, errno.EDQUOT)

TOGETHER = 2**24
"""Bytes of files that are worked on at the same time; a larger one has its turn alone."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one image.

    Parameters
    ----------
    image, result : Path
        The image and where its result goes.
    state : {"made", "kept", "failed"}
        "kept" was there already: of the same model, image and options.
    error : Exception, optional
        Why it failed.
    """

    image: Path
    result: Path
    state: Literal["made", "kept", "failed"]
    error: Exception | None = None

    @property
    def reason(self) -> str:
        """Why it failed, on one line that names the image."""
        reason = " ".join(str(self.error).split()) or type(self.error).__name__
        return reason if str(self.image) in reason else f"{self.image}: {reason}"


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What is to be done with each image.

    Parameters
    ----------
    model : PixelClassifier
        For objects an `ObjectSegmenter`.
    model_fact : dict
        Name and SHA-256 of its file, see `napari_spinney.provenance.file_fact`.
    what : {"classes", "probability", "uncertainty", "objects"}
        See `napari_spinney.batch.files.predict_file`.
    target_class : int, optional
        Class of a probability.
    layout : Layout
        How to read axes that files do not name.
    device : str or Device, optional
        Where to compute.
    again : bool
        Also make what is there already.
    """

    model: PixelClassifier
    model_fact: dict[str, str]
    what: Wanted
    target_class: int | None = None
    layout: Layout = field(default=NOTHING_NAMED)
    device: DeviceLike = None
    again: bool = False

    def options(self) -> dict[str, Any]:
        """Everything but model and image that the result depends on."""
        layout = self.layout
        options: dict[str, Any] = {
            "what": self.what,
            "channel_axis": layout.channel_axis,
            "time_axis": layout.time_axis,
            "spacing": layout.spacing,
        }
        target = getattr(self.model, "target_class", None)
        if self.what == "probability":
            options["target_class"] = target if self.target_class is None else self.target_class
        if self.what == "objects":
            names = ("target_class", "split", "min_size", "clear_border")
            options |= {name: getattr(self.model, name) for name in names}
        return options


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One result to make of one image."""

    job: Job
    image: Path
    result: Path


@dataclass(frozen=True, slots=True)
class FileStep:
    """How far one result is: blocks done, and in all."""

    image: Path
    result: Path
    done: int
    total: int


def predict_files(job: Job, files: Iterable[tuple[Path, Path]]) -> Iterator[Outcome]:
    """Predict images, each given with its result, and tell what became of them; see `run_tasks`."""
    tasks = (Task(job, image, result) for image, result in files)
    with closing(run_tasks(tasks)) as run:
        yield from (happened for happened in run if isinstance(happened, Outcome))


def run_tasks(
    tasks: Iterable[Task], *, parallel: int = IN_FLIGHT
) -> Generator[FileStep | Outcome, None, None]:
    """Make results, several small ones at a time; what fails does not stop the others.

    Few images are in memory, whatever their number: large ones come one by one. Each result is
    written whole or not at all, with what made it; closing the generator, or a killed process,
    loses the images at hand only.

    Parameters
    ----------
    tasks : iterable of Task
        Taken as they are needed.
    parallel : int
        Most files at a time.

    Yields
    ------
    FileStep or Outcome
        Steps as they happen; an outcome for each task when it is done, in the order of the tasks.

    Raises
    ------
    DeviceError
        If there is no such device.
    OSError
        If the disk is full; what was made before stays.
    """
    yield from in_flight(
        _checked(tasks),
        _run,
        weigh=lambda task: _size(task.image),
        limit=TOGETHER,
        parallel=parallel,
    )


def _checked(tasks: Iterable[Task]) -> Iterator[Task]:
    """Tasks whose device is there."""
    for task in tasks:
        choose_device(task.job.device)
        yield task


def each_file(
    files: Iterable[tuple[Path, Path]], make: Callable[[Path, Path], bool]
) -> Iterator[Outcome]:
    """Make one result after the other; what fails does not stop the others.

    Parameters
    ----------
    files : iterable of (Path, Path)
        Image and result.
    make : callable
        Makes the result of an image, or returns False because it is there already.

    Raises
    ------
    OSError
        If the disk is full.
    """
    for image, result in files:
        yield _outcome(image, result, make)


def _outcome(image: Path, result: Path, make: Callable[[Path, Path], bool]) -> Outcome:
    try:
        made = make(image, result)
    except _FAULTS as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise
        _log.debug("%s failed", image, exc_info=True)
        return Outcome(image, result, "failed", error)
    return Outcome(image, result, "made" if made else "kept")


def _size(image: Path) -> int:
    """Bytes of a file; a folder counts as large, a missing file as nothing."""
    try:
        return TOGETHER if image.is_dir() else image.stat().st_size
    except OSError:
        return 0


def _run(task: Task, tell: Callable[[FileStep], None]) -> Outcome:
    device = choose_device(task.job.device)
    return _outcome(task.image, task.result, partial(_predict, task.job, device, tell))


def _predict(
    job: Job, device: Device, tell: Callable[[FileStep], None], image: Path, result: Path
) -> bool:
    """Make a result unless it is there; whether it was made."""
    origin = origin_of(
        job.model.state_,
        model=job.model_fact,
        image=file_fact(image),
        options=job.options(),
        device=device,
    )
    if not job.again and same_origin(result, origin):
        return False
    steps = predict_file(
        job.model,
        open_picture(image, job.layout),
        result,
        job.what,
        target_class=job.target_class,
        device=device,
        origin=origin,
    )
    with closing(steps):
        for step in steps:
            tell(FileStep(image, result, step.done, step.total))
    return True
