"""Finds where the model is unsure and moves the view there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.interaction.looking import doubting
from napari_spinney.session import Activity

if TYPE_CHECKING:
    from napari import Viewer

    from napari_spinney.interaction.orders import ViewOrder
    from napari_spinney.session import Session
    from napari_spinney.widgets.binding import Binding
    from napari_spinney.widgets.jobs import Jobs
    from napari_spinney.widgets.live import Live
    from napari_spinney.widgets.training import Training


class Unsure:
    """Goes from one unsure place to the next."""

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
        self._visited: list[tuple[int, ...]] = []
        session.model_changed.connect(self._visited.clear)

    def go(self) -> None:
        """Move the view to the least sure place in the plane in view that was not seen yet."""
        image_id = self._binding.current
        model = self._session.model
        if model is None or image_id is None:
            self._session.set_activity(
                Activity("failed", "There is no model yet: paint, then press Train.")
            )
            return
        view: ViewOrder = self._live.view_order(image_id, whole=True)
        self._session.set_activity(Activity("predicting", "Looking for where it is unsure …"))
        self._jobs.start(
            "live",
            doubting,
            model,
            view,
            tuple(self._visited),
            on_return=self._on_found,
            on_error=self._training.fail,
        )

    def _on_found(self, place: tuple[int, ...] | None) -> None:
        self._session.set_activity(Activity())
        image_id = self._binding.current
        if place is None or image_id is None:
            return
        self._visited.append(place)
        self._center(image_id, place)

    def _center(self, image_id: str, place: tuple[int, ...]) -> None:
        """Move camera and sliders to a place given along the spatial axes."""
        source = self._binding.source(image_id)
        letters = self._binding.source_axes(image_id)
        spatial = iter(place)
        at: list[Any] = [
            next(spatial) if letters[axis] in "zyx" else None for axis in range(source.ndim)
        ]
        here = source.world_to_data(self._viewer.dims.point[-source.ndim :])
        world = source.data_to_world(
            [here[i] if value is None else value for i, value in enumerate(at)]
        )
        displayed = self._viewer.dims.displayed
        offset = self._viewer.dims.ndim - source.ndim
        for axis in range(source.ndim):
            if axis + offset not in displayed:
                self._viewer.dims.set_point(axis + offset, world[axis])
        center = np.array(self._viewer.scene.camera.center, float)
        center[-len(displayed) :] = [world[axis - offset] for axis in displayed]
        self._viewer.scene.camera.center = tuple(center)
