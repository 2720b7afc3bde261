from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from napari_spinney.files.atomic import replacing, replacing_folder


@pytest.fixture(params=["nameless", "named"])
def way(request, monkeypatch):
    """Both ways of writing: without a name (Linux), and with a temporary one."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    return request.param


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60
    )


def test_writes_a_new_file(tmp_path, way):
    with replacing(tmp_path / "a") as file:
        file.write(b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a"]


def test_old_file_stays_until_the_block_ends(tmp_path, way):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_new_file_has_the_usual_permissions(tmp_path, way):
    (tmp_path / "usual").write_bytes(b"")
    with replacing(tmp_path / "a") as file:
        file.write(b"new")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_permissions_of_the_old_file_are_kept(tmp_path, way):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with replacing(path) as file:
        file.write(b"new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_symbolic_link_is_followed(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with replacing(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, way, function):
    def fail(*arguments, **options):
        raise OSError(28, "No space left on device")

    path = tmp_path / "a"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, function, fail)
    with pytest.raises(OSError, match="No space left"), replacing(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_error_in_the_block_leaves_the_old_file(tmp_path, way, error):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(error), replacing(path):
        raise error
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_killed_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    code = (
        "import os, sys; from napari_spinney.files.atomic import replacing\n"
        "with replacing(sys.argv[1]) as file:\n"
        "    file.write(b'n' * 10**6); file.flush(); os._exit(7)"
    )
    assert run(code, str(path)).returncode == 7
    assert path.read_bytes() == b"old"
    if hasattr(os, "O_TMPFILE"):
        assert os.listdir(tmp_path) == ["a"]


def test_file_too_large_for_the_disk_leaves_the_old_file(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "a"
    path.write_bytes(b"old")
    code = (
        "import resource, signal, sys; from napari_spinney.files.atomic import replacing\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit({resource.RLIMIT_FSIZE}, (10_000, 10_000))\n"
        "with replacing(sys.argv[1]) as file:\n"
        "    file.write(b'n' * 10**6)"
    )
    result = run(code, str(path))
    assert "OSError: [Errno 27]" in result.stderr
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"):
        replacing(tmp_path / "nowhere" / "a").__enter__()


def test_folder_in_the_way_is_named(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder"):
        replacing(tmp_path).__enter__()


def test_folder_takes_the_place_of_an_old_one(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").touch()
    with replacing_folder(tmp_path / "a") as folder:
        (folder / "new").touch()
    assert os.listdir(tmp_path) == ["a"]
    assert os.listdir(tmp_path / "a") == ["new"]


def test_failure_leaves_the_old_folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").touch()
    with pytest.raises(OSError, match="full"), replacing_folder(tmp_path / "a"):
        raise OSError("full")
    assert os.listdir(tmp_path) == ["a"]
    assert os.listdir(tmp_path / "a") == ["old"]


def test_no_folder_over_a_file(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(FileExistsError, match="is a file"):
        replacing_folder(tmp_path / "a").__enter__()


def test_a_full_disk_names_the_file_that_was_written(tmp_path):
    target = tmp_path / "größe.tif"
    with pytest.raises(OSError, match="größe") as caught, replacing(target):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.errno == errno.ENOSPC
