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


MARGINS = {"left": 60, "right": 10, "bottom": 46, "top": 8}
"""Pixels around a plot, for a line of numbers and a name."""


class ChartCanvas(FigureCanvasQTAgg):
    """Draws one chart; the wheel scrolls the dock it is in."""

    def __init__(self) -> None:
        super().__init__(Figure())  # type: ignore[no-untyped-call]
        self.setMinimumHeight(230)
        self.ax: Axes | None = None

    def show_chart(self, draw: Callable[[Axes], Any], *, fitted: bool = False) -> Any:
        """Draw another chart; returns what drawing it returned.

        Parameters
        ----------
        draw : callable
            Draws into axes.
        fitted : bool
            Make room for names of any length, which takes as long as drawing does.
        """
        self.figure.clear()
        self.figure.set_layout_engine("constrained" if fitted else "none")
        self.ax = self.figure.add_subplot()
        if not fitted:
            self._set_margins()
        result = draw(self.ax)
        palette = self.palette()
        set_colors(self.ax, palette.text().color().name(), palette.window().color().name())
        self.draw()  # type: ignore[no-untyped-call]
        return result

    def _set_margins(self) -> None:
        across = self.figure.bbox.width / self.device_pixel_ratio
        up = self.figure.bbox.height / self.device_pixel_ratio
        self.figure.subplots_adjust(
            left=min(0.4, MARGINS["left"] / across),
            right=max(0.6, 1 - MARGINS["right"] / across),
            bottom=min(0.4, MARGINS["bottom"] / up),
            top=max(0.6, 1 - MARGINS["top"] / up),
        )

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to what is around the chart."""
        if event is not None:
            event.ignore()
