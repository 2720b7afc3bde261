"""Work in napari's worker threads: one job per lane, where a newer one replaces an older."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from threading import Event
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from napari.utils import progress

if TYPE_CHECKING:
    from napari.qt.threading import GeneratorWorker

logger = logging.getLogger(__name__)

Work = Callable[..., Generator[Any, None, Any]]
Listener = Callable[[Any], None]


def _until(stop: Event, work: Work, *args: Any) -> Generator[Any, None, Any]:
    """Run work until it ends or is told to stop; in either case it is closed, here and now."""
    steps = work(*args)
    try:
        while not stop.is_set():
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            yield step
    finally:
        steps.close()
    return None


class Job:
    """One piece of running work; tells its listeners on the GUI thread until it is cancelled."""

    def __init__(
        self,
        work: Work,
        *args: Any,
        on_yield: Listener | None = None,
        on_return: Listener | None = None,
        on_error: Listener | None = None,
        on_end: Callable[[Job], None],
        description: str | None = None,
    ) -> None:
        self._listeners = {"yielded": on_yield, "returned": on_return, "errored": on_error}
        self._on_end = on_end
        self._stop = Event()
        self._bar = progress(total=0, desc=description) if description else None
        self.worker: GeneratorWorker = create_worker(
            _until,
            self._stop,
            work,
            *args,
            _start_thread=False,
            _ignore_errors=True,
            _connect={
                "yielded": self._on_yielded,
                "returned": self._on_returned,
                "errored": self._on_errored,
                "finished": self._on_finished,
            },
        )

    def start(self) -> None:
        """Begin."""
        self.worker.start()

    def cancel(self) -> None:
        """Stop at the next yield; nothing is told to the listeners from now on."""
        self._stop.set()
        self._close_bar()

    @property
    def cancelled(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    def tell_progress(self, done: int, total: int) -> None:
        """Show how far it is in napari's activity dock."""
        if self._bar is not None:
            self._bar.total = total
            self._bar.update(done - self._bar.n)

    def _tell(self, signal: str, value: Any) -> None:
        listener = self._listeners[signal]
        if listener is not None and not self.cancelled:
            listener(value)

    def _on_yielded(self, value: Any) -> None:
        self._tell("yielded", value)

    def _on_returned(self, value: Any) -> None:
        self._tell("returned", value)

    def _on_errored(self, error: Exception) -> None:
        logger.info("work failed", exc_info=error)
        self._tell("errored", error)

    def _on_finished(self) -> None:
        self._close_bar()
        self._on_end(self)

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class Jobs:
    """The running jobs of one viewer, by lane."""

    def __init__(self) -> None:
        self._lanes: dict[str, Job] = {}
        self._closed = False

    def start(self, lane: str, work: Work, *args: Any, **listeners: Any) -> Job | None:
        """Start work in a lane, cancelling what runs there; None once closed."""
        self.cancel(lane)
        if self._closed:
            return None
        job = Job(work, *args, on_end=self._on_job_ended, **listeners)
        self._lanes[lane] = job
        job.start()
        return job

    def cancel(self, *lanes: str) -> None:
        """Cancel what runs in these lanes."""
        for lane in lanes:
            job = self._lanes.pop(lane, None)
            if job is not None:
                job.cancel()

    def is_running(self, lane: str) -> bool:
        """Whether a job runs in this lane."""
        return lane in self._lanes

    def job(self, lane: str) -> Job | None:
        """The job that runs in this lane."""
        return self._lanes.get(lane)

    def close(self) -> None:
        """Cancel everything and start nothing more."""
        self._closed = True
        self.cancel(*tuple(self._lanes))

    def _on_job_ended(self, job: Job) -> None:
        for lane, running in list(self._lanes.items()):
            if running is job:
                del self._lanes[lane]
