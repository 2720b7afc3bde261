"""Features sorted by importance, as bars; a click shows the feature on the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QRect, QSize, Qt
from qtpy.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from napari_spinney.widgets.workspace import Workspace

ROW = 22
NOTE = "Features that carry the same information share their importance. Click one to see it."


class ImportanceChart(QWidget):
    """The bars of the model at hand."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
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
        if model is None:
            self.bars.set_values({})
            self.note.setText("Train a model to see which features decide.")
        else:
            self.bars.set_values(model.classifier.feature_importances())
            self.note.setText(NOTE)


class Bars(QWidget):
    """Horizontal bars, the longest first; up and down choose one, Enter clicks it."""

    clicked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.values: list[tuple[str, float]] = []
        self.selected = -1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setToolTip("How much each feature decides. Click to see the feature on the image.")

    def set_values(self, values: dict[str, float]) -> None:
        """Show these, sorted."""
        self.values = sorted(values.items(), key=lambda item: -item[1])
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
            line = QRect(0, row * ROW, self.width(), ROW - 3)
            bar = QRect(line)
            bar.setWidth(max(1, int((self.width() - 44) * value / top)))
            color = palette.highlight().color()
            color.setAlpha(255 if row == self.selected else 120)
            painter.fillRect(bar, color)
            painter.setPen(palette.text().color())
            flags = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(line.adjusted(4, 0, -44, 0), flags, name)
            painter.drawText(
                line.adjusted(0, 0, -4, 0), flags | Qt.AlignmentFlag.AlignRight, f"{value:.3f}"
            )
        painter.end()

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
