"""Predicting many files: the state of the Batch dock and what changes it; no layers."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_spinney.batch_messages import BatchSituation, Phase, missing_of_batch
from napari_spinney.batch_plan import BatchOrder, listing, opening, running
from napari_spinney.batch_record import BatchRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_spinney.batch_plan import Happened, Made
    from napari_spinney.session import Session
    from napari_spinney.widgets.jobs import Jobs
    from napari_spinney.widgets.predicting import Wish

LANE = "batch"
FOLDER = "results"
"""Beside the first image, unless another folder is chosen."""


class BatchWork:
    """Files of one viewer that are predicted: which, how, and how far that is."""

    files_changed = Signal()
    rows_changed = Signal(set)
    opened = Signal(object)
    changed = Signal()

    def __init__(self, session: Session, jobs: Jobs) -> None:
        self._session = session
        self._jobs = jobs
        self._number = itertools.count()
        self.images: tuple[Path, ...] = ()
        self.folder: Path | None = None
        self.what: tuple[Made, ...] = ("classes",)
        self.suffix = "tif"
        self.phase: Phase = "new"
        self.record = BatchRecord()
        self._error = ""
        session.model_changed.connect(self._on_model_changed)

    @property
    def situation(self) -> BatchSituation:
        """Where the person is, for the status line."""
        model = self._session.model
        return BatchSituation(
            phase=self.phase,
            n_images=len(self.images),
            has_model=model is not None and hasattr(model.classifier, "iter_predict"),
            folder=self.folder,
            n_results=len(self.what),
            record=self.record,
            error=self._error,
        )

    @property
    def is_running(self) -> bool:
        """Whether files are being predicted."""
        return self.phase == "running"

    @property
    def can_run(self) -> bool:
        """Whether a run could begin."""
        return not self.is_running and not missing_of_batch(self.situation)

    # --------------------------------------------------------------------- files

    def add(self, words: Iterable[str | Path]) -> None:
        """Add files, the images of folders, and what patterns name; found in the background."""
        if self.is_running:
            return
        self._set_phase("listing")
        self._jobs.start(
            f"{LANE} files {next(self._number)}",
            listing,
            tuple(map(str, words)),
            on_return=self._on_listed,
            on_error=self.fail,
        )

    def remove(self, images: Iterable[Path]) -> None:
        """Take files from the list; they stay on the disk."""
        gone = set(images)
        if gone and not self.is_running:
            self._set_images([image for image in self.images if image not in gone])

    def set_folder(self, folder: str | Path | None) -> None:
        """Choose where results go."""
        self.folder = Path(folder).expanduser() if folder else None
        self._begin_anew()

    def set_wish(self, what: Sequence[Made], suffix: str) -> None:
        """Choose what is made, and as what kind of file."""
        if (tuple(what), suffix) != (self.what, self.suffix) and not self.is_running:
            self.what, self.suffix = tuple(what), suffix
            self._begin_anew()

    def _on_listed(self, images: list[Path]) -> None:
        if self.folder is None:
            self.folder = images[0].parent / FOLDER
        self._set_images([*self.images, *images])

    def _set_images(self, images: Sequence[Path]) -> None:
        self.images = tuple(dict.fromkeys(images))
        self._begin_anew()
        self.files_changed.emit()

    def _on_model_changed(self) -> None:
        if not self.is_running:
            self._begin_anew()

    def _begin_anew(self) -> None:
        """What an earlier run came to says nothing about what is wished for now."""
        self.record = BatchRecord()
        self.rows_changed.emit(set(self.images))
        self._set_phase("new")

    # ----------------------------------------------------------------------- run

    def run(self, wish: Wish, *, again: bool = False) -> None:
        """Make all results, in the background; what is there already is kept unless ``again``."""
        model, folder = self._session.model, self.folder
        if not self.can_run or model is None or folder is None:
            self.changed.emit()
            return
        order = BatchOrder(
            model=model.classifier,
            model_fact=model.fact,
            images=self.images,
            folder=folder,
            what=self.what,
            target=_target(wish.target, model.classifier),
            suffix=self.suffix,
            split=wish.split,
            min_size=wish.min_size,
            clear_border=wish.clear_border,
            device=self._session.recipe.device,
            again=again,
        )
        self.record = BatchRecord(len(self.images), len(self.what), now=time.monotonic())
        self.rows_changed.emit(set(self.images))
        self._set_phase("running")
        self._jobs.start(
            LANE,
            running,
            order,
            on_yield=self._on_happened,
            on_return=self._on_finished,
            on_error=self.fail,
            description="Spinney: files",
        )

    def cancel(self) -> None:
        """Stop; what is made stays."""
        if self.is_running:
            self._jobs.cancel(LANE)
            self._stop()
            self._set_phase("cancelled")

    def fail(self, error: Exception) -> None:
        """Say what was wrong; what is made stays."""
        self._error = str(error)
        self._stop()
        self._set_phase("failed")

    def _stop(self) -> None:
        self.record.stop()
        self.rows_changed.emit(set(self.images))

    def _on_happened(self, happened: tuple[Happened, ...]) -> None:
        self.rows_changed.emit(self.record.note(happened, time.monotonic()))
        self.changed.emit()
        job = self._jobs.job(LANE)
        if job is not None:
            # Last, because napari's progress bar lets other events happen meanwhile.
            job.tell_progress(self.record.done, len(self.images))

    def _on_finished(self, nothing: Any) -> None:
        self._set_phase("finished")

    def _set_phase(self, phase: Phase) -> None:
        self.phase = phase
        self.changed.emit()

    # ------------------------------------------------------------------- results

    def open(self, image: Path) -> None:
        """Read an image and what was made of it, in the background; `opened` tells."""
        results = () if self.folder is None else self.results_of(image)
        self._jobs.start(
            f"{LANE} open", opening, image, results, on_return=self.opened.emit, on_error=self.fail
        )

    def results_of(self, image: Path) -> tuple[tuple[Path, str], ...]:
        """Where the results of an image are, and what each is."""
        from napari_spinney.pairing import stem_of

        folder = self.folder or Path()
        return tuple(
            (folder / f"{stem_of(image)}_{what}.{self.suffix}", what) for what in self.what
        )

    def close(self) -> None:
        """Let go of everything."""
        for signal in (self.files_changed, self.rows_changed, self.opened, self.changed):
            signal.disconnect()


def _target(wished: int | None, classifier: Any) -> int:
    """The class that is wished, or the last one that was learnt."""
    learnt = [int(number) for number in classifier.classes_]
    return wished if wished in learnt else learnt[-1]
