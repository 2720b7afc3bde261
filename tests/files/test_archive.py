from __future__ import annotations

import io
import struct
import zipfile

import numpy as np
import pytest

from napari_spinney.files import archive
from napari_spinney.files.archive import read_archive, write_archive

FORM = (np.dtype("<f4"), (3,))


def archived(members=(), method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as written:
        for name, data in dict(members).items():
            written.writestr(name, data)
    return file


def npy(array, version=None):
    data = io.BytesIO()
    np.lib.format.write_array(data, np.asarray(array), version=version)
    return data.getvalue()


def test_arrays_and_json_come_back():
    file = io.BytesIO()
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    write_archive(file, b"{}", {"a.npy": array})
    found = read_archive(file)
    assert found.read_json("model.json") == b"{}"
    np.testing.assert_array_equal(found.read_array("a.npy", (np.dtype("<i4"), (2, 3))), array)


def test_bytes_do_not_depend_on_memory_order():
    one, two = io.BytesIO(), io.BytesIO()
    array = np.arange(6.0).reshape(2, 3)
    write_archive(one, b"{}", {"a.npy": array})
    write_archive(two, b"{}", {"a.npy": np.asfortranarray(array).astype(">f8")})
    assert one.getvalue() == two.getvalue()


def test_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(archive, "RATIO_FREE", 2**20)
    file = archived({"a.npy": bytes(2**22)})
    with pytest.raises(ValueError, match=r"unpacks from .* to 4194304 bytes"):
        read_archive(file)


def test_total_size_is_limited(monkeypatch):
    monkeypatch.setattr(archive, "MAX_TOTAL", 1000)
    with pytest.raises(ValueError, match="unpacks from"):
        read_archive(archived({"a": bytes(600), "b": bytes(600)}, zipfile.ZIP_STORED))


def test_equal_numbers_are_no_bomb_when_we_write_them(monkeypatch):
    monkeypatch.setattr(archive, "RATIO_FREE", 2**20)
    file = io.BytesIO()
    zeros = np.zeros(2**20, np.float32)
    write_archive(file, b"{}", {"a.npy": zeros})
    found = read_archive(file).read_array("a.npy", (np.dtype("<f4"), zeros.shape))
    np.testing.assert_array_equal(found, zeros)


def test_declared_size_smaller_than_the_data_is_refused():
    data = npy(np.zeros(100_000, np.float32))
    file = archived({"a.npy": data})
    declared = struct.pack("<L", len(data))
    assert file.getvalue().count(declared) == 2
    file = io.BytesIO(file.getvalue().replace(declared, struct.pack("<L", 140)))
    with pytest.raises(ValueError, match=r"a\.npy"):
        read_archive(file).read_array("a.npy", FORM)


def test_declared_size_larger_than_the_data_is_refused():
    data = npy(np.zeros(3, np.float32))
    file = archived({"a.npy": data})
    declared = struct.pack("<L", len(data))
    file = io.BytesIO(file.getvalue().replace(declared, struct.pack("<L", len(data) + 5)))
    with pytest.raises(ValueError, match=r"a\.npy"):
        read_archive(file).read_array("a.npy", FORM)


def test_array_larger_than_its_form_is_not_unpacked(monkeypatch):
    found = read_archive(archived({"a.npy": npy(np.zeros(10_000, np.float32))}))
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    with pytest.raises(ValueError, match="but <f4 of shape"):
        found.read_array("a.npy", FORM)


def test_header_with_a_giant_shape_allocates_nothing():
    data = npy(np.zeros(3, np.float32)).replace(b"(3,), }       ", b"(999999999,), }", 1)
    with pytest.raises(ValueError, match=r"must be <f4|no array"):
        read_archive(archived({"a.npy": data})).read_array("a.npy", FORM)


def test_array_shorter_than_its_header_says():
    data = npy(np.zeros(3, np.float32))[:-4]
    with pytest.raises(ValueError, match="must hold 12 bytes after its header; got 8"):
        read_archive(archived({"a.npy": data})).read_array("a.npy", FORM)


def test_columns_first_is_refused():
    data = npy(np.asfortranarray(np.zeros((2, 3), np.float32)))
    with pytest.raises(ValueError, match="C order"):
        read_archive(archived({"a.npy": data})).read_array("a.npy", (np.dtype("<f4"), (2, 3)))


def test_other_versions_of_the_array_format_are_refused():
    data = npy(np.zeros(3, np.float32), version=(2, 0))
    with pytest.raises(ValueError, match=r"version 1\.0"):
        read_archive(archived({"a.npy": data})).read_array("a.npy", FORM)


def test_code_in_an_array_header_is_not_run():
    data = npy(np.zeros(3, np.float32)).replace(b"(3,)", b"f()!", 1)
    with pytest.raises(ValueError, match="no array in numpy's format"):
        read_archive(archived({"a.npy": data})).read_array("a.npy", FORM)


def test_too_many_members_are_refused():
    file = archived({f"a{i}": b"" for i in range(archive.MAX_MEMBERS + 1)})
    with pytest.raises(ValueError, match="4097 members; at most 4096"):
        read_archive(file)


def test_two_members_of_one_name_are_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            written.writestr("a", b"2")
    with pytest.raises(ValueError, match="the same name"):
        read_archive(file)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_packing_is_refused(method):
    with pytest.raises(ValueError, match="is packed by method"):
        read_archive(archived({"a": b"1" * 100}, method))


def test_encryption_is_refused():
    data = bytearray(archived({"a": b"1"}).getvalue())
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(ValueError, match="a is encrypted"):
        read_archive(io.BytesIO(bytes(data)))


def test_name_hidden_behind_a_null_is_refused():
    data = archived({"ab": b"1"}).getvalue().replace(b"ab", b"a\0")
    with pytest.raises(ValueError, match=r"unsafe name|cannot be unpacked"):
        read_archive(io.BytesIO(data))


def test_sixty_four_bit_extension_is_refused():
    data = archived({"a": b"1"}).getvalue()
    locator = b"PK\6\7" + bytes(16)
    with pytest.raises(ValueError, match="64-bit"):
        read_archive(io.BytesIO(data[:-22] + locator + data[-22:]))


def test_comment_after_the_archive_is_refused():
    with pytest.raises(ValueError, match="not a whole zip archive"):
        read_archive(io.BytesIO(archived({"a": b"1"}).getvalue() + b"x"))


def test_missing_json_is_named():
    with pytest.raises(ValueError, match=r"has no model\.json"):
        read_archive(archived({"a": b"1"})).read_json("model.json")


def test_directory_that_points_before_the_file_is_refused():
    data = archived({"a": b"1"}).getvalue()
    with pytest.raises(ValueError, match=r"not a whole zip archive|cannot be unpacked"):
        read_archive(io.BytesIO(data[:-6] + b"\xff\xff\xff\x00" + data[-2:])).read_json("a")


def test_unfinished_array_header_is_refused():
    data = npy(np.zeros(3, np.float32)).replace(b"(3,), }", b"((3,), ", 1)
    with pytest.raises(ValueError, match="no array in numpy's format"):
        read_archive(archived({"a.npy": data})).read_array("a.npy", FORM)
