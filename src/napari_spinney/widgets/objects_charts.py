"""Histogram, scatter plot and correlations of the measurements of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_spinney.inspection.charts import (
    draw_correlation,
    draw_histogram,
    draw_scatter,
    nearest_point,
)
from napari_spinney.inspection.correlation import correlate
from napari_spinney.widgets.chart_canvas import ChartCanvas
from napari_spinney.widgets.name_list import NameList
from napari_spinney.widgets.objects_model import CLASS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from qtpy.QtGui import QShowEvent

    from napari_spinney.session import Session
    from napari_spinney.widgets.objects_model import Measured

HISTOGRAM, SCATTER, CORRELATION = "histogram", "scatter plot", "correlations"
CHOSEN_AT_FIRST = 8
"""Measurements correlated to begin with."""


class ObjectsCharts(QWidget):
    """One chart at a time; draws only when it is seen."""

    row_chosen = Signal(int)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._measured: Measured | None = None
        self._row = -1
        self._old = True
        self._unfolded = False
        self.kind = _box("Which chart is drawn.", [HISTOGRAM, SCATTER, CORRELATION])
        self.right = _box("The measurement that is counted, or that goes to the right.")
        self.up = _box("The measurement that goes up.")
        self.chosen = NameList("Measurements that are correlated with each other.")
        self.canvas = ChartCanvas()
        self.canvas.setToolTip("In a scatter plot, click a point to go to its object.")
        self.note = QLabel()
        self.note.setWordWrap(True)
        self._form = QFormLayout()
        for label, widget in (
            ("Chart", self.kind),
            ("Measurement", self.right),
            ("Against", self.up),
            ("Chosen", self.chosen),
        ):
            self._form.addRow(label, widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._form)
        layout.addWidget(self.canvas)
        layout.addWidget(self.note)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._connect()
        self._on_kind_changed()

    def _connect(self) -> None:
        self.kind.currentTextChanged.connect(self._on_kind_changed)
        self.right.currentTextChanged.connect(self.refresh)
        self.up.currentTextChanged.connect(self.refresh)
        self.chosen.changed.connect(self.refresh)
        self._soon.timeout.connect(self.refresh)
        self.canvas.mpl_connect("button_press_event", self._on_pressed)

    def show_measured(self, measured: Measured) -> None:
        """Take another table, keeping the measurements that are chosen."""
        self._measured = measured
        self._row = -1
        names = measured.measurements()
        for box, place in ((self.right, 0), (self.up, 1)):
            _fill(box, names, place)
        self.chosen.set_names(names, CHOSEN_AT_FIRST)
        self._soon.start()  # once, when table and picture have been shown

    def show_feature(self, name: str) -> None:
        """Choose what is counted or goes to the right."""
        self.right.setCurrentText(name)

    def mark_row(self, row: int) -> None:
        """Show which point a row of the table is."""
        if row != self._row:
            self._row = row
            if self.kind.currentText() == SCATTER:
                self.refresh()

    def set_unfolded(self, unfolded: bool) -> None:
        """Whether the section that the charts are in is unfolded."""
        self._unfolded = unfolded
        if unfolded and self._old:
            self.refresh()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Draw what changed while nobody looked."""
        super().showEvent(event)
        if self._old:
            self.refresh()

    def refresh(self, *changed: Any) -> None:
        """Draw anew, if it is seen."""
        self._old = not (self._unfolded and self.isVisible())
        if self._old or self._measured is None or not self._measured.measurements():
            return
        kind = self.kind.currentText()
        draw = {
            HISTOGRAM: self._draw_histogram,
            SCATTER: self._draw_scatter,
            CORRELATION: self._draw_correlation,
        }[kind]
        note: str = self.canvas.show_chart(draw, fitted=kind == CORRELATION)
        self.note.setText(note)
        self.note.setVisible(bool(note))

    def _draw_histogram(self, ax: Axes) -> str:
        name = self.right.currentText()
        return _without(draw_histogram(ax, self._values(name), **self._classes(), label=name))

    def _draw_scatter(self, ax: Axes) -> str:
        names = (self.right.currentText(), self.up.currentText())
        x, y = map(self._values, names)
        missing = draw_scatter(ax, x, y, **self._classes(), labels=names)
        if 0 <= self._row < len(x):
            ink = self.palette().text().color().name()
            place = x[[self._row]], y[[self._row]]
            ax.plot(*place, marker="o", markersize=11, color="none", markeredgecolor=ink)
        return _without(missing)

    def _draw_correlation(self, ax: Axes) -> str:
        names = self.chosen.names()
        if self._measured is None or len(names) < 2:
            ax.set_axis_off()
            return "Choose two measurements or more."
        correlation = correlate(self._measured.table, names)
        draw_correlation(ax, correlation)
        return correlation.notes()

    def _values(self, name: str) -> np.ndarray:
        if self._measured is None or name not in self._measured.table:
            return np.zeros(0)
        return self._measured.table[name].to_numpy(np.float64, na_value=np.nan)

    def _classes(self) -> dict[str, Any]:
        """Classes of the objects, with their colours and names."""
        table = None if self._measured is None else self._measured.table
        if table is None or CLASS not in table:
            return {}
        entries = self._session.classes
        return {
            "classes": table[CLASS].to_numpy(),
            "colors": {n: entry.color for n, entry in entries.items()},
            "names": {n: entry.name for n, entry in entries.items()},
        }

    def _on_kind_changed(self, *changed: Any) -> None:
        kind = self.kind.currentText()
        self._form.setRowVisible(self.right, kind != CORRELATION)
        self._form.setRowVisible(self.up, kind == SCATTER)
        self._form.setRowVisible(self.chosen, kind == CORRELATION)
        self.refresh()

    def _on_pressed(self, event: Any) -> None:
        if self.kind.currentText() != SCATTER or self.canvas.ax is None:
            return
        x, y = self._values(self.right.currentText()), self._values(self.up.currentText())
        row = nearest_point(self.canvas.ax, x, y, (event.x, event.y))
        if row >= 0:
            self.row_chosen.emit(row)


def _without(missing: int) -> str:
    objects = "object has" if missing == 1 else "objects have"
    return f"{missing} {objects} no value (NaN) and are not drawn." if missing else ""


def _box(tip: str, texts: list[str] | None = None) -> QComboBox:
    box = QComboBox()
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(10)
    box.addItems(texts or [])
    return box


def _fill(box: QComboBox, names: list[str], place: int) -> None:
    chosen = box.currentText()
    box.blockSignals(True)
    box.clear()
    box.addItems(names)
    box.setCurrentText(chosen if chosen in names else "")
    if chosen not in names:
        box.setCurrentIndex(min(place, len(names) - 1))
    box.blockSignals(False)
