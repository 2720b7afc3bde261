from __future__ import annotations

import errno
import os

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
import zarr

from napari_spinney.files.images import (
    ImageFileError,
    read_image,
    read_provenance,
    write_image,
)

PROVENANCE = {
    "model": {"kind": "PixelClassifier", "hash": "0a1"},
    "note": "Ü \n <&>",
    "n": [1, None],
}
FILES = ["i.tif", "i.ome.tif", "i.zarr"]
SPACING = {"Z": 2.0, "Y": 0.3, "X": 0.7}


def pixels(shape, dtype=np.uint16, high=200):
    return (np.random.default_rng(0).random(shape) * high).astype(dtype)


def in_order(image, axes):
    """Pixels with their axes in this order."""
    return np.asarray(image.data).transpose([image.axes.index(axis) for axis in axes])


# --- round trips ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.uint32, np.int16])
@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        ("YX", (7, 9)),
        ("ZYX", (3, 7, 9)),
        ("CYX", (2, 7, 9)),
        ("TYX", (3, 7, 9)),
        ("CZYX", (2, 3, 7, 9)),
        ("TCZYX", (2, 3, 4, 7, 9)),
        ("YXC", (7, 9, 3)),
    ],
)
def test_pixels_axes_spacing_and_names_come_back(tmp_path, name, dtype, axes, shape):
    data = pixels(shape, dtype)
    spacing = tuple(SPACING[axis] for axis in axes if axis in SPACING)
    names = [f"channel {i}" for i in range(shape[axes.index("C")])] if axes == "CZYX" else []
    write_image(tmp_path / name, data, axes, spacing, PROVENANCE, channel_names=names)
    found = read_image(tmp_path / name)
    np.testing.assert_array_equal(in_order(found, axes), data)
    assert found.data.dtype == dtype
    assert found.spacing == pytest.approx(spacing, rel=1e-6)
    assert found.provenance == PROVENANCE
    if names:
        assert found.channel_names == tuple(names)


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_made_up(tmp_path, name):
    write_image(tmp_path / name, pixels((7, 9)))
    found = read_image(tmp_path / name)
    assert (found.axes, found.spacing, found.channel_names) == ("YX", None, ())
    assert found.provenance == read_provenance(tmp_path / name) == {}


@pytest.mark.parametrize("name", ["i.tif", "i.ome.tif", "i.zarr", "i.png"])
def test_provenance_is_read_without_pixels(tmp_path, name):
    write_image(tmp_path / name, pixels((7, 9), np.uint8), metadata=PROVENANCE)
    assert read_provenance(tmp_path / name) == PROVENANCE


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 1]], np.int64), np.uint8),
        (np.array([[0, 60_000]], np.int64), np.uint16),
        (np.array([[0, 70_000]], np.int64), np.uint32),
        (np.array([[0, 4_000_000_000]], np.uint64), np.uint32),
        (np.array([[-1, 70_000]], np.int64), np.int32),
        (np.array([[True, False]]), np.uint8),
        (np.array([[0.1, np.nan]], np.float64), np.float32),
        (np.array([[0.5, np.inf]], np.float16), np.float32),
    ],
)
def test_types_that_files_have_not_are_changed(tmp_path, values, expected):
    write_image(tmp_path / "i.tif", values)
    found = read_image(tmp_path / "i.tif").data
    assert found.dtype == expected
    np.testing.assert_array_equal(found, values.astype(expected))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_comes_back(tmp_path, dtype):
    data = pixels((7, 9), dtype)
    write_image(tmp_path / "i.png", data, spacing=(0.5, 0.25), metadata=PROVENANCE)
    found = read_image(tmp_path / "i.png")
    np.testing.assert_array_equal(found.data, data)
    assert found.data.dtype == dtype
    assert (found.spacing, found.provenance) == ((0.5, 0.25), PROVENANCE)


def test_labels_fit_into_a_png_if_they_are_small(tmp_path):
    labels = np.array([[0, 3], [60_000, 1]], np.int64)
    write_image(tmp_path / "i.png", labels)
    np.testing.assert_array_equal(read_image(tmp_path / "i.png").data, labels)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_colours_are_channels(tmp_path, suffix):
    data = pixels((7, 9, 3), np.uint8)
    iio.imwrite(tmp_path / f"i{suffix}", data)
    found = read_image(tmp_path / f"i{suffix}")
    np.testing.assert_array_equal(found.data, data)
    assert (found.axes, found.channel_names) == ("YXC", ("red", "green", "blue"))


def test_jpeg_is_read(tmp_path):
    iio.imwrite(tmp_path / "i.jpg", np.full((8, 8), 100, np.uint8))
    np.testing.assert_allclose(read_image(tmp_path / "i.jpg").data, 100, atol=2)


@pytest.mark.parametrize(
    ("shape", "axes"), [((3,), "X"), ((3, 4), "YX"), ((2, 3, 4), "ZYX"), ((2, 2, 3, 4), "CZYX")]
)
def test_npy_comes_back_as_a_map(tmp_path, shape, axes):
    data = pixels(shape, np.float64)
    write_image(tmp_path / "i.npy", data)
    found = read_image(tmp_path / "i.npy")
    assert isinstance(found.data, np.memmap)
    assert (found.axes, found.data.dtype) == (axes, np.float64)
    np.testing.assert_array_equal(found.data, data)


def test_empty_npy_is_read(tmp_path):
    np.save(tmp_path / "i.npy", np.empty((0, 4)))
    assert read_image(tmp_path / "i.npy").data.shape == (0, 4)


# --- files of others ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("micron", 1), ("um", 1), ("\\u00B5m", 1), ("nm", 1e-3), ("mm", 1e3), ("inch", 25_400)],
)
def test_units_of_imagej(tmp_path, unit, factor):
    tifffile.imwrite(
        tmp_path / "i.tif",
        pixels((3, 7, 9)),
        imagej=True,
        resolution=(4.0, 2.0),
        metadata={"unit": unit, "spacing": 3.0, "axes": "ZYX"},
    )
    found = read_image(tmp_path / "i.tif")
    assert found.axes == "ZYX"
    assert found.spacing == pytest.approx((3 * factor, 0.5 * factor, 0.25 * factor))


@pytest.mark.parametrize(
    "metadata", [{}, {"unit": "pixel"}, {"unit": "\0\0"}, {"unit": "um", "axes": "ZYX"}]
)
def test_spacing_that_is_not_known_is_none(tmp_path, metadata):
    tifffile.imwrite(tmp_path / "i.tif", pixels((3, 7, 9)), imagej=True, metadata=metadata)
    assert read_image(tmp_path / "i.tif").spacing is None


def test_units_and_channels_of_ome(tmp_path):
    tifffile.imwrite(
        tmp_path / "i.ome.tif",
        pixels((2, 7, 9)),
        metadata={
            "axes": "CYX",
            "PhysicalSizeX": 500.0,
            "PhysicalSizeXUnit": "nm",
            "PhysicalSizeY": 0.25,
            "Channel": {"Name": ["DAPI", "actin"]},
        },
    )
    found = read_image(tmp_path / "i.ome.tif")
    assert found.spacing == pytest.approx((0.25, 0.5))
    assert found.channel_names == ("DAPI", "actin")


@pytest.mark.parametrize(
    ("shape", "axes"), [((7, 9), "YX"), ((5, 7, 9), "ZYX"), ((2, 5, 7, 9), "TZYX")]
)
def test_axes_without_names_are_space_first(tmp_path, shape, axes):
    tifffile.imwrite(tmp_path / "i.tif", pixels(shape), metadata=None, photometric="minisblack")
    found = read_image(tmp_path / "i.tif")
    assert found.data.shape == shape or found.axes == "ZYX"
    assert found.axes in (axes, "ZYX")


@pytest.mark.parametrize("compression", ["zlib", "lzw", "packbits"])
def test_packed_tiff_is_read(tmp_path, compression):
    data = np.repeat(pixels((7, 9), np.uint8), 30, axis=1)
    try:
        tifffile.imwrite(tmp_path / "i.tif", data, compression=compression)
    except (KeyError, ValueError, RuntimeError):
        assert compression != "zlib"
        return
    np.testing.assert_array_equal(read_image(tmp_path / "i.tif").data, data)


def test_text_of_others_is_no_provenance(tmp_path):
    for number, text in enumerate(['{"spinney": 3}', '["spinney"]', "[" * 9999, "free text"]):
        path = tmp_path / f"{number}.tif"
        tifffile.imwrite(path, pixels((7, 9)), imagej=True, metadata={"Info": text})
        assert read_image(path).provenance == read_provenance(path) == {}


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_plain_zarr_array(tmp_path, zarr_format):
    data = pixels((3, 7, 9))
    zarr.create_array(str(tmp_path / "i.zarr"), data=data, zarr_format=zarr_format)
    found = read_image(tmp_path / "i.zarr")
    assert found.axes == "ZYX"
    np.testing.assert_array_equal(found.data.compute(), data)


def test_ome_zarr_0_4(tmp_path):
    group = zarr.create_group(str(tmp_path / "i.zarr"), zarr_format=2)
    data = pixels((2, 7, 9))
    group.create_array("full", data=data)
    space = [{"name": n, "type": "space", "unit": "nanometer"} for n in "yx"]
    scale = {"type": "scale", "scale": [1, 500, 250]}
    group.attrs["multiscales"] = [
        {
            "version": "0.4",
            "axes": [{"name": "c", "type": "channel"}, *space],
            "datasets": [{"path": "full", "coordinateTransformations": [scale]}],
        }
    ]
    found = read_image(tmp_path / "i.zarr")
    assert (found.axes, found.spacing) == ("CYX", (0.5, 0.25))
    np.testing.assert_array_equal(found.data.compute(), data)


# --- bad input ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["i.tif", "i.png", "i.jpg", "i.npy"])
@pytest.mark.parametrize("data", [b"", b"II*\0", b"not an image" * 20, b"\x89PNG\r\n\x1a\n" + b"x"])
def test_unreadable_file_is_named(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ImageFileError, match=r"the image cannot be read: .+") as caught:
        read_image(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("name", ["i.tif", "i.ome.tif", "i.png", "i.npy"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_file_is_refused(tmp_path, name, share):
    write_image(tmp_path / name, pixels((60, 70)))
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ImageFileError, match="the image cannot be read"):
        read_image(tmp_path / name)


@pytest.mark.parametrize("name", ["i.tif", "i.zarr", "i.npy"])
def test_missing_file_is_named(tmp_path, name):
    with pytest.raises(ImageFileError, match="there is no such file"):
        read_image(tmp_path / name)


@pytest.mark.parametrize("name", ["i.gif", "i.czi", "i", "i.tif.zip"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(ImageFileError, match="images that can be read end in"):
        read_image(tmp_path / name)
    with pytest.raises(ImageFileError, match="images that can be written end in"):
        write_image(tmp_path / name, pixels((3, 4)))


@pytest.mark.parametrize("name", ["i.tif", "i.npy"])
def test_numbers_that_are_no_pixels_are_refused(tmp_path, name):
    save = tifffile.imwrite if name.endswith(".tif") else np.save
    save(tmp_path / name, np.ones((4, 5), np.complex64))
    with pytest.raises(ImageFileError, match="an image holds numbers; got dtype complex64"):
        read_image(tmp_path / name)


def test_npy_is_not_unpickled(tmp_path):
    np.save(tmp_path / "i.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ImageFileError, match="holds numbers; got dtype object"):
        read_image(tmp_path / "i.npy")


def test_npy_with_an_unfinished_header_is_refused(tmp_path):
    np.save(tmp_path / "i.npy", np.zeros(3))
    data = (tmp_path / "i.npy").read_bytes().replace(b"(3,), }", b"((3,), ")
    (tmp_path / "i.npy").write_bytes(data)
    with pytest.raises(ImageFileError, match="cannot be read"):
        read_image(tmp_path / "i.npy")


def test_png_that_is_a_bomb_is_refused(tmp_path, monkeypatch):
    write_image(tmp_path / "i.png", np.zeros((200, 200), np.uint8))
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ImageFileError, match=r"use \.tif"):
        read_image(tmp_path / "i.png")


def test_large_png_is_read_without_a_warning(tmp_path, monkeypatch):
    write_image(tmp_path / "i.png", np.zeros((30, 40), np.uint8))
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 1000)
    assert read_image(tmp_path / "i.png").data.shape == (30, 40)


def test_npy_shorter_than_it_says_is_refused(tmp_path):
    np.save(tmp_path / "i.npy", np.zeros((10, 10)))
    data = (tmp_path / "i.npy").read_bytes().replace(b"(10, 10), }      ", b"(10, 99999999), }")
    (tmp_path / "i.npy").write_bytes(data)
    with pytest.raises(ImageFileError, match="cannot be read"):
        read_image(tmp_path / "i.npy")


def test_tiff_that_unpacks_to_far_more_is_refused(tmp_path, monkeypatch):
    data = np.zeros((2000, 2000), np.uint8)
    tifffile.imwrite(tmp_path / "i.tif", data, compression="zlib")
    with tifffile.TiffFile(tmp_path / "i.tif") as tif:
        tags = tif.pages[0].tags
        offsets = [tags[name].valueoffset for name in ("ImageWidth", "ImageLength")]
    raw = bytearray((tmp_path / "i.tif").read_bytes())
    for offset in offsets:
        raw[offset : offset + 4] = (1_000_000).to_bytes(4, "little")
    (tmp_path / "i.tif").write_bytes(bytes(raw))
    with pytest.raises(ImageFileError, match=r"which is refused|cannot be read"):
        read_image(tmp_path / "i.tif")


def test_zarr_with_pickle_is_refused(tmp_path):
    path = tmp_path / "i.zarr"
    zarr.create_array(str(path), data=pixels((4, 4)), zarr_format=2, compressors=None)
    text = (path / ".zarray").read_text()
    assert '"filters": null' in text
    (path / ".zarray").write_text(
        text.replace('"filters": null', '"filters": [{"id": "pickle", "protocol": 4}]')
    )
    with pytest.raises(ImageFileError, match="pickle"):
        read_image(path)


def test_zarr_group_without_an_image_is_refused(tmp_path):
    zarr.create_group(str(tmp_path / "i.zarr"))
    with pytest.raises(ImageFileError, match="a group without an OME-Zarr image"):
        read_image(tmp_path / "i.zarr")


@pytest.mark.parametrize(
    "image",
    [
        {},
        {"datasets": []},
        {"datasets": [{"path": "0"}], "axes": 5},
        {
            "datasets": [
                {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1]}]}
            ],
            "axes": ["y", "x"],
        },
    ],
)
def test_damaged_description_of_a_zarr_is_refused(tmp_path, image):
    group = zarr.create_group(str(tmp_path / "i.zarr"), attributes={"multiscales": [image]})
    group.create_array("0", data=np.zeros((4, 5), np.uint8))
    with pytest.raises(ImageFileError, match=r"its OME-Zarr description is damaged \(.*Error"):
        read_image(tmp_path / "i.zarr")


@pytest.mark.parametrize(
    ("name", "array", "facts", "message"),
    [
        ("i.tif", np.zeros((3, 4)), {"axes": "ZYX"}, "axes must be 2 different letters"),
        ("i.tif", np.zeros((3, 4)), {"axes": "YY"}, "axes must be 2 different letters"),
        ("i.tif", np.zeros((3, 4)), {"axes": "QX"}, "axes must be 2 different letters"),
        ("i.tif", np.zeros((3, 4)), {"spacing": (1,)}, "one number above 0"),
        ("i.tif", np.zeros((3, 4)), {"spacing": (1, 0)}, "one number above 0"),
        ("i.tif", np.zeros((3, 4)), {"spacing": (1, np.nan)}, "one number above 0"),
        ("i.tif", np.zeros((3, 4)), {"channel_names": ["a", "b"]}, "2 channel_names for 1"),
        ("i.tif", np.zeros((3, 4)), {"metadata": {"a": np.nan}}, "not JSON compliant"),
        ("i.tif", np.zeros((3, 4)), {"metadata": {"a": object()}}, "not JSON serializable"),
        ("i.tif", np.zeros((3, 0)), {}, "no pixels"),
        ("i.tif", np.zeros(()), {}, "1 to 5 axes"),
        ("i.tif", np.array([[2**40]]), {}, "up to 32 bits; got 1099511627776"),
        ("i.tif", np.array([["a"]]), {}, "holds numbers"),
        ("i.tif", np.array([[1j]]), {}, "holds numbers"),
        ("i.npy", np.array([[None]]), {}, "Object arrays"),
        ("i.png", np.zeros((3, 4), np.float32), {}, r"use \.tif"),
        ("i.png", np.zeros((3, 4, 5), np.uint8), {}, "not ZYX"),
        ("i.png", np.array([[70_000]]), {}, "0 to 65535"),
        ("i.png", np.array([[-1]]), {}, "0 to 65535"),
        ("i.png", np.zeros((3, 4, 7), np.uint8), {"axes": "YXC"}, "3 or 4 channels"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(tmp_path, name, array, facts, message):
    with pytest.raises(ImageFileError, match=message) as caught:
        write_image(tmp_path / name, array, **facts)
    assert name in str(caught.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["i.tif", "i.ome.tif", "i.png", "i.npy"])
def test_full_disk_leaves_the_old_image(tmp_path, monkeypatch, name):
    write_image(tmp_path / name, pixels((7, 9)))
    before = (tmp_path / name).read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_image(tmp_path / name, pixels((8, 9)))
    assert (tmp_path / name).read_bytes() == before
    assert os.listdir(tmp_path) == [name]


def test_failure_leaves_the_old_zarr(tmp_path, monkeypatch):
    path = tmp_path / "i.zarr"
    write_image(path, pixels((7, 9)))

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("napari_spinney.files.zarr_images.write_zarr", full)
    with pytest.raises(OSError, match="No space left"):
        write_image(path, pixels((8, 9)))
    assert read_image(path).data.shape == (7, 9)
    assert os.listdir(tmp_path) == ["i.zarr"]
