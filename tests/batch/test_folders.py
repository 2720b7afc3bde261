"""Folders of images: what fails stops nothing, what is finished is not done again."""

import errno
import json
import shutil
import tracemalloc

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

import napari_spinney as spinney
from napari_spinney import samples
from napari_spinney.batch import folders as engine
from napari_spinney.batch.files import open_picture, train_files
from napari_spinney.batch.flight import IN_FLIGHT
from napari_spinney.batch.folders import FileStep, Job, Task, predict_files, run_tasks
from napari_spinney.cli import app
from napari_spinney.files.images import read_provenance, write_image
from napari_spinney.provenance import file_fact, read_origin, same_origin, sha256_of

QUICK = ["--device", "cpu"]


def spin(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def model(tmp_path):
    sample = samples.load_sample("nuclei")
    clf = spinney.PixelClassifier("small_quick", n_trees=5)
    clf.fit(sample.image, sample.strokes, device="cpu").save(tmp_path / "m.spinney")
    return tmp_path / "m.spinney"


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "Bilder für heute"
    folder.mkdir()
    whole = samples.load_sample("nuclei").image
    for i, name in enumerate(("a 1.tif", "größe.tif", "細胞.npy")):
        write_image(folder / name, whole[40 * i : 40 * i + 40, :50])
    return folder


def stamps(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def job(model, **options):
    return Job(spinney.load(model), file_fact(model), "classes", device="cpu", **options)


def pairs(images, out):
    return [(path, out / f"{path.stem}.tif") for path in sorted(images.iterdir())]


def test_a_folder_is_predicted_as_its_images_are(images, model, tmp_path):
    out = tmp_path / "out put"
    result = spin("predict", model, images, "--out", out, *QUICK)
    assert result.exit_code == 0, result.output
    assert sorted(stamps(out)) == ["a 1_classes.tif", "größe_classes.tif", "細胞_classes.tif"]
    expected = spinney.load(model).predict(np.load(images / "細胞.npy"), device="cpu")
    np.testing.assert_array_equal(tifffile.imread(out / "細胞_classes.tif"), expected)
    assert "3 written, 0 there already, 0 failed" in result.output


def test_a_pattern_in_quotes_is_predicted(images, model, tmp_path):
    result = spin("predict", model, f"{images}/*.tif", "--out", tmp_path / "out", *QUICK)
    assert result.exit_code == 0, result.output
    assert len(stamps(tmp_path / "out")) == 2


@pytest.mark.parametrize("kind", ["tif", "png", "npy", "zarr"])
def test_what_is_finished_is_not_done_again(images, model, tmp_path, kind):
    words = ["predict", model, images, "--out", tmp_path / "out", "--format", kind, *QUICK]
    spin(*words)
    before = stamps(tmp_path / "out")
    assert "0 written, 3 there already" in spin(*words).output
    assert stamps(tmp_path / "out") == before
    assert "3 written, 0 there already" in spin(*words, "--again").output


def test_an_interrupted_run_goes_on_where_it_was(images, model, tmp_path):
    out = tmp_path / "out"
    run = predict_files(job(model), pairs(images, out))
    next(run)
    run.close()
    (out / "größe.tif").unlink(missing_ok=True)
    states = [outcome.state for outcome in predict_files(job(model), pairs(images, out))]
    assert states[:2] == ["kept", "made"]


def test_cancelling_within_an_image_leaves_no_file(images, model, tmp_path):
    run = run_tasks([Task(job(model), *pair) for pair in pairs(images, tmp_path / "out")])
    assert isinstance(next(run), FileStep)
    run.close()
    assert all(read_provenance(path) for path in (tmp_path / "out").glob("*"))
    assert not list((tmp_path / "out").glob(".*"))


def test_another_model_image_or_option_is_done_again(images, model, tmp_path):
    files = pairs(images, tmp_path / "out")
    list(predict_files(job(model), files))
    write_image(images / "a 1.tif", np.zeros((40, 50), np.uint8))
    states = [outcome.state for outcome in predict_files(job(model), files)]
    assert states == ["made", "kept", "kept"]
    other = job(model, layout=engine.Layout(spacing=(2.0,)))
    assert {outcome.state for outcome in predict_files(other, files)} == {"made"}
    clf = spinney.load(model)
    clf.class_names[1] = "other"
    clf.save(model)
    assert {outcome.state for outcome in predict_files(job(model), files)} == {"made"}


def test_a_result_that_was_damaged_is_made_again(images, model, tmp_path):
    files = pairs(images, tmp_path / "out")
    list(predict_files(job(model), files))
    files[0][1].write_bytes(files[0][1].read_bytes()[:100])
    states = [outcome.state for outcome in predict_files(job(model), files)]
    assert states == ["made", "kept", "kept"]


def test_broken_files_are_reported_at_the_end(images, model, tmp_path):
    (images / "b.tif").write_bytes(b"II*\0broken")
    write_image(images / "c.tif", np.zeros((2, 9, 9), np.uint8), "CYX")
    result = spin("predict", model, images, "--out", tmp_path / "out", *QUICK)
    assert result.exit_code == 1
    assert len(stamps(tmp_path / "out")) == 3
    assert "3 written, 0 there already, 2 failed" in result.output
    broken, channels = result.stderr.strip().splitlines()
    assert "b.tif" in broken
    assert "c.tif" in channels
    assert "channel" in channels


def test_a_full_disk_ends_the_run_and_keeps_what_was_made(images, model, tmp_path, monkeypatch):
    predict = engine.predict_file

    def full(model, picture, result, *rest, **options):
        if "größe" in result.name:
            raise OSError(errno.ENOSPC, "No space left on device", str(result))
        return predict(model, picture, result, *rest, **options)

    monkeypatch.setattr(engine, "predict_file", full)
    result = spin("predict", model, images, "--out", tmp_path / "out", *QUICK)
    assert result.exit_code == 1
    assert "No space left" in result.stderr
    assert "a 1_classes.tif" in stamps(tmp_path / "out")
    assert "größe_classes.tif" not in stamps(tmp_path / "out")


def test_few_files_are_in_flight(images, model, tmp_path):
    asked = []

    def files():
        for number in range(50):
            asked.append(number)
            yield images / "a 1.tif", tmp_path / "out" / f"{number}.tif"

    run = predict_files(job(model), files())
    next(run)
    run.close()
    assert len(asked) <= IN_FLIGHT + 1


def test_outcomes_come_in_the_order_of_the_files(images, model, tmp_path):
    write_image(images / "0 large.tif", np.zeros((900, 900), np.uint8))
    files = pairs(images, tmp_path / "out")
    outcomes = list(predict_files(job(model), files))
    assert [outcome.image for outcome in outcomes] == [image for image, _ in files]


def test_an_empty_folder_is_refused(model, tmp_path):
    (tmp_path / "empty").mkdir()
    result = spin("predict", model, tmp_path / "empty", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "no images in the folder" in result.stderr


def test_a_folder_is_not_predicted_into_itself(images, model):
    result = spin("predict", model, images, "--out", images, *QUICK)
    assert result.exit_code == 1
    assert "another folder" in result.stderr
    assert len(stamps(images)) == 3


def test_a_missing_image_is_wrong_use(model, tmp_path):
    assert spin("predict", model, tmp_path / "no.tif", "-o", tmp_path).exit_code == 2


# ------------------------------------------------------------------- training


@pytest.fixture
def annotated(tmp_path):
    folders = tmp_path / "images", tmp_path / "masks"
    for folder, ending in zip(folders, ("", "_strokes"), strict=True):
        folder.mkdir()
        for name in ("nuclei", "shapes"):
            shutil.copy(samples.folder() / f"{name}{ending}.tif", folder / f"{name}.tif")
    return folders


TRAIN = ["--features", "small_quick", "--trees", "5", "--no-validate", *QUICK]


def test_a_folder_and_a_table_train_what_lists_train(annotated, tmp_path):
    images, masks = annotated
    rows = [f"images/{name}.tif,masks/{name}.tif" for name in ("nuclei", "shapes")]
    (tmp_path / "p.csv").write_text("\n".join(["image,mask", *rows]), encoding="utf-8")
    ways = {
        "list": [*sorted(images.iterdir()), "-a", *sorted(masks.iterdir())],
        "folder": ["--folder", images, "--masks", masks],
        "table": ["--pairs", tmp_path / "p.csv"],
    }
    trees = []
    for way, words in ways.items():
        result = spin("train", *words, "-o", tmp_path / f"{way}.spinney", *TRAIN)
        assert result.exit_code == 0, result.output
        trees.append(spinney.load(tmp_path / f"{way}.spinney").forest_.trees.threshold)
    np.testing.assert_array_equal(trees[0], trees[1])
    np.testing.assert_array_equal(trees[0], trees[2])


@pytest.mark.parametrize("stages", [1, 2])
def test_files_read_one_by_one_train_what_arrays_train(annotated, stages):
    images, masks = (sorted(folder.iterdir()) for folder in annotated)
    options = {"n_trees": 5, "stages": stages}
    one_by_one = spinney.PixelClassifier("small_quick gaussian_blur=3", **options)
    train_files(one_by_one, images, masks, device="cpu")
    together = spinney.PixelClassifier("small_quick gaussian_blur=3", **options)
    pictures = [open_picture(path) for path in images]
    together.fit(
        [picture.image.data for picture in pictures],
        [tifffile.imread(path) for path in masks],
        spacing=pictures[0].image.spacing,
        device="cpu",
    )
    for ours, theirs in zip(one_by_one.state_.stages, together.state_.stages, strict=True):
        np.testing.assert_array_equal(ours.forest.trees.threshold, theirs.forest.trees.threshold)
        np.testing.assert_array_equal(ours.table.X, theirs.table.X)
        np.testing.assert_array_equal(ours.table.stroke, theirs.table.stroke)


def test_images_of_other_spacing_may_each_have_one_class(tmp_path):
    image = samples.load_sample("nuclei").image[:60, :60]
    files = []
    for number, spacing in ((1, (0.5, 0.5)), (2, (0.25, 0.25))):
        painted = np.zeros(image.shape, np.uint8)
        painted[10:20, 10:20] = number
        files.append((tmp_path / f"i{number}.tif", tmp_path / f"m{number}.tif"))
        write_image(files[-1][0], image, spacing=spacing)
        write_image(files[-1][1], painted)
    model = spinney.PixelClassifier("gaussian_blur=1um", n_trees=5)
    train_files(model, *zip(*files, strict=True), device="cpu")
    assert model.classes_.tolist() == [1, 2]
    fine, coarse = (model.table_.X[model.table_.y == number] for number in (2, 1))
    assert not np.array_equal(fine, coarse)


def test_training_holds_one_image_at_a_time(tmp_path):
    n_files, shape = 40, (500, 500)
    painted = np.zeros(shape, np.uint8)
    painted[5, 5:25], painted[9, 5:25] = 1, 2
    files = []
    for number in range(n_files):
        files.append((tmp_path / f"i{number}.tif", tmp_path / f"m{number}.tif"))
        write_image(files[-1][0], np.full(shape, number, np.float32))
        write_image(files[-1][1], painted)
    model = spinney.PixelClassifier("small_quick", n_trees=2)
    images, masks = zip(*files, strict=True)
    train_files(spinney.PixelClassifier("small_quick", n_trees=2), images[:2], masks[:2])
    tracemalloc.start()
    try:
        train_files(model, images, masks, device="cpu")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert model.table_.n_images == n_files
    assert peak < 8 * 4 * np.prod(shape)


def test_a_model_says_which_files_it_learnt_from(annotated, tmp_path):
    images, masks = annotated
    words = ["train", images / "nuclei.tif", "-a", masks / "nuclei.tif", *TRAIN]
    spin(*words, "-o", tmp_path / "m.spinney")
    words[1], words[3] = images / "shapes.tif", masks / "shapes.tif"
    spin(*words, "--add-to", tmp_path / "m.spinney", "-o", tmp_path / "m.spinney")
    files = spinney.load(tmp_path / "m.spinney").provenance_["files"]
    assert [file["image"]["file"] for file in files] == ["nuclei.tif", "shapes.tif"]
    assert files[1]["annotation"]["sha256"] == sha256_of(masks / "shapes.tif")


def test_a_mask_without_an_image_is_named(annotated, tmp_path):
    (annotated[0] / "shapes.tif").unlink()
    words = ["--folder", annotated[0], "--masks", annotated[1]]
    result = spin("train", *words, "-o", tmp_path / "m.spinney", *TRAIN)
    assert result.exit_code == 1
    assert "shapes.tif" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--folder", "images"],
        ["images/nuclei.tif"],
        ["images/nuclei.tif", "--folder", "images", "--masks", "masks"],
    ],
)
def test_training_files_are_named_in_one_way(annotated, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    result = spin("train", *words, "-o", "m.spinney")
    assert result.exit_code == 2
    assert not (tmp_path / "m.spinney").exists()


# ----------------------------------------------------------------- provenance


@pytest.mark.parametrize("kind", ["tif", "png", "npy", "zarr"])
def test_a_result_says_what_made_it(images, model, tmp_path, kind):
    words = [images / "a 1.tif", "--out", tmp_path, "--format", kind, *QUICK]
    spin("predict", model, *words)
    result = tmp_path / f"a 1_classes.{kind}"
    origin = json.loads(spin("inspect", result, "--json").output)
    assert origin["model"]["sha256"] == sha256_of(model)
    assert origin["image"] == {"file": "a 1.tif", "sha256": sha256_of(images / "a 1.tif")}
    assert origin["features"] == spinney.load(model).state_.stages[0].features
    assert origin["versions"]["napari-spinney"] == spinney.__version__
    assert origin["device"]["name"]
    shown = spin("inspect", result).output
    assert "model sha256" in shown
    assert sha256_of(model) in shown


def test_a_file_of_another_program_says_nothing(images):
    result = spin("inspect", images / "a 1.tif")
    assert result.exit_code == 1
    assert "does not say what made it" in result.stderr


def test_a_note_of_pixels_that_were_replaced_is_not_believed(images, model, tmp_path):
    words = [model, images / "a 1.tif", "--out", tmp_path, "--format", "npy", *QUICK]
    spin("predict", *words)
    result = tmp_path / "a 1_classes.npy"
    origin = read_origin(result)
    assert same_origin(result, origin)
    note = tmp_path / "a 1_classes.npy.json"
    note.write_text("[", encoding="utf-8")
    assert not same_origin(result, origin)
    assert spin("inspect", result).exit_code == 1
    note.unlink()
    assert read_provenance(result) == {}
    assert not same_origin(result, origin)


def test_the_hash_of_a_folder_knows_names_and_contents(tmp_path):
    hashes = set()
    for name, text in (("a", "x"), ("a", "y"), ("b", "x")):
        folder = tmp_path / f"{name}{text}.zarr"
        folder.mkdir()
        (folder / name).write_text(text)
        hashes.add(sha256_of(folder))
    assert len(hashes) == 3


# -------------------------------------------------------------------- objects


@pytest.fixture
def object_model(tmp_path):
    sample = samples.load_sample("shapes")
    numbers = np.unique(sample.labels)[1:]
    painted = np.where(np.isin(sample.labels, numbers[::2]), 1, 2) * (sample.labels > 0)
    clf = spinney.ObjectClassifier("area mean_intensity", n_trees=5)
    clf.fit(sample.labels, painted, sample.image).save(tmp_path / "o.spinney")
    return tmp_path / "o.spinney"


def test_objects_of_a_folder_are_classified_and_kept(object_model, tmp_path):
    sample = samples.load_sample("shapes")
    for folder, array in (("labels", sample.labels), ("pixels", sample.image)):
        (tmp_path / folder).mkdir()
        for name in ("a", "b"):
            write_image(tmp_path / folder / f"{name}.tif", array)
    (tmp_path / "labels" / "b.tif").write_bytes(b"II*\0broken")
    words = ["predict", object_model, tmp_path / "labels", "-i", tmp_path / "pixels"]
    result = spin(*words, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "1 written, 0 there already, 1 failed" in result.output
    assert sorted(stamps(tmp_path / "out")) == ["a_classes.csv", "a_classes.tif"]
    assert "0 written, 1 there already, 1 failed" in spin(*words, "-o", tmp_path / "out").output
    (tmp_path / "out" / "a_classes.csv").unlink()
    assert "1 written, 0 there already" in spin(*words, "-o", tmp_path / "out").output
    origin = read_origin(tmp_path / "out" / "a_classes.tif")
    assert origin["model"]["sha256"] == sha256_of(object_model)
