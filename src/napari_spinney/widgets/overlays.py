"""Shows single features as images, on the part that is in view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_spinney.interaction.looking import measuring
from napari_spinney.session import Activity
from napari_spinney.widgets.layers import geometry
from napari_spinney.widgets.results import KEY

if TYPE_CHECKING:
    from napari import Viewer

    from napari_spinney.interaction.orders import ViewOrder
    from napari_spinney.session import Session
    from napari_spinney.widgets.binding import Binding
    from napari_spinney.widgets.jobs import Jobs
    from napari_spinney.widgets.live import Live
    from napari_spinney.widgets.training import Training


class Overlays:
    """Keeps one layer per image that shows a feature."""

    def __init__(
        self,
        viewer: Viewer,
        session: Session,
        jobs: Jobs,
        binding: Binding,
        live: Live,
        training: Training,
    ) -> None:
        self._viewer = viewer
        self._session = session
        self._jobs = jobs
        self._binding = binding
        self._live = live
        self._training = training

    def show(self, feature: str) -> None:
        """Measure a feature (with the channel as suffix, ``_1``) and show it."""
        image_id = self._binding.current
        if image_id is None:
            return
        view: ViewOrder = self._live.view_order(image_id, whole=True)
        self._session.set_activity(Activity("predicting", f"Measuring {feature} …"))
        self._jobs.start(
            "overlay",
            measuring,
            feature,
            view,
            on_return=lambda found: self._on_measured(image_id, feature, found),
            on_error=self._training.fail,
        )

    def _on_measured(self, image_id: str, feature: str, found: tuple[Any, Any]) -> None:
        self._session.set_activity(Activity())
        if image_id not in self._binding.images:
            return
        data, index = found
        source = self._binding.source(image_id)
        placed = geometry(source, self._binding.source_axes(image_id))
        start = [part.start if isinstance(part, slice) else part for part in index]
        placed["translate"] = placed["translate"] + np.asarray(placed["scale"]) * start
        values = data[np.isfinite(data)]
        limits = (
            [float(v) for v in np.percentile(values, (0.5, 99.5))] if values.size else [0.0, 1.0]
        )
        if limits[0] >= limits[1]:
            limits[1] = limits[0] + 1
        layer = self._find(image_id)
        if layer is None:
            layer = Image(
                data,
                name=f"{source.name} {feature}",
                colormap="viridis",
                metadata={KEY: {"image": image_id, "overlay": True}},
                contrast_limits=limits,
                **placed,
            )
            active = self._viewer.layers.selection.active
            self._viewer.layers.insert(self._viewer.layers.index(source) + 1, layer)
            self._viewer.layers.selection.active = active
            return
        layer.data = data
        layer.translate = placed["translate"]
        layer.contrast_limits_range = limits
        layer.contrast_limits = limits
        layer.name = f"{source.name} {feature}"
        layer.visible = True

    def _find(self, image_id: str) -> Image | None:
        wanted = {"image": image_id, "overlay": True}
        return next((x for x in self._viewer.layers if x.metadata.get(KEY) == wanted), None)
