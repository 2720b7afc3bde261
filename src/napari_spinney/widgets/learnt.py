"""One line about what was learnt, and from what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel

from napari_spinney.interaction.messages import learnt_from
from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from napari_spinney.widgets.workspace import Workspace


class LearntLine(QLabel):
    """Says, for instance, "Learnt from 12 strokes, 1,815 px, 2 images in 0.14 s"."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._session = workspace.session
        self.setWordWrap(True)
        self.setToolTip("What the model at hand was trained on, and the error that is expected.")
        link(self, self.refresh, self._session.model_changed)
        link(self, self.refresh, self._session.report_changed)
        self.refresh()

    def refresh(self) -> None:
        """Say it anew."""
        self.setText(learnt_from(self._session))
