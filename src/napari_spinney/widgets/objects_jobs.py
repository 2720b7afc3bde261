"""What the Objects dock runs in the background, and how it tells of it; no layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_spinney.session import Activity, Session

if TYPE_CHECKING:
    from napari_spinney.widgets.jobs import Jobs

LANE, FILES, PAINTING = LANES = ("objects", "objects files", "objects painting")
"""What runs beside each other: measuring and learning, files, columns painted."""


class ObjectsJobs:
    """Work for a session: one job per lane, what it does as the session's activity."""

    changed = Signal()

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self.session = Session()
        self._note = ""

    def is_busy(self) -> bool:
        """Whether something runs."""
        return any(self._jobs.is_running(lane) for lane in LANES)

    def cancel(self) -> None:
        """Stop what runs; what is there stays."""
        self._jobs.cancel(*LANES)
        self.session.set_activity(Activity())

    def run_file(self, text: str, then: Any, work: Any, *args: Any) -> None:
        """Read or write a file in the background."""
        self._note = ""
        self.session.set_activity(Activity("training", text))

        def finish(result: Any) -> None:
            self._end()
            then(result)

        self._jobs.start(FILES, work, *args, on_return=finish, on_error=self.fail)

    def tell(self, note: str) -> None:
        """Say what was done."""
        self._forgive()
        self._note = note
        self.changed.emit()

    def fail(self, error: Exception) -> None:
        """Say what was wrong; nothing is lost."""
        details = f"{type(error).__name__}: {error}"
        self.session.set_activity(Activity("failed", str(error), details=details))

    def _begin(self, text: str, then: Any, work: Any, *args: Any, on_yield: Any = None) -> None:
        """Run work in the main lane, in place of what runs there."""
        self._note = ""
        self.session.set_activity(Activity("training", text))
        self._jobs.start(
            LANE,
            work,
            *args,
            on_yield=on_yield or (lambda step: self._on_progress(text, step)),
            on_return=then,
            on_error=self._on_failed,
        )

    def _on_failed(self, error: Exception) -> None:
        self.fail(error)

    def _on_progress(self, text: str, step: tuple[int, int] | None) -> None:
        if step is not None and step[1] > 1:
            done, total = step
            words = f"{text} {done} of {total} time points"
            self.session.set_activity(Activity("training", words, done / total))

    def _end(self) -> None:
        self.session.set_activity(Activity())

    def _forgive(self) -> None:
        """What went wrong before is no longer told once something new is done."""
        if self.session.activity.kind == "failed":
            self._end()
