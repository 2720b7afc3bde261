"""What the commands show while they work and when they are done."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from napari_spinney.report import is_of_objects

if TYPE_CHECKING:
    from pathlib import Path

    from napari_spinney.batch.folders import FileStep, Outcome
    from napari_spinney.classifiers.base import Classifier


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
            report = model.validate()
    except ValueError as reason:
        return f"No estimate of the error: {reason}"
    return report.summary("objects" if is_of_objects(model) else "pixels")


def summary_of(model: Classifier) -> dict[str, Any]:
    """What a model is, what it learnt from and which features matter, as JSON values."""
    state, forest = model.state_, model.forest_
    classes = [] if state.kind == "ObjectMapper" else model.classes_.tolist()
    provenance = {k: v for k, v in state.provenance.items() if k != "values"}
    return {
        "kind": state.kind,
        "classes": {c: model.class_names.get(c, "") for c in classes},
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
        "provenance": provenance,
        "importances": model.feature_importances(),
        "levels": _levels(model),
    }


def _levels(model: Classifier) -> list[dict[str, float]]:
    """Share of each feature among the questions at each level of the trees; those asked at all."""
    names = model.feature_names_
    return [
        {names[column]: float(shares[column]) for column in shares.nonzero()[0].tolist()}
        for shares in model.forest_.statistics().shares
    ]


def _learnt_from(model: Classifier) -> dict[str, Any]:
    table = model.table_
    if table is None:
        return {}
    if is_of_objects(model):
        return {"images": table.n_images, _ROWS.get(model.state_.kind, "objects"): _rows(model)}
    return {
        "images": table.n_images,
        "pixels": {int(c): int(n) for c, n in table.counts().items()},
        "strokes": {int(c): int(n) for c, n in table.n_strokes().items()},
    }


_ROWS = {"ObjectMerger": "sides of borders", "TableRowClassifier": "rows"}


def _rows(model: Classifier) -> Any:
    """Rows of each class; of a mapper how many there are, and the range of their values."""
    state, table = model.state_, model.table_
    if table is None:
        return {}
    if state.kind == "ObjectMapper":
        low, high = state.provenance["value_range"]
        return {"number": len(table), "lowest value": low, "highest value": high}
    return {int(c): int(n) for c, n in table.counts().items()}


def tell_outcomes(outcomes: Iterable[Outcome], n_images: int) -> None:
    """Say what was written, and at the end what failed; the exit code is 1 then."""
    words = {"made": "Written", "kept": "There already"}
    count: Counter[str] = Counter()
    failed: list[Outcome] = []
    for outcome in outcomes:
        count[outcome.state] += 1
        if outcome.error is None:
            typer.echo(f"{words[outcome.state]}: {outcome.result}")
        elif n_images == 1:
            raise outcome.error
        else:
            failed.append(outcome)
    if n_images > 1:
        typer.echo(
            f"{count['made']} written, {count['kept']} there already, {count['failed']} failed"
        )
    for outcome in failed:
        typer.echo(f"spinney: {outcome.reason}", err=True)
    if failed:
        raise typer.Exit(1)


def inspect_result(path: Path, *, as_json: bool) -> None:
    """Show what made a result.

    Raises
    ------
    ValueError
        If the file does not say it.
    """
    from napari_spinney.provenance import lines_of, read_origin

    origin = read_origin(path)
    if not origin:
        raise ValueError(f"{path} does not say what made it: another program wrote it, or a copy")
    if as_json:
        typer.echo(json.dumps(origin, indent=2, ensure_ascii=False))
        return
    for name, value in lines_of(origin):
        typer.echo(f"{name:<26}{value}")


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


def follow(happened: Iterable[FileStep | Outcome], n_files: int) -> Iterator[Outcome]:
    """Pass outcomes on, and show a bar, on a terminal, while files are made."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    from napari_spinney.batch.folders import Outcome

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeLeft())
    to_screen = sys.stdout.isatty()  # else what is written goes where the caller sent it
    with Progress(*columns, console=_console(), transient=True, redirect_stdout=to_screen) as bar:
        line = bar.add_task("files", total=n_files)
        of_file = bar.add_task("blocks", total=None, visible=n_files == 1)
        for one in happened:
            if isinstance(one, Outcome):
                bar.update(line, advance=1)
                yield one
            else:
                bar.update(of_file, completed=one.done, total=one.total)


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
