"""The command ``spinney``.

Exit codes: 0 done, 1 failed (one line says why), 2 the command was used wrongly.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_spinney.cli.export import export
from napari_spinney.cli.objects import UnderLabels, measure, predict_objects, train_objects
from napari_spinney.cli.options import (
    Annotations,
    ChannelAxis,
    Commands,
    DeviceName,
    Format,
    Images,
    ManyFiles,
    ModelFile,
    Spacing,
    TimeAxis,
    What,
    parse_class_names,
    parse_depth,
)
from napari_spinney.cli.output import (
    describe_error,
    describe_training,
    follow,
    readable,
    summary_of,
    waiting,
)
from napari_spinney.cli.score import score

if TYPE_CHECKING:
    from napari_spinney.batch import Layout

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from napari_spinney import __version__

        typer.echo(f"napari-spinney {__version__}")
        raise typer.Exit


@app.callback()
def main(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error arose.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Paint a few strokes, get a segmentation, see why."""


@app.command(cls=ManyFiles)
def train(
    images: Images,
    annotation: Annotations,
    out: Annotated[Path, typer.Option("--out", "-o", help="Model to write: .spinney or .cl.")],
    features: Annotated[
        str, typer.Option(help="Name of a feature set, or features as 'original gaussian_blur=2'.")
    ] = "default",
    trees: Annotated[int, typer.Option(min=1, help="Number of trees.")] = 100,
    depth: Annotated[
        Any,
        typer.Option(parser=parse_depth, metavar="N", help="Levels of a tree; 'none': no limit."),
    ] = None,
    stages: Annotated[int, typer.Option(min=1, max=2, help="2: autocontext.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same model.")] = 0,
    add_to: Annotated[
        Path | None,
        typer.Option(exists=True, help="Teach this model more; it keeps what it learnt before."),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option(metavar="N=NAME", help="Name of a class, as 2=nucleus.")
    ] = None,
    validate: Annotated[
        bool, typer.Option(help="Estimate the error on strokes that are held out.")
    ] = True,
    objects: Annotated[
        bool, typer.Option("--objects", help="Classify objects: the images are label images.")
    ] = False,
    under: UnderLabels = None,
    channel_axis: ChannelAxis = None,
    time_axis: TimeAxis = None,
    spacing: Spacing = None,
    device: DeviceName = None,
) -> None:
    """Train a model on images (or label images) and what was painted on them."""
    if objects:
        train_objects(
            images,
            annotation,
            under or [],
            out,
            add_to=add_to,
            names=parse_class_names(name or ()),
            layout=_layout(channel_axis, time_axis, spacing),
            validate=validate,
            features=features,
            n_trees=trees,
            max_depth=depth,
            seed=seed,
        )
        return
    from napari_spinney.batch import Layout, load_pixel_model, train_files
    from napari_spinney.classifiers.pixels import PixelClassifier

    if add_to is None:
        options = {"n_trees": trees, "max_depth": depth, "stages": stages, "seed": seed}
        model = PixelClassifier(features, **options)
    else:
        model = load_pixel_model(add_to)
    model.class_names.update(parse_class_names(name or ()))
    with waiting("learning"):
        train_files(
            model,
            images,
            annotation,
            layout=Layout(channel_axis, time_axis, spacing),
            device=device,
        )
    model.save(out)
    typer.echo(describe_training(model))
    if validate:
        typer.echo(describe_error(model))
    typer.echo(f"Written: {out}")


def _layout(channel_axis: int | None, time_axis: int | None, spacing: Any) -> Layout:
    from napari_spinney.batch import Layout

    return Layout(channel_axis, time_axis, spacing)


app.command(cls=ManyFiles)(measure)
app.command()(export)
app.command(cls=ManyFiles)(score)


@app.command(cls=ManyFiles)
def predict(
    model: ModelFile,
    images: Images,
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
    under: UnderLabels = None,
    channel_axis: ChannelAxis = None,
    time_axis: TimeAxis = None,
    spacing: Spacing = None,
    device: DeviceName = None,
) -> None:
    """Predict images, each into a file named after it and what was predicted.

    A model of objects predicts label images, and writes a table beside each.
    """
    from napari_spinney import batch
    from napari_spinney.classifiers.base import load
    from napari_spinney.classifiers.objects import ObjectClassifier, ObjectMapper, ObjectMerger

    loaded = load(model)
    if isinstance(loaded, (ObjectClassifier, ObjectMapper, ObjectMerger)):
        layout = _layout(channel_axis, time_axis, spacing)
        predict_objects(loaded, images, under or [], out, layout=layout)
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
    layout = batch.Layout(channel_axis, time_axis, spacing)
    paths = batch.output_paths(images, out, wanted, file_format.value)
    for image, path in zip(images, paths, strict=True):
        picture = batch.open_picture(image, layout)
        steps = batch.predict_file(
            classifier, picture, path, wanted, target_class=target_class, device=device
        )
        follow(steps, image.name)
        typer.echo(f"Written: {path}")


@app.command()
def inspect(
    model: ModelFile,
    as_json: Annotated[bool, typer.Option("--json", help="All of it, for a program.")] = False,
) -> None:
    """Say what a model is, what it learnt from, and which features matter to it."""
    from napari_spinney.classifiers.base import load

    summary = summary_of(load(model))
    if as_json:
        typer.echo(json.dumps(summary, indent=2))
        return
    importances, levels = summary.pop("importances"), summary.pop("levels")
    for key, value in summary.items():
        typer.echo(f"{key.replace('_', ' '):<16}{readable(value)}")
    typer.echo("importances (features that carry the same information share theirs)")
    for feature, share in sorted(importances.items(), key=lambda item: -item[1])[:15]:
        typer.echo(f"  {share:6.1%}  {feature}")
    typer.echo("share of the questions at each level of the trees")
    for level, shares in enumerate(levels[:5]):
        often = sorted(shares.items(), key=lambda item: -item[1])[:3]
        typer.echo(f"  {level}: " + ", ".join(f"{name} {share:.2f}" for name, share in often))


@app.command()
def convert(
    model: ModelFile,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Ends with .spinney or .cl.")],
) -> None:
    """Rewrite a model as another kind of file: .spinney, or .cl for APOC and Fiji."""
    from napari_spinney.classifiers.base import load

    load(model).save(out)
    typer.echo(f"Written: {out}")


@app.command()
def devices() -> None:
    """List where predictions can run, and say which device is chosen."""
    from napari_spinney.compute.device import choose_device, explain, list_devices

    chosen = choose_device()
    for device in list_devices():
        mark = "*" if device == chosen else " "
        memory = f"{device.memory / 2**30:.1f} GiB" if device.memory else "memory unknown"
        typer.echo(f"{mark} {device}: {device.compute_units} units, {memory}, {device.version}")
    typer.echo(explain())


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", file_okay=False, help="Folder to write to.")
    ] = Path("demo_output"),
    device: DeviceName = None,
) -> None:
    """Train on real and on synthetic images, predict, score, and write pictures to look at."""
    from napari_spinney.demo import run_demo

    run_demo(out, device=device, tell=typer.echo)
