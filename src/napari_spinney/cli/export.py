"""The command that writes notebooks and scripts."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_spinney.cli.objects import UnderLabels
from napari_spinney.cli.options import ChannelAxis, ModelFile, Spacing, TimeAxis

if TYPE_CHECKING:
    from napari_spinney.batch.files import Layout
    from napari_spinney.batch.object_files import OfObjects
    from napari_spinney.classifiers.pixels import PixelClassifier
    from napari_spinney.history import Predict, Step


class To(StrEnum):
    """What ``spinney export`` writes."""

    notebook = "notebook"
    script = "script"


def export(
    model: ModelFile,
    images: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[IMAGE]...",
            exists=True,
            help="Images to predict; label images for a model of objects. Saved with it.",
        ),
    ] = None,
    to: Annotated[To, typer.Option(help="What to write.")] = To.notebook,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file; .ipynb or .py.")] = Path(
        "segmentation"
    ),
    under: UnderLabels = None,
    channel_axis: ChannelAxis = None,
    time_axis: TimeAxis = None,
    spacing: Spacing = None,
) -> None:
    """Write a notebook or script that applies a model to images and shows the results."""
    from napari_spinney import export as exports
    from napari_spinney.batch.files import Layout
    from napari_spinney.classifiers.base import load
    from napari_spinney.classifiers.objects import ObjectClassifier, ObjectMapper, ObjectMerger

    layout = Layout(channel_axis, time_axis, spacing)
    loaded = load(model)
    if isinstance(loaded, (ObjectClassifier, ObjectMapper, ObjectMerger)):
        steps = _on_objects(loaded, model.name, images or [], under or [], layout)
    else:
        steps = _on_images(model, images or [], layout)
    write = exports.notebook if to is To.notebook else exports.script
    out.parent.mkdir(parents=True, exist_ok=True)
    typer.echo(f"Written: {write(steps, out, title=model.stem)}")


def _on_images(model: Path, images: list[Path], layout: Layout) -> list[Step]:
    from napari_spinney.batch.files import load_pixel_model
    from napari_spinney.history import OpenModel, Validate

    classifier = load_pixel_model(model)
    steps: list[Step] = [OpenModel(classifier, model.name)]
    if classifier.table_ is not None and _can_be_validated(classifier):
        steps.append(Validate())
    return steps + [_prediction(classifier, image, layout) for image in images]


def _on_objects(
    classifier: OfObjects, name: str, labels: list[Path], images: list[Path], layout: Layout
) -> list[Step]:
    """What a model of objects says of label images."""
    from napari_spinney.batch.object_files import open_objects, paired
    from napari_spinney.history import ApplyToObjects
    from napari_spinney.session import ImageEntry

    if not labels:
        raise ValueError(f"{name} is a model of objects: name the label images to apply it to")
    steps: list[Step] = []
    for path, under in zip(labels, paired(labels, images), strict=True):
        files = open_objects(path, under, layout)
        axes, spacing = files.axes.lower(), files.options["spacing"]
        image = None
        if files.image is not None and under is not None:
            image = ImageEntry(str(under), under.stem, files.image, files.image_axes, spacing)
        entry = ImageEntry(f"{path} labels", path.stem, files.labels, axes, spacing)
        steps.append(ApplyToObjects(classifier, name, entry, image))
    return steps


def _can_be_validated(classifier: PixelClassifier) -> bool:
    """Whether each class has a stroke to hold out and one to learn from."""
    table = classifier.table_
    return table is not None and min(table.n_strokes().values()) > 1


def _prediction(classifier: PixelClassifier, path: Path, layout: Layout) -> Predict:
    """What the model was made to predict, of one image."""
    from napari_spinney.batch.files import default_output, open_picture
    from napari_spinney.history import Predict
    from napari_spinney.session import ImageEntry

    image = open_picture(path, layout).image
    entry = ImageEntry(str(path), path.stem, image.data, image.axes.lower(), image.spacing)
    return Predict(
        entry,
        default_output(classifier),
        getattr(classifier, "target_class", None),
        use_spacing=True,
        split=getattr(classifier, "split", None),
        min_size=getattr(classifier, "min_size", 0),
        clear_border=getattr(classifier, "clear_border", False),
    )
