"""One tree of the forest, drawn; and how deep and how large all of them are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import (
    QFormLayout,
    QGraphicsScene,
    QGraphicsView,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_spinney.widgets.links import link

if TYPE_CHECKING:
    from napari_spinney.widgets.workspace import Workspace

STEP = QPointF(26, 46)
"""Pixels between leaves and between levels."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is drawn: leaves counted from the left, and its level."""

    node: int
    x: float
    level: int


class TreeView(QWidget):
    """Choose a tree, and how many of its levels are drawn."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._session = workspace.session
        self.number = QSpinBox()
        self.number.setToolTip("Which tree of the forest is drawn.")
        self.levels = QSpinBox()
        self.levels.setRange(1, 20)
        self.levels.setValue(4)
        self.levels.setToolTip("How many levels are drawn; what lies deeper is left out.")
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.scene = QGraphicsScene()
        self.view = QGraphicsView(self.scene)
        self.view.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.view.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.view.setToolTip(
            "A question per box: left where the value is at most the number, else right. "
            "Circles are answers, in the colour of the class. Drag to move."
        )
        self.view.setMinimumHeight(260)
        self.view.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        form = QFormLayout()
        form.addRow("Tree", self.number)
        form.addRow("Levels", self.levels)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.about)
        self.number.valueChanged.connect(self._draw)
        self.levels.valueChanged.connect(self._draw)
        link(self, self.refresh, self._session.model_changed)
        link(self, self._draw, self._session.classes_changed)
        self.refresh()

    def refresh(self) -> None:
        """Take the trees of the model at hand."""
        model = self._session.model
        if model is None:
            self.about.setText("Train a model to see its trees.")
            self.scene.clear()
            return
        forest = model.classifier.forest_
        depths, sizes = forest.depths(), forest.sizes()
        self.number.setRange(1, forest.n_trees)
        self.about.setText(
            f"{forest.n_trees} trees: depth {depths.min()} to {depths.max()} (median "
            f"{np.median(depths):g}), {sizes.min()} to {sizes.max()} nodes (median "
            f"{np.median(sizes):g})."
        )
        self._draw()

    def _draw(self, value: int = 0) -> None:
        self.scene.clear()
        model = self._session.model
        if model is None:
            return
        trees = model.classifier.forest_.trees
        places = place_nodes(trees, int(trees.roots[self.number.value() - 1]), self.levels.value())
        for place in places.values():
            self._draw_edges(trees, place, places)
        for place in places.values():
            self._draw_node(model.classifier, place)
        self.scene.setSceneRect(self.scene.itemsBoundingRect().adjusted(-10, -10, 10, 10))
        root = places[int(trees.roots[self.number.value() - 1])]
        self.view.centerOn(_point(root))

    def _draw_edges(self, trees: Any, place: Place, places: dict[int, Place]) -> None:
        pen = QPen(self.palette().text().color())
        for child in (int(trees.left[place.node]), int(trees.right[place.node])):
            if child in places:
                a, b = _point(place), _point(places[child])
                self.scene.addLine(a.x(), a.y(), b.x(), b.y(), pen)

    def _draw_node(self, classifier: Any, place: Place) -> None:
        trees, at = classifier.forest_.trees, _point(place)
        if trees.feature[place.node] < 0:
            values = trees.values[trees.leaf[place.node]]
            number = int(classifier.classes_[int(np.argmax(values))])
            entry = self._session.classes.get(number)
            color = QColor("#999999" if entry is None else entry.color)
            dot = self.scene.addEllipse(
                QRectF(at.x() - 7, at.y() - 7, 14, 14), QPen(Qt.PenStyle.NoPen), color
            )
            dot.setToolTip(f"{entry.name if entry else number}: {np.round(values, 2).tolist()}")
            return
        name = classifier.feature_names_[int(trees.feature[place.node])]
        text = self.scene.addSimpleText(f"{short(name)}\n≤ {trees.threshold[place.node]:.4g}")
        text.setBrush(self.palette().text())
        font = text.font()
        font.setPointSize(max(6, font.pointSize() - 3))
        text.setFont(font)
        box = text.boundingRect()
        text.setPos(at.x() - box.width() / 2, at.y() - box.height() / 2)
        text.setToolTip(f"{name} ≤ {trees.threshold[place.node]:.6g}")
        text.setZValue(2)
        back = self.scene.addRect(
            text.sceneBoundingRect().adjusted(-3, -2, 3, 2),
            QPen(self.palette().mid().color()),
            self.palette().base(),
        )
        back.setZValue(1)


def place_nodes(trees: Any, root: int, levels: int) -> dict[int, Place]:
    """Where the nodes of a tree go: leaves side by side, parents above the middle of theirs."""
    places: dict[int, Place] = {}
    width = 0.0

    def place(node: int, level: int) -> float:
        nonlocal width
        inner = trees.feature[node] >= 0 and level < levels
        if inner:
            x = (
                place(int(trees.left[node]), level + 1) + place(int(trees.right[node]), level + 1)
            ) / 2
        else:
            x = width
            width += 1.0 if trees.feature[node] < 0 else 4.0
        places[node] = Place(node, x, level)
        return x

    place(root, 0)
    return places


def short(name: str) -> str:
    """Initials of a feature's words, and its size: "hel=2" for hessian_eigenvalue_largest=2."""
    word, equals, number = name.partition("=")
    return "".join(part[0] for part in word.split("_") if part) + equals + number


def _point(place: Place) -> QPointF:
    return QPointF(place.x * STEP.x(), place.level * STEP.y())
