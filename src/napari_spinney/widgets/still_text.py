"""Text that can change many times a second without the window around it being laid out anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent

LINES = 2
"""Lines of text that there is always room for."""


class StillText(QWidget):
    """A wrapped text; asks for another height only where the text needs more lines or fewer.

    Any new text of a label in a layout has its window laid out, which takes some 20 ms in napari,
    while nothing else can run.
    """

    def __init__(self) -> None:
        super().__init__()
        self._label = QLabel(self)
        self._label.setWordWrap(True)
        self._label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._height = self._least
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(policy)

    def text(self) -> str:
        """What it says."""
        return self._label.text()

    def setText(self, text: str) -> None:
        """Say something else."""
        self._label.setText(text)
        self._fit()

    def setToolTip(self, text: str | None) -> None:
        """Say more under the mouse."""
        self._label.setToolTip(text)

    def sizeHint(self) -> QSize:
        """As high as the text is at this width."""
        return QSize(self._label.sizeHint().width(), self._height)

    def minimumSizeHint(self) -> QSize:
        """Narrow."""
        return QSize(0, self._height)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Wrap the text anew."""
        self._label.resize(self.size())
        self._fit()

    @property
    def _least(self) -> int:
        return LINES * self._label.fontMetrics().lineSpacing()

    def _fit(self) -> None:
        height = max(self._label.heightForWidth(self.width()), self._least)
        if height != self._height:
            self._height = height
            self.updateGeometry()
