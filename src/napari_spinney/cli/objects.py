"""Commands on labelled objects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_spinney.cli.options import ChannelAxis, Spacing, TimeAxis
from napari_spinney.cli.output import describe_error, describe_training, tell_outcomes, waiting

if TYPE_CHECKING:
    from napari_spinney.batch.files import Layout
    from napari_spinney.batch.object_files import OfObjects

Labels = Annotated[
    list[Path],
    typer.Argument(metavar="LABELS", exists=True, help="Label images: 0 = background."),
]
UnderLabels = Annotated[
    list[Path] | None,
    typer.Option(
        "--image",
        "-i",
        metavar="FILE...",
        exists=True,
        help="What intensities are measured in: one image for each label image, in order.",
    ),
]


def measure(
    labels: Labels,
    out: Annotated[Path, typer.Option("--out", "-o", help=".csv, .tsv or .parquet.")],
    image: UnderLabels = None,
    features: Annotated[
        str,
        typer.Option(
            help="Measurements, or groups of them: size, shape, intensity, texture, position, "
            "neighbours, all."
        ),
    ] = "size shape intensity position",
    tracks: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE...",
            exists=True,
            help="Tracks of the objects over time, one table for each label image, with columns "
            "track, t, y, x (and z) in pixels: gives a column 'track'.",
        ),
    ] = None,
    channel_axis: ChannelAxis = None,
    time_axis: TimeAxis = None,
    spacing: Spacing = None,
) -> None:
    """Measure labelled objects: one row per object."""
    from napari_spinney.batch.files import Layout
    from napari_spinney.batch.object_files import measure_files, origin_of_table
    from napari_spinney.files.tables import write_table
    from napari_spinney.provenance import forget_beside, write_beside

    files: dict[str, Any] = {"images": image or (), "tracks": tracks or (), "features": features}
    layout = Layout(channel_axis, time_axis, spacing)
    with waiting("measuring"):
        table = measure_files(labels, **files, layout=layout)
        origin = origin_of_table(labels, **files, layout=layout)
    forget_beside(out)
    write_table(out, table)
    write_beside(out, origin)
    typer.echo(f"{len(table)} objects, {table.shape[1]} columns.")
    typer.echo(f"Written: {out}, and beside it what made it")


def train_objects(
    labels: list[Path],
    annotations: list[Path],
    images: list[Path],
    out: Path,
    *,
    add_to: Path | None,
    names: dict[int, str],
    layout: Layout,
    validate: bool,
    **options: Any,
) -> None:
    """Do what ``spinney train --objects`` promises."""
    from napari_spinney.batch.object_files import load_object_model
    from napari_spinney.batch.object_files import train_objects as train_files
    from napari_spinney.classifiers.objects import ObjectClassifier

    if options["features"] == "default":
        del options["features"]
    model = ObjectClassifier(**options) if add_to is None else load_object_model(add_to)
    model.class_names.update(names)
    with waiting("learning"):
        train_files(model, labels, annotations, images, layout=layout)
    model.save(out)
    typer.echo(describe_training(model, "objects"))
    if validate:
        typer.echo(describe_error(model))
    typer.echo(f"Written: {out}")


def predict_objects(
    model: OfObjects,
    path: Path,
    labels: list[Path],
    images: list[Path],
    out: Path,
    *,
    layout: Layout,
    again: bool,
) -> None:
    """Do what ``spinney predict`` promises for a model of objects, read from ``path``."""
    from napari_spinney.batch.files import output_paths
    from napari_spinney.batch.object_files import predict_object_files
    from napari_spinney.provenance import file_fact

    makes = {"ObjectClassifier": "classes", "ObjectMapper": "values"}
    what = makes.get(model.state_.kind, "objects")
    results = output_paths(labels, out, what, "tif")
    outcomes = predict_object_files(
        model, file_fact(path), labels, images, results, layout=layout, again=again
    )
    tell_outcomes(outcomes, len(labels))
