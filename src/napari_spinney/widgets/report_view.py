"""What was learnt from, how well, with what: as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QTextBrowser

from napari_spinney.report import report_html
from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from napari_spinney.widgets.workspace import Workspace


class ReportView(QTextBrowser):
    """The training summary of the model at hand."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._session = workspace.session
        self.setToolTip("Images, strokes, error estimate, options and versions.")
        link(self, self.refresh, self._session.model_changed)
        link(self, self.refresh, self._session.report_changed)
        self.refresh()

    def refresh(self) -> None:
        """Write it anew."""
        self.setHtml(report_html(self._session))
