"""Files that belong together: by name in two folders, by a table, or in the order given."""

from __future__ import annotations

import glob
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Pairs: TypeAlias = "list[tuple[Path, Path]]"

_RESULTS = ("_classes", "_objects", "_probability", "_probabilities", "_uncertainty", "_values")


def stem_of(path: Path) -> str:
    """The name of a file without its kind: ``cells.ome.tif`` is ``cells``."""
    name = path.name
    for ending in (".ome.tiff", ".ome.tif", ".ome.zarr"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return path.stem


def expand(words: Iterable[str | Path]) -> list[Path]:
    """Find files.

    Parameters
    ----------
    words : iterable of path-like
        Files, folders (the images in them, not in folders below) and patterns such as
        ``plate/**/*.tif``; a file of that very name goes before a pattern. Hidden files are left
        out.

    Returns
    -------
    list of Path
        In the order given, those of a folder or pattern by name; each one once.

    Raises
    ------
    ValueError
        If there is no such file, or a folder or pattern has no images.
    """
    found: dict[Path, None] = {}
    for word in words:
        found.update(dict.fromkeys(_expand_one(str(word))))
    return list(found)


def _expand_one(word: str) -> list[Path]:
    path = Path(word)
    if path.is_dir() and path.suffix.lower() != ".zarr":
        return images_in(path)
    if path.exists():
        return [path]
    if not glob.has_magic(word):
        raise ValueError(f"there is no file {word}")
    matches = sorted(Path(match) for match in glob.glob(word, recursive=True))
    images = [match for match in matches if _is_image(match)]
    if not images:
        raise ValueError(f"no image matches {word}")
    return images


def images_in(folder: Path) -> list[Path]:
    """Images of a folder by name, without hidden ones and those of folders below.

    Raises
    ------
    ValueError
        If it is no folder, or has no images.
    """
    from napari_spinney.files.images import READABLE

    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    images = sorted(path for path in folder.iterdir() if _is_image(path))
    if not images:
        raise ValueError(
            f"there are no images in the folder {folder}: they end in {', '.join(READABLE)}"
        )
    return images


def _is_image(path: Path) -> bool:
    from napari_spinney.files.images import READABLE

    suffix = path.suffix.lower()
    known = suffix in READABLE and not path.name.startswith(".")
    return known and (suffix == ".zarr" if path.is_dir() else suffix != ".zarr")


def pair_folders(images: Path, masks: Path) -> Pairs:
    """Pair the images of two folders by their names; their kinds may differ.

    Raises
    ------
    ValueError
        If a folder is empty, a file has no partner, or two have the same name.
    """
    return pair_names(images_in(images), images_in(masks))


def pair_names(first: Sequence[Path], second: Sequence[Path], *, all_of_both: bool = True) -> Pairs:
    """Pair files by name; ``cells_objects.tif`` of the first also belongs to ``cells.png``.

    Parameters
    ----------
    first, second : sequence of Path
        Each name once.
    all_of_both : bool
        False lets the second have more.

    Raises
    ------
    ValueError
        If a file has no partner, or two files have the same name.
    """
    partners = _by_stem(second)
    _by_stem(first)
    pairs = [(path, partners.get(_partner_stem(path, partners))) for path in first]
    alone = [path for path, partner in pairs if partner is None]
    if all_of_both:
        taken = {partner for _, partner in pairs}
        alone += [path for path in second if path not in taken]
    if alone:
        more = f" and {len(alone) - 5} more" if len(alone) > 5 else ""
        raise ValueError(
            f"files are paired by name, and these have no partner: "
            f"{', '.join(map(str, alone[:5]))}{more}"
        )
    whole = [(path, partner) for path, partner in pairs if partner is not None]
    twice = [str(p) for p, n in Counter(partner for _, partner in whole).items() if n > 1]
    if twice:
        raise ValueError(f"several files belong to {', '.join(twice[:5])}: give one of each")
    return whole


def _partner_stem(path: Path, partners: dict[str, Path]) -> str:
    stem = stem_of(path)
    if stem in partners:
        return stem
    return next((stem[: -len(r)] for r in _RESULTS if stem.endswith(r)), stem)


def _by_stem(paths: Sequence[Path]) -> dict[str, Path]:
    count = Counter(map(stem_of, paths))
    if twice := [str(path) for path in paths if count[stem_of(path)] > 1]:
        raise ValueError(f"these files have the same name: {', '.join(twice[:5])}; keep one")
    return {stem_of(path): path for path in paths}


def pair_lists(first: Sequence[str | Path], second: Sequence[str | Path]) -> Pairs:
    """Pair what `expand` finds: by name where all names fit, otherwise in the order given.

    Raises
    ------
    ValueError
        If neither is possible: names do not fit and the numbers of files differ, or a folder was
        named, whose files go by name.
    """
    left, right = expand(first), expand(second)
    try:
        return pair_names(left, right, all_of_both=len(left) == len(right) or _folders(first))
    except ValueError:
        if len(left) != len(right) or _folders(first) or _folders(second):
            raise
    return list(zip(left, right, strict=True))


def _folders(words: Iterable[str | Path]) -> bool:
    return any(Path(word).is_dir() and Path(word).suffix.lower() != ".zarr" for word in words)


def read_pairs(table: Path) -> Pairs:
    """Read a table of two columns, images and masks; the first line names the columns.

    Paths are relative to the folder of the table.

    Raises
    ------
    ValueError
        If it is no such table, or a file is missing.
    """
    from napari_spinney.files.tables import read_table

    rows = read_table(table)
    if rows.shape[1] != 2 or rows.isna().to_numpy().any():
        raise ValueError(
            f"{table}: pairs are two columns, image and mask, both filled in every row; got "
            f"the columns {', '.join(map(str, rows.columns))}"
        )
    if rows.empty:
        raise ValueError(f"{table}: there are no pairs below the names of the columns")
    pairs = [(table.parent / str(a), table.parent / str(b)) for a, b in rows.to_numpy()]
    if missing := [str(path) for pair in pairs for path in pair if not path.exists()]:
        raise ValueError(f"{table} names files that do not exist: {', '.join(missing[:5])}")
    return pairs
