"""Predicting on request: which results, of which images, one after the other."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from napari_spinney.interaction.orders import Paced
from napari_spinney.interaction.predicting import PredictOrder, Share, predicting
from napari_spinney.interaction.tasks import Problem, allocate
from napari_spinney.session import Activity
from napari_spinney.widgets.exporting import predicted
from napari_spinney.widgets.layers import visible_box
from napari_spinney.widgets.results import set_origin, update_region

if TYPE_CHECKING:
    from threading import Lock

    from napari.layers import Layer

    from napari_spinney.session import ImageEntry, Session
    from napari_spinney.widgets.binding import Binding
    from napari_spinney.widgets.jobs import Jobs
    from napari_spinney.widgets.results import Results
    from napari_spinney.widgets.training import Training

Where: TypeAlias = Literal["current", "all", "visible", "time point"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What to make, and where.

    Parameters
    ----------
    what : tuple of str
        Of "classes", "probability", "probabilities", "objects" and "uncertainty".
    target : int or None
        The class of "probability" and "objects".
    where : {"current", "all", "visible", "time point"}
        The current image, every image, what is in view, or the time point in view.
    """

    what: tuple[str, ...] = ("classes",)
    target: int | None = None
    where: Where = "current"
    split: bool = True
    min_size: int = 20
    clear_border: bool = False


class Predicting:
    """Starts predictions and shows their results."""

    def __init__(
        self,
        session: Session,
        jobs: Jobs,
        binding: Binding,
        results: Results,
        training: Training,
        writing: Lock,
    ) -> None:
        self._session = session
        self._jobs = jobs
        self._binding = binding
        self._results = results
        self._training = training
        self._writing = writing
        self._waiting: deque[PredictOrder] = deque()
        self._layer: Layer | None = None

    def predict(self, wish: Wish) -> None:
        """Make all results that are wished for, one after the other."""
        self._jobs.cancel("live", "predict")
        try:
            self._waiting = deque(self._orders(wish))
        except Problem as problem:
            self._training.fail(problem)
            return
        self._next()

    def cancel(self) -> None:
        """Stop; what was made so far stays."""
        self._waiting.clear()
        self._jobs.cancel("predict", "train", "live")
        self._session.set_activity(Activity())

    def _orders(self, wish: Wish) -> list[PredictOrder]:
        session = self._session
        model = session.model
        if model is None:
            raise Problem("There is no model yet: paint and press Train, or open a model.")
        ids = list(session.images) if wish.where == "all" else [self._binding.current]
        entries = [session.images[i] for i in ids if i is not None]
        if not entries:
            raise Problem("There is no image to predict: open one.")
        if not wish.what:
            raise Problem("Nothing is ticked under Make: tick what to make, e.g. classes.")
        orders = []
        for entry in entries:
            base = PredictOrder(
                model=model,
                entry=entry,
                what="classes",
                out=None,
                target=wish.target,
                device=session.recipe.device,
                use_spacing=session.recipe.use_spacing,
                split=wish.split,
                min_size=wish.min_size,
                clear_border=wish.clear_border,
                writing=self._writing,
            )
            orders += [self._part(order, wish) for order in self._kinds(base, wish)]
        return orders

    def _kinds(self, base: PredictOrder, wish: Wish) -> list[PredictOrder]:
        classes = [int(n) for n in base.model.classifier.classes_]
        target = wish.target if wish.target in classes else classes[-1]
        orders = []
        for what in wish.what:
            if what == "probabilities":
                orders += [replace(base, what="probability", target=n) for n in classes]
            else:
                orders.append(replace(base, what=what, target=target))
        return orders

    def _part(self, order: PredictOrder, wish: Wish) -> PredictOrder:
        """Only what is in view, or only the time point in view, where that is wished."""
        if wish.where not in ("visible", "time point"):
            return order
        image_id = order.entry.id
        letters = self._binding.source_axes(image_id)
        box = visible_box(self._binding.source(image_id))
        time = next((s.start for s, a in zip(box, letters, strict=False) if a == "t"), None)
        if wish.where == "time point" or order.what == "objects":
            return replace(order, time=time)
        region = tuple(s for s, a in zip(box, letters, strict=False) if a in "zyx")
        return replace(order, time=time, region=region)

    def _next(self) -> None:
        if not self._waiting:
            self._session.set_activity(Activity())
            return
        order = self._waiting.popleft()
        if order.entry.id not in self._binding.images:
            self._next()
            return
        order = replace(order, out=self._out(order))
        self._layer = None
        self._tell(order.entry, 0.0)
        self._jobs.start(
            "predict",
            predicting,
            order,
            on_yield=lambda share: self._on_share(order, share),
            on_return=self._on_made,
            on_error=self._on_failed,
            description=f"Spinney: {order.entry.name}",
        )

    def _out(self, order: PredictOrder) -> Any:
        dtype = {"classes": np.uint8, "objects": np.uint32}.get(order.what, np.float32)
        shape = order.entry.annotation_shape
        kept = self._results.array(order.entry.id, self._title(order), shape, dtype)
        if kept is not None and (order.what != "objects" or order.time is not None):
            return kept
        return allocate(shape, dtype)

    def _title(self, order: PredictOrder) -> str:
        if order.what in ("probability", "objects"):
            name = self._session.classes[order.target].name if order.target else ""
            return f"{name} {order.what}"
        return order.what

    def _on_share(self, order: PredictOrder, share: Share | Paced) -> None:
        if isinstance(share, Paced):
            self._session.set_pace(share.setting, share.seconds)
            return
        self._tell(order.entry, share.done / share.total)
        if share.region is not None and order.entry.id in self._binding.images:
            if self._layer is None:
                self._layer = self._show(order)
                set_origin(self._layer, None)
            else:
                update_region(self._layer, share.region.index)
        job = self._jobs.job("predict")
        if job is not None:
            # Last, because napari's progress bar lets other events happen meanwhile.
            job.tell_progress(share.done, share.total)

    def _on_made(self, order: PredictOrder) -> None:
        self._session.record(predicted(order))
        if order.entry.id in self._binding.images:
            set_origin(self._show(order), order.origin)
        self._next()

    def _on_failed(self, error: Exception) -> None:
        self._waiting.clear()
        self._training.fail(error)

    def _show(self, order: PredictOrder) -> Layer:
        image_id, title = order.entry.id, self._title(order)
        source = self._binding.source(image_id)
        axes = self._binding.source_axes(image_id)
        if order.what in ("classes", "objects"):
            classes = self._session.classes.values() if order.what == "classes" else None
            return self._results.show_labels(source, axes, image_id, title, order.out, classes)
        color = None
        if order.what == "probability" and order.target in self._session.classes:
            color = self._session.classes[order.target].color
        return self._results.show_image(source, axes, image_id, title, order.out, color=color)

    def _tell(self, entry: ImageEntry, done: float) -> None:
        text = f"Predicting {entry.name}: {100 * done:.0f} %"
        self._session.set_activity(Activity("predicting", text, done))
