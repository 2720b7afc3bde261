"""The one sentence of the Objects dock: missing, running, or known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_spinney.interaction.messages import Message

if TYPE_CHECKING:
    from napari_spinney.session import Activity
    from napari_spinney.widgets.objects_model import Answer


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """Where somebody is who classifies objects.

    Parameters
    ----------
    activity : Activity
        What runs, or failed.
    n_objects : int or None
        Objects measured; None before.
    given : dict of int to int
        Objects with a class by click or key, by class.
    strokes : bool
        Whether a layer with strokes is chosen.
    answer : Answer or None
        What was learnt.
    stale : bool
        Whether classes changed since.
    names : dict of int to str
        Names of classes.
    note : str
        What was done last, to be told once.
    """

    activity: Activity
    n_objects: int | None = None
    given: dict[int, int] = field(default_factory=dict)
    strokes: bool = False
    answer: Answer | None = None
    stale: bool = False
    names: dict[int, str] = field(default_factory=dict)
    note: str = ""


def status_of_objects(now: Situation) -> Message:
    """What to tell: what is missing, what runs, or what is known."""
    if now.activity.kind == "failed":
        return Message(now.activity.text, "bad", now.activity.details)
    if now.activity.kind != "idle":
        return Message(now.activity.text, "busy")
    if now.note:
        return Message(now.note, "good")
    if now.n_objects is None:
        return Message("Choose the layer with the objects, then press Measure.")
    if now.n_objects == 0:
        return Message("There are no objects in this layer: all its pixels are 0.")
    missing = _missing(now)
    if now.answer is None:
        return Message(missing or "Press Train, or turn Live on.")
    if now.stale:
        return Message(missing or "Classes or options changed: press Train or turn Live on.", "old")
    return Message(found(now.answer, now.names), "good")


def _missing(now: Situation) -> str:
    if len(now.given) > 1:
        return ""
    if now.strokes and not now.given:
        return "Paint classes on the objects, then press Train: each takes the class painted on it."
    if not now.given:
        return (
            f"{now.n_objects} objects. Click some of class 1 in the picture (pan tool), then some "
            "of class 2; or choose a row and press 1 or 2; or choose a layer with strokes."
        )
    number, count = next(iter(now.given.items()))
    name = now.names.get(number, f"class {number}")
    what = "paint" if now.strokes else "click"
    return (
        f"{count} {'object' if count == 1 else 'objects'} of {name}. Now choose another class and "
        f"{what} some of it."
    )


def found(answer: Answer, names: dict[int, str]) -> str:
    """What a classifier says of all objects, and how far to trust it."""
    if answer.picture is not None:
        n = len(np.unique(answer.picture[answer.picture > 0]))
        return f"{len(answer.measured.table)} objects were merged to {n}, in a layer of their own."
    values = answer.values
    if answer.column != "class":
        return f"Predicted values: {np.nanmin(values):.4g} to {np.nanmax(values):.4g}."
    counts = zip(*np.unique(values, return_counts=True), strict=True)
    words = ", ".join(f"{n} {names.get(int(c), f'class {c}')}" for c, n in counts)
    return f"Found {words}. {_error(answer, names)}".strip()


def _error(answer: Answer, names: dict[int, str]) -> str:
    if answer.report is None:
        return f"No estimate of the error: {answer.reason}" if answer.reason else ""
    from napari_spinney.interaction.messages import error_sentence

    text = error_sentence(answer.report, names).replace("on strokes", "on objects")
    return text.replace(" %", "\u00a0%")
