"""The command ``spinney``.

Exit codes: 0 done, 1 failed (one line says why), 2 the command was used wrongly.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_spinney.cli.export import export
from napari_spinney.cli.objects import UnderLabels, measure, train_objects
from napari_spinney.cli.options import (
    ChannelAxis,
    Commands,
    DeviceName,
    ManyFiles,
    ModelFile,
    Spacing,
    TimeAxis,
    parse_class_names,
    parse_depth,
)
from napari_spinney.cli.output import (
    describe_error,
    describe_training,
    inspect_result,
    readable,
    summary_of,
    waiting,
)
from napari_spinney.cli.pairs import (
    Folder,
    Masks,
    PairTable,
    TrainAnnotations,
    TrainImages,
    files_of,
)
from napari_spinney.cli.predict import predict
from napari_spinney.cli.score import score

if TYPE_CHECKING:
    from napari_spinney.batch.files import Layout

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
    out: Annotated[Path, typer.Option("--out", "-o", help="Model to write: .spinney or .cl.")],
    images: TrainImages = None,
    annotation: TrainAnnotations = None,
    folder: Folder = None,
    masks: Masks = None,
    pairs: PairTable = None,
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
    learnt_from, painted = files_of(images or [], annotation or [], folder, masks, pairs)
    if objects:
        train_objects(
            learnt_from,
            painted,
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
    from napari_spinney.batch.files import Layout, load_pixel_model, train_files
    from napari_spinney.classifiers.pixels import PixelClassifier

    if add_to is None:
        options = {"n_trees": trees, "max_depth": depth, "stages": stages, "seed": seed}
        model = PixelClassifier(features, **options)
    else:
        model = load_pixel_model(add_to)
    names = parse_class_names(name or ())
    with waiting("learning"):
        train_files(
            model,
            learnt_from,
            painted,
            layout=Layout(channel_axis, time_axis, spacing),
            device=device,
        )
    model.class_names.update(names)
    model.save(out)
    typer.echo(describe_training(model))
    if validate:
        typer.echo(describe_error(model))
    typer.echo(f"Written: {out}")


def _layout(channel_axis: int | None, time_axis: int | None, spacing: Any) -> Layout:
    from napari_spinney.batch.files import Layout

    return Layout(channel_axis, time_axis, spacing)


app.command(cls=ManyFiles)(measure)
app.command(cls=ManyFiles)(export)
app.command(cls=ManyFiles)(predict)
app.command(cls=ManyFiles)(score)


@app.command()
def inspect(
    model: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, help="A model, or a result.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="All of it, for a program.")] = False,
) -> None:
    """Say what a model is and which features matter to it; or what made a result."""
    from napari_spinney.classifiers.base import load
    from napari_spinney.files.images import READABLE
    from napari_spinney.files.tables import FORMATS

    if model.suffix.lower() in (*READABLE, *FORMATS):
        inspect_result(model, as_json=as_json)
        return
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
