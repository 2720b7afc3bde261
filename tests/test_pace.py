from types import SimpleNamespace

import numpy as np
import pytest

from napari_spinney import pace
from napari_spinney.classifiers.pixels import PixelClassifier
from napari_spinney.interaction.messages import cost_of
from napari_spinney.pace import ENOUGH, Pace, Setting
from napari_spinney.session import ImageEntry, Recipe


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(pace.time, "perf_counter", lambda: now.seconds)
    return now


def blocks(clock, n):
    for _ in range(n):
        clock.seconds += 0.5
        yield SimpleNamespace(index=(2, slice(0, 500), slice(100, 300)))


def test_only_the_time_of_the_work_counts(clock):
    measured = Pace()
    for _ in measured.over(blocks(clock, 4)):
        clock.seconds += 100
    assert (measured.pixels, measured.seconds) == (400_000, 2.0)
    assert measured.per_megapixel == 5.0


def test_too_few_pixels_tell_nothing():
    few = Pace()
    assert few.per_megapixel is None
    few.pixels = ENOUGH - 1
    assert few.per_megapixel is None


def test_a_setting_is_that_of_the_features_however_they_are_called():
    entry = ImageEntry("a", "a", np.zeros((5, 5)), "yx", (0.5, 0.5))
    kind = {"device": None, "use_spacing": False}
    named = Setting.of(Recipe(features="default"), entry, **kind)
    assert Setting.of(Recipe(features=named.features), entry, **kind) == named
    assert Setting.of(PixelClassifier(), entry, **kind) == named
    assert Setting.of(Recipe(n_trees=7), entry, **kind) != named
    assert Setting.of(Recipe(), entry, device="CPU", use_spacing=False) != named
    assert Setting.of(Recipe(), entry, device=None, use_spacing=True) != named


def test_the_pace_is_told_only_where_it_is_known():
    assert "per megapixel on" not in cost_of(Recipe(), None)
    assert ", 0.9 s per megapixel on this device" in cost_of(Recipe(), None, 0.94)
    assert ", 12 s per megapixel on this device" in cost_of(Recipe(), None, 11.8)
    assert ", under 0.1 s per megapixel on this device" in cost_of(Recipe(), None, 0.02)
