"""A chart of matplotlib in the colours of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure

from napari_spinney.inspection.charts import set_colors

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from qtpy.QtGui import QWheelEvent


class ChartCanvas(FigureCanvasQTAgg):
    """Draws one chart; the wheel scrolls the dock it is in."""

    def __init__(self) -> None:
        super().__init__(Figure(layout="constrained"))  # type: ignore[no-untyped-call]
        self.setMinimumHeight(230)
        self.ax: Axes | None = None

    def show_chart(self, draw: Callable[[Axes], Any]) -> Any:
        """Draw another chart; returns what drawing it returned."""
        self.figure.clear()
        self.ax = self.figure.add_subplot()
        result = draw(self.ax)
        palette = self.palette()
        set_colors(self.ax, palette.text().color().name(), palette.window().color().name())
        self.draw()  # type: ignore[no-untyped-call]
        return result

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to what is around the chart."""
        if event is not None:
            event.ignore()
