"""The dock for objects: measure, give classes, learn, look things up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QPushButton, QWidget

from napari_spinney.widgets.dock import Dock, section
from napari_spinney.widgets.forest_form import ForestForm
from napari_spinney.widgets.layers import full_resolution
from napari_spinney.widgets.links import link
from napari_spinney.widgets.objects_charts import ObjectsCharts
from napari_spinney.widgets.objects_empty import NoObjects
from napari_spinney.widgets.objects_files import ObjectsFiles
from napari_spinney.widgets.objects_form import ObjectsForm
from napari_spinney.widgets.objects_layers import (
    add_strokes,
    objects_of,
    result_layers,
    show_column,
    show_objects,
    track_points,
)
from napari_spinney.widgets.objects_model import CLASS
from napari_spinney.widgets.objects_picture import ObjectsPicture, compiling_colors
from napari_spinney.widgets.objects_status import ObjectsStatus
from napari_spinney.widgets.objects_table import ObjectsTable

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Labels
    from qtpy.QtGui import QCloseEvent

    from napari_spinney.widgets.objects_model import Key, Painted

LABELS_OWN = "their labels"
AFTER_STROKE = 30
"""Milliseconds after a stroke until it is learnt from."""


class ObjectsDock(Dock):
    """Measure the objects of a labels layer and classify them from a few clicks."""

    needs_image = False

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.viewer = self.workspace.viewer
        self.work = self.workspace.objects
        self.picture = ObjectsPicture(self.viewer)
        self.form = ObjectsForm(self.viewer, self.work.session)
        self.measure = _button("Measure", "Measures all objects; the table appears below.")
        self.live = QCheckBox("Live")
        self.live.setToolTip("Learns anew after each click and each stroke.")
        self.live.setChecked(self.work.live)
        self.train = _button("Train", "Learns from the objects that have a class.")
        self.color_by = QComboBox()
        self.color_by.setToolTip(
            "What colours the objects in the picture: their labels, their class, or a measurement."
        )
        self.color_by.addItem(LABELS_OWN)
        self.as_layer = _button("As layer", "Makes a layer of what colours the objects.")
        self.table = ObjectsTable()
        self.charts = ObjectsCharts(self.work.session)
        self.charts_section: Any = section("Charts", self.charts)
        self.forest = ForestForm(self.work.session, "objects")
        self.files = ObjectsFiles(self.work, lambda: result_layers(self.viewer, self.picture.layer))
        self.told = ObjectsStatus(self.work)
        self.no_objects = NoObjects(self.viewer)
        self._strokes: Labels | None = None
        self._after_stroke = QTimer(self)
        self._after_stroke.setSingleShot(True)
        self._after_stroke.setInterval(AFTER_STROKE)
        self._lay_out()
        self._connect()
        self._on_layers_changed()
        if self.work.source in self.viewer.layers:
            self._bind(self.work.source)
        self._on_table_changed()

    def _lay_out(self) -> None:
        self.rows.addWidget(self.form)
        self.rows.addWidget(_row(self.measure, self.live, self.train))
        self.rows.addWidget(self.table, 1)
        self.rows.addWidget(_row(QLabel("Colour by"), self.color_by, self.as_layer, stretch=1))
        self.rows.addWidget(self.charts_section)
        self.rows.addWidget(section("Forest", self.forest))
        self.rows.addWidget(self.files)
        self.layout().addWidget(self.told)
        self._stack.addWidget(self.no_objects)
        self.status.setVisible(False)

    def _connect(self) -> None:
        self.measure.clicked.connect(self.start_measuring)
        self.train.clicked.connect(self.start_learning)
        self.live.toggled.connect(self._on_live_toggled)
        self.color_by.currentTextChanged.connect(self._on_color_chosen)
        self.as_layer.clicked.connect(self._on_as_layer_clicked)
        self.form.strokes.currentIndexChanged.connect(self._on_strokes_chosen)
        self._after_stroke.timeout.connect(self.work.note_change)
        self.form.new_strokes.clicked.connect(self._on_new_strokes_clicked)
        self.table.row_chosen.connect(self.go_to_row)
        self.table.class_pressed.connect(self._on_class_pressed)
        self.charts_section.toggled.connect(self.charts.set_unfolded)
        link(self, self.choose_row, self.charts.row_chosen)
        link(self, self._on_layers_changed, self.form.layers_changed)
        link(self, self.give_class, self.picture.clicked)
        link(self, self._on_table_changed, self.work.table_changed)
        link(self, self._on_answered, self.work.answered)
        link(self, self._on_column_painted, self.work.painted)
        link(self, self._on_classes_changed, self.work.session.classes_changed)
        link(self, self.show_feature, self.work.feature_chosen)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Let go of the viewer and of the layer."""
        self._after_stroke.stop()
        self._watch_strokes(None)
        self.picture.release()
        super().closeEvent(event)

    def _on_images_changed(self) -> None:
        self.status.setVisible(False)

    def _on_layers_changed(self) -> None:
        empty = self.form.labels.count() == 0
        self._stack.setCurrentIndex(2 if empty else 0)
        self.told.setVisible(not empty)
        if self.picture.layer is not None and self.picture.layer not in self.viewer.layers:
            self.picture.release()
            self.work.source = None

    # ----------------------------------------------------------- measure and learn

    def start_measuring(self) -> None:
        """Measure the objects of the chosen layer in the background."""
        layer, image = self.form.labels.currentData(), self.form.image.currentData()
        tracks = self.form.tracks.currentData()
        try:
            objects = objects_of(layer, image)
            points = None if tracks is None else track_points(tracks, layer)
        except (ValueError, TypeError) as error:
            self.work.fail(error)
            return
        if layer is not self.picture.layer:
            self.work.forget_classes()
            self._bind(layer)
        self.workspace.jobs.start("objects colours", compiling_colors, objects.labels.dtype)
        self.work.measure(objects, self.form.features(), points)

    def _bind(self, layer: Labels) -> None:
        self.picture.bind(layer)
        self.work.source = layer

    def start_learning(self) -> None:
        """Learn from what has a class, in the background; older work is dropped."""
        self.work.learn()

    def give_class(self, key: Key) -> None:
        """Look an object up, and give it the class that a click gives."""
        row = None if self.work.measured is None else self.work.measured.row_of(key)
        if row is None:
            return
        self.table.choose(row)
        self.charts.mark_row(row)
        if self.form.click_number:
            self.work.give(key, self.form.click_number)

    def _on_class_pressed(self, row: int, number: int) -> None:
        if self.work.measured is not None:
            self.work.give(self.work.measured.key_of(row), number)

    def _on_live_toggled(self, live: bool) -> None:
        self.work.live = live

    def _on_strokes_chosen(self, index: int = -1) -> None:
        self._watch_strokes(self.form.strokes.currentData())
        if self._strokes is not None:
            self.work.note_change()

    def _on_new_strokes_clicked(self) -> None:
        layer = self.form.labels.currentData()
        if layer is not None:
            painted = add_strokes(self.viewer, layer, self.work.session.classes.values())
            self.form.strokes.setCurrentIndex(self.form.strokes.findText(painted.name))

    def _watch_strokes(self, layer: Labels | None) -> None:
        if self._strokes is not None:
            self._strokes.events.paint.disconnect(self._on_painted)
        self._strokes = layer
        self.work.strokes = None if layer is None else self._painted
        if layer is not None:
            layer.events.paint.connect(self._on_painted)

    def _painted(self) -> Any:
        return full_resolution(self._strokes)

    def _on_painted(self, event: Any = None) -> None:
        """Wait for the stroke: napari tells of one painted from code before it is there."""
        self._after_stroke.start()

    # ------------------------------------------------------- table, chart, picture

    def _on_table_changed(self) -> None:
        measured = self.work.measured
        if measured is None:
            return
        self.table.show_frame(measured.table)
        self.charts.show_measured(measured)
        numbers = measured.table.select_dtypes(["number", "bool"]).columns
        self._list_colors([str(name) for name in numbers if name not in ("label", "frame")])
        self.picture.show(measured)

    def _on_answered(self) -> None:
        answer, layer = self.work.answer, self.picture.layer
        if answer is None or layer is None:
            return
        if answer.picture is not None:
            show_objects(self.viewer, layer, answer.picture, answer.origin)
        elif self.picture.is_large:
            self.work.paint(answer.column)
        elif self.color_by.findText(answer.column) < 0:
            self.color_by.addItem(answer.column)
            self.color_by.setCurrentText(answer.column)

    def _on_classes_changed(self) -> None:
        self.charts.refresh()
        if self.color_by.currentText() == CLASS:
            self._on_color_chosen(CLASS)

    def _list_colors(self, columns: list[str]) -> None:
        chosen = self.color_by.currentText()
        self.color_by.blockSignals(True)
        self.color_by.clear()
        self.color_by.addItems([LABELS_OWN, *columns])
        self.color_by.setCurrentText(chosen if chosen in columns else LABELS_OWN)
        self.color_by.blockSignals(False)
        if chosen not in columns:
            self._on_color_chosen(LABELS_OWN)

    def _on_color_chosen(self, column: str) -> None:
        colors = {n: entry.color for n, entry in self.work.session.classes.items()}
        if column != LABELS_OWN and self.picture.is_large:
            self.work.paint(column)
        else:
            self.picture.color_by("" if column == LABELS_OWN else column, colors)

    def _on_as_layer_clicked(self) -> None:
        column = self.color_by.currentText()
        if self.work.measured is None or column == LABELS_OWN:
            self.work.tell("Choose a class or a measurement under Colour by first.")
            return
        self.work.paint(column)

    def _on_column_painted(self, painted: Painted) -> None:
        if self.picture.layer is not None:
            classes = self.work.session.classes.values()
            show_column(self.viewer, self.picture.layer, painted, classes)

    def choose_row(self, row: int) -> None:
        """Select a row of the table, and go to its object."""
        self.table.choose(row)
        self.go_to_row(row)

    def go_to_row(self, row: int) -> None:
        """Centre the view on the object of a row, and mark it in the chart."""
        self.picture.go_to(row)
        self.charts.mark_row(row)

    def show_feature(self, name: str) -> None:
        """Show a measurement on the objects and in the chart."""
        self.color_by.setCurrentText(name)
        self.charts.show_feature(name)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button


def _row(*widgets: QWidget, stretch: int = -1) -> QWidget:
    holder = QWidget()
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    for place, widget in enumerate(widgets):
        layout.addWidget(widget, int(place == stretch))
    return holder
