"""The command that predicts files."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Annotated

import typer

from napari_spinney.cli.objects import UnderLabels, predict_objects
from napari_spinney.cli.options import (
    ChannelAxis,
    DeviceName,
    Format,
    ModelFile,
    Spacing,
    TimeAxis,
    What,
)
from napari_spinney.cli.output import follow, tell_outcomes


def predict(
    model: ModelFile,
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="TIFF, PNG, JPEG, NPY files, zarr folders, folders of images, or patterns in "
            "quotes.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder to write to.")],
    what: Annotated[
        What | None, typer.Option(help="What to write; what the model was made for unless given.")
    ] = None,
    target_class: Annotated[
        int | None, typer.Option(min=1, help="The class of the objects, or of the probability.")
    ] = None,
    file_format: Annotated[Format, typer.Option("--format", help="Kind of file.")] = Format.tif,
    split: Annotated[
        bool | None, typer.Option("--split/--no-split", help="Part objects that touch.")
    ] = None,
    min_size: Annotated[
        int | None, typer.Option(min=0, help="Drop objects of fewer pixels.")
    ] = None,
    clear_border: Annotated[
        bool | None, typer.Option("--clear-border/--keep-border", help="Drop cut-off objects.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also make what this model made of an image before.")
    ] = False,
    under: UnderLabels = None,
    channel_axis: ChannelAxis = None,
    time_axis: TimeAxis = None,
    spacing: Spacing = None,
    device: DeviceName = None,
) -> None:
    """Predict images, each into a file named after it and what was predicted.

    A model of objects predicts label images, and writes a table beside each.
    """
    from napari_spinney.batch import files as batch
    from napari_spinney.batch.folders import Job, Task, run_tasks
    from napari_spinney.classifiers.base import load
    from napari_spinney.classifiers.objects import ObjectClassifier, ObjectMapper, ObjectMerger
    from napari_spinney.provenance import file_fact

    layout = batch.Layout(channel_axis, time_axis, spacing)
    paths = _found(images, out)
    loaded = load(model)
    if isinstance(loaded, (ObjectClassifier, ObjectMapper, ObjectMerger)):
        pixels = _under(paths, under or [])
        predict_objects(loaded, model, paths, pixels, out, layout=layout, again=again)
        return
    classifier = batch.load_pixel_model(model)
    wanted: batch.Wanted = batch.default_output(classifier) if what is None else what.value
    if wanted == "objects":
        classifier = batch.segmenter_of(
            classifier,
            target_class=target_class,
            split=split,
            min_size=min_size,
            clear_border=clear_border,
        )
    results = batch.output_paths(paths, out, wanted, file_format.value)
    job = Job(classifier, file_fact(model), wanted, target_class, layout, device, again)
    tasks = [Task(job, image, result) for image, result in zip(paths, results, strict=True)]
    tell_outcomes(follow(run_tasks(tasks), len(tasks)), len(tasks))


def _found(words: list[str], out: Path) -> list[Path]:
    """The images named; a folder that is read is not written to."""
    from napari_spinney.batch.pairing import expand

    for word in words:
        if not Path(word).exists() and not glob.has_magic(word):
            raise typer.BadParameter(f"Path {word!r} does not exist.", param_hint="IMAGE")
    paths = expand(words)
    named = {Path(word) for word in words}
    if any(path not in named and path.parent.resolve() == out.resolve() for path in paths):
        raise ValueError(
            f"the images of {out} cannot be predicted into the same folder: their results would be "
            "taken for images the next time; name another folder with --out"
        )
    return paths


def _under(labels: list[Path], words: list[Path]) -> list[Path]:
    """Images under labels: files in the order given, those of a folder by their names."""
    from napari_spinney.batch.pairing import expand, pair_names

    images = expand(words)
    if images == words:
        return images
    return [image for _, image in pair_names(labels, images)]
