"""Features sorted by importance, as bars; a click shows the feature on the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from psygnal import Signal
from qtpy.QtCore import QRect, QSize, Qt
from qtpy.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QShowEvent
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_spinney.inspection.alike import alike, brackets
from napari_spinney.interaction.tasks import plainly
from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_spinney.session import TrainedModel
    from napari_spinney.widgets.jobs import Jobs
    from napari_spinney.widgets.objects_work import ObjectsWork
    from napari_spinney.widgets.workspace import Workspace

ROW = 22
MARGIN = 8
"""Room for brackets, left of the bars."""

LANE = "alike"
NOTE = "Features that carry the same information share their importance. Click one to see it."
NOTE_BRACKETS = (
    "Features shown together in a bracket carry the same information and share their importance. "
    "Click one to see it."
)
TIP = "How much each feature decides. Click to see the feature on the image."

Partners: TypeAlias = dict[str, dict[str, float]]


def comparing(model: TrainedModel) -> Generator[None, None, tuple[TrainedModel, Partners]]:
    """Find correlated features in the rows that a model was trained on, if it has them."""
    yield
    with plainly("comparing the features"):
        table = getattr(model.classifier, "table_", None)
        return model, {} if table is None else alike(table.X, table.names)


class ImportanceChart(QWidget):
    """The bars of the model at hand.

    Which features are correlated is found in the background, once the chart is looked at.
    """

    def __init__(self, workspace: Workspace | ObjectsWork, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs
        self._lane = lane = f"{LANE} {id(self)}"
        self.destroyed.connect(lambda: jobs.cancel(lane))
        self._partners_of: TrainedModel | None = None
        self._workspace = workspace
        self._session = workspace.session
        self.bars = Bars()
        self.note = QLabel(NOTE)
        self.note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(self.bars)
        layout.addWidget(self.note)
        layout.addStretch(1)
        self.bars.clicked.connect(self._workspace.overlays.show)
        link(self, self.refresh, self._session.model_changed)
        self.refresh()

    def refresh(self) -> None:
        """Take the importances of the model at hand."""
        model = self._session.model
        self._partners_of = None
        if model is None:
            self.bars.set_values({})
            self.note.setText("Train a model to see which features decide.")
        else:
            self.bars.set_values(model.classifier.feature_importances())
            self.note.setText(NOTE)
            if self.isVisible():
                self._look_for_partners()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Find out now which features are correlated."""
        super().showEvent(event)
        self._look_for_partners()

    def _look_for_partners(self) -> None:
        model = self._session.model
        if model is None or model is self._partners_of:
            return
        self._partners_of = model
        self._jobs.start(self._lane, comparing, model, on_return=self._on_compared)

    def _on_compared(self, found: tuple[TrainedModel, Partners]) -> None:
        model, partners = found
        if model is self._session.model:
            self.bars.set_values(model.classifier.feature_importances(), partners)
            self.note.setText(NOTE_BRACKETS if partners else NOTE)


class Bars(QWidget):
    """Horizontal bars, the longest first; up and down choose one, Enter clicks it."""

    clicked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.values: list[tuple[str, float]] = []
        self.brackets: list[tuple[str, ...]] = []
        self.partners: Partners = {}
        self.selected = -1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setToolTip(TIP)

    def set_values(self, values: dict[str, float], partners: Partners | None = None) -> None:
        """Show these, sorted; features that are correlated side by side."""
        self.partners = partners or {}
        self.brackets = brackets(values, self.partners)
        self.values = [(name, values[name]) for group in self.brackets for name in group]
        self.selected = -1
        self.setFixedHeight(max(1, len(self.values)) * ROW)
        self.update()

    def sizeHint(self) -> QSize:
        """Room for all bars."""
        return QSize(260, max(1, len(self.values)) * ROW)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the bars."""
        painter = QPainter(self)
        palette = self.palette()
        top = max((value for _, value in self.values), default=1.0) or 1.0
        for row, (name, value) in enumerate(self.values):
            line = QRect(MARGIN, row * ROW, self.width() - MARGIN, ROW - 3)
            bar = QRect(line)
            bar.setWidth(max(1, int((line.width() - 44) * value / top)))
            color = palette.highlight().color()
            color.setAlpha(255 if row == self.selected else 120)
            painter.fillRect(bar, color)
            painter.setPen(palette.text().color())
            flags = Qt.AlignmentFlag.AlignVCenter
            room = line.adjusted(4, 0, -44, 0)
            elide = Qt.TextElideMode.ElideMiddle
            text = painter.fontMetrics().elidedText(name, elide, room.width())
            painter.drawText(room, flags, text)
            painter.drawText(
                line.adjusted(0, 0, -4, 0), flags | Qt.AlignmentFlag.AlignRight, f"{value:.3f}"
            )
        self._draw_brackets(painter)
        painter.end()

    def _draw_brackets(self, painter: QPainter) -> None:
        row = 0
        for group in self.brackets:
            top, bottom = row * ROW + 3, (row + len(group)) * ROW - 6
            row += len(group)
            if len(group) > 1:
                painter.drawLine(2, top, 2, bottom)
                painter.drawLine(2, top, MARGIN - 2, top)
                painter.drawLine(2, bottom, MARGIN - 2, bottom)

    def tip_at(self, row: int) -> str:
        """What a row says when the mouse rests on it."""
        if not 0 <= row < len(self.values):
            return TIP
        name = self.values[row][0]
        listed = [f"{other} ({value:+.2f})" for other, value in self.partners.get(name, {}).items()]
        more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
        told = f"\nCorrelated: {', '.join(listed[:5])}{more}." if listed else ""
        return f"{name}\n{TIP}{told}"

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Say which other features the one under the mouse is correlated with."""
        if event is not None:
            self.setToolTip(self.tip_at(int(event.position().y()) // ROW))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Choose the bar under the mouse."""
        if event is not None:
            self.choose(int(event.position().y()) // ROW)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Up, down and Enter."""
        if event is None:
            return
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Return: 0}
        if event.key() not in steps:
            super().keyPressEvent(event)
        elif steps[Qt.Key(event.key())] == 0:
            self.choose(self.selected)
        else:
            row = self.selected + steps[Qt.Key(event.key())]
            self.selected = min(max(0, row), len(self.values) - 1)
            self.update()

    def choose(self, row: int) -> None:
        """Select a bar and tell its name."""
        if 0 <= row < len(self.values):
            self.selected = row
            self.update()
            self.clicked.emit(self.values[row][0])
