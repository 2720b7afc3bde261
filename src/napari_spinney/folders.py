"""Predict many files, one after the other; what fails does not stop the others."""

from __future__ import annotations

import errno
import logging
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from napari_spinney.batch import NOTHING_NAMED, Layout, Wanted, open_picture, predict_file
from napari_spinney.provenance import file_fact, origin_of, same_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from napari_spinney.classifiers.pixels import DeviceLike, PixelClassifier, Progress
    from napari_spinney.compute.device import Device

    Watch: TypeAlias = Callable[[Iterator[Progress], str], object]

_log = logging.getLogger(__name__)

# What a file can do wrong. A full disk is none of these: the next file would fail as well.
_FAULTS = (ValueError, TypeError, OSError, RuntimeError, MemoryError)
_FULL = (errno.ENOSPC, errno.EDQUOT)


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
        See `napari_spinney.batch.predict_file`.
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


def exhaust(steps: Iterator[Progress], name: str) -> None:
    """Run a prediction that nobody watches."""
    deque(steps, maxlen=0)


def predict_files(
    job: Job, files: Iterable[tuple[Path, Path]], watch: Watch = exhaust
) -> Iterator[Outcome]:
    """Predict images one after the other.

    One image is in memory at a time. Each result is written whole or not at all, with what made it;
    closing the generator, or a killed process, loses the image at hand only.

    Parameters
    ----------
    job : Job
        What to do.
    files : iterable of (Path, Path)
        Image and result.
    watch : callable
        Called with the steps of each image and its name; must go through the steps. It may raise
        to cancel.

    Yields
    ------
    Outcome
        One for each image, when it is done.

    Raises
    ------
    DeviceError
        If there is no such device.
    OSError
        If the disk is full; what was made before stays.
    """
    from napari_spinney.compute.device import choose_device

    device = choose_device(job.device)
    yield from each_file(files, partial(_predict, job, device, watch))


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
        try:
            made = make(image, result)
            outcome = Outcome(image, result, "made" if made else "kept")
        except _FAULTS as error:
            if isinstance(error, OSError) and error.errno in _FULL:
                raise
            _log.debug("%s failed", image, exc_info=True)
            outcome = Outcome(image, result, "failed", error)
        yield outcome


def _predict(job: Job, device: Device, watch: Watch, image: Path, result: Path) -> bool:
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
    picture = open_picture(image, job.layout)
    steps = predict_file(
        job.model,
        picture,
        result,
        job.what,
        target_class=job.target_class,
        device=device,
        origin=origin,
    )
    watch(steps, image.name)
    return True
