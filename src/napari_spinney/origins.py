"""What makes the results of a session in napari, whose images and models may have no file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from napari_spinney.provenance import facts_now, origin_of, pixels_fact, state_fact

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from napari_spinney.classifiers.base import Classifier
    from napari_spinney.classifiers.object_images import ObjectImage
    from napari_spinney.interaction.predicting import PredictOrder
    from napari_spinney.session import ImageEntry

LARGE = 2**30
"""Bytes of an image above which its pixels are hashed only where all of them were predicted."""


def origin_of_order(order: PredictOrder) -> dict[str, Any]:
    """What makes the result of an order."""
    from napari_spinney.compute.device import choose_device

    state = order.model.classifier.state_
    return origin_of(
        state,
        model=order.model.fact or state_fact(state),
        image=_image_fact(order.entry, whole=order.region is None and order.time is None),
        options=_options(order),
        device=choose_device(order.device),
    )


def finding_origin(order: PredictOrder) -> Generator[None, None, dict[str, Any]]:
    """`origin_of_order` as a generator."""
    yield
    return origin_of_order(order)


def _options(order: PredictOrder) -> dict[str, Any]:
    entry = order.entry
    options: dict[str, Any] = {
        "what": order.what,
        "channel_axis": entry.channel_axis,
        "time_axis": entry.time_axis,
        "spacing": entry.spacing if order.use_spacing or order.what == "objects" else None,
    }
    if order.what in ("probability", "objects"):
        options["target_class"] = order.target
    if order.what == "objects":
        options["split"] = "watershed" if order.split else None
        options |= {"min_size": order.min_size, "clear_border": order.clear_border}
    if order.time is not None:
        options["time_point"] = order.time
    if order.region is not None:
        options["region"] = [[part.start, part.stop] for part in order.region]
    return options


def _image_fact(entry: ImageEntry, *, whole: bool) -> dict[str, Any]:
    size = math.prod(entry.data.shape) * entry.data.dtype.itemsize
    if whole or size <= LARGE:
        return pixels_fact(entry.name, entry.data)
    return {"name": entry.name, "pixels_sha256": None}


def origin_of_objects(
    objects: ObjectImage,
    features: list[str],
    classifier: Classifier | None = None,
    model_fact: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What makes measurements of objects or, with a classifier, what it says of them."""
    under = [pixels_fact(f"channel {n}", data) for n, data in enumerate(objects.channels)]
    origin: dict[str, Any] = {
        **facts_now(),
        "labels": pixels_fact("objects", objects.labels),
        "image": {fact["name"]: fact["pixels_sha256"] for fact in under},
        "options": {"spacing": objects.spacing, "time_axis": objects.time_axis},
        "measurements": " ".join(features),
    }
    if classifier is not None:
        state = classifier.state_
        fact = dict(model_fact or state_fact(state))
        origin |= {
            "model": {**fact, "kind": state.kind},
            "features": " ".join(classifier.feature_names_),
        }
    return origin
