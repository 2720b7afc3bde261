"""Everything that belongs to one viewer, made when first asked for and gone with it."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QMainWindow

from napari_spinney.interaction.tasks import ReadStrokes, reading_strokes
from napari_spinney.provenance import file_fact
from napari_spinney.session import Activity, Session
from napari_spinney.widgets.batch_work import BatchWork
from napari_spinney.widgets.binding import Binding
from napari_spinney.widgets.closing import ClosingWatch
from napari_spinney.widgets.editing import Editing
from napari_spinney.widgets.jobs import Jobs
from napari_spinney.widgets.keeping import Keeping
from napari_spinney.widgets.keys import KeyGuard, register_keys
from napari_spinney.widgets.live import Live
from napari_spinney.widgets.objects_steps import OF_OBJECTS
from napari_spinney.widgets.objects_work import ObjectsWork
from napari_spinney.widgets.overlays import Overlays
from napari_spinney.widgets.predicting import Predicting, Wish
from napari_spinney.widgets.results import Results
from napari_spinney.widgets.training import Training
from napari_spinney.widgets.unsure import Unsure

if TYPE_CHECKING:
    from napari import Viewer
    from qtpy.QtWidgets import QWidget

PLUGIN = "napari-spinney"
DOCKS = ("Annotate", "Train", "Predict", "Inspect")
OBJECTS = "Objects"

_WORKSPACES: weakref.WeakKeyDictionary[Viewer, Workspace] = weakref.WeakKeyDictionary()


class Workspace:
    """The session of one viewer and all that moves it.

    Holds the viewer weakly, so that it goes when the viewer goes.
    """

    def __init__(self, viewer: Viewer) -> None:
        self.viewer: Viewer = weakref.proxy(viewer)
        self.session = Session()
        self.jobs = Jobs()
        self.wish = Wish()
        self.results = Results(self.viewer)
        self.binding = Binding(self.viewer, self.session, self.jobs)
        self.editing = Editing(self.session, self.binding)
        self.training = Training(self.session, self.jobs)
        self.live = Live(
            self.viewer, self.session, self.jobs, self.binding, self.results, self.training
        )
        self.predicting = Predicting(
            self.session, self.jobs, self.binding, self.results, self.training, self.live.writing
        )
        self.unsure = Unsure(
            self.viewer, self.session, self.jobs, self.binding, self.live, self.training
        )
        self.overlays = Overlays(
            self.viewer, self.session, self.jobs, self.binding, self.live, self.training
        )
        self.objects = ObjectsWork(self.jobs)
        self.batch = BatchWork(self.session, self.jobs)
        self.keeping = Keeping(self.session, self.jobs)
        self.closed = False
        self._attached = False
        weakref.finalize(viewer, self.jobs.close)
        register_keys()

    def attach(self, window: QWidget) -> None:
        """Go when this window goes; called by each dock that is shown, the first counts."""
        if self._attached or not isinstance(window, QMainWindow):
            return
        self._attached = True
        ClosingWatch(window, self.close)
        window.installEventFilter(KeyGuard(window))
        QApplication.instance().aboutToQuit.connect(self.close)

    def begin(self) -> None:
        """Take the selected image (or the first) and put the brush in hand."""
        candidates = self.binding.candidates()
        active = self.viewer.layers.selection.active
        chosen = active if active in candidates else next(iter(candidates), None)
        image_id = self.binding.id_of(active) or self.binding.current
        if chosen is active or image_id is None:
            image_id = None if chosen is None else self.binding.use_image(chosen)
        if image_id is not None:
            self.binding.annotate(image_id)

    def predict_all(self) -> None:
        """Predict what is wished for."""
        self.predicting.predict(self.wish)

    def import_strokes(self, path: str) -> None:
        """Take the strokes of the current image from a file, also from one of another program.

        Read in the background; strokes painted before stay as a layer of their own.
        """
        current = self.binding.current
        if current is not None:
            elsewhere = [found for i, found in self.session.counts.items() if i != current]
            self.jobs.start(
                "import",
                reading_strokes,
                path,
                self.session.images[current],
                {number: entry.name for number, entry in self.session.classes.items()},
                {n for found in elsewhere for n, count in found.items() if count.pixels},
                on_return=self._on_strokes_read,
                on_error=self.training.fail,
            )

    def _on_strokes_read(self, read: ReadStrokes) -> None:
        entry = self.session.images.get(read.entry.id)
        if entry is None or entry.annotation_shape != read.classes.shape:
            return
        self.session.set_classes(read.names, read.colors)
        self.binding.annotate(entry.id, read.classes)
        self.session.set_activity(Activity())

    def open_model(self, path: str) -> None:
        """Take a model from a file: of pixels here, of objects in their dock.

        Raises
        ------
        ValueError
            If the file is no model.
        """
        from napari_spinney.classifiers.base import load

        model = load(path)
        if isinstance(model, OF_OBJECTS):
            self.viewer.window.add_plugin_dock_widget(PLUGIN, OBJECTS, tabify=True)
            self.objects.take(model, path)
            return
        self.jobs.cancel("live", "train", "report")
        self.session.set_live(False)
        self.session.open_model(model, path, file_fact(Path(path)))

    def close(self) -> None:
        """Stop all work and let go of everything."""
        if self.closed:
            return
        self.closed = True
        if self._attached:
            QApplication.instance().aboutToQuit.disconnect(self.close)
        self.jobs.close()
        self.keeping.close()
        self.objects.close()
        self.batch.close()
        self.training.close()
        self.live.close()
        self.binding.close()
        self.session.close()


def existing_workspace(viewer: Viewer) -> Workspace | None:
    """The workspace of a viewer, if it has been opened."""
    return _WORKSPACES.get(real(viewer))


def workspace_of(viewer: Viewer) -> Workspace:
    """The workspace of a viewer, made if there is none."""
    viewer = real(viewer)
    workspace = _WORKSPACES.get(viewer)
    if workspace is None:
        workspace = _WORKSPACES[viewer] = Workspace(viewer)
    return workspace


def real(viewer: Viewer) -> Viewer:
    """The viewer itself: napari hands plugins a wrapper, whose layers are wrappers too."""
    found: Viewer = getattr(viewer, "__wrapped__", viewer)
    return found


def open_docks(viewer: Viewer) -> None:
    """Open the four docks as tabs at the right, the first in front."""
    docks = [viewer.window.add_plugin_dock_widget(PLUGIN, name, tabify=True)[0] for name in DOCKS]
    for dock, name in zip(docks, DOCKS, strict=True):
        dock.setWindowTitle(name)
        dock.show()
    docks[0].raise_()
