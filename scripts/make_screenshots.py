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
        _until(condition, self._events)

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
        _take(self.viewer, self.folder, name, self._events)


def photograph_objects(folder: Path, theme: str) -> None:
    """Measure and classify the sample of round and long objects, and take a picture."""
    import napari
    from qtpy.QtWidgets import QApplication

    from napari_spinney.samples import load_sample

    sample = load_sample("shapes")
    viewer = napari.Viewer(show=True, show_welcome_screen=False)
    viewer.theme = theme
    viewer.window.resize(1366, 740)
    placed = {"scale": sample.spacing, "units": ("um", "um")}
    viewer.add_image(sample.image, name="shapes", **placed)
    viewer.add_labels(sample.labels, name="shapes labels", **placed)
    from qtpy.QtCore import Qt

    holder, dock = viewer.window.add_plugin_dock_widget("napari-spinney", "Objects")
    viewer.window._qt_window.resizeDocks([holder], [430], Qt.Orientation.Horizontal)
    events = QApplication.instance().processEvents
    dock.form.image.setCurrentText("shapes")
    for number, name in ((1, "round"), (2, "long")):
        dock.work.session.change_class(number, name=name)
    dock.measure.click()
    _until(lambda: dock.work.measured is not None, events)
    for label in dock.work.measured.table["label"].tolist()[:12]:
        dock.work.give(label, int(sample.truth[sample.labels == label].max()))
    _until(lambda: dock.work.session.report is not None and not dock.work.is_busy(), events)
    dock.table.choose(4)
    dock.go_to_row(4)
    _take(viewer, folder, "objects", events)
    dock.charts_section.expand(animate=False)
    dock.charts.kind.setCurrentText("scatter plot")
    dock.charts.right.setCurrentText("area")
    dock.charts.up.setCurrentText("eccentricity")
    start = time.monotonic()
    _until(lambda: time.monotonic() - start > 0.3, events)
    area = dock._stack.widget(0)
    area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())
    _take(viewer, folder, "objects_scatter", events)
    viewer.close()


def photograph_batch(folder: Path, theme: str) -> None:
    """Predict a folder of images, one of them broken, and take pictures on the way."""
    import napari
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QApplication

    from napari_spinney.files.images import write_image
    from napari_spinney.samples import load_sample

    sample = load_sample("nuclei")
    plate = Path(tempfile.mkdtemp()) / "plate"
    plate.mkdir()
    for number in range(12):
        image = np.roll(sample.image, 30 * number, axis=1)
        write_image(plate / f"well_{number + 1:02}.tif", image, spacing=sample.spacing)
    (plate / "well_04.tif").write_bytes(b"not an image")
    viewer = napari.Viewer(show=True, show_welcome_screen=False)
    viewer.theme = theme
    viewer.window.resize(1366, 740)
    holder, dock = viewer.window.add_plugin_dock_widget("napari-spinney", "Batch")
    viewer.window._qt_window.resizeDocks([holder], [400], Qt.Orientation.Horizontal)
    events = QApplication.instance().processEvents
    dock.work.add([plate])
    _until(lambda: len(dock.work.images) == 12, events)
    dock.model.open_path(_nuclei_model(sample, plate.parent))
    dock.outputs.objects.setChecked(True)
    os.chdir(plate.parent)
    dock.work.set_folder("results")
    dock.run.click()
    _until(lambda: dock.work.phase == "finished", events)
    dock.table.selectRow(1)
    dock.work.open(dock.work.images[1])
    _until(lambda: len(viewer.layers) == 3, events)
    _take(viewer, folder, "batch", events)
    viewer.close()


def _nuclei_model(sample, folder: Path) -> str:
    """A model trained on the strokes that come with a sample."""
    from napari_spinney import PixelClassifier

    classifier = PixelClassifier()
    classifier.class_names = {1: "background", 2: "nucleus"}
    classifier.fit(sample.image, sample.strokes).save(folder / "nuclei.spinney")
    return str(folder / "nuclei.spinney")


def _until(condition: Callable[[], bool], events: Callable[[], None]) -> None:
    """Let events happen until something is so."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > WAIT:
            raise TimeoutError(f"waited {WAIT} s in vain")
        events()
        time.sleep(0.005)


def _take(viewer: Viewer, folder: Path, name: str, events: Callable[[], None]) -> None:
    start = time.monotonic()
    _until(lambda: time.monotonic() - start > 0.5, events)
    folder.mkdir(parents=True, exist_ok=True)
    viewer.window.screenshot(str(folder / f"{name}.png"), flash=False)


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
    photograph_objects(options.folder, options.theme)
    photograph_batch(options.folder, options.theme)


if __name__ == "__main__":
    main()
