"""What the commands show while they work and when they are done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_spinney.classifiers.base import Classifier
    from napari_spinney.classifiers.pixels import Progress


def describe_training(model: Classifier, what: str = "pixels") -> str:
    """Say what was learnt; ``what`` it learnt from: "pixels" or "objects"."""
    table = model.table_
    if table is None:
        return f"Learnt {len(model.classes_)} classes"
    rows = f"{len(table)} {what}"
    if what == "pixels":
        rows = f"{sum(table.n_strokes().values())} strokes ({rows}"
        rows += f", {table.n_images} image(s))"
    return f"Learnt {len(model.classes_)} classes from {rows}, {len(model.feature_names_)} features"


def describe_error(model: Classifier) -> str:
    """The estimated error, or why there is none."""
    try:
        with waiting("estimating the error"):
            return model.validate().summary()
    except ValueError as reason:
        return f"No estimate of the error: {reason}"


def summary_of(model: Classifier) -> dict[str, Any]:
    """What a model is, what it learnt from and which features matter, as JSON values."""
    state, forest = model.state_, model.forest_
    return {
        "kind": state.kind,
        "classes": {int(c): model.class_names.get(int(c), "") for c in model.classes_},
        "features": state.stages[0].features,
        "stages": len(state.stages),
        "dimensions": state.ndim,
        "channels": state.n_channels,
        "spacing_um": None if state.spacing is None else list(state.spacing),
        "parameters": state.parameters,
        "trees": forest.n_trees,
        "greatest_depth": int(forest.depths().max()),
        "nodes": forest.n_nodes,
        "learnt_from": _learnt_from(model),
        "provenance": state.provenance,
        "importances": model.feature_importances(),
    }


def _learnt_from(model: Classifier) -> dict[str, Any]:
    table = model.table_
    if table is None:
        return {}
    return {
        "images": table.n_images,
        "pixels": {int(c): int(n) for c, n in table.counts().items()},
        "strokes": {int(c): int(n) for c, n in table.n_strokes().items()},
    }


def readable(value: Any) -> str:
    """Write a JSON value for a person."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_part(part)}" for key, part in value.items()) or "–"
    if isinstance(value, list):
        return ", ".join(_part(part) for part in value) or "–"
    return "–" if value is None or value == "" else str(value)


def _part(value: Any) -> str:
    text = readable(value)
    return f"({text})" if isinstance(value, dict | list) else text


def follow(steps: Iterator[Progress], what: str) -> None:
    """Show a bar, on a terminal, while a prediction runs."""
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Bar(*columns, TimeRemainingColumn(), console=_console(), transient=True) as bar:
        task = bar.add_task(what, total=None)
        for step in steps:
            bar.update(task, completed=step.done, total=step.total)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show, on a terminal, that something goes on."""
    with _console().status(what):
        yield


def _console() -> Any:
    from rich.console import Console

    console = Console(stderr=True)
    console.quiet = not console.is_terminal
    return console
