"""Results of a session as files, each with what made it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_spinney.interaction.tasks import plainly

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

UNSAFE = r'[<>:"/\\|?*]'
"""What file names cannot hold everywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Something to save.

    Parameters
    ----------
    data : array_like
        The pixels.
    axes : str
        One letter of TZYX for each axis.
    spacing : tuple of float, optional
        Micrometres per pixel along the spatial axes.
    origin : dict, optional
        What made it.
    """

    data: Any
    axes: str
    spacing: tuple[float, ...] | None = None
    origin: dict[str, Any] | None = None


def saving_results(results: Mapping[str, Result], folder: Path) -> Generator[None, None, str]:
    """Write results as TIFF files, called by their names as far as files can be."""
    from napari_spinney.files.images import write_image

    for name, result in results.items():
        path = folder / f"{re.sub(UNSAFE, '_', name)}.tif"
        with plainly("saving the results"):
            write_image(path, result.data, result.axes, result.spacing, result.origin)
        yield
    return f"Saved {len(results)} result(s) into {folder}"
