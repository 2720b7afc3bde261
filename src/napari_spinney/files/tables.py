"""Read and write tables of measurements: CSV, TSV and Parquet."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from napari_spinney.files.atomic import replacing

if TYPE_CHECKING:
    from os import PathLike

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

FORMATS = (".csv", ".tsv", ".parquet")
_SEPARATOR = {".csv": ",", ".tsv": "\t"}
_TRACK_COLUMNS = {
    "track": ("track", "track_id", "trackid", "id"),
    "t": ("t", "frame"),
    "z": ("z",),
    "y": ("y",),
    "x": ("x",),
}
"""What columns of a table of tracks may be called, in small letters."""


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


def read_tracks(path: str | PathLike[str]) -> NDArray[np.float64]:
    """Read a table of tracks as the data of a tracks layer of napari.

    Parameters
    ----------
    path : path-like
        A table with a line per point and columns ``track`` (or ``track_id``, ``id``), ``t`` (or
        ``frame``), ``y``, ``x`` and, in 3D, ``z``, in pixels; others are not looked at.

    Returns
    -------
    (n, 4) or (n, 5) array
        Track, time point, then y, x or z, y, x.

    Raises
    ------
    TableFileError
        If a column is missing or holds no numbers; names the file.
    """
    import pandas as pd

    table = read_table(path)
    small = {str(name).strip().lower(): name for name in reversed(table.columns)}
    found = {
        what: next((small[name] for name in names if name in small), None)
        for what, names in _TRACK_COLUMNS.items()
    }
    missing = [what for what, name in found.items() if name is None and what != "z"]
    if missing:
        raise TableFileError(
            f"{path}: tracks need columns track, t, y, x (and z); there is no "
            f"{', '.join(missing)}, but {list(table.columns)[:10]}"
        )
    columns = table[[name for name in found.values() if name is not None]]
    wrong = [str(n) for n in columns if not pd.api.types.is_numeric_dtype(columns[n])]
    if wrong:
        raise TableFileError(f"{path}: columns of tracks hold numbers; {', '.join(wrong)} do not")
    return columns.to_numpy("float64", na_value=float("nan"))


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
