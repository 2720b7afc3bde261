import numpy as np
import pytest

from napari_spinney.interaction.autosave import Autosave, fingerprint

NAMES = {"image_name": "nuclei", "class_names": {1: "a", 2: "b"}, "class_colors": {1: "#000000"}}


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 255, (60, 80)).astype(np.uint8)


def painted(image):
    annotation = np.zeros(image.shape, np.uint8)
    annotation[3:9, 5:50] = 2
    return annotation


def test_what_one_session_kept_another_finds(tmp_path, image):
    Autosave(tmp_path).save(image, painted(image), **NAMES)
    kept = Autosave(tmp_path).find(image)
    assert (kept.image_name, kept.n_pixels) == ("nuclei", 6 * 45)
    assert kept.class_names == {1: "a", 2: "b"}
    np.testing.assert_array_equal(kept.load(), painted(image))


def test_a_session_is_not_offered_its_own_strokes(tmp_path, image):
    autosave = Autosave(tmp_path)
    autosave.save(image, painted(image), **NAMES)
    assert autosave.find(image) is None


def test_another_image_of_that_shape_finds_nothing(tmp_path, image):
    Autosave(tmp_path).save(image, painted(image), **NAMES)
    assert Autosave(tmp_path).find(255 - image) is None


def test_an_empty_annotation_is_not_offered(tmp_path, image):
    Autosave(tmp_path).save(image, np.zeros(image.shape, np.uint8), **NAMES)
    assert Autosave(tmp_path).find(image) is None


def test_a_broken_file_is_left_alone_and_skipped(tmp_path, image, caplog):
    (tmp_path / f"{fingerprint(image)}-dead.npz").write_bytes(b"no archive")
    assert Autosave(tmp_path).find(image) is None
    assert "cannot be read" in caplog.text


def test_saving_leaves_no_part_behind(tmp_path, image):
    autosave = Autosave(tmp_path)
    autosave.save(image, painted(image), **NAMES)
    autosave.save(image, painted(image), **NAMES)
    assert len(list(tmp_path.iterdir())) == 1
