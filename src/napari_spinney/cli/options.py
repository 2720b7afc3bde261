"""What the commands take, and how they fail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup


class What(StrEnum):
    """What ``spinney predict`` writes."""

    classes = "classes"
    probability = "probability"
    uncertainty = "uncertainty"
    objects = "objects"


class Format(StrEnum):
    """How ``spinney predict`` writes it."""

    tif = "tif"
    png = "png"
    npy = "npy"
    zarr = "zarr"


class Commands(TyperGroup):
    """Turns what can go wrong into one line and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except (ValueError, TypeError, OSError, RuntimeError, MemoryError) as error:
            if ctx.params.get("debug"):
                raise
            reason = " ".join(str(error).split()) or type(error).__name__
            typer.echo(f"spinney: {reason}", err=True)
            raise typer.Exit(1) from error


_OF_EACH_IMAGE = (("--annotation", "-a"), ("--image", "-i"), ("--truth", "-t"), ("--tracks",))
"""Options that take a file for each image."""


class ManyFiles(TyperCommand):
    """Lets ``--annotation``, ``--image`` and the like take several files, as the images do."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Name the option once per file, then parse."""
        for names in _OF_EACH_IMAGE:
            args = repeat_option(args, names)
        return super().parse_args(ctx, args)


def repeat_option(args: Iterable[str], names: tuple[str, ...]) -> list[str]:
    """``-a x y`` becomes ``-a x -a y``, up to the next word that starts with a dash."""
    repeated: list[str] = []
    values = -1
    for word in args:
        if word.startswith("-"):
            values = 0 if word in names else -1
        elif values >= 0:
            values += 1
            repeated += [names[0]] if values > 1 else []
        repeated.append(word)
    return repeated


def parse_spacing(text: str | None) -> tuple[float, ...] | None:
    """Read "0.5" or "1,0.25,0.25"; numbers above 0."""
    if text is None:
        return None
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if not 1 <= len(values) <= 3 or not all(0 < value < float("inf") for value in values):
        raise typer.BadParameter(
            f"{text!r} must be one number, or one per axis as 1,0.25,0.25, in micrometres"
        )
    return values


def parse_depth(text: str) -> int | None:
    """Read a number of levels, or "none"."""
    if text.lower() in {"none", "unlimited"}:
        return None
    if not text.isdigit() or int(text) < 1:
        raise typer.BadParameter(f"{text!r} must be a whole number from 1, or 'none'")
    return int(text)


def parse_class_names(texts: Sequence[str]) -> dict[int, str]:
    """Read "2=nucleus" and the like."""
    pairs = [text.partition("=")[::2] for text in texts]
    for number, name in pairs:
        if not number.isdigit() or not name:
            raise typer.BadParameter(
                f"'{number}={name}' must be a class and its name, as 2=nucleus"
            )
    return {int(number): name for number, name in pairs}


ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", exists=True, help="A .spinney file, or APOC's .cl.")
]
DeviceName = Annotated[
    str | None,
    typer.Option(help="auto, opencl, cpu, or part of a device's name: see 'spinney devices'."),
]
ChannelAxis = Annotated[
    int | None, typer.Option(help="Position of the channels, where the file does not say it.")
]
TimeAxis = Annotated[
    int | None, typer.Option(help="Position of the time points, where the file does not say it.")
]
Spacing = Annotated[
    Any,
    typer.Option(
        parser=parse_spacing,
        metavar="Z,Y,X",
        help="Micrometres per pixel, where the file does not say it.",
    ),
]
