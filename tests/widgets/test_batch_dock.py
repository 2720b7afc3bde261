"""Many files in a real napari window: run, fail, cancel, go on, look."""

from __future__ import annotations

import errno

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPoint, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QSpinBox

import napari_spinney
from napari_spinney.batch import folders as engine
from napari_spinney.files.images import read_image, write_image
from napari_spinney.provenance import read_origin, sha256_of
from napari_spinney.samples import load_sample

pytestmark = pytest.mark.gui

WAIT = 60_000
NAMES = ("a 1.tif", "größe.tif", "細胞.tif")


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "Platte für heute"
    folder.mkdir()
    sample = load_sample("nuclei")
    for number, name in enumerate(NAMES):
        part = sample.image[40 * number : 40 * number + 40, :50]
        write_image(folder / name, part, spacing=(0.5, 0.25))
    return folder


@pytest.fixture
def model(tmp_path):
    sample = load_sample("nuclei")
    clf = napari_spinney.PixelClassifier("small_quick", n_trees=5)
    clf.fit(sample.image, sample.strokes, device="cpu").save(tmp_path / "m.spinney")
    return tmp_path / "m.spinney"


class Operator:
    """Somebody at the Batch dock."""

    def __init__(self, viewer, qtbot, model=None):
        self._qtbot = qtbot
        self.viewer = viewer
        _, self.dock = viewer.window.add_plugin_dock_widget("napari-spinney", "Batch")
        self.work = self.dock.work
        self.dock.session.set_recipe(device="cpu")
        if model is not None:
            self.dock.model.open_path(str(model))

    def until(self, condition):
        self._qtbot.waitUntil(condition, timeout=WAIT)

    def add(self, *words):
        self.work.add(words)
        self.until(lambda: self.work.phase != "listing")

    def run(self):
        self.dock.run.click()
        self.until(lambda: not self.work.is_running)

    def column(self, number=1):
        rows = self.dock.table.rows
        cells = [rows.index(row, number) for row in range(rows.rowCount())]
        return [rows.data(cell) for cell in cells]

    @property
    def told(self):
        return self.dock.told.text.text()


@pytest.fixture
def operator(make_napari_viewer, qtbot):
    return lambda model=None: Operator(make_napari_viewer(), qtbot, model)


def test_a_folder_is_predicted_and_says_what_made_it(operator, images, model):
    someone = operator(model)
    someone.add(images)
    assert someone.column(0) == list(NAMES)
    assert someone.column() == ["waiting"] * 3
    someone.dock.outputs.objects.setChecked(True)
    someone.run()
    assert someone.column() == ["made"] * 3
    assert "3 made" in someone.told
    image = read_image(images / "größe.tif")
    expected = napari_spinney.load(model).predict(image.data, device="cpu")
    found = read_image(images / "results" / "größe_classes.tif")
    np.testing.assert_array_equal(found.data, expected)
    assert found.spacing == pytest.approx(image.spacing)
    origin = read_origin(images / "results" / "größe_objects.tif")
    assert origin["model"]["sha256"] == sha256_of(model)
    assert origin["image"]["sha256"] == sha256_of(images / "größe.tif")
    assert origin["options"]["min_size"] == 20


def test_a_broken_file_is_reported_and_stops_no_other(operator, images, model):
    (images / "b.tif").write_bytes(b"II*\0broken")
    write_image(images / "c.tif", np.zeros((2, 9, 9), np.uint8), "CYX")
    someone = operator(model)
    someone.add(images)
    someone.run()
    assert someone.column() == ["made", "failed", "failed", "made", "made"]
    assert "3 made, 2 failed" in someone.told
    assert "b.tif" in someone.told
    assert someone.dock.told.details.isVisibleTo(someone.dock)
    details = someone.dock.told._message.details
    assert "channel" in details
    tip = someone.dock.table.rows.data(
        someone.dock.table.rows.index(2, 1), Qt.ItemDataRole.ToolTipRole
    )
    assert "trained on 1 channel" in tip


def test_a_run_that_was_cancelled_goes_on_where_it_was(operator, images, model):
    for number in range(30):
        write_image(images / f"more {number:02}.tif", np.zeros((40, 50), np.uint8))
    someone = operator(model)
    someone.add(images)
    someone.dock.run.click()
    someone.until(lambda: someone.work.record.done >= 1)
    someone.dock.told.cancel.click()
    assert someone.work.phase == "cancelled"
    assert "Press Run to go on" in someone.told
    done = [text == "made" for text in someone.column()]
    assert any(done)
    assert not any("%" in text for text in someone.column())
    someone.run()
    states = someone.column()
    assert all(state == "kept" for state, was in zip(states, done, strict=True) if was)
    assert set(states) <= {"made", "kept"}
    someone.run()
    assert set(someone.column()) == {"kept"}
    someone.dock.again.setChecked(True)
    someone.run()
    assert set(someone.column()) == {"made"}


def test_two_images_of_one_name_are_refused_in_words(operator, images, model, tmp_path):
    (tmp_path / "other").mkdir()
    write_image(tmp_path / "other" / "a 1.png", np.zeros((9, 9), np.uint8))
    someone = operator(model)
    someone.add(images, tmp_path / "other")
    someone.run()
    assert "have the same name" in someone.told
    assert "a 1.png" in someone.told
    assert not (images / "results").exists()
    someone.dock.table.selectRow(3)
    someone.dock.files.remove.click()
    someone.run()
    assert someone.column() == ["made"] * 3


def test_a_full_disk_is_said_in_words_and_what_was_made_stays(operator, images, model, monkeypatch):
    predict = engine.predict_file

    def full(model, picture, result, *rest, **options):
        if "細胞" in result.name:
            raise OSError(errno.ENOSPC, "No space left on device", str(result))
        return predict(model, picture, result, *rest, **options)

    monkeypatch.setattr(engine, "predict_file", full)
    someone = operator(model)
    someone.add(images)
    someone.run()
    assert "The disk is full" in someone.told
    assert someone.column() == ["made", "made", "waiting"]
    monkeypatch.setattr(engine, "predict_file", predict)
    someone.run()
    assert someone.column() == ["kept", "kept", "made"]


def test_a_result_is_shown_on_its_image_at_its_scale(operator, images, model):
    someone = operator(model)
    someone.add(images / "größe.tif")
    someone.dock.outputs.all_probabilities.setChecked(True)
    someone.run()
    for _ in range(2):
        someone.dock.table.doubleClicked.emit(someone.dock.table.rows.index(0, 0))
        someone.until(lambda: not someone.work._jobs.is_running("batch open"))
        names = [layer.name for layer in someone.viewer.layers]
        assert names == [
            "größe.tif",
            "größe_classes.tif",
            "größe_probabilities.tif background",
            "größe_probabilities.tif foreground",
        ] or names[2:] == [
            "größe_probabilities.tif class 1",
            "größe_probabilities.tif class 2",
        ]
    for layer in someone.viewer.layers:
        np.testing.assert_allclose(layer.scale, (0.5, 0.25))
    origin = someone.viewer.layers["größe_classes.tif"].metadata["spinney_origin"]
    assert origin["model"]["sha256"] == sha256_of(model)


@pytest.mark.parametrize(
    ("sample", "axes", "n_layers"), [("two_channels", "CYX", 3), ("time_lapse", "TYX", 2)]
)
def test_results_lie_on_images_with_channels_and_time(operator, tmp_path, sample, axes, n_layers):
    data = load_sample(sample)
    write_image(tmp_path / "x.tif", data.image, axes, spacing=data.spacing)
    clf = napari_spinney.PixelClassifier("small_quick", n_trees=5)
    options = {"C": {"channel_axis": 0}, "T": {"time_axis": 0}}[axes[0]]
    clf.fit(data.image, data.strokes, device="cpu", **options).save(tmp_path / "m.spinney")
    someone = operator(tmp_path / "m.spinney")
    someone.add(tmp_path / "x.tif")
    someone.run()
    assert someone.column() == ["made"]
    someone.work.open(someone.work.images[0])
    someone.until(lambda: len(someone.viewer.layers) == n_layers)
    shapes = {layer.data.shape for layer in someone.viewer.layers}
    assert shapes == {data.strokes.shape}


def test_each_thing_that_is_missing_is_said(operator, images, model):
    someone = operator()
    assert "Add images" in someone.told
    assert not someone.dock.run.isEnabled()
    someone.add(images)
    assert "no model" in someone.told
    someone.dock.model.open_path(str(model))
    assert "3 files: press Run" in someone.told
    assert someone.dock.run.isEnabled()
    someone.dock.outputs.classes.setChecked(False)
    assert "Nothing is ticked" in someone.told
    someone.dock.outputs.uncertainty.setChecked(True)
    someone.work.set_folder("")
    assert "Choose a folder" in someone.told
    someone.work.set_folder(images)
    someone.run()
    assert "choose another folder" in someone.told
    someone.work.set_folder(images / "out")
    someone.dock.into.format.setCurrentIndex(2)
    someone.dock.into.format.activated.emit(2)
    someone.run()
    assert "PNG holds whole numbers" in someone.told


def test_what_cannot_be_opened_is_said_where_it_was_asked_for(operator, tmp_path, images):
    someone = operator()
    (tmp_path / "no.spinney").write_text("no model")
    someone.dock.model.open_path(str(tmp_path / "no.spinney"))
    assert "no.spinney" in someone.told
    someone.add(tmp_path / "nowhere")
    assert "There is no file" in someone.told
    (tmp_path / "empty").mkdir()
    someone.add(tmp_path / "empty")
    assert "no images in the folder" in someone.told
    someone.add(images)
    assert someone.column() == ["waiting"] * 3


def test_files_are_dropped_and_removed_by_the_keyboard(operator, images, qtbot):
    someone = operator()
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(images))])
    drop = QDropEvent(
        QPoint(5, 5).toPointF(),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    someone.dock.table.dropEvent(drop)
    someone.until(lambda: len(someone.work.images) == 3)
    someone.dock.table.selectRow(1)
    qtbot.keyClick(someone.dock.table, Qt.Key.Key_Delete)
    assert someone.column(0) == ["a 1.tif", "細胞.tif"]
    someone.dock.files.pattern.setText(f"{images}/gr*.tif")
    qtbot.keyClick(someone.dock.files.pattern, Qt.Key.Key_Return)
    someone.until(lambda: someone.column(0) == ["a 1.tif", "細胞.tif", "größe.tif"])


def test_the_model_of_the_session_is_known_by_its_hash(person, nuclei, images, tmp_path):
    someone = person(nuclei)
    someone.paint_sample()
    someone.train()
    _, dock = someone.viewer.window.add_plugin_dock_widget("napari-spinney", "Batch")
    dock.work.add([images])
    someone.until(lambda: dock.work.phase == "new")
    dock.run.click()
    someone.until(lambda: dock.work.phase == "finished")
    someone.session.model.classifier.save(tmp_path / "saved.spinney")
    origin = read_origin(images / "results" / "a 1_classes.tif")
    assert origin["model"]["sha256"] == sha256_of(tmp_path / "saved.spinney")


@pytest.fixture
def annotated(tmp_path):
    """Folders of images and masks of the same names."""
    sample = load_sample("nuclei")
    for folder, array in (("pictures", sample.image), ("masks", sample.strokes)):
        (tmp_path / folder).mkdir()
        for number in (1, 2):
            write_image(tmp_path / folder / f"ä {number}.tif", np.roll(array, 9 * number, 0))
    return tmp_path


def test_a_model_learns_from_folders_predicts_and_is_scored(operator, annotated):
    someone = operator()
    someone.dock.session.set_recipe(features="small_quick", n_trees=5)
    someone.dock.learning.images.path.setText(str(annotated / "pictures"))
    someone.dock.learning.masks.path.setText(str(annotated / "masks"))
    someone.dock.learning.train.click()
    someone.until(lambda: not someone.work.is_busy)
    model = someone.dock.session.model.classifier
    assert model.provenance_["files"][0]["image"]["file"] == "ä 1.tif"
    assert model.table_.n_images == 2
    someone.add(annotated / "pictures")
    someone.run()
    assert someone.column() == ["made", "made"]
    someone.dock.scoring.truth.path.setText(str(annotated / "masks"))
    someone.dock.scoring.sparse.setChecked(True)
    someone.dock.scoring.score.click()
    someone.until(lambda: someone.work.phase == "scored")
    scores = someone.work.scores
    assert scores["dice"].min() > 0.95
    assert scores["file"].tolist()[::2] == ["ä 1_classes.tif", "ä 2_classes.tif", "all files"]
    assert "Dice 1.000 for class 1" in someone.told or "Dice 0.9" in someone.told
    someone.work.save_scores(str(annotated / "scores.csv"))
    assert (annotated / "scores.csv").exists()


def test_files_that_do_not_pair_or_are_not_made_are_said_in_words(operator, annotated, model):
    (annotated / "masks" / "ä 2.tif").unlink()
    someone = operator(model)
    for masks, words in (("masks", "no partner"), ("", "name the folder of the masks")):
        someone.work.learn(str(annotated / "pictures"), str(annotated / masks) if masks else "")
        someone.until(lambda: not someone.work.is_busy)
        assert words in someone.told.lower()
    someone.add(annotated / "pictures")
    someone.work.score(str(annotated / "masks"), sparse=True)
    someone.until(lambda: not someone.work.is_busy)
    assert "press Run first" in someone.told


def test_every_control_says_what_it_does(operator):
    dock = operator().dock
    for kind in (QAbstractButton, QComboBox, QLineEdit, QSpinBox):
        for widget in dock.findChildren(kind):
            inside = widget.parent()
            known = widget.toolTip() or inside.toolTip() or isinstance(inside, QSpinBox)
            assert known or type(inside).__name__ == "QCollapsible", widget
