"""Make the pictures of the documentation anew: a real window, driven as a person would.

Run where a window of 1366 x 768 can be opened, e.g.
``xvfb-run -a -s "-screen 0 1366x768x24" python scripts/make_screenshots.py``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer

    from napari_spinney.widgets.workspace import Workspace

FOLDER = Path(__file__).parents[1] / "docs" / "images"
WAIT = 180


class Photographer:
    """Paints, waits and takes pictures of one viewer."""

    def __init__(self, folder: Path, theme: str = "dark") -> None:
        import napari
        from qtpy.QtWidgets import QApplication

        from napari_spinney.samples import load_sample
        from napari_spinney.widgets.commands import open_pixel_classifier
        from napari_spinney.widgets.workspace import workspace_of

        self.folder = folder
        self.sample = load_sample("nuclei")
        self.viewer: Viewer = napari.Viewer(show=True, show_welcome_screen=False)
        self.viewer.theme = theme
        self.viewer.window.resize(1366, 740)
        self.viewer.add_image(
            self.sample.image, name="nuclei", scale=self.sample.spacing, units=("um", "um")
        )
        open_pixel_classifier(self.viewer)
        self.workspace: Workspace = workspace_of(self.viewer)
        self._events = QApplication.instance().processEvents

    def until(self, condition: Callable[[], bool]) -> None:
        """Let events happen until something is so."""
        start = time.monotonic()
        while not condition():
            if time.monotonic() - start > WAIT:
                raise TimeoutError(f"waited {WAIT} s in vain")
            self._events()
            time.sleep(0.005)

    def idle(self) -> bool:
        """Whether nothing runs."""
        return self.workspace.session.activity.kind == "idle"

    def paint_sample(self) -> None:
        """The strokes that come with the sample."""
        from napari_spinney.forest.training import strokes_of

        session, binding = self.workspace.session, self.workspace.binding
        session.change_class(2, name="nucleus")
        layer = binding.annotations[binding.current]
        layer.brush_size = 3
        numbered = strokes_of(self.sample.strokes)
        for stroke in range(1, int(numbered.max()) + 1):
            points = np.argwhere(numbered == stroke)
            number = int(self.sample.strokes[tuple(points[0])])
            session.select_class(number)
            with layer.block_history():
                for point in points[::3]:
                    layer.paint(tuple(int(p) for p in point), number)
        self.until(lambda: len(session.painted()) == 2)

    def dock(self, name: str):
        """A dock, brought to the front."""
        dock = self.viewer.window.dock_widgets[f"{name} (napari-spinney)"]
        dock.parent().raise_()
        return dock

    def take(self, name: str) -> None:
        """Save a picture of the window."""
        start = time.monotonic()
        self.until(lambda: time.monotonic() - start > 0.5)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.viewer.window.screenshot(str(self.folder / f"{name}.png"), flash=False)


def main() -> None:
    """Go through a first session and take a picture of each dock."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--theme", choices=["dark", "light"], default="dark")
    options = parser.parse_args()
    os.environ["SPINNEY_CACHE"] = tempfile.mkdtemp()
    person = Photographer(options.folder, options.theme)
    person.dock("Annotate")
    person.take("annotate_start")
    person.workspace.session.set_live(True)
    person.paint_sample()
    session = person.workspace.session
    person.until(lambda: not session.is_stale and person.idle())
    person.until(lambda: session.report is not None)
    person.take("spinney")
    session.set_live(False)
    train = person.dock("Train")
    person.take("train")
    train.features.choose.expand(animate=False)
    person.take("train_features")
    predict = person.dock("Predict")
    predict.outputs.objects.setChecked(True)
    predict.outputs.classes.setChecked(False)
    person.workspace.results.all()[0].visible = False
    predict.predict.click()
    person.until(person.idle)
    person.take("predict")
    inspect = person.dock("Inspect")
    for layer in person.workspace.results.all():
        layer.visible = False
    inspect.importance.bars.choose(1)
    person.until(lambda: any("=" in layer.name for layer in person.viewer.layers))
    person.take("inspect_importance")
    for index, name in ((1, "levels"), (2, "trees"), (3, "report")):
        inspect.tabs.setCurrentIndex(index)
        person.take(f"inspect_{name}")
    person.viewer.close()


if __name__ == "__main__":
    main()
