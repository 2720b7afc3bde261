"""The one sentence that tells a person where they are: missing, running, or known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from napari_spinney.session import ImageEntry, Recipe, Session, TrainedModel

ENOUGH_STROKES = 3
"""Strokes per class from which the error is worth estimating."""


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence, what it is like, and details that are shown on request."""

    text: str
    mood: Literal["hint", "busy", "good", "old", "bad"] = "hint"
    details: str = ""


def status_of(session: Session) -> Message:
    """What to tell about a session: what is missing, what runs, or what is known."""
    activity = session.activity
    if activity.kind == "failed":
        return Message(activity.text, "bad", activity.details)
    if activity.kind != "idle":
        return Message(activity.text, "busy")
    if not session.images:
        return Message("Open an image to begin, or try the sample image.")
    missing = missing_strokes(session)
    if session.model is None:
        return Message(missing or "Press Train, or turn Live on.")
    if session.is_stale:
        if missing:
            return Message(missing, "old")
        return Message("Strokes changed: press Train or turn Live on.", "old")
    return Message(*_known(session))


def missing_strokes(session: Session) -> str:
    """Which strokes training still needs; empty if it can start."""
    painted = session.painted()
    if len(painted) >= 2:
        return ""
    names = [entry.name for n, entry in session.classes.items() if n not in painted]
    if not painted:
        return "Paint a stroke of two classes: the brush is ready. Alt+1, Alt+2 choose the class."
    if not names:
        return "One class only: add a second class and paint it."
    return f"Now paint some {names[0]}: press Alt+{_number(session, names[0])} and paint."


def _number(session: Session, name: str) -> int:
    return next(n for n, entry in session.classes.items() if entry.name == name)


def _known(session: Session) -> tuple[str, Literal["hint", "good"]]:
    model = session.model
    if model is not None and model.path is not None:
        return f"Model from {model.path}: press Predict.", "good"
    few = [
        (session.classes[n].name, ENOUGH_STROKES - session.count(n).strokes)
        for n in session.painted()
        if session.count(n).strokes < ENOUGH_STROKES
    ]
    if session.report is not None:
        return error_sentence(session.report, _names(session)), "good"
    if few:
        name, lacking = few[0]
        plural = "s" if lacking > 1 else ""
        return f"{name}: paint {lacking} more stroke{plural} to estimate the error.", "hint"
    return "Trained. The error is being estimated.", "good"


def _names(session: Session) -> dict[int, str]:
    return {n: entry.name for n, entry in session.classes.items()}


def error_sentence(report: Any, names: dict[int, str]) -> str:
    """The estimated error with what it means, and the class that is found least well.

    Parameters
    ----------
    report : ValidationReport
        Of strokes or images that were held out.
    names : dict of int to str
        Class names by number.
    """
    what = "images" if report.grouped_by == "images" else "strokes"
    text = f"Error on {what} not learnt from: {percent(report.error)}"
    recall = {int(c): float(r) for c, r in zip(report.classes, report.recall, strict=True)}
    worst = min(recall, key=lambda c: recall[c])
    return f"{text}, {names.get(worst, f'class {worst}')} recall {percent(recall[worst])}."


def percent(share: float) -> str:
    """A share of 1 in percent, with a decimal where it is near 0 or 100."""
    value = 100 * share
    return f"{value:.1f} %" if 0 < value < 10 or 90 < value < 100 else f"{value:.0f} %"


def learnt_from(session: Session) -> str:
    """What the model at hand was trained on; empty without a model."""
    model = session.model
    if model is None:
        return ""
    table = model.classifier.table_
    if table is None:
        return "The model holds no training rows."
    strokes, images = len(set(table.stroke.tolist())), len(set(table.image.tolist()))
    text = f"Learnt from {_many(strokes, 'stroke')}, {len(table.y):,} px, {_many(images, 'image')}"
    if model.seconds is not None:
        text += f" in {model.seconds:.2f} s"
    if session.report is not None:
        text += f". {error_sentence(session.report, _names(session))}"
    return text if text.endswith(".") else f"{text}."


def _many(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def cost_of(recipe: Recipe, entry: ImageEntry | None, pace: float | None = None) -> str:
    """How many features a recipe has, how far they reach, their time if known, their memory.

    ``pace`` is in seconds per megapixel, as measured.
    """
    from napari_spinney.features.feature import FeatureSet
    from napari_spinney.features.plan import build_plan

    ndim = 2 if entry is None else entry.ndim
    channels = 1 if entry is None else entry.n_channels
    spacing = entry.spacing if entry is not None and recipe.use_spacing else None
    try:
        features = FeatureSet.parse(recipe.features)
        plan = build_plan(features, ndim=ndim, n_channels=channels, spacing=spacing)
    except ValueError as error:
        return str(error)
    reach = max(plan.reach, default=0)
    memory = 4 * len(plan.outputs)
    return (
        f"{_many(len(plan.outputs), 'feature')}, reach {reach} px{_pace(pace)}; all of them "
        f"would take {memory} MiB per megapixel, but they are never held all at once."
    )


def _pace(seconds: float | None) -> str:
    if seconds is None:
        return ""
    number = (
        "under 0.1" if seconds < 0.1 else f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"
    )
    return f", {number} s per megapixel on this device"


def about_model(session: Session) -> str:
    """The model that predicts, in one sentence."""
    model = session.model
    if model is None:
        return "No model yet: paint and press Train, or open a model."
    classifier = model.classifier
    numbers = [int(n) for n in classifier.classes_]
    names = ", ".join(classifier.class_names.get(n) or f"class {n}" for n in numbers)
    where = "This session" if model.path is None else Path(model.path).name
    state = classifier.state_
    size = f"{state.ndim}D, " if state.ndim is not None else ""
    when = str(state.provenance.get("created", ""))[:16].replace("T", " ")
    trained = f", trained {when}" if when else ""
    return f"{where}: {names} ({size}{_many(state.n_channels, 'channel')}{trained})."


def fit_of(model: TrainedModel, entry: ImageEntry) -> str:
    """What keeps a model from being used on an image; empty if it fits."""
    from napari_spinney.interaction.orders import check_channels
    from napari_spinney.interaction.tasks import Problem

    try:
        check_channels(model, entry)
    except Problem as problem:
        return str(problem)
    return ""
