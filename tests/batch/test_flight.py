"""Several pieces of work at a time."""

import threading
from concurrent.futures import CancelledError

import pytest

from napari_spinney.batch.flight import in_flight

TIMEOUT = 30


def weightless(item):
    return 0


def test_results_come_in_order_and_steps_before_them():
    gate = threading.Event()

    def work(item, tell):
        if item == 0:
            assert gate.wait(TIMEOUT)  # the second is done before the first
        tell(("step", item))
        if item == 1:
            gate.set()
        return item

    happened = list(in_flight(range(4), work, weigh=weightless, limit=1, parallel=2))
    assert [one for one in happened if not isinstance(one, tuple)] == [0, 1, 2, 3]
    for item in range(4):
        assert happened.index(("step", item)) < happened.index(item)


def test_heavy_items_have_their_turn_alone():
    running = []
    most = []

    def work(item, tell):
        running.append(item)
        most.append(sum(running))
        tell(None)
        running.remove(item)
        return item

    items = [1, 9, 1, 9, 9]
    assert list(in_flight(items, work, weigh=lambda item: item, limit=9, parallel=4)) == items
    assert max(most) <= 9


def test_closing_stops_what_is_in_flight_and_begins_nothing_more():
    begun, stopped = [], []

    def work(item, tell):
        begun.append(item)
        try:
            while True:
                tell(item)
        except CancelledError:
            stopped.append(item)
            raise

    run = in_flight(range(100), work, weigh=weightless, limit=1, parallel=2)
    next(run)
    run.close()
    assert sorted(begun) == sorted(stopped)
    assert len(begun) <= 2


def test_a_failure_is_raised_in_its_turn():
    def work(item, tell):
        if item == 2:
            raise OSError("full")
        return item

    run = in_flight(range(100), work, weigh=weightless, limit=1, parallel=3)
    found = []
    with pytest.raises(OSError, match="full"):
        found.extend(iter(lambda: next(run), None))
    with pytest.raises(StopIteration):
        next(run)
