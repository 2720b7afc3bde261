"""How the command that trains takes images and what was painted on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TrainImages = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[IMAGE]...", exists=True, help="TIFF, PNG, JPEG, NPY files or zarr folders."
    ),
]
TrainAnnotations = Annotated[
    list[Path] | None,
    typer.Option(
        "--annotation",
        "-a",
        metavar="FILE...",
        exists=True,
        help="What was painted on each image, in the same order: 0 = nothing, else a class.",
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="Train on the images of this folder."),
]
Masks = Annotated[
    Path | None,
    typer.Option(
        exists=True, file_okay=False, help="Annotations for --folder, under the same names."
    ),
]
PairTable = Annotated[
    Path | None,
    typer.Option(
        exists=True, dir_okay=False, help="Table (.csv) of two columns: images, annotations."
    ),
]


def files_of(
    images: list[Path],
    annotations: list[Path],
    folder: Path | None,
    masks: Path | None,
    pairs: Path | None,
) -> tuple[list[Path], list[Path]]:
    """Images and annotations, however they were named."""
    from napari_spinney.batch.pairing import pair_folders, read_pairs

    ways = [bool(images or annotations), bool(folder or masks), pairs is not None]
    if sum(ways) != 1:
        raise typer.BadParameter(
            "name what to learn from in one way: IMAGE... with --annotation, --folder with "
            "--masks, or --pairs"
        )
    if ways[0]:
        if not images or not annotations:
            raise typer.BadParameter("IMAGE... and --annotation belong together")
        return images, annotations
    if pairs is not None:
        paired = read_pairs(pairs)
    elif folder is None or masks is None:
        raise typer.BadParameter("--folder and --masks belong together")
    else:
        paired = pair_folders(folder, masks)
    return [image for image, _ in paired], [painted for _, painted in paired]
