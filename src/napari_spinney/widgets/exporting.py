"""Exporting what was done as a notebook or a script, and copying the code of one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.notifications import show_info
from qtpy.QtWidgets import QApplication, QFileDialog, QPushButton, QWidget
from superqt import QFlowLayout

from napari_spinney.classifiers.objects import ObjectClassifier, ObjectMapper, ObjectMerger
from napari_spinney.history import (
    ApplyToObjects,
    ClassifyObjects,
    Measure,
    OpenModel,
    Predict,
    Train,
)
from napari_spinney.interaction.tasks import plainly
from napari_spinney.objects.request import columns_of
from napari_spinney.session import ImageEntry
from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from napari_spinney.classifiers.object_images import ObjectImage
    from napari_spinney.history import Step
    from napari_spinney.interaction.predicting import PredictOrder
    from napari_spinney.widgets.objects_model import Measured
    from napari_spinney.widgets.predicting import Wish
    from napari_spinney.widgets.workspace import Workspace


class ExportRow(QWidget):
    """Three buttons: notebook, script, and the code of what the dock would predict.

    Parameters
    ----------
    workspace : Workspace
    wish : callable
        What the dock would make now.
    """

    def __init__(self, workspace: Workspace, wish: Callable[[], Wish]) -> None:
        super().__init__()
        self._workspace = workspace
        self._wish = wish
        self.notebook = _button(
            "Export notebook …",
            "Writes all that was done, with images and strokes, as a notebook that does it again.",
        )
        self.script = _button(
            "Export script …",
            "Writes all that was done, with images and strokes, as a Python script.",
        )
        self.snippet = _button(
            "Copy snippet", "Copies the Python code of the prediction that is ticked above."
        )
        layout = QFlowLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for button in (self.notebook, self.script, self.snippet):
            layout.addWidget(button)
        self.notebook.clicked.connect(self._on_notebook_clicked)
        self.script.clicked.connect(self._on_script_clicked)
        self.snippet.clicked.connect(self.copy_snippet)
        link(self, self._refresh, workspace.session.history_changed)
        self._refresh()

    def export(self, kind: str, path: str) -> None:
        """Write the notebook or script in the background."""
        self._workspace.jobs.start(
            "save",
            _exporting,
            kind,
            self.steps(),
            path,
            on_return=show_info,
            on_error=self._workspace.training.fail,
        )

    def steps(self) -> tuple[Step, ...]:
        """What was done; if nothing was predicted yet, also the classes of the current image."""
        session = self._workspace.session
        current = self._workspace.binding.current
        entry = session.images.get(current) if current is not None else None
        if entry is None or not _ends_with_model(session.history):
            return session.history
        return (*session.history, Predict(entry, use_spacing=session.recipe.use_spacing))

    def copy_snippet(self) -> None:
        """Put the code of the first prediction that is ticked on the clipboard."""
        from napari_spinney.export import snippet

        session, wish = self._workspace.session, self._wish()
        current = self._workspace.binding.current
        if session.model is None or current is None or not wish.what:
            return
        step = Predict(
            session.images[current],
            wish.what[0],
            wish.target,
            use_spacing=session.recipe.use_spacing,
            split="watershed" if wish.split else None,
            min_size=wish.min_size,
            clear_border=wish.clear_border,
        )
        QApplication.clipboard().setText(snippet(step))
        show_info("Copied: code for an image and a trained classifier, clf")

    def _refresh(self) -> None:
        for button in (self.notebook, self.script, self.snippet):
            button.setEnabled(bool(self._workspace.session.history))

    def _on_notebook_clicked(self) -> None:
        self._ask("notebook", "Jupyter notebook (*.ipynb)", "ipynb")

    def _on_script_clicked(self) -> None:
        self._ask("script", "Python script (*.py)", "py")

    def _ask(self, kind: str, filters: str, suffix: str) -> None:
        dialog = QFileDialog(self, f"Export {kind}", "", filters)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix)
        dialog.fileSelected.connect(lambda path: self.export(kind, path))
        dialog.open()


class TrainingSnippet(QPushButton):
    """Copies the code of the last training."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("Copy snippet")
        self.setToolTip("Copies the Python code of the last training.")
        self._session = workspace.session
        self.clicked.connect(self.copy_snippet)
        link(self, self._refresh, workspace.session.history_changed)
        self._refresh()

    def copy_snippet(self) -> None:
        """Put it on the clipboard."""
        from napari_spinney.export import snippet

        last = self._last()
        if last is not None:
            QApplication.clipboard().setText(snippet(last))
            show_info("Copied: code for an image and its strokes")

    def _last(self) -> Train | None:
        steps = self._session.history
        return next((step for step in reversed(steps) if isinstance(step, Train)), None)

    def _refresh(self) -> None:
        self.setEnabled(self._last() is not None)


def predicted(order: PredictOrder) -> Predict:
    """The step that an order was."""
    return Predict(
        image=order.entry,
        what=order.what,
        target_class=order.target,
        region=order.region,
        time=order.time,
        use_spacing=order.use_spacing,
        split="watershed" if order.split else None,
        min_size=order.min_size,
        clear_border=order.clear_border,
    )


def object_steps(measured: Measured, classifier: Any, path: str | None = None) -> tuple[Step, ...]:
    """How objects were measured and, with a classifier, classified.

    ``path`` is the file of the classifier, where it was not taught here.

    Raises
    ------
    ValueError
        If it decides by columns that were joined from elsewhere, which cannot be measured anew.
    """
    objects = measured.objects
    labels = ImageEntry("labels", "objects", objects.labels, _axes(objects), objects.spacing)
    image = _image_under(objects)
    table = getattr(classifier, "table_", None)
    if path is not None and _can_be_applied(classifier, objects):
        return (ApplyToObjects(classifier, path, labels, image),)
    known = [n for n in measured.measurements() if _can_be_measured([n], objects)]
    measuring = Measure(labels, " ".join(known), image, _tracks_of(measured))
    if table is None or type(classifier) is not ObjectClassifier:
        return (measuring,)
    if not _can_be_measured(classifier.feature_names_, objects):
        raise ValueError(
            "The classes were learnt from columns that were joined from elsewhere, which a "
            "notebook cannot measure anew: train without them, or export the table."
        )
    keys = measured.object_keys()
    classes = {keys[row]: int(c) for row, c in zip(table.position, table.y, strict=True)}
    classifying = ClassifyObjects(classifier, labels, classes, image)
    return (classifying,) if measuring.tracks is None else (measuring, classifying)


def _tracks_of(measured: Measured) -> Any:
    axis = measured.objects.time_axis
    return None if measured.points is None or axis is None else measured.points.to_data(axis)


def _axes(objects: ObjectImage) -> str:
    letters = list("zyx"[-objects.ndim :])
    if objects.time_axis is not None:
        letters.insert(objects.time_axis % objects.labels.ndim, "t")
    return "".join(letters)


def _image_under(objects: ObjectImage) -> ImageEntry | None:
    if not objects.channels:
        return None
    several = len(objects.channels) > 1
    data = np.stack(objects.channels) if several else objects.channels[0]
    axes = f"c{_axes(objects)}" if several else _axes(objects)
    return ImageEntry("image", "image", data, axes, objects.spacing)


def _can_be_measured(names: Sequence[str], objects: ObjectImage) -> bool:
    try:
        columns_of(names, ndim=objects.ndim, n_channels=len(objects.channels))
    except ValueError:
        return False
    return True


def _can_be_applied(classifier: Any, objects: ObjectImage) -> bool:
    """Whether a model needs nothing but the objects and their image."""
    if isinstance(classifier, ObjectMerger):
        return True
    known = isinstance(classifier, (ObjectClassifier, ObjectMapper))
    return known and _can_be_measured(classifier.feature_names_, objects)


def _ends_with_model(steps: tuple[Step, ...]) -> bool:
    """Whether nothing was made with the last model."""
    last = [s for s in steps if isinstance(s, Train | OpenModel | Predict)][-1:]
    return any(not isinstance(step, Predict) for step in last)


def _exporting(kind: str, steps: tuple[Step, ...], path: str) -> Generator[None, None, str]:
    from napari_spinney import export

    yield
    with plainly(f"exporting the {kind}"):
        write: Any = export.notebook if kind == "notebook" else export.script
        written = write(steps, path)
    return f"Written: {written}, and a folder beside it with what it reads"


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
