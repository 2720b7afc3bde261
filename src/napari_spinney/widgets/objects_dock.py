"""The dock for objects: measure, give classes, learn, look things up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QCheckBox, QFileDialog, QHBoxLayout, QLabel, QPushButton, QWidget

from napari_spinney.classifiers.rows import IDENTITY_COLUMNS
from napari_spinney.widgets.dock import Dock
from napari_spinney.widgets.layers import full_resolution
from napari_spinney.widgets.objects_form import ObjectsForm
from napari_spinney.widgets.objects_layers import (
    center_on,
    middle_of,
    objects_of,
    show_classes,
)
from napari_spinney.widgets.objects_model import (
    Answer,
    ClickedClasses,
    Key,
    Measured,
    classes_given,
    learning,
    measuring,
)
from napari_spinney.widgets.objects_table import ObjectsTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari import Viewer
    from napari.layers import Labels
    from qtpy.QtGui import QCloseEvent

LANE = "objects"
TABLES = "Tables (*.csv *.tsv *.parquet)"
CLASS = "class"


class ObjectsDock(Dock):
    """Measure the objects of a labels layer and classify them from a few clicks."""

    needs_image = False

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.viewer = self.workspace.viewer
        self.measured: Measured | None = None
        self.answer: Answer | None = None
        self.clicked = ClickedClasses()
        self._layer: Labels | None = None
        self.form = ObjectsForm(self.viewer)
        self.measure = _button("Measure", "Measures all objects; the table appears below.")
        self.live = QCheckBox("Live")
        self.live.setToolTip("Learns anew after each click.")
        self.live.setChecked(True)
        self.train = _button("Train", "Learns from the objects that have a class.")
        self.save = _button(
            "Save …", "Saves the model as .spinney, for Python and the command line."
        )
        self.export = _button("Export …", "Writes the table as .csv, .tsv or .parquet.")
        self.load = _button("Join …", "Adds the columns of a table from elsewhere by label.")
        self.told = QLabel("Choose the layer that holds the objects, then press Measure.")
        self.told.setWordWrap(True)
        self.table = ObjectsTable()
        self.rows.addWidget(self.form)
        self.rows.addWidget(_row(self.measure, self.live, self.train))
        self.rows.addWidget(self.told)
        self.rows.addWidget(self.table, 1)
        self.rows.addWidget(_row(self.save, self.export, self.load))
        self.status.setVisible(False)
        self._connect()

    def _connect(self) -> None:
        self.measure.clicked.connect(self.start_measuring)
        self.train.clicked.connect(self.start_learning)
        self.table.row_chosen.connect(self.go_to_row)
        self.save.clicked.connect(self._on_save_clicked)
        self.export.clicked.connect(self._on_export_clicked)
        self.load.clicked.connect(self._on_load_clicked)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Let go of the viewer and of the layer."""
        self._release()
        self.form.close_connections()
        super().closeEvent(event)

    def _on_images_changed(self) -> None:
        super()._on_images_changed()
        self.status.setVisible(False)

    # ------------------------------------------------------------------ measure

    def start_measuring(self) -> None:
        """Measure the objects of the chosen layer in the background."""
        layer, image = self.form.labels.currentData(), self.form.image.currentData()
        if layer is None:
            self.told.setText("There is no labels layer: open one, or segment objects first.")
            return
        try:
            objects = objects_of(layer, image)
        except (ValueError, TypeError) as error:
            self._fail(error)
            return
        self.told.setText("Measuring …")
        self.workspace.jobs.start(
            LANE,
            measuring,
            objects,
            self.form.features(),
            on_return=lambda measured: self._on_measured(layer, measured),
            on_error=self._fail,
        )

    def _on_measured(self, layer: Labels, measured: Measured) -> None:
        if layer is not self._layer:
            self._release()
            self.clicked = ClickedClasses()
            layer.mouse_drag_callbacks.append(self._on_layer_clicked)
            self._layer = layer
        self._show(measured)
        self.told.setText(
            f"{len(measured.table)} objects. Click some of each class in the picture (with the "
            f"pan tool), or choose a layer with strokes and press Train."
        )

    def _show(self, measured: Measured) -> None:
        self.measured = measured
        self.table.show_frame(measured.table)
        if self._layer is not None and "frame" not in measured.table:
            self._layer.features = measured.table.assign(index=measured.table["label"])

    def _release(self) -> None:
        if self._layer is not None and self._on_layer_clicked in self._layer.mouse_drag_callbacks:
            self._layer.mouse_drag_callbacks.remove(self._on_layer_clicked)
        self._layer = None

    # ------------------------------------------------------------------ classes

    def _on_layer_clicked(self, layer: Labels, event: Any) -> Iterator[None]:
        """Look up the object under the mouse, and give it the chosen class; a drag pans."""
        if layer.mode not in ("pan_zoom", "pick"):
            return
        value = layer.get_value(
            event.position,
            view_direction=event.view_direction,
            dims_displayed=event.dims_displayed,
            world=True,
        )
        yield
        dragged = event.type == "mouse_move"
        while event.type == "mouse_move":
            yield
        if value and not dragged:
            self.give_class(self._key(int(value), layer, event.position))

    def give_class(self, key: Key) -> None:
        """Give an object the class that a click gives, and learn if live."""
        if self.measured is None or (row := self.measured.row_of(key)) is None:
            return
        self.table.choose(row)
        number = int(self.form.click_class.currentData())
        if number == 0:
            return
        self.clicked.give(key, number)
        given = len(self.clicked.by_object)
        self.told.setText(f"{given} objects have a class by click.")
        if self.live.isChecked() and len(set(self.clicked.by_object.values())) > 1:
            self.start_learning()

    def start_learning(self) -> None:
        """Learn from what has a class, in the background; older work is dropped."""
        if self.measured is None:
            self.told.setText("Press Measure first: classes are told apart by measurements.")
            return
        painted = self.form.strokes.currentData()
        try:
            strokes = None if painted is None else np.array(full_resolution(painted))
            classes = classes_given(self.measured, self.clicked.by_object, strokes)
        except (ValueError, TypeError) as error:
            self._fail(error)
            return
        columns = [
            str(name)
            for name in self.measured.table.select_dtypes("number").columns
            if name not in (*IDENTITY_COLUMNS, CLASS)
        ]
        self.told.setText("Learning …")
        self.workspace.jobs.start(
            LANE,
            learning,
            self.measured,
            classes,
            columns,
            on_return=self._on_answer,
            on_error=self._fail,
        )

    def _on_answer(self, answer: Answer) -> None:
        if self.measured is None or self._layer is None:
            return
        self.answer = answer
        table = self.measured.table.drop(columns=CLASS, errors="ignore")
        table.insert(list(table.columns).index("label") + 1, CLASS, answer.classes)
        self._show(Measured(self.measured.objects, table))
        show_classes(self.viewer, self._layer, answer.picture)
        counts = np.unique(answer.classes, return_counts=True)
        words = ", ".join(f"{n} of class {c}" for c, n in zip(*counts, strict=True))
        self.told.setText(f"Found {words}. {answer.report}")

    # ------------------------------------------------------- table and picture

    def go_to_row(self, row: int) -> None:
        """Centre the view on the object of a row, and select its label."""
        if self.measured is None or self._layer is None:
            return
        values = self.measured.table.iloc[row]
        layer, objects = self._layer, self.measured.objects
        place = middle_of(objects, int(values["label"]), int(values.get("frame", 0)))
        layer.selected_label = int(values["label"])
        center_on(self.viewer, np.array(layer.data_to_world(place), float))

    def _key(self, label: int, layer: Labels, position: Any) -> Key:
        objects = self.measured.objects if self.measured is not None else None
        if objects is None or objects.time_axis is None:
            return label
        return round(float(layer.world_to_data(position)[objects.time_axis])), label

    # ------------------------------------------------------------------- files

    def save_model(self, path: str) -> None:
        """Write the classifier."""
        if self.answer is not None:
            self.answer.classifier.save(path)
            self.told.setText(f"Saved {path}")

    def export_table(self, path: str) -> None:
        """Write the table."""
        from napari_spinney.files.tables import write_table

        if self.measured is not None:
            try:
                write_table(path, self.measured.table)
            except (ValueError, OSError) as error:
                self._fail(error)
                return
            self.told.setText(f"Saved {path}")

    def join_table(self, path: str) -> None:
        """Add the columns of a table by label."""
        from napari_spinney.files.tables import read_table

        if self.measured is None:
            self.told.setText("Press Measure first: the table is joined to the objects by label.")
            return
        try:
            self._show(self.measured.joined(read_table(path)))
        except ValueError as error:
            self._fail(error)

    def _on_save_clicked(self) -> None:
        self._ask_where("Save model", "Spinney model (*.spinney)", self.save_model)

    def _on_export_clicked(self) -> None:
        self._ask_where("Export the table", TABLES, self.export_table)

    def _ask_where(self, title: str, kinds: str, then: Any) -> None:
        dialog = QFileDialog(self, title, "", kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(then)
        dialog.open()

    def _on_load_clicked(self) -> None:
        dialog = QFileDialog(self, "Join a table", "", TABLES)
        dialog.fileSelected.connect(self.join_table)
        dialog.open()

    def _fail(self, error: Exception) -> None:
        self.told.setText(f"⚠ {error}")


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button


def _row(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    return holder
