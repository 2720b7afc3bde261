"""The command line, from files to files."""

import json
import shutil

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

import napari_spinney as spinney
from napari_spinney import samples
from napari_spinney.cli import app
from napari_spinney.cli.options import repeat_option

QUICK = ["--features", "small_quick", "--trees", "10", "--device", "cpu"]


def spin(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def fails(*words):
    """Run what must fail; the one line that says why."""
    result = spin(*words)
    assert result.exit_code == 1, result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("spinney: ")
    assert "Traceback" not in result.output
    return lines[0]


@pytest.fixture
def folder(tmp_path):
    for path in samples.folder().glob("*.tif"):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.fixture
def model(folder):
    path = folder / "nuclei.spinney"
    sample = samples.load_sample("nuclei")
    clf = spinney.PixelClassifier("small_quick", n_trees=10)
    clf.fit(sample.image, sample.strokes, spacing=sample.spacing, device="cpu").save(path)
    return path


# ------------------------------------------------------------------- training


def test_train_writes_a_model_that_python_loads(folder):
    out = folder / "m.spinney"
    result = spin(
        "train", folder / "nuclei.tif", "--annotation", folder / "nuclei_strokes.tif",
        "--out", out, "--name", "2=nucleus", *QUICK,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    clf = spinney.load(out)
    assert clf.classes_.tolist() == [1, 2]
    assert clf.class_names[2] == "nucleus"
    assert clf.forest_.n_trees == 10
    assert "held out" in result.output


def test_train_reads_spacing_from_the_file(folder):
    out = folder / "m.spinney"
    spin("train", folder / "stack.tif", "-a", folder / "stack_strokes.tif", "-o", out, *QUICK)
    assert spinney.load(out).state_.spacing == (1.0, 0.25, 0.25)


def test_train_reads_channels_from_the_file(folder):
    out = folder / "m.spinney"
    image, strokes = folder / "two_channels.tif", folder / "two_channels_strokes.tif"
    result = spin("train", image, "-a", strokes, "-o", out, *QUICK)
    assert result.exit_code == 0, result.output
    assert spinney.load(out).state_.n_channels == 2


def test_train_takes_axes_that_the_file_does_not_name(folder):
    sample = samples.load_sample("two_channels")
    np.save(folder / "image.npy", np.moveaxis(sample.image, 0, -1))
    result = spin(
        "train", folder / "image.npy", "-a", folder / "two_channels_strokes.tif",
        "-o", folder / "m.spinney", "--channel-axis", "-1", "--spacing", "0.5", *QUICK,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    state = spinney.load(folder / "m.spinney").state_
    assert (state.n_channels, state.spacing) == (2, (0.5, 0.5))


def test_train_takes_several_images_and_as_many_annotations(folder):
    a, b = folder / "nuclei.tif", folder / "shapes.tif"
    strokes = folder / "nuclei_strokes.tif", folder / "shapes_strokes.tif"
    result = spin("train", a, b, "-a", *strokes, "-o", folder / "m.spinney", *QUICK)
    assert result.exit_code == 0, result.output
    assert spinney.load(folder / "m.spinney").table_.n_images == 2


def test_train_adds_to_a_model(folder, model):
    before = len(spinney.load(model).table_)
    result = spin(
        "train", folder / "shapes.tif", "-a", folder / "shapes_strokes.tif", "--add-to", model,
        "-o", model, "--no-validate", "--device", "cpu",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert len(spinney.load(model).table_) > before


def test_same_seed_same_model(folder):
    words = [
        "train",
        folder / "nuclei.tif",
        "-a",
        folder / "nuclei_strokes.tif",
        *QUICK,
        "--seed",
        3,
    ]
    spin(*words, "-o", folder / "a.spinney")
    spin(*words, "-o", folder / "b.spinney")
    a, b = (spinney.load(folder / name).forest_.trees for name in ("a.spinney", "b.spinney"))
    np.testing.assert_array_equal(a.threshold, b.threshold)


def test_why_there_is_no_estimate_is_said(folder):
    strokes = np.zeros((256, 256), np.uint8)
    strokes[2, 2:40], strokes[100, 100:140] = 1, 2
    tifffile.imwrite(folder / "few.tif", strokes)
    result = spin(
        "train", folder / "shapes.tif", "-a", folder / "few.tif", "-o", folder / "m.spinney", *QUICK
    )
    assert result.exit_code == 0, result.output
    assert "No estimate of the error: " in result.output


# ----------------------------------------------------------------- prediction


@pytest.mark.parametrize(
    ("what", "dtype", "ndim"),
    [
        ("classes", "uint8", 2),
        ("probability", "float32", 3),
        ("uncertainty", "float32", 2),
        ("objects", "uint32", 2),
    ],
)
def test_predict_writes_what_python_predicts(folder, model, what, dtype, ndim):
    result = spin(
        "predict", model, folder / "nuclei.tif", "--out", folder / "out", "--what", what,
        "--device", "cpu", "--format", "npy",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    written = np.load(folder / "out" / f"nuclei_{what}.npy")
    clf, image = spinney.load(model), samples.load_sample("nuclei").image
    expected = {
        "classes": lambda: clf.predict(image, device="cpu"),
        "probability": lambda: clf.predict_proba(image, device="cpu"),
        "uncertainty": lambda: clf.predict_uncertainty(image, device="cpu"),
        "objects": lambda: spinney.ObjectSegmenter.from_state(clf.state_).predict(
            image, device="cpu"
        ),
    }[what]()
    np.testing.assert_array_equal(written, expected)
    assert (written.dtype, written.ndim) == (dtype, ndim)


def test_predict_keeps_axes_and_spacing(folder):
    out = folder / "m.spinney"
    spin("train", folder / "stack.tif", "-a", folder / "stack_strokes.tif", "-o", out, *QUICK)
    result = spin("predict", out, folder / "stack.tif", "-o", folder / "out", "--device", "cpu")
    assert result.exit_code == 0, result.output
    from napari_spinney.files.images import read_image

    written = read_image(folder / "out" / "stack_classes.tif")
    assert written.axes == "ZYX"
    assert written.spacing == pytest.approx((1.0, 0.25, 0.25))


def test_predict_a_film_frame_by_frame(folder):
    out = folder / "m.spinney"
    spin(
        "train",
        folder / "time_lapse.tif",
        "-a",
        folder / "time_lapse_strokes.tif",
        "-o",
        out,
        *QUICK,
    )
    result = spin(
        "predict", out, folder / "time_lapse.tif", "-o", folder / "out", "--device", "cpu"
    )
    assert result.exit_code == 0, result.output
    assert tifffile.imread(folder / "out" / "time_lapse_classes.tif").shape == (8, 128, 128)


def test_predict_the_probability_of_one_class(folder, model):
    words = ["predict", model, folder / "nuclei.tif", "--out", folder, "--device", "cpu"]
    spin(*words, "--what", "probability", "--target-class", 1, "--format", "npy")
    expected = spinney.load(model).predict_proba(samples.load_sample("nuclei").image, device="cpu")[
        0
    ]
    np.testing.assert_array_equal(np.load(folder / "nuclei_probability.npy"), expected)


def test_options_of_objects_do_something(folder, model):
    words = ["predict", model, folder / "nuclei.tif", "--what", "objects", "--device", "cpu"]
    spin(*words, "-o", folder / "a")
    spin(*words, "-o", folder / "b", "--split", "--min-size", 30, "--clear-border")
    a, b = (tifffile.imread(folder / x / "nuclei_objects.tif") for x in "ab")
    assert np.bincount(b.ravel())[1:].min() >= 30
    assert not b[:, 0].any()
    assert a[:, 0].any()


def test_a_model_is_used_for_what_it_was_made(folder):
    sample = samples.load_sample("nuclei")
    clf = spinney.ObjectSegmenter("small_quick", n_trees=10, min_size=40)
    clf.fit(sample.image, sample.strokes, device="cpu").save(folder / "m.spinney")
    spin("predict", folder / "m.spinney", folder / "nuclei.tif", "-o", folder, "--device", "cpu")
    written = tifffile.imread(folder / "nuclei_objects.tif")
    np.testing.assert_array_equal(written, clf.predict(sample.image, device="cpu"))


# ---------------------------------------------------- inspect, convert, devices


def test_inspect_json_says_what_was_learnt(model):
    result = spin("inspect", model, "--json")
    summary = json.loads(result.stdout)
    assert summary["kind"] == "PixelClassifier"
    assert summary["trees"] == 10
    assert summary["learnt_from"]["images"] == 1
    assert set(summary["learnt_from"]["strokes"]) == {"1", "2"}
    assert sum(summary["importances"].values()) == pytest.approx(1)


def test_inspect_shows_features_by_importance(model):
    result = spin("inspect", model)
    assert result.exit_code == 0, result.output
    shares = [float(line.split("%")[0]) for line in result.stdout.splitlines() if "%" in line]
    assert len(shares) == 3
    assert shares == sorted(shares, reverse=True)


def test_convert_there_and_back_predicts_the_same(folder, model):
    assert spin("convert", model, folder / "m.cl").exit_code == 0
    assert spin("convert", folder / "m.cl", folder / "back.spinney").exit_code == 0
    image = samples.load_sample("nuclei").image
    expected = spinney.load(model).predict(image, device="cpu")
    np.testing.assert_array_equal(
        spinney.load(folder / "back.spinney").predict(image, device="cpu"), expected
    )


def test_devices_lists_the_processor_and_marks_one():
    result = spin("devices")
    lines = result.stdout.splitlines()
    assert any("cpu (CPU, numba)" in line for line in lines)
    assert sum(line.startswith("* ") for line in lines) == 1


def test_version():
    assert spin("--version").stdout.strip() == f"napari-spinney {spinney.__version__}"


# ------------------------------------------------------------------ bad input


def test_a_missing_file_is_wrong_use(folder):
    result = spin("train", folder / "no.tif", "-a", folder / "no.tif", "-o", folder / "m.spinney")
    assert result.exit_code == 2
    assert "no.tif" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--spacing", "0"],
        ["--spacing", "1,x"],
        ["--depth", "0"],
        ["--trees", "0"],
        ["--name", "nucleus"],
    ],
)
def test_a_wrong_option_is_wrong_use(folder, words):
    pair = [folder / "nuclei.tif", "-a", folder / "nuclei_strokes.tif"]
    result = spin("train", *pair, "-o", folder / "m.spinney", *words)
    assert result.exit_code == 2, result.output
    assert not (folder / "m.spinney").exists()


def test_annotations_are_counted(folder):
    strokes = folder / "nuclei_strokes.tif"
    line = fails("train", folder / "nuclei.tif", "-a", strokes, strokes, "-o", folder / "m.spinney")
    assert "1 image(s) and 2 annotation(s)" in line


def test_shapes_that_differ_name_both_files(folder):
    line = fails(
        "train",
        folder / "nuclei.tif",
        "-a",
        folder / "shapes_strokes.tif",
        "-o",
        folder / "m.spinney",
    )
    assert "nuclei.tif" in line
    assert "shapes_strokes.tif" in line
    assert "(256, 256)" in line
    assert "(320, 320)" in line


def test_an_unpainted_annotation_is_refused(folder):
    tifffile.imwrite(folder / "blank.tif", np.zeros((320, 320), np.uint8))
    line = fails(
        "train", folder / "nuclei.tif", "-a", folder / "blank.tif", "-o", folder / "m.spinney"
    )
    assert "annotat" in line


def test_a_file_that_is_no_image_is_named(folder):
    (folder / "text.tif").write_text("no image")
    line = fails(
        "train",
        folder / "text.tif",
        "-a",
        folder / "nuclei_strokes.tif",
        "-o",
        folder / "m.spinney",
    )
    assert "text.tif" in line


def test_an_unknown_feature_gets_the_nearest(folder):
    pair = [folder / "nuclei.tif", "-a", folder / "nuclei_strokes.tif"]
    line = fails("train", *pair, "-o", folder / "m.spinney", "--features", "gausian_blur=1")
    assert "gaussian_blur" in line


def test_an_unknown_device_gets_those_that_exist(folder):
    pair = [folder / "nuclei.tif", "-a", folder / "nuclei_strokes.tif"]
    line = fails("train", *pair, "-o", folder / "m.spinney", "--device", "abacus")
    assert "abacus" in line
    assert "numba" in line


def test_an_axis_that_is_not_there(folder):
    pair = [folder / "nuclei.tif", "-a", folder / "nuclei_strokes.tif"]
    line = fails("train", *pair, "-o", folder / "m.spinney", "--channel-axis", "4")
    assert "--channel-axis" in line


def test_a_damaged_model_is_named(folder):
    (folder / "bad.spinney").write_bytes(b"PK not a zip")
    assert "bad.spinney" in fails(
        "predict", folder / "bad.spinney", folder / "nuclei.tif", "-o", folder
    )


def test_channels_that_the_model_does_not_know(folder, model):
    line = fails("predict", model, folder / "two_channels.tif", "-o", folder, "--device", "cpu")
    assert "1 channel" in line
    assert "2" in line


def test_a_class_that_the_model_does_not_know(folder, model):
    words = ["predict", model, folder / "nuclei.tif", "-o", folder, "--target-class", 7]
    assert "7" in fails(*words, "--what", "objects")
    assert "7" in fails(*words, "--what", "probability", "--device", "cpu")


def test_two_images_of_one_name_do_not_overwrite_each_other(folder, model):
    other = folder / "other"
    other.mkdir()
    shutil.copy(folder / "nuclei.tif", other)
    line = fails(
        "predict", model, folder / "nuclei.tif", other / "nuclei.tif", "-o", folder / "out"
    )
    assert "nuclei_classes.tif" in line
    assert not (folder / "out").exists()


def test_debug_shows_where(folder):
    (folder / "bad.spinney").write_bytes(b"PK not a zip")
    result = spin("--debug", "inspect", folder / "bad.spinney")
    assert isinstance(result.exception, ValueError)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a b -a x y -o m", "a b -a x -a y -o m"),
        ("a --annotation x -o m", "a --annotation x -o m"),
        ("-a x -a y a b", "-a x -a y -a a -a b"),
        ("a -a x", "a -a x"),
    ],
)
def test_an_option_is_repeated_for_each_file(given, expected):
    assert repeat_option(given.split(), ("-a", "--annotation")) == expected.split()


@pytest.mark.parametrize(
    ("annotation", "word"),
    [
        (np.full((320, 320), 0.5), "0.5"),
        (np.full((320, 320), -1), "-1"),
        (np.ones((320, 320), np.uint8), "second"),
        (np.zeros((0, 320), np.uint8), "(0, 320)"),
        (np.ones(320, np.uint8), "(320,)"),
    ],
    ids=["fractions", "negative", "one class", "empty", "1D"],
)
def test_an_unfit_annotation_is_refused(folder, annotation, word):
    np.save(folder / "strokes.npy", annotation)
    line = fails(
        "train", folder / "nuclei.tif", "-a", folder / "strokes.npy", "-o", folder / "m.spinney"
    )
    assert word in line
    assert not (folder / "m.spinney").exists()


@pytest.mark.parametrize("shape", [(320,), (0, 320), (2, 2, 2, 2, 32, 32)], ids=str)
def test_an_unfit_image_is_refused(folder, shape):
    np.save(folder / "image.npy", np.zeros(shape, np.uint8))
    np.save(folder / "strokes.npy", np.zeros(shape, np.uint8))
    fails("train", folder / "image.npy", "-a", folder / "strokes.npy", "-o", folder / "m.spinney")


def test_an_annotation_of_floats_with_whole_numbers_works(folder):
    np.save(folder / "strokes.npy", samples.load_sample("nuclei").strokes.astype(float))
    out = folder / "m.spinney"
    result = spin("train", folder / "nuclei.tif", "-a", folder / "strokes.npy", "-o", out, *QUICK)
    assert result.exit_code == 0, result.output


def test_a_colour_picture_is_read_as_channels(folder):
    image = np.stack([samples.load_sample("nuclei").image] * 3, axis=-1)
    iio.imwrite(folder / "colour.png", image)
    out = folder / "m.spinney"
    strokes = folder / "nuclei_strokes.tif"
    result = spin("train", folder / "colour.png", "-a", strokes, "-o", out, *QUICK)
    assert result.exit_code == 0, result.output
    assert spinney.load(out).state_.n_channels == 3


def test_pixels_that_are_no_numbers_work(folder):
    image = samples.load_sample("nuclei").image.astype(np.float32)
    image[5:9, 5:9], image[100, 100] = np.nan, np.inf
    tifffile.imwrite(folder / "image.tif", image)
    out, strokes = folder / "m.spinney", folder / "nuclei_strokes.tif"
    result = spin("train", folder / "image.tif", "-a", strokes, "-o", out, *QUICK)
    assert result.exit_code == 0, result.output
    result = spin("predict", out, folder / "image.tif", "-o", folder / "out", "--device", "cpu")
    assert result.exit_code == 0, result.output


def test_a_folder_that_cannot_be_made_is_named(folder, model):
    (folder / "file").write_text("in the way")
    line = fails("predict", model, folder / "nuclei.tif", "-o", folder / "file" / "out")
    assert "file" in line


def test_a_model_of_an_unknown_kind_of_file_is_refused(folder, model):
    line = fails("convert", model, folder / "m.onnx")
    assert ".spinney" in line
