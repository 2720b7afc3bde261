"""Write a file whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUFFIX = ".part"


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` when the block ends without an error.

    Until then the old file stays as it is. The new one is on the disk before it takes the name.
    On Linux it has no name before that, so that nothing is left behind even by a killed process.

    Parameters
    ----------
    path : path-like
        Where the file shall be. Its folder must exist; a symbolic link is followed.

    Yields
    ------
    binary file
        Readable, writable, seekable.

    Raises
    ------
    OSError
        If there is no such folder, no permission, no space. The old file is as it was.
    """
    target = Path(path).resolve()
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder, so no file can be written there")
    _check_folder(target)
    file, part = _open_part(target)
    try:
        with file:
            yield file
            file.flush()
            _keep_mode(file.fileno(), target)
            os.fsync(file.fileno())
            part = part or _give_name(file.fileno(), target)
        os.replace(part, target)
    except BaseException as error:
        if part is not None:
            with suppress(OSError):
                part.unlink()
        if isinstance(error, OSError) and error.errno and error.filename is None:
            error.filename = str(target)  # a full disk does not say which file was written
        raise
    _sync_folder(target.parent)


@contextmanager
def replacing_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Make a folder that takes the place of ``path`` when the block ends without an error.

    Parameters
    ----------
    path : path-like
        Where the folder shall be. A folder of that name is removed at the end.

    Yields
    ------
    Path
        An empty folder beside it, to write to.
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_dir():
        raise FileExistsError(f"{target} is a file, so no folder can be written there")
    _check_folder(target)
    part = _part_name(target)
    part.mkdir()
    old = _part_name(target)
    try:
        yield part
        if target.exists():
            target.rename(old)
        part.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        shutil.rmtree(part, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _check_folder(target: Path) -> None:
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent}, so {target} is not written")


def _part_name(target: Path) -> Path:
    return target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex[:12]}{_SUFFIX}")


def _open_part(target: Path) -> tuple[BinaryIO, Path | None]:
    """A new file in the folder of the target; without a name where the system can do that."""
    if hasattr(os, "O_TMPFILE"):
        with suppress(OSError):  # not every file system can
            descriptor = os.open(target.parent, os.O_TMPFILE | os.O_RDWR, 0o666)
            try:  # opened once more, because libraries want a file with a name
                return Path(f"/proc/self/fd/{descriptor}").open("r+b"), None
            finally:
                os.close(descriptor)
    part = _part_name(target)
    return part.open("x+b"), part


def _give_name(descriptor: int, target: Path) -> Path:
    """Name a nameless file."""
    part = _part_name(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.link(f"/proc/self/fd/{descriptor}", part.name, dst_dir_fd=folder)
    finally:
        os.close(folder)
    return part


def _keep_mode(descriptor: int, target: Path) -> None:
    """Permissions of the file that is replaced."""
    if target.exists() and hasattr(os, "fchmod"):
        os.fchmod(descriptor, stat.S_IMODE(target.stat().st_mode))


def _sync_folder(folder: Path) -> None:
    """Put the new name on the disk, where folders can be synchronised."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems cannot; the file itself is safe
        return
    finally:
        os.close(descriptor)
