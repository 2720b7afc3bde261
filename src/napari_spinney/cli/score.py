"""The command that compares results with the truth."""

from __future__ import annotations

import json
import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd


class Of(StrEnum):
    """What the numbers of the files are."""

    classes = "classes"
    objects = "objects"


def score(
    results: Annotated[
        list[str], typer.Argument(metavar="RESULT", help="Files, folders, or patterns in quotes.")
    ],
    truth: Annotated[
        list[str],
        typer.Option(
            "--truth",
            "-t",
            metavar="TRUTH...",
            help="The truth of each: paired by name, or in order where names say nothing.",
        ),
    ],
    what: Annotated[
        Of, typer.Option(help="What the numbers are: classes of pixels, or objects.")
    ] = Of.classes,
    sparse: Annotated[
        bool, typer.Option("--sparse", help="0 in the truth means that nobody knows.")
    ] = False,
    overlap: Annotated[
        float, typer.Option(help="Jaccard index from which on two objects match.")
    ] = 0.5,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Table: .csv, .tsv, .parquet or .json.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Show JSON, for a program.")] = False,
) -> None:
    """Score results: Dice and Jaccard of classes; precision, recall and F1 of objects."""
    from napari_spinney.batch.file_scores import score_files, score_table
    from napari_spinney.batch.pairing import pair_lists

    pairs = pair_lists(results, truth)
    scores = list(score_files(pairs, what.value, sparse=sparse, overlap=overlap))
    table = score_table(scores)
    if out is not None:
        _write(out, table)
    typer.echo(_as_json(table) if as_json else _as_text(table))
    failed = [score for score in scores if score.error]
    for one in failed:
        typer.echo(f"spinney: {one.error}", err=True)
    if failed:
        raise typer.Exit(1)


def _write(path: Path, table: pd.DataFrame) -> None:
    from napari_spinney.files.atomic import replacing
    from napari_spinney.files.tables import write_table

    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() != ".json":
        write_table(path, table)
        return
    with replacing(path) as file:
        file.write(_as_json(table).encode())


def _as_json(table: pd.DataFrame) -> str:
    """Rows as JSON; null where there is no score."""
    rows: list[dict[str, Any]] = [
        {
            str(name): None if isinstance(value, float) and math.isnan(value) else value
            for name, value in row.items()
        }
        for row in table.to_dict("records")
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False)


def _as_text(table: pd.DataFrame) -> str:
    if table.empty:
        return "There is nothing to score: no class and no object."
    return table.to_string(index=False, float_format="{:.4f}".format, na_rep="–")
