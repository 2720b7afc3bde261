"""Read and write tables of measurements: CSV, TSV and Parquet."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from napari_spinney.files.atomic import replacing

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd

FORMATS = (".csv", ".tsv", ".parquet")
_SEPARATOR = {".csv": ",", ".tsv": "\t"}


class TableFileError(ValueError):
    """A table cannot be read or written; the message names the file and the reason."""


def read_table(path: str | PathLike[str]) -> pd.DataFrame:
    """Read a table.

    Parameters
    ----------
    path : path-like
        ``.csv``, ``.tsv`` or ``.parquet``. The first line of a text file names the columns.

    Raises
    ------
    TableFileError
        If there is no such file, or it is no table; names the file and the reason.
    """
    import pandas as pd

    source = Path(path)
    suffix = _suffix(source)
    try:
        if suffix == ".parquet":
            return pd.read_parquet(source)
        return pd.read_csv(source, sep=_SEPARATOR[suffix])
    except (OSError, ValueError) as error:
        raise TableFileError(f"{source}: this is no table that can be read: {error}") from error
    except ImportError as error:
        raise TableFileError(_needs_pyarrow(source)) from error


def write_table(path: str | PathLike[str], table: pd.DataFrame) -> None:
    """Write a table, whole or not at all.

    Parameters
    ----------
    path : path-like
        ``.csv``, ``.tsv`` or ``.parquet``. Text has as many digits as needed to read back the
        same numbers; NaN is an empty field.
    table : DataFrame
        Written without its index.

    Raises
    ------
    TableFileError
        If the suffix is unknown, or a package for it is missing.
    OSError
        If it cannot be written; a file that was there before is as it was.
    """
    target = Path(path)
    suffix = _suffix(target)
    buffer = io.BytesIO()
    if suffix == ".parquet":
        try:
            table.to_parquet(buffer, index=False)
        except ImportError as error:
            raise TableFileError(_needs_pyarrow(target)) from error
    else:
        text = table.to_csv(index=False, sep=_SEPARATOR[suffix], lineterminator="\n")
        buffer.write(text.encode())
    with replacing(target) as file:
        file.write(buffer.getvalue())


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise TableFileError(
            f"{path}: a table is read and written as {', '.join(FORMATS)}; got {suffix!r}"
        )
    return suffix


def _needs_pyarrow(path: Path) -> str:
    return f"{path}: Parquet needs another package: pip install pyarrow, or choose .csv"
