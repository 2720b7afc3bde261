"""What the docks have in common: they scroll, tell where one is, and can be empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import (
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_spinney.widgets.links import link
from napari_spinney.widgets.status_line import StatusLine
from napari_spinney.widgets.workspace import Workspace, workspace_of

if TYPE_CHECKING:
    from napari import Viewer
    from qtpy.QtGui import QShowEvent

SAMPLE = "nuclei"


class Dock(QWidget):
    """A dock of one viewer: a scrolling page over a status line, or a page without an image."""

    needs_image = True

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.workspace: Workspace = workspace_of(napari_viewer)
        self.session = self.workspace.session
        self.page = QWidget()
        self.rows = QVBoxLayout(self.page)
        self.rows.setContentsMargins(6, 6, 6, 6)
        self._stack = QStackedWidget()
        self._stack.addWidget(Page(self.page))
        self.empty = EmptyPage(self.workspace)
        self._stack.addWidget(self.empty)
        self.status = StatusLine(self.workspace)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.status)
        self.setMinimumWidth(270)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        link(self, self._on_images_changed, self.session.images_changed)
        self._on_images_changed()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Tell the workspace which window it lives in."""
        super().showEvent(event)
        window = self.window()
        if window is not None:
            self.workspace.attach(window)

    def _on_images_changed(self) -> None:
        empty = self.needs_image and not self.session.images
        self._stack.setCurrentIndex(1 if empty else 0)
        self.status.setVisible(not empty)


class EmptyPage(QWidget):
    """One sentence, and a button that opens an image."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        text = QLabel("Open an image (drag it here), then paint a few strokes on it.")
        text.setWordWrap(True)
        self.sample_button = QPushButton("Open the sample image")
        self.sample_button.setToolTip("Opens a small image of cell nuclei to try things out on.")
        self.begin_button = QPushButton("Use the selected image")
        self.begin_button.setToolTip("Adds a layer to paint on to the selected image.")
        layout = QVBoxLayout(self)
        layout.addWidget(text)
        layout.addWidget(self.begin_button)
        layout.addWidget(self.sample_button)
        layout.addStretch(1)
        self.sample_button.clicked.connect(self._open_sample)
        self.begin_button.clicked.connect(workspace.begin)

    def _open_sample(self) -> None:
        from napari.layers import Layer

        from napari_spinney.samples import layers, load_sample

        image = layers(load_sample(SAMPLE))[0]
        self._workspace.viewer.add_layer(Layer.create(*image))
        self._workspace.begin()


class Page(QScrollArea):
    """Scrolls up and down, and is never narrower than what it holds."""

    def __init__(self, page: QWidget) -> None:
        super().__init__()
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._least = QSize()

    def minimumSizeHint(self) -> QSize:
        """As wide as the page at its narrowest, and the bar that scrolls it."""
        page, bar = self.widget().minimumSizeHint(), self.verticalScrollBar().sizeHint()
        return QSize(page.width() + bar.width(), super().minimumSizeHint().height())

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Ask for room again when the page became wider or narrower at its narrowest."""
        if watched is self.widget() and event.type() == QEvent.Type.LayoutRequest:
            least = self.minimumSizeHint()
            if least != self._least:
                self._least = least
                self.updateGeometry()
        return super().eventFilter(watched, event)


def section(title: str, body: QWidget, *, open_now: bool = False) -> QWidget:
    """A part of a page that folds away."""
    from superqt import QCollapsible

    folding = QCollapsible(title)
    folding.setDuration(0)
    folding.layout().setContentsMargins(0, 0, 0, 0)
    folding.addWidget(body)
    if open_now:
        folding.expand(animate=False)
    return folding
