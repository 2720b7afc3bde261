"""Which model predicts: that of this session, or one from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_spinney.interaction.messages import about_model
from napari_spinney.session import Activity
from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_spinney.widgets.workspace import Workspace

FILTERS = "Models (*.spinney *.cl)"
TIP = "The model that predicts: its classes, and when it was trained."


class ModelRow(QWidget):
    """One sentence about the model, and a button to open another.

    Parameters
    ----------
    workspace : Workspace
    fail : callable, optional
        Says what is wrong with a file; the session does unless given.
    """

    def __init__(
        self, workspace: Workspace, fail: Callable[[Exception], None] | None = None
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self._fail = self._fail_in_session if fail is None else fail
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.open = QPushButton("Open model …")
        self.open.setToolTip(
            "Opens a .spinney model, or a .cl file of APOC. You can also drag it onto the viewer."
        )
        row = QHBoxLayout()
        row.addWidget(self.open)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)
        layout.addLayout(row)
        self.open.clicked.connect(self._on_open_clicked)
        link(self, self.refresh, workspace.session.model_changed)
        self.refresh()

    def refresh(self) -> None:
        """Say it anew."""
        session = self._workspace.session
        self.text.setText(about_model(session))
        path = None if session.model is None else session.model.path
        self.text.setToolTip(path or TIP)

    def open_path(self, path: str) -> None:
        """Open a model; what is wrong with it is said in words."""
        try:
            self._workspace.open_model(path)
        except (OSError, ValueError) as error:
            self._fail(error)

    def _fail_in_session(self, error: Exception) -> None:
        self._workspace.session.set_activity(Activity("failed", str(error)))

    def _on_open_clicked(self) -> None:
        dialog = QFileDialog(self, "Open model", "", FILTERS)
        dialog.fileSelected.connect(self.open_path)
        dialog.open()
