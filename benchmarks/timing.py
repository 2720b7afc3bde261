"""Times taken side by side: on a shared machine only ratios mean anything."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Times:
    """Wall-clock seconds of several runs of the same work."""

    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        """Shortest run: the one least disturbed by whatever else the machine did."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """Run in the middle."""
        return statistics.median(self.seconds)


def alternate(works: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, Times]:
    """Run each work once for warming up, then all of them in turn, ``repeats`` times over."""
    for work in works.values():
        work()
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    return {name: Times(tuple(values)) for name, values in seconds.items()}


def ratio(peer: Times, ours: Times) -> tuple[float, float, float]:
    """How many times faster we are: median of the runs taken in turn, and the extremes."""
    ratios = sorted(p / o for p, o in zip(peer.seconds, ours.seconds, strict=True))
    return statistics.median(ratios), ratios[0], ratios[-1]
