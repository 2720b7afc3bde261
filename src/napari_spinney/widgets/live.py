"""Live: after each stroke train anew and predict what is in view, then outwards."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_spinney.compute.kept import KeptFeatures
from napari_spinney.interaction.following import (
    ViewDone,
    follow,
    outwards,
    tile_key,
    tiles_outwards,
)
from napari_spinney.interaction.orders import Paced, Region, ViewOrder, check_channels
from napari_spinney.interaction.predicting import PredictOrder
from napari_spinney.interaction.tasks import allocate
from napari_spinney.origins import finding_origin
from napari_spinney.session import Activity, TrainedModel
from napari_spinney.widgets.layers import visible_box
from napari_spinney.widgets.results import set_origin, update_region

if TYPE_CHECKING:
    from napari import Viewer

    from napari_spinney.session import Session
    from napari_spinney.widgets.binding import Binding
    from napari_spinney.widgets.jobs import Jobs
    from napari_spinney.widgets.results import Results
    from napari_spinney.widgets.training import Training

ORIGIN_AFTER = 700
"""Milliseconds after live work ended until it is noted what made the result: hashing all pixels
takes the processor from the next stroke."""

VIEW_AFTER = 120
"""Milliseconds after the view stood still until it is predicted."""


class Live:
    """Keeps the prediction of the current image in step with its strokes.

    Emits ``updated`` with the region whenever part of the prediction was shown, ``view_shown``
    when all that is in view was (True if by the first trees only), ``finished`` when the whole
    image was.
    """

    updated = Signal(object)
    view_shown = Signal(bool)
    finished = Signal()

    def __init__(
        self,
        viewer: Viewer,
        session: Session,
        jobs: Jobs,
        binding: Binding,
        results: Results,
        training: Training,
    ) -> None:
        self._viewer = viewer
        self._session = session
        self._jobs = jobs
        self._binding = binding
        self._results = results
        self._training = training
        self._view: ViewOrder | None = None
        self.view_is_shown = False
        self.writing = Lock()
        self._kept = KeptFeatures()
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(VIEW_AFTER)
        self._timer.timeout.connect(self._follow_view)
        self._origin_timer = QTimer()
        self._origin_timer.setSingleShot(True)
        self._origin_timer.setInterval(ORIGIN_AFTER)
        self._origin_timer.timeout.connect(self._note_origin)
        session.live_changed.connect(self._on_live_changed)
        session.annotation_changed.connect(self._on_annotation_changed)
        session.counts_changed.connect(self._on_counts_changed)
        session.recipe_changed.connect(self.refresh)
        session.classes_changed.connect(self._on_classes_changed)
        viewer.scene.camera.events.connect(self._on_view_changed)
        viewer.dims.events.current_step.connect(self._on_view_changed)
        viewer.dims.events.order.connect(self._on_view_changed)

    def refresh(self) -> None:
        """Train on the strokes as they are now and predict, if live and there is enough."""
        session = self._session
        if not session.live or self._binding.current is None:
            return
        if len(session.painted()) < 2:
            self._jobs.cancel("live")
            session.set_activity(Activity())
            return
        view = self.view_order(self._binding.current)
        self._view = view
        self.view_is_shown = False
        session.set_activity(Activity("training", "Live: following the brush …"))
        self._origin_timer.stop()
        self._jobs.cancel("train", "report", "origin")
        self._jobs.start(
            "live",
            follow,
            self._training.order(),
            view,
            on_yield=self._on_step,
            on_return=self._on_finished,
            on_error=self._on_failed,
        )

    def close(self) -> None:
        """Stop; the viewer may be gone already."""
        self._timer.stop()
        self._origin_timer.stop()
        self._view = None
        self._kept = KeptFeatures()

    def view_order(
        self, image_id: str, covered: set[Any] | None = None, *, whole: bool = False
    ) -> ViewOrder:
        """Where to predict: what of an image is in view, or the whole plane that is."""
        session = self._session
        entry = session.images[image_id]
        source = self._binding.source(image_id)
        box = visible_box(source, whole=whole)
        letters = self._binding.source_axes(image_id)
        spatial = tuple(s for s, name in zip(box, letters, strict=False) if name in "zyx")
        time = next((s.start for s, name in zip(box, letters, strict=False) if name == "t"), None)
        out = self._results.array(image_id, "classes", entry.annotation_shape, np.uint8)
        return ViewOrder(
            entry=entry,
            box=spatial,
            time=time,
            out=allocate(entry.annotation_shape, np.uint8) if out is None else out,
            device=session.recipe.device,
            use_spacing=session.recipe.use_spacing,
            covered=set() if covered is None else covered,
            writing=self.writing,
            kept=self._kept,
        )

    def _on_step(self, step: TrainedModel | Region | ViewDone | Paced | None) -> None:
        if isinstance(step, TrainedModel):
            self._session.accept(step)
        elif isinstance(step, ViewDone):
            if step.region is not None:
                self._show(step.region)
            self.view_is_shown = not step.coarse
            self.view_shown.emit(step.coarse)
        elif isinstance(step, Paced):
            self._session.set_pace(step.setting, step.seconds)
        elif isinstance(step, Region):
            self._show(step)

    def _show(self, region: Region) -> None:
        view = self._view
        if view is None or self._session.images.get(view.entry.id) is not view.entry:
            return
        image_id = view.entry.id
        layer = self._results.find(image_id, "classes")
        if layer is None or layer.data is not view.out:
            layer = self._results.show_labels(
                self._binding.source(image_id),
                self._binding.source_axes(image_id),
                image_id,
                "classes",
                view.out,
                self._session.classes.values(),
            )
        else:
            update_region(layer, region.index)
        set_origin(layer, None)
        self.updated.emit(region)

    def _on_finished(self, nothing: None) -> None:
        self._session.set_activity(Activity())
        self._origin_timer.start()
        self.finished.emit()

    def _note_origin(self) -> None:
        """Find out what made the layer that is shown, and note it there."""
        model, view = self._session.model, self._view
        if model is None or view is None or self._session.is_stale:
            return
        order = PredictOrder(
            model,
            view.entry,
            "classes",
            view.out,
            time=view.time,
            device=view.device,
            use_spacing=view.use_spacing,
        )
        self._jobs.start(
            "origin",
            finding_origin,
            order,
            on_return=lambda origin: self._on_origin_found(order, origin),
        )

    def _on_origin_found(self, order: PredictOrder, origin: dict[str, Any]) -> None:
        layer = self._results.find(order.entry.id, "classes")
        if layer is not None and layer.data is order.out and not self._session.is_stale:
            set_origin(layer, origin)

    def _on_failed(self, error: Exception) -> None:
        self._training.fail(error)

    def _on_live_changed(self, live: bool) -> None:
        if live:
            self.refresh()
        else:
            self._jobs.cancel("live")
            self._kept = KeptFeatures()
            self._session.set_activity(Activity())

    def _on_annotation_changed(self, image_id: str) -> None:
        self.refresh()

    def _on_counts_changed(self) -> None:
        model = self._session.model
        wanted = self._session.live and (model is None or self._session.is_stale)
        if wanted and not self._jobs.is_running("live"):
            self.refresh()

    def _on_classes_changed(self) -> None:
        self._results.recolor(self._session.classes.values())

    def _on_view_changed(self, event: Any = None) -> None:
        if self._session.live:
            self._timer.start()

    def _follow_view(self) -> None:
        """Predict what came into view with the model at hand."""
        session = self._session
        model, image_id = session.model, self._binding.current
        if not session.live or model is None or image_id is None or session.is_stale:
            return
        same = self._view is not None and self._view.entry is session.images[image_id]
        view = self.view_order(image_id, self._view.covered if same and self._view else None)
        if not self._needs(view):
            return
        check_channels(model, view.entry)
        self._origin_timer.stop()
        self._view = view
        session.set_activity(Activity("predicting", "Live: following the view …"))
        self._jobs.start(
            "live",
            outwards,
            model,
            view,
            on_yield=self._on_step,
            on_return=self._on_finished,
            on_error=self._on_failed,
        )

    def _needs(self, view: ViewOrder) -> bool:
        """Whether some of the view is not predicted yet."""
        return any(
            tile_key(view, tile) not in view.covered
            for tile in tiles_outwards(view.entry.spatial_shape, view.box)
            if all(
                t.start < b.stop and b.start < t.stop for t, b in zip(tile, view.box, strict=True)
            )
        )
