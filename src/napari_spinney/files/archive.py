"""Arrays and JSON in a zip archive, read with nothing taken on trust."""

from __future__ import annotations

import io
import math
import struct
import tokenize
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_spinney.files.model_schema import Form

MAX_JSON = 64 * 2**20
MAX_TOTAL = 8 * 2**30
MAX_MEMBERS = 4096
MAX_RATIO = 200
RATIO_FREE = 256 * 2**20
"""Archives that unpack to more than `RATIO_FREE` bytes may not grow more than `MAX_RATIO`-fold."""

_END = struct.Struct("<4s4H2LH")  # end of central directory
_DATE = (1980, 1, 1, 0, 0, 0)
_HEADER_ROOM = 512
_CHUNK = 2**20
_DAMAGE = (
    EOFError,
    NotImplementedError,
    OSError,  # a position before the start of the file
    OverflowError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def write_archive(file: BinaryIO, json: bytes, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an archive; the same contents make the same bytes.

    Raises
    ------
    ValueError
        If it is larger than a zip file without extensions can be (2 GiB).
    """
    method = zipfile.ZIP_DEFLATED
    for attempt in range(2):
        file.seek(0)
        file.truncate()
        try:
            sizes = _write_members(file, json, arrays, method)
        except zipfile.LargeZipFile:
            raise ValueError(
                "the model is larger than 2 GiB, which a model file cannot hold: keep fewer "
                "training pixels (annotate less, or leave out images)"
            ) from None
        if attempt or not _is_bomb(*sizes):
            return
        method = zipfile.ZIP_STORED  # so many equal numbers that a reader would refuse them


def read_archive(file: BinaryIO) -> Archive:
    """Open an archive and check its table of contents.

    Raises
    ------
    ValueError
        That names the rule broken.
    """
    _check_end(file)
    try:
        return Archive(zipfile.ZipFile(file))
    except _DAMAGE as error:
        raise ValueError(f"not a whole zip archive ({error}): it is truncated or damaged") from None


class Archive:
    """An open archive. Nothing is unpacked to the disk."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._zip = archive
        self._members = {member.filename: member for member in archive.infolist()}
        if len(self._members) != len(archive.infolist()):
            raise ValueError("two members of the archive have the same name")
        for member in self._members.values():
            _check_member(member)
        sizes = [(member.file_size, member.compress_size) for member in self._members.values()]
        total, packed = (sum(column) for column in zip(*sizes, strict=True)) if sizes else (0, 0)
        if total > MAX_TOTAL or _is_bomb(total, packed):
            raise ValueError(
                f"the archive unpacks from {packed} to {total} bytes; at most {MAX_TOTAL}, and "
                f"{MAX_RATIO} times its size, are read"
            )

    @property
    def names(self) -> set[str]:
        """Names of all members."""
        return set(self._members)

    def read_json(self, name: str) -> bytes:
        """Bytes of a JSON member."""
        if name not in self._members:
            raise ValueError(f"the archive has no {name}")
        return self._read(name, MAX_JSON)

    def read_array(self, name: str, form: Form) -> NDArray[Any]:
        """An array, which must have this type and shape.

        Raises
        ------
        ValueError
            If it has not, or cannot be unpacked.
        """
        dtype, shape = form
        n_bytes = math.prod(shape) * dtype.itemsize
        if self._members[name].file_size > n_bytes + _HEADER_ROOM:
            raise ValueError(
                f"{name} has {self._members[name].file_size} bytes, but {_described(form)} has "
                f"{n_bytes}"
            )
        data = io.BytesIO(self._read(name, n_bytes + _HEADER_ROOM))
        found = _read_npy_header(name, data)
        if found != form:
            raise ValueError(f"{name} must be {_described(form)}; got {_described(found)}")
        body = data.getbuffer()[data.tell() :]
        if len(body) != n_bytes:
            raise ValueError(f"{name} must hold {n_bytes} bytes after its header; got {len(body)}")
        array: NDArray[Any] = np.frombuffer(body, dtype).reshape(shape)
        return array.astype(dtype.newbyteorder("="))

    def _read(self, name: str, limit: int) -> bytes:
        """Unpack one member, never more than was declared or is allowed."""
        member = self._members[name]
        limit = min(limit, member.file_size)
        parts = []
        try:
            with self._zip.open(member) as stream:
                while limit >= 0 and (part := stream.read(min(_CHUNK, limit + 1))):
                    parts.append(part)
                    limit -= len(part)
        except _DAMAGE as e:
            raise ValueError(f"{name} cannot be unpacked ({e}): the file is damaged") from None
        if limit < 0 or sum(map(len, parts)) != member.file_size:
            raise ValueError(f"{name} unpacks to other than the {member.file_size} bytes declared")
        return b"".join(parts)


def _write_members(
    file: BinaryIO, json: bytes, arrays: Mapping[str, NDArray[Any]], method: int
) -> tuple[int, int]:
    """Write all members; returns their size before and after."""
    with zipfile.ZipFile(file, "w", method, allowZip64=False, compresslevel=6) as archive:
        _write_member(archive, "model.json", json, method)
        for name, array in arrays.items():
            data = io.BytesIO()
            # little-endian, in rows, first version of the format
            ordered = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            npy.write_array(data, ordered, version=(1, 0), allow_pickle=False)
            _write_member(archive, name, data.getbuffer(), method)
        members = archive.infolist()
    return sum(m.file_size for m in members), sum(m.compress_size for m in members)


def _write_member(
    archive: zipfile.ZipFile, name: str, data: bytes | memoryview, method: int
) -> None:
    """Write a member without date, system or owner."""
    member = zipfile.ZipInfo(name, _DATE)
    member.create_system = 3
    member.external_attr = 0o644 << 16
    member.compress_type = method
    archive.writestr(member, bytes(data), method)


def _check_end(file: BinaryIO) -> None:
    """Look at the end of the file before a reader builds a table of its members.

    Spinney writes no comment and no 64-bit extension, so that the end has one form only.
    """
    size = file.seek(0, io.SEEK_END)
    if size < _END.size:
        raise ValueError(f"not a model file: it has {size} bytes")
    file.seek(-_END.size, io.SEEK_END)
    magic, _, _, _, n_members, table_size, _, _ = _END.unpack(file.read(_END.size))
    if magic != b"PK\5\6":
        raise ValueError("not a whole zip archive: it is truncated, damaged, or another format")
    if n_members > MAX_MEMBERS or table_size > MAX_MEMBERS * 1024:
        raise ValueError(f"the archive has {n_members} members; at most {MAX_MEMBERS} are read")
    file.seek(max(0, size - _END.size - 20))
    if file.read(4) == b"PK\6\7":
        raise ValueError("the archive has a 64-bit extension, which model files do not use")
    file.seek(0)


def _check_member(member: zipfile.ZipInfo) -> None:
    """Refuse names that lead out of a folder, encryption and unusual packing."""
    name = member.filename
    parts = name.split("/")
    # orig_filename still has what stands behind a NUL
    if "\\" in name or ":" in name or {"", ".", ".."} & set(parts) or name != member.orig_filename:
        raise ValueError(f"the archive has a member with the unsafe name {name!r}")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is packed by method {member.compress_type}; 0 and 8 are read")
    if member.flag_bits & 0x1:
        raise ValueError(f"{name} is encrypted")


def _is_bomb(total: int, packed: int) -> bool:
    return total > RATIO_FREE and total > MAX_RATIO * packed


def _read_npy_header(name: str, data: io.BytesIO) -> Form:
    """Type and shape that an array in numpy's format declares."""
    try:
        if npy.read_magic(data) != (1, 0):
            raise ValueError("only version 1.0 of the format is read")
        shape, fortran_order, dtype = npy.read_array_header_1_0(data)
    except (
        ValueError,
        SyntaxError,
        TypeError,
        RecursionError,
        MemoryError,
        tokenize.TokenError,
    ) as error:
        raise ValueError(f"{name} is no array in numpy's format: {error}") from None
    if fortran_order and len(shape) > 1:
        raise ValueError(f"{name} must lie in rows (C order)")
    return dtype, shape


def _described(form: Form) -> str:
    dtype, shape = form
    return f"{dtype.str} of shape {shape}"
