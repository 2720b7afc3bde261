"""What tests in a real napari window share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from superqt.utils import WorkerBase

from napari_spinney.samples import load_sample
from napari_spinney.widgets.commands import open_pixel_classifier
from napari_spinney.widgets.workspace import Workspace, workspace_of

WAIT = 60_000
"""Milliseconds that work may take on a slow machine, compilation included."""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the strokes of another."""
    monkeypatch.setenv("SPINNEY_CACHE", str(tmp_path))


@pytest.fixture(scope="session", autouse=True)
def _no_work_outlives_the_windows() -> Iterator[None]:
    """Threads end before Qt does, as napari lets them when it quits."""
    yield
    WorkerBase.await_workers(WAIT)


class Person:
    """Does what somebody in front of the screen would do, and waits as they would."""

    def __init__(self, viewer, qtbot, image=None, trees=20, **options) -> None:
        self.viewer = viewer
        self._qtbot = qtbot
        if image is not None:
            viewer.add_image(image, name=options.pop("name", "nuclei"), **options)
        open_pixel_classifier(viewer)
        self.workspace: Workspace = workspace_of(viewer)
        self.session = self.workspace.session
        self.session.set_recipe(n_trees=trees)

    @property
    def strokes(self):
        return self.workspace.binding.annotations[self.workspace.binding.current]

    def dock(self, name: str):
        return self.viewer.window.dock_widgets[f"{name} (napari-spinney)"]

    def until(self, condition: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(condition, timeout=WAIT)

    def move_time(self) -> None:
        """As long as a hand takes between two places: vispy drops moves closer than 10 ms."""
        self._qtbot.wait(15)

    def paint(self, number: int, points) -> None:
        """One stroke through these points."""
        self.session.select_class(number)
        layer = self.strokes
        layer.brush_size = 3
        with layer.block_history():
            for point in points:
                layer.paint(tuple(int(p) for p in point), number)

    def paint_sample(self, name: str = "nuclei", at: tuple[int, ...] = ()) -> None:
        """The strokes that come with a sample, one by one."""
        from napari_spinney.forest.training import strokes_of

        painted = load_sample(name).strokes
        numbered = strokes_of(painted)
        for stroke in range(1, int(numbered.max()) + 1):
            points = np.argwhere(numbered == stroke)
            self.paint(int(painted[tuple(points[0])]), [(*at, *p) for p in points[::4]])
        classes = tuple(np.unique(painted[painted > 0]).tolist())
        self.until(lambda: self.session.painted() == classes)

    def train(self) -> None:
        self.dock("Annotate").actions_bar.train.click()
        self.until(lambda: self.session.model is not None and self.idle())

    def predict(self) -> None:
        self.dock("Annotate").actions_bar.predict.click()
        self.until(self.idle)

    def idle(self) -> bool:
        return self.session.activity.kind in ("idle", "failed")

    def result(self, what: str = "classes"):
        return self.workspace.results.find(self.workspace.binding.current, what)


@pytest.fixture
def person(make_napari_viewer, qtbot):
    """Open a viewer on an image, with the docks open: ``person(image)``."""

    def make(image=None, *, show: bool = False, **options) -> Person:
        return Person(make_napari_viewer(show=show), qtbot, image, **options)

    return make


@pytest.fixture(scope="session")
def nuclei():
    return load_sample("nuclei").image
