"""Several pieces of work at a time: what happens as it happens, what came of it in order."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Step = TypeVar("Step")
Result = TypeVar("Result")

IN_FLIGHT = min(4, (os.cpu_count() or 1) + 1)
"""Pieces of work at a time: one reads or writes while the others compute."""


def in_flight(
    items: Iterable[Item],
    work: Callable[[Item, Callable[[Step], None]], Result],
    *,
    weigh: Callable[[Item], int],
    limit: int,
    parallel: int = IN_FLIGHT,
) -> Iterator[Step | Result]:
    """Do work on each item, on a few at a time.

    Parameters
    ----------
    items : iterable
        Taken one by one, not before their turn.
    work : callable
        Called in other threads with an item and with ``tell``, which it calls with each step.
    weigh : callable
        What an item weighs, e.g. its bytes.
    limit : int
        Items that together weigh more are not in flight at once; one always is.
    parallel : int
        Most items at a time.

    Yields
    ------
    Step or Result
        Steps at once, in no order between items; results in the order of the items.

    Raises
    ------
    Exception
        Of the first work that fails, in its turn. Then, and when the generator is closed, nothing
        new begins, and ``tell`` raises `concurrent.futures.CancelledError` in what is in flight.
    """
    flight = _Flight(work, parallel)
    try:
        for item in items:
            weight = weigh(item)
            while flight.is_full(limit - weight):
                yield from flight.land()
            flight.start(item, weight)
        while flight.waiting:
            yield from flight.land()
    finally:
        flight.stop()


class _Flight(Generic[Item, Step, Result]):
    """What is in the air, in the order of its start."""

    def __init__(
        self, work: Callable[[Item, Callable[[Step], None]], Result], parallel: int
    ) -> None:
        self._work = work
        self._parallel = parallel
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="spinney-file")
        self._happened: SimpleQueue[Step | None] = SimpleQueue()
        self._stop = Event()
        self.waiting: deque[tuple[Future[Result], int]] = deque()

    def is_full(self, free: int) -> bool:
        """Whether what is in the air weighs more than ``free``, or is as much as can be."""
        load = sum(weight for _, weight in self.waiting)
        return bool(self.waiting) and (len(self.waiting) >= self._parallel or load > free)

    def start(self, item: Item, weight: int) -> None:
        """Begin with an item."""
        future = self._pool.submit(self._work, item, self._tell)
        future.add_done_callback(lambda _: self._happened.put(None))
        self.waiting.append((future, weight))

    def land(self) -> Iterator[Step | Result]:
        """Tell what happens until the first item has its result, and that."""
        first, _ = self.waiting[0]
        while not (first.done() and self._happened.empty()):
            step = self._happened.get()
            if step is not None:
                yield step
        self.waiting.popleft()
        yield first.result()

    def stop(self) -> None:
        """End what runs, at its next step, and wait for that."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _tell(self, step: Step) -> None:
        if self._stop.is_set():
            raise CancelledError
        self._happened.put(step)
