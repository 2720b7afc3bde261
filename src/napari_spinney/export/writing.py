"""Write notebooks and scripts."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_spinney.export.code import literal
from napari_spinney.export.saving import Folder, safe_name
from napari_spinney.export.story import Cell, Form, Teller
from napari_spinney.files.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from napari_spinney.history import Step

_WIDTH = 98


def notebook(
    steps: Sequence[Step], path: str | PathLike[str], *, title: str = "Segmentation"
) -> Path:
    """Write a notebook that does all steps again.

    What it reads is saved beside it, in a folder ``<name>_files``; move both together.

    Parameters
    ----------
    steps : sequence of steps
        What was done, as `napari_spinney.history` has it.
    path : path-like
        The notebook; ``.ipynb`` is added where it is missing.
    title : str
        First heading.

    Returns
    -------
    Path
        The notebook.

    Raises
    ------
    ValueError
        If there is nothing to export, or the steps do not fit together.
    OSError
        If it cannot be written.
    """
    import nbformat.v4

    target = _with_suffix(path, ".ipynb")
    cells = _cells(steps, target, title, Form("Path()", lambda _: "plt.show()"))
    written = nbformat.v4.new_notebook(
        cells=[_notebook_cell(number, cell) for number, cell in enumerate(cells)],
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    nbformat.validate(written)
    with replacing(target) as file:
        file.write(nbformat.writes(written).encode())
    return target


_LAST_IMPORT = "from napari_spinney.files.images import read_image, write_image\n"

_NO_SCREEN = '\nplt.switch_backend("agg")  # pictures are written to files: no screen is needed\n'


def script(
    steps: Sequence[Step], path: str | PathLike[str], *, title: str = "Segmentation"
) -> Path:
    """Write a Python script that does all steps again, and writes pictures in place of showing.

    Parameters
    ----------
    steps, title
        As for `notebook`.
    path : path-like
        The script; ``.py`` is added where it is missing.

    Returns
    -------
    Path
        The script.

    Raises
    ------
    ValueError, OSError
        As for `notebook`.
    """
    target = _with_suffix(path, ".py")
    cells = _cells(steps, target, title, Form("Path(__file__).resolve().parent", _save_figure))
    text = "\n\n".join(cell.text if cell.is_code else _comment(cell.text) for cell in cells)
    text = text.replace(_LAST_IMPORT, f"{_LAST_IMPORT}{_NO_SCREEN}", 1)
    with replacing(target) as file:
        file.write(f"{text}\n".encode())
    return target


def _cells(steps: Sequence[Step], target: Path, title: str, form: Form) -> list[Cell]:
    stem = target.with_suffix("").name
    folder = Folder(target.parent / f"{stem}_files")
    return Teller(folder, f"{stem}_results", form).tell(steps, title)


def _with_suffix(path: str | PathLike[str], suffix: str) -> Path:
    target = Path(path)
    return target if target.suffix == suffix else target.with_name(target.name + suffix)


def _notebook_cell(number: int, cell: Cell) -> Any:
    from nbformat.v4 import new_code_cell, new_markdown_cell

    made = new_code_cell(cell.text) if cell.is_code else new_markdown_cell(cell.text)
    made["id"] = f"cell-{number}"  # the same export twice is the same file
    return made


def _save_figure(title: str) -> str:
    return f"fig.savefig(RESULTS / {literal(f'{safe_name(title)}.png')})\nplt.close(fig)"


def _comment(text: str) -> str:
    lines = []
    for line in text.splitlines():
        line = line.lstrip("#").strip() if line.startswith("#") else line
        lines += textwrap.wrap(line, _WIDTH - 2) or [""]
    return "\n".join(f"# {line}".rstrip() for line in lines)
