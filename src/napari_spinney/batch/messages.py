"""The one sentence of the Batch dock: what is missing, what runs, what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from napari_spinney.interaction.messages import Message

if TYPE_CHECKING:
    from pathlib import Path

    from napari_spinney.batch.record import BatchRecord

Phase: TypeAlias = Literal[
    "new", "listing", "learning", "running", "scoring", "cancelled", "finished", "scored", "failed"
]
DOING = {
    "listing": "Looking for images …",
    "learning": "Learning from the files …",
    "scoring": "Comparing the results with the truth …",
}
SHOWN = 50
"""Reasons that are listed in full."""


@dataclass(frozen=True, slots=True, eq=False)
class BatchSituation:
    """Where somebody is who predicts many files.

    Parameters
    ----------
    phase : str
        What was done last.
    n_images : int
        Files in the list.
    has_model : bool
        Whether there is a model.
    folder : Path or None
        Where results go.
    n_results : int
        Results wanted of each image.
    record : BatchRecord
        Of the last run.
    error : str
        What went wrong, where ``phase`` is "failed".
    scored : str
        What the scores come to, where ``phase`` is "scored".
    """

    phase: Phase
    n_images: int
    has_model: bool
    folder: Path | None
    n_results: int
    record: BatchRecord
    error: str = ""
    scored: str = ""


def status_of_batch(now: BatchSituation) -> Message:
    """What to tell: what is missing, what runs, or what came of it."""
    if now.phase == "failed":
        return Message(now.error, "bad")
    if now.phase in DOING:
        return Message(DOING[now.phase], "busy")
    if now.phase == "running":
        return Message(_running(now.record), "busy")
    if now.phase == "scored":
        return Message(now.scored, "good")
    if missing := missing_of_batch(now):
        return Message(missing)
    if now.phase == "cancelled":
        return Message(
            f"Cancelled: {_counts(now.record)} of {_files(now.record.n_files)}. "
            "Press Run to go on; what is done is kept.",
            "old",
        )
    if now.phase == "finished":
        return _finished(now.record)
    return Message(f"{_files(now.n_images)}: press Run.")


def missing_of_batch(now: BatchSituation) -> str:
    """What a run still needs; empty if it can begin."""
    if not now.n_images:
        return "Add images: files, a folder or a pattern; or drop them on the list."
    if not now.has_model:
        return "There is no model yet: open one, or paint and train under Annotate."
    if not now.n_results:
        return "Nothing is ticked under Make: tick what to make, e.g. classes."
    if now.folder is None:
        return "Choose a folder for the results."
    return ""


def _running(record: BatchRecord) -> str:
    left = record.seconds_left
    time = "" if left is None else f", {duration(left)} left"
    n_failed = record.count["failed"]
    failed = f", {n_failed} failed" if n_failed else ""
    return f"{record.done:,} of {_files(record.n_files)} done{failed}{time}"


def _finished(record: BatchRecord) -> Message:
    text = f"{_counts(record).capitalize()}."
    if not record.count["failed"]:
        return Message(f"{text} Double-click a file to see its result.", "good")
    reasons = record.reasons()
    more = [f"… and {len(reasons) - SHOWN} more"] if len(reasons) > SHOWN else []
    return Message(f"{text} {reasons[0]}", "bad", "\n".join(reasons[:SHOWN] + more))


def _counts(record: BatchRecord) -> str:
    words = {"made": "made", "kept": "kept from before", "failed": "failed"}
    parts = [f"{record.count[state]:,} {word}" for state, word in words.items()]
    return ", ".join(part for part in parts if not part.startswith("0 ")) or "nothing made"


def duration(seconds: float) -> str:
    """A time to wait, no more exact than it is known."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _files(number: int) -> str:
    return f"{number:,} file" if number == 1 else f"{number:,} files"
