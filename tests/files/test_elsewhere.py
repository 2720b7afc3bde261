"""Labels and probabilities as ilastik, Labkit and QuPath write them."""

from __future__ import annotations

import json
import sys

import h5py
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage.draw import polygon2mask

from napari_spinney.files.elsewhere import numbers_by_name, read_labels, read_probabilities
from napari_spinney.files.errors import ImageFileError

LABELS = np.array([[0, 1, 1, 0], [2, 2, 0, 0], [0, 0, 0, 5]], np.uint8)


def write_ilastik(path, array, axes, name="exported_data"):
    tags = json.dumps({"axes": [{"key": axis, "typeFlags": 2} for axis in axes]})
    with h5py.File(path, "w") as file:
        file[name] = array
        file[name].attrs["axistags"] = tags
    return path


# --- ilastik --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("axes", "array"),
    [
        ("yx", LABELS),
        ("yxc", LABELS[..., None]),
        ("tzyxc", LABELS[None, None, ..., None]),
        ("xyc", LABELS.T[..., None]),
    ],
)
def test_labels_of_ilastik_in_any_order_of_axes(tmp_path, axes, array):
    found = read_labels(write_ilastik(tmp_path / "l.h5", array, axes))
    assert found.axes == "yx"
    np.testing.assert_array_equal(found.classes, LABELS)


def test_stacks_of_ilastik_take_the_shape_of_their_image(tmp_path):
    stack = np.stack([LABELS, LABELS * 0])
    path = write_ilastik(tmp_path / "l.hdf5", np.moveaxis(stack, 0, -1)[None], "tyxz")
    found = read_labels(path, shape=(1, 2, 3, 4))
    assert (found.axes, found.classes.shape) == ("tzyx", (1, 2, 3, 4))
    np.testing.assert_array_equal(found.classes[0], stack)


def test_npy_and_tiff_of_ilastik(tmp_path):
    np.save(tmp_path / "l.npy", LABELS[..., None])
    tifffile.imwrite(tmp_path / "l.tif", LABELS)
    for name in ("l.npy", "l.tif"):
        np.testing.assert_array_equal(read_labels(tmp_path / name).classes, LABELS)


def test_an_array_without_axes_and_one_of_several(tmp_path):
    path = tmp_path / "l.h5"
    with h5py.File(path, "w") as file:
        file["some/labels"] = LABELS
        file["other"] = LABELS * 0
    with pytest.raises(ImageFileError, match=r"l\.h5.*there are other, some/labels"):
        read_labels(path)
    np.testing.assert_array_equal(read_labels(path, dataset="/some/labels").classes, LABELS)


@pytest.mark.parametrize(
    ("array", "axes", "reason"),
    [
        (np.zeros((3, 4, 2), np.uint8), "yxc", "has 2 channels"),
        (LABELS * 0.5, "yx", "no whole number"),
        (LABELS, "yy", "axistags 'yy' do not fit"),
        (LABELS, "q", "axistags 'q' do not fit"),
    ],
)
def test_what_is_no_annotation_is_refused(tmp_path, array, axes, reason):
    path = write_ilastik(tmp_path / "l.h5", array, axes)
    with pytest.raises(ImageFileError, match=reason):
        read_labels(path)


def test_a_project_is_told_from_an_export(tmp_path):
    path = write_ilastik(tmp_path / "p.ilp", LABELS, "yx")
    with pytest.raises(ImageFileError, match="project of ilastik, not an export"):
        read_labels(path)


def test_files_that_are_none_are_refused(tmp_path):
    for name in ("l.h5", "l.labeling", "l.geojson", "l.png"):
        (tmp_path / name).write_bytes(b"nothing")
        with pytest.raises(ImageFileError, match=name):
            read_labels(tmp_path / name, shape=(3, 4))
    with pytest.raises(ImageFileError, match="missing"):
        read_labels(tmp_path / "missing.h5")


def test_without_h5py_it_says_what_to_install(tmp_path, monkeypatch):
    path = write_ilastik(tmp_path / "l.h5", LABELS, "yx")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match="pip install h5py"):
        read_labels(path)


def test_another_shape_is_refused(tmp_path):
    np.save(tmp_path / "l.npy", LABELS)
    with pytest.raises(ImageFileError, match=r"shape \(3, 4\).*has \(4, 3\)"):
        read_labels(tmp_path / "l.npy", shape=(4, 3))


@pytest.mark.parametrize(("dtype", "top"), [(np.float32, 1), (np.uint8, 255), (np.uint16, 65535)])
def test_probabilities_have_the_classes_first(tmp_path, dtype, top):
    wanted = np.zeros((2, 3, 4), np.float32)
    wanted[0, 0], wanted[1] = 1, 1 - wanted[0]
    stored = (np.moveaxis(wanted, 0, -1) * top).astype(dtype)
    np.save(tmp_path / "p.npy", stored)
    for path in (write_ilastik(tmp_path / "p.h5", stored[None], "zyxc"), tmp_path / "p.npy"):
        values, axes = read_probabilities(path)
        assert (axes, values.dtype) == ("cyx", np.float32)
        np.testing.assert_array_equal(values, wanted)
    moved, _ = read_probabilities(tmp_path / "p.npy", axes="xyc")
    np.testing.assert_array_equal(moved, wanted.transpose(0, 2, 1))


def test_probabilities_need_an_axis_of_classes(tmp_path):
    path = write_ilastik(tmp_path / "p.h5", np.zeros((3, 4), np.float32), "yx")
    with pytest.raises(ImageFileError, match="say which is which"):
        read_probabilities(path)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.full((3, 4, 2), 255, np.float32), "got 255 to 255.*without renormalising"),
        (np.full((3, 4, 2), np.nan, np.float32), "probabilities lie from 0 to 1"),
        (np.full((3, 4, 2), -5000, np.int16), "probabilities lie from 0 to 1"),
        (np.full((3, 4, 2), 1j), "complex128"),
    ],
)
def test_numbers_that_are_no_probabilities_are_refused(tmp_path, values, reason):
    path = write_ilastik(tmp_path / "p.h5", values, "yxc")
    with pytest.raises(ImageFileError, match=reason):
        read_probabilities(path)


def test_a_plane_alone_has_no_classes(tmp_path):
    np.save(tmp_path / "p.npy", np.zeros((3, 4), np.float32))
    with pytest.raises(ImageFileError, match="say which is which"):
        read_probabilities(tmp_path / "p.npy")


def test_pixels_in_other_files_are_not_read(tmp_path):
    (tmp_path / "secret").write_bytes(b"secrets of mine!")
    with h5py.File(tmp_path / "l.h5", "w") as file:
        outside = [(str(tmp_path / "secret"), 0, 16)]
        file.create_dataset("exported_data", shape=(4, 4), dtype="u1", external=outside)
    with pytest.raises(ImageFileError, match="lie in other files"):
        read_labels(tmp_path / "l.h5")


def test_an_array_that_unpacks_to_far_more_is_refused(tmp_path):
    with h5py.File(tmp_path / "l.h5", "w") as file:
        file.create_dataset("exported_data", shape=(2**22, 2**22), chunks=(64, 64), dtype="u1")
    with pytest.raises(ImageFileError, match="unpacks from"):
        read_labels(tmp_path / "l.h5")


# --- Labkit ---------------------------------------------------------------------------------


def labeling(**changes):
    return {
        "interval": {"min": [0, 0], "max": [3, 2], "n": 2},
        "pixelSizes": [{"size": 1.0, "unit": "pixel"}] * 2,
        "labels": {"background": [[1, 0], [2, 0]], "nüclei": [[0, 1], [1, 1], [3, 2]]},
        "colors": {"background": "#0000FF", "nüclei": "#FF0000"},
    } | changes


def test_a_labeling_of_labkit(tmp_path):
    (tmp_path / "l.labeling").write_text(json.dumps(labeling()), encoding="utf-8")
    found = read_labels(tmp_path / "l.labeling")
    np.testing.assert_array_equal(found.classes, np.minimum(LABELS, 2))
    assert found.names == {1: "background", 2: "nüclei"}
    assert found.colors == {1: "#0000FF", 2: "#FF0000"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"labels": {"a": [[9, 0]]}}, "label 'a' has points outside"),
        ({"labels": {"a": [["x", 0]]}}, "holds no list of points"),
        ({"labels": {"a": [[1.5, 0]]}}, "holds no list of points"),
        ({"labels": {"a": [[10**30, 0]]}}, "holds no list of points"),
        ({"interval": {"min": [0, 0], "max": [float("inf"), 2]}}, "no interval and labels"),
        ({"labels": None}, "no interval and labels"),
        ({"interval": {"min": [0, 0], "max": [10**9, 10**9]}}, "cannot be read"),
    ],
)
def test_a_damaged_labeling_is_refused(tmp_path, changes, reason):
    (tmp_path / "l.labeling").write_text(json.dumps(labeling(**changes)))
    with pytest.raises(ImageFileError, match=reason):
        read_labels(tmp_path / "l.labeling")


@pytest.mark.parametrize("colors", [None, ["background"], {"background": "url(x)", "nüclei": 5}])
def test_colors_that_are_none_are_left_out(tmp_path, colors):
    (tmp_path / "l.labeling").write_text(json.dumps(labeling(colors=colors)), encoding="utf-8")
    assert read_labels(tmp_path / "l.labeling").colors == {}


def test_a_tiff_of_labkit_stands_for_sets_of_labels(tmp_path):
    tifffile.imwrite(tmp_path / "l.tif", np.array([[0, 1, 2], [3, 0, 1]], np.uint8))
    sets = [[], ["nuclei"], ["background"], ["background", "nuclei"]]
    beside = tmp_path / "l.tif.labels"
    beside.write_text(json.dumps({"labelSets": sets}))
    found = read_labels(tmp_path / "l.tif")
    assert found.names == {1: "background", 2: "nuclei"}
    assert found.classes.tolist() == [[0, 2, 1], [2, 0, 2]]
    beside.write_text(json.dumps({"labelSets": sets[:2]}))
    with pytest.raises(ImageFileError, match="no set for the number 3"):
        read_labels(tmp_path / "l.tif")


# --- QuPath ---------------------------------------------------------------------------------


def feature(kind, coordinates, name=None, **classification):
    found = {"name": name, **classification} if name else classification or None
    properties = {"objectType": "annotation", "classification": found}
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }


def box(x0, y0, x1, y1):
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]


def write_geojson(path, *features):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_annotations_of_qupath_are_painted(tmp_path):
    path = write_geojson(
        tmp_path / "q.geojson",
        feature("Polygon", [box(1, 1, 9, 6), box(4, 2, 6, 5)], "Tumor", color=[200, 0, 0]),
        feature("MultiPolygon", [[box(0, 7, 2, 9)], [box(7, 7, 9, 9)]], "Stroma", colorRGB=-1),
        feature("LineString", [[2.5, 9.5], [7.5, 9.5]], "Tumor"),
        feature("Polygon", [box(0, 0, 10, 10)], "Ignore*"),
        feature("Polygon", [box(0, 0, 10, 10)]),
    )
    found = read_labels(path, shape=(10, 11))
    wanted = np.zeros((10, 11), int)
    wanted[1:6, 1:9] = 1
    wanted[2:5, 4:6] = 0
    wanted[7:9, 0:2] = wanted[7:9, 7:9] = 2
    wanted[9, 2:8] = 1
    np.testing.assert_array_equal(found.classes, wanted)
    assert found.names == {1: "Tumor", 2: "Stroma"}
    assert found.colors == {1: "#c80000", 2: "#ffffff"}


def test_points_and_shapes_beyond_the_image(tmp_path):
    path = write_geojson(
        tmp_path / "q.geojson",
        feature("MultiPoint", [[1.2, 0.9], [99, 99]], "a"),
        feature("Polygon", [box(2, 2, 99, 99)], names=["b", "c"]),
    )
    found = read_labels(path, shape=(4, 4))
    assert found.classes.tolist() == [[0, 1, 0, 0], [0] * 4, [0, 0, 2, 2], [0, 0, 2, 2]]
    assert found.names[2] == "b: c"
    write_geojson(path, feature("LineString", [[0, 0], [1e15, 0]], "a"))
    with pytest.raises(ImageFileError, match="geometry cannot be read"):
        read_labels(path, shape=(4, 4))


@pytest.mark.parametrize("far", [float("nan"), float("inf"), 1e300])
@pytest.mark.parametrize("kind", ["Polygon", "MultiLineString"])
def test_places_that_are_none_are_refused(tmp_path, far, kind):
    path = write_geojson(tmp_path / "q.geojson", feature(kind, [[[0, 0], [3, 0], [3, far]]], "a"))
    with pytest.raises(ImageFileError, match="geometry cannot be read"):
        read_labels(path, shape=(4, 4))


@given(
    corners=st.lists(st.tuples(*[st.floats(-9, 25)] * 2), min_size=3, max_size=6),
    hole=st.lists(st.tuples(*[st.floats(-9, 25)] * 2), min_size=3, max_size=4),
)
def test_a_polygon_takes_the_pixels_whose_middles_lie_inside(tmp_path_factory, corners, hole):
    path = tmp_path_factory.mktemp("q") / "q.geojson"
    write_geojson(path, feature("Polygon", [corners, hole], "a"))
    outline, inner = (np.array(ring)[:, ::-1] - 0.5 for ring in (corners, hole))
    wanted = polygon2mask((14, 16), outline) & ~polygon2mask((14, 16), inner)
    np.testing.assert_array_equal(read_labels(path, shape=(14, 16)).classes, wanted)


def test_annotations_without_shape_or_class_are_refused(tmp_path):
    path = write_geojson(tmp_path / "q.geojson", feature("Polygon", [box(0, 0, 2, 2)]))
    with pytest.raises(ImageFileError, match="shape of their image"):
        read_labels(path)
    with pytest.raises(ImageFileError, match="nothing in it has a class"):
        read_labels(path, shape=(4, 4))
    write_geojson(path, feature("Polygon", [[["x", 1]]], "a"))
    with pytest.raises(ImageFileError, match="geometry cannot be read"):
        read_labels(path, shape=(4, 4))


def test_a_picture_with_indexed_colours_holds_its_numbers(tmp_path):
    picture = Image.fromarray(LABELS, mode=None).convert("P")
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 0, 255] + [9] * 759)
    picture.putdata(LABELS.ravel().tolist())
    picture.save(tmp_path / "q.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "q.png").classes, LABELS)


def test_a_picture_that_is_a_bomb_is_refused(tmp_path, monkeypatch):
    Image.new("P", (300, 300)).save(tmp_path / "q.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    with pytest.raises(ImageFileError, match=r"use \.tif"):
        read_labels(tmp_path / "q.png")


def test_a_picture_in_colour_is_no_annotation(tmp_path):
    Image.fromarray(np.zeros((3, 4, 3), np.uint8)).save(tmp_path / "q.png")
    with pytest.raises(ImageFileError, match="has 3 channels"):
        read_labels(tmp_path / "q.png")


@pytest.mark.parametrize(
    ("names", "known", "taken", "wanted"),
    [
        ({1: "a", 2: "b"}, {}, None, {1: 1, 2: 2}),
        ({1: "b", 2: "a"}, {1: "a", 2: "b"}, None, {1: 2, 2: 1}),
        ({1: "c", 2: "a"}, {1: "a", 2: "b"}, None, {1: 3, 2: 1}),
        ({1: "a", 2: "b"}, {1: "b"}, None, {1: 2, 2: 1}),
        ({1: "c"}, {1: "background", 2: "foreground"}, (), {1: 1}),
        ({1: "c"}, {1: "background", 2: "foreground"}, (1,), {1: 2}),
    ],
)
def test_a_name_means_one_class_in_all_files(names, known, taken, wanted):
    assert numbers_by_name(names, known, taken) == wanted


def test_labels_take_other_numbers_with_their_names(tmp_path):
    (tmp_path / "l.labeling").write_text(json.dumps(labeling()), encoding="utf-8")
    found = read_labels(tmp_path / "l.labeling").renumbered({4: "background"})
    np.testing.assert_array_equal(found.classes, np.array([0, 4, 2])[np.minimum(LABELS, 2)])
    assert found.names == {4: "background", 2: "nüclei"}
    assert found.colors == {4: "#0000FF", 2: "#FF0000"}


def test_the_command_line_learns_the_same_classes_from_several_files(tmp_path):
    from typer.testing import CliRunner

    import napari_spinney as spinney
    from napari_spinney.cli import app

    for number, order in enumerate(["ab", "ba"]):
        areas = zip(order, [(0, 0, 2, 2), (3, 0, 6, 2)], strict=True)
        painted = [feature("Polygon", [box(*at)], name, colorRGB=9) for name, at in areas]
        write_geojson(tmp_path / f"{number}.geojson", *painted)
        tifffile.imwrite(tmp_path / f"{number}.tif", np.random.default_rng(0).normal(size=(4, 8)))
    words = [tmp_path / "0.tif", tmp_path / "1.tif"]
    words += ["-a", tmp_path / "0.geojson", tmp_path / "1.geojson"]
    words += ["-o", tmp_path / "m.spinney", "--name", "2=tumour"]
    options = ["--trees", "2", "--features", "original", "--no-validate", "--device", "cpu"]
    result = CliRunner().invoke(app, ["train", *map(str, words), *options])
    assert result.exit_code == 0, result.output
    model = spinney.load(tmp_path / "m.spinney")
    assert model.table_.counts() == {1: 4 + 6, 2: 6 + 4}
    assert model.class_names == {1: "a", 2: "tumour"}
    assert model.class_colors == {1: "#000009", 2: "#000009"}


def test_the_command_line_learns_from_a_labeling(tmp_path):
    from typer.testing import CliRunner

    import napari_spinney as spinney
    from napari_spinney.cli import app

    tifffile.imwrite(tmp_path / "i.tif", np.random.default_rng(0).normal(size=(3, 4)))
    (tmp_path / "l.labeling").write_text(json.dumps(labeling()), encoding="utf-8")
    words = [tmp_path / "i.tif", "-a", tmp_path / "l.labeling", "-o", tmp_path / "m.spinney"]
    options = ["--trees", "2", "--features", "original", "--no-validate", "--device", "cpu"]
    result = CliRunner().invoke(app, ["train", *map(str, words), *options])
    assert result.exit_code == 0, result.output
    assert spinney.load(tmp_path / "m.spinney").table_.counts() == {1: 2, 2: 3}
