"""Predicting many files: the state of the Batch dock and what changes it; no layers."""

from __future__ import annotations

import itertools
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_spinney.batch.messages import BatchSituation, Phase, missing_of_batch
from napari_spinney.batch.plan import BatchOrder, listing, opening, running
from napari_spinney.batch.record import BatchRecord
from napari_spinney.batch.training import learning_from_files, said_of, scoring
from napari_spinney.history import OpenModel
from napari_spinney.session import TrainedModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from napari_spinney.batch.plan import Happened, Made
    from napari_spinney.classifiers.pixels import PixelClassifier
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
    scored = Signal()
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
        self.scores: pd.DataFrame | None = None
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
            scored="" if self.scores is None else said_of(self.scores),
        )

    @property
    def is_running(self) -> bool:
        """Whether files are being predicted."""
        return self.phase == "running"

    @property
    def is_busy(self) -> bool:
        """Whether files are being predicted, learnt from or scored."""
        return self.phase in ("running", "learning", "scoring")

    @property
    def can_run(self) -> bool:
        """Whether a run could begin."""
        return not self.is_busy and not missing_of_batch(self.situation)

    # --------------------------------------------------------------------- files

    def add(self, words: Iterable[str | Path]) -> None:
        """Add files, the images of folders, and what patterns name; found in the background."""
        if self.is_busy:
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
        if gone and not self.is_busy:
            self._set_images([image for image in self.images if image not in gone])

    def set_folder(self, folder: str | Path | None) -> None:
        """Choose where results go."""
        self.folder = Path(folder).expanduser() if folder else None
        self._begin_anew()

    def set_wish(self, what: Sequence[Made], suffix: str) -> None:
        """Choose what is made, and as what kind of file."""
        if (tuple(what), suffix) != (self.what, self.suffix) and not self.is_busy:
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
        if not self.is_busy:
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
        if not self.is_busy:
            return
        was_running = self.is_running
        self._jobs.cancel(LANE)
        self._stop()
        self._set_phase("cancelled" if was_running else "new")

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

    # ------------------------------------------------------------- learn and score

    def learn(self, images: str, masks: str) -> None:
        """Train on files with the recipe of the session; the model becomes the session's."""
        if self.is_busy:
            return
        self._set_phase("learning")
        self._jobs.start(
            LANE,
            learning_from_files,
            self._session.recipe,
            images,
            masks,
            on_return=lambda model: self._on_learnt(model, f"{images} and {masks}"),
            on_error=self.fail,
        )

    def _on_learnt(self, model: PixelClassifier, files: str) -> None:
        self._set_phase("new")
        self._session.set_classes({int(n): "" for n in model.classes_}, {})
        names = {n: entry.name for n, entry in self._session.classes.items()}
        model.class_names.update({int(n): names[int(n)] for n in model.classes_})
        self._session.record(OpenModel(model, files))
        self._session.accept(TrainedModel(model, self._session.generation))

    def score(self, truth: str, *, sparse: bool) -> None:
        """Compare the results of the files in the list with files of the same names."""
        if self.is_busy:
            return
        what = "objects" if "objects" in self.what else "classes"
        results = [path for i in self.images for path, made in self.results_of(i) if made == what]
        self._set_phase("scoring")
        self._jobs.start(
            LANE,
            partial(scoring, sparse=sparse and what == "classes"),
            results,
            truth,
            what,
            on_return=self._on_scored,
            on_error=self.fail,
        )

    def _on_scored(self, scores: pd.DataFrame) -> None:
        self.scores = scores
        self._set_phase("scored")
        self.scored.emit()

    def save_scores(self, path: str) -> None:
        """Write the scores as a table."""
        from napari_spinney.files.tables import write_table

        if self.scores is None:
            return
        try:
            write_table(path, self.scores)
        except (ValueError, OSError) as error:
            self.fail(error)

    # ------------------------------------------------------------------- results

    def open(self, image: Path) -> None:
        """Read an image and what was made of it, in the background; `opened` tells."""
        results = () if self.folder is None else self.results_of(image)
        self._jobs.start(
            f"{LANE} open", opening, image, results, on_return=self.opened.emit, on_error=self.fail
        )

    def results_of(self, image: Path) -> tuple[tuple[Path, str], ...]:
        """Where the results of an image are, and what each is."""
        from napari_spinney.batch.pairing import stem_of

        folder = self.folder or Path()
        return tuple(
            (folder / f"{stem_of(image)}_{what}.{self.suffix}", what) for what in self.what
        )

    def close(self) -> None:
        """Let go of everything."""
        signals = (self.files_changed, self.rows_changed, self.opened, self.scored, self.changed)
        for signal in signals:
            signal.disconnect()


def _target(wished: int | None, classifier: Any) -> int:
    """The class that is wished, or the last one that was learnt."""
    learnt = [int(number) for number in classifier.classes_]
    return wished if wished in learnt else learnt[-1]
