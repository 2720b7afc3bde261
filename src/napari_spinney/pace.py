"""How fast predictions are: measured while they are made, never guessed."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from napari_spinney.session import ImageEntry

ENOUGH = 2**16
"""Pixels from which a measurement tells something about a megapixel."""


@dataclass(frozen=True, slots=True)
class Setting:
    """All that the time of a pixel depends on: features, forest, kind of image, device."""

    features: str
    n_trees: int
    max_depth: int | None
    stages: int
    ndim: int
    n_channels: int
    spacing: tuple[float, ...] | None
    device: str | None

    @classmethod
    def of(
        cls, chosen: Any, entry: ImageEntry, *, device: str | None, use_spacing: bool
    ) -> Setting:
        """Setting of a classifier, or of a recipe, and an image.

        Raises
        ------
        ValueError
            If its features cannot be read.
        """
        from napari_spinney.features.feature import FeatureSet

        return cls(
            features=str(FeatureSet.of(chosen.features).for_ndim(entry.ndim)),
            n_trees=chosen.n_trees,
            max_depth=chosen.max_depth,
            stages=chosen.stages,
            ndim=entry.ndim,
            n_channels=entry.n_channels,
            spacing=entry.spacing if use_spacing else None,
            device=device,
        )


class Pace:
    """Pixels predicted so far, and the seconds they took."""

    def __init__(self) -> None:
        self.pixels = 0
        self.seconds = 0.0

    def over(self, steps: Iterable[Any]) -> Iterator[Any]:
        """Pass steps with an ``index`` on; only the time spent waiting for them counts."""
        start = time.perf_counter()
        for step in steps:
            self.seconds += time.perf_counter() - start
            self.pixels += math.prod(
                1 if isinstance(i, int) else i.stop - i.start for i in step.index
            )
            yield step
            start = time.perf_counter()
        self.seconds += time.perf_counter() - start

    @property
    def per_megapixel(self) -> float | None:
        """Seconds per million pixels; None if there were too few to tell."""
        return 1e6 * self.seconds / self.pixels if self.pixels >= ENOUGH else None
