"""How far a batch is: each file, all of them, and how long the rest will take."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from napari_spinney.batch.folders import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from napari_spinney.batch.plan import Happened

ENOUGH_SECONDS = 2
"""Of work, from which the time left is worth telling."""


@dataclass(slots=True)
class FileRecord:
    """What became of one image so far.

    Parameters
    ----------
    made, kept, failed : int
        Results written, results that were there already, results that failed.
    reasons : list of str
        Why they failed, each once.
    shares : dict of Path to float
        How far the results at hand are, 0 to 1.
    """

    made: int = 0
    kept: int = 0
    failed: int = 0
    reasons: list[str] = field(default_factory=list)
    shares: dict[Path, float] = field(default_factory=dict)

    @property
    def n_done(self) -> int:
        """Results that nothing more is done about."""
        return self.made + self.kept + self.failed

    @property
    def state(self) -> Literal["made", "kept", "failed"]:
        """What became of the image, once all results are done."""
        if self.failed:
            return "failed"
        return "made" if self.made else "kept"

    def text(self, n_results: int) -> str:
        """The state in a word or two; ``n_results`` are wanted of each image."""
        if self.n_done >= n_results:
            return self.state
        if not self.shares and not self.n_done:
            return "waiting"
        return f"{100 * (self.n_done + sum(self.shares.values())) / n_results:.0f} %"


class BatchRecord:
    """What happened to all files since a run began.

    Parameters
    ----------
    n_files : int
        Files of the run.
    n_results : int
        Results wanted of each.
    now : float
        When it began, in seconds.
    """

    def __init__(self, n_files: int = 0, n_results: int = 1, *, now: float = 0.0) -> None:
        self.n_files = n_files
        self.n_results = n_results
        self.files: dict[Path, FileRecord] = {}
        """Files that something happened to."""
        self.count = Counter[str]()
        self._n_done = self._n_kept = 0
        self._began = self._last = now
        self._at_hand: dict[Path, float] = {}

    def note(self, happened: Iterable[Happened], now: float) -> set[Path]:
        """Take in what happened; the images that it happened to."""
        self._last = now
        touched = set()
        for one in happened:
            file = self.files.setdefault(one.image, FileRecord())
            touched.add(one.image)
            if isinstance(one, Outcome):
                self._note_outcome(file, one)
            else:
                file.shares[one.result] = self._at_hand[one.result] = one.done / one.total
        return touched

    def _note_outcome(self, file: FileRecord, outcome: Outcome) -> None:
        file.shares.pop(outcome.result, None)
        self._at_hand.pop(outcome.result, None)
        setattr(file, outcome.state, getattr(file, outcome.state) + 1)
        if outcome.error is not None and outcome.reason not in file.reasons:
            file.reasons.append(outcome.reason)
        self._n_done += 1
        self._n_kept += outcome.state == "kept"
        if file.n_done == self.n_results:
            self.count[file.state] += 1

    def stop(self) -> None:
        """What is at hand is given up."""
        self._at_hand.clear()
        for file in self.files.values():
            file.shares.clear()

    @property
    def done(self) -> int:
        """Files that nothing more is done about."""
        return self.count.total()

    @property
    def share(self) -> float:
        """How far all of it is, 0 to 1."""
        wanted = max(1, self.n_results * self.n_files)
        return (self._n_done + sum(self._at_hand.values())) / wanted

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at the pace so far; None where that is not known yet."""
        spent = self._last - self._began
        worked = self._n_done - self._n_kept + sum(self._at_hand.values())
        if spent < ENOUGH_SECONDS or not worked:
            return None
        return spent * (1 - self.share) * self.n_results * self.n_files / worked

    def reasons(self) -> list[str]:
        """Why files failed, one line each, by their names without folders."""
        return [
            reason.replace(str(image), image.name)
            for image, file in self.files.items()
            for reason in file.reasons
        ]
