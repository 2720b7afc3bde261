"""`napari_spinney.apoc` where it is meant to differ from the package apoc, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import napari_spinney.apoc as apoc

WORDS = "original gaussian_blur=1"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPINNEY_DEVICE", "cpu")
    return tmp_path


@pytest.fixture
def image():
    image = np.random.default_rng(0).normal(0, 0.1, (40, 50))
    image[10:30, 10:30] += 1
    return image


@pytest.fixture
def strokes(image):
    strokes = np.zeros(image.shape, np.uint8)
    strokes[3, 3:30], strokes[20, 12:28] = 1, 2
    return strokes


def test_classes_with_gaps_are_predicted_as_annotated(image, strokes):
    classifier = apoc.ObjectSegmenter("m.cl", positive_class_identifier=5)
    classifier.train(WORDS, np.array([0, 2, 5])[strokes], image)
    assert set(np.unique(apoc.PixelClassifier.predict(classifier, image))) == {2, 5}
    assert classifier.predict(image).max() == 1
    assert apoc.ObjectSegmenter("m.cl").predict(image).max() == 1


def test_a_value_on_a_threshold_goes_left_as_in_scikit_learn():
    column = np.array([0, 0, 2, 2] * 5, np.float32)
    classifier = apoc.TableRowClassifier(num_ensembles=10)
    classifier.train({"a": column}, np.array([1, 1, 2, 2] * 5))
    assert classifier.predict({"a": [1.0]}).tolist() == [1]


def test_nothing_is_read_or_written_before_it_is_needed(folder):
    apoc.PixelClassifier()
    (folder / "wrong.cl").write_text("no classifier")
    classifier = apoc.ObjectSegmenter("wrong.cl")
    with pytest.raises(ValueError, match=r"wrong\.cl"):
        classifier.feature_importances()
    assert [path.name for path in folder.iterdir()] == ["wrong.cl"]


def test_training_writes_and_erasing_deletes(folder, image, strokes):
    apoc.PixelClassifier().train(WORDS, strokes, image)
    assert (folder / "temp_pixel_classifier.cl").exists()
    apoc.erase_classifier("temp_pixel_classifier.cl")
    apoc.erase_classifier("temp_pixel_classifier.cl")
    assert not list(folder.iterdir())


def test_prediction_changes_nothing(image, strokes):
    classifier = apoc.ObjectSegmenter("m.cl")
    classifier.train(WORDS, strokes, image)
    other = apoc.ObjectSegmenter("m.cl", positive_class_identifier=1)
    before = vars(other).keys(), other.positive_class_identifier
    np.testing.assert_array_equal(other.predict(image), classifier.predict(image))
    assert (vars(other).keys(), other.positive_class_identifier) == before


def test_a_file_of_another_kind_is_refused(image, strokes):
    apoc.PixelClassifier("m.cl").train(WORDS, strokes, image)
    with pytest.raises(TypeError, match=r"holds a PixelClassifier.*as a ObjectSegmenter"):
        apoc.ObjectSegmenter("m.cl").predict(image)
    assert apoc.PixelClassifier("m.cl", overwrite_classname="PixelClassifier").num_features == 2


def test_an_untrained_classifier_says_so(image):
    classifier = apoc.PixelClassifier("none.cl")
    assert "Number of features: 0" in str(classifier)
    assert classifier.feature_importances() == {}
    with pytest.raises(ValueError, match=r"learnt nothing yet.*none\.cl"):
        classifier.predict(image)


def test_class_0_has_no_probability(image, strokes):
    with pytest.raises(ValueError, match="class 0 means 'not annotated'"):
        apoc.ProbabilityMapper().train(WORDS, strokes, image)
    with pytest.raises(ValueError, match=r"=3 is none of the classes annotated: \[1, 2\]"):
        apoc.ProbabilityMapper(output_probability_of_class=3).train(WORDS, strokes, image)


def test_a_map_of_any_class_can_be_made_of_a_file(image, strokes):
    mapper = apoc.ProbabilityMapper("m.cl", output_probability_of_class=2)
    mapper.train(WORDS, strokes, image)
    second = mapper.predict(image)
    first = apoc.ProbabilityMapper("m.cl", output_probability_of_class=1).predict(image)
    np.testing.assert_array_equal(apoc.ProbabilityMapper("m.cl").predict(image), second)
    np.testing.assert_allclose(first + second, 1, atol=1e-6)


def test_a_positive_class_that_was_not_annotated_is_refused(image, strokes):
    classifier = apoc.ObjectSegmenter("m.cl", positive_class_identifier=7)
    classifier.train(WORDS, strokes, image)
    with pytest.raises(ValueError, match=r"positive_class_identifier=7 .*\[1, 2\]"):
        classifier.predict(image)


def test_too_few_classes_are_refused(image, strokes):
    with pytest.raises(ValueError, match="nothing is annotated"):
        apoc.PixelClassifier().train(WORDS, np.zeros_like(strokes), image)
    with pytest.raises(ValueError, match="only class 1 is annotated"):
        apoc.PixelClassifier().train(WORDS, strokes * (strokes < 2), image)


def test_words_that_are_no_features_are_refused(image, strokes):
    with pytest.raises(ValueError, match="'gausian_blur'"):
        apoc.PixelClassifier().train("gausian_blur=1", strokes, image)
    with pytest.raises(ValueError, match="no features are named"):
        apoc.PixelClassifier().train(apoc.PredefinedFeatureSet.custom, strokes, image)


def test_features_without_an_image_are_refused(strokes):
    with pytest.raises(TypeError, match="an image must be given"):
        apoc.PixelClassifier().train(WORDS, strokes)


def test_colours_are_channels(image, strokes):
    colours = np.stack([image, image**2, -image], axis=-1)
    classifier = apoc.PixelClassifier()
    classifier.train("original", strokes, colours)
    assert classifier.num_features == 3
    np.testing.assert_array_equal(
        classifier.predict(colours), classifier.predict(list(np.moveaxis(colours, -1, 0)))
    )
    with pytest.raises(ValueError, match=r"trained on 3 channel\(s\).*got 1"):
        classifier.predict(image)


def test_other_features_for_prediction_must_make_as_many_columns(image, strokes):
    classifier = apoc.PixelClassifier()
    classifier.train(WORDS, strokes, image)
    assert classifier.predict(image, "original gaussian_blur=2").shape == image.shape
    with pytest.raises(ValueError, match="reads 2 feature images"):
        classifier.predict(image, "original gaussian_blur=2 gaussian_blur=3")


def test_default_features_and_named_sets(image, strokes):
    classifier = apoc.PixelClassifier()
    classifier.train(None, strokes, image)
    assert classifier.feature_specification == "original gaussian_blur=2 sobel_of_gaussian_blur=2"
    classifier.train(apoc.PredefinedFeatureSet.small_quick, strokes, image)
    assert classifier.num_features == 3


def test_training_cannot_be_continued_from_a_file(image, strokes):
    apoc.PixelClassifier("m.cl").train(WORDS, strokes, image)
    with pytest.warns(UserWarning, match="Cannot continue training"):
        apoc.PixelClassifier("m.cl").train(WORDS, strokes, image, continue_training=True)


def test_statistics_count_ten_features_apart(image, strokes):
    words = " ".join(f"gaussian_blur={n}" for n in range(1, 12))
    classifier = apoc.PixelClassifier(max_depth=None)
    classifier.train(words, strokes, image)
    ratios, counts = classifier.statistics()
    forest = classifier._state().stages[0].forest
    assert sum(c.sum() for c in counts.values()) == forest.n_nodes - forest.n_leaves
    np.testing.assert_allclose(sum(r[0] for r in ratios.values()), 1)


def test_the_largest_class_inside_an_object_counts():
    labels = np.zeros((12, 30), np.uint8)
    for number in range(6):
        labels[2 : 4 + number, 5 * number : 5 * number + 3] = number + 1
    painted = np.where(labels > 0, 1 + (labels > 3), 0)
    painted[2, :8] = 2  # one pixel row of 2 on objects of 1
    classifier = apoc.ObjectClassifier()
    table, _ = classifier._table("area", labels, painted)
    assert table.y.tolist() == [2, 2, 1, 2, 2, 2]
    with pytest.raises(ValueError, match="'mean_intensity' is measured in an image"):
        classifier.train("mean_intensity", labels, painted)


def test_labels_may_be_whole_floats():
    labels = np.repeat([0, 1, 0, 2, 0, 3, 0, 4.0], 4)[None].repeat(6, axis=0)
    labels[3:, 20:] = 0
    classifier = apoc.ObjectSelector(positive_class_identifier=1)
    classifier.train("area", labels, np.array([0, 2, 2, 1, 1])[labels.astype(int)])
    assert np.unique(classifier.predict(labels)).tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match=r"0\.5"):
        classifier.predict(labels / 2)


def test_columns_with_blanks_are_trained_but_not_written(folder):
    table = pd.DataFrame({"mean of a": [1, 2, 8, 9.0]})
    classifier = apoc.TableRowClassifier(num_ensembles=10)
    with pytest.warns(UserWarning, match="not written.*'mean of a'"):
        classifier.train(table, [1, 1, 2, 2])
    assert classifier.predict(table).tolist() == [1, 1, 2, 2]
    assert not list(folder.iterdir())


def test_folders_must_hold_the_same_names(folder, image, strokes):
    import tifffile

    for name in ("images", "masks"):
        (folder / name).mkdir()
    with pytest.raises(ValueError, match="no files in"):
        apoc.train_classifier_from_image_folders(
            apoc.PixelClassifier(), WORDS, image="images", ground_truth="masks"
        )
    tifffile.imwrite(folder / "images" / "ä b.tif", image.astype(np.float32))
    with pytest.raises(ValueError, match=r"same name.*ä b\.tif"):
        apoc.train_classifier_from_image_folders(
            apoc.PixelClassifier(), WORDS, image="images", ground_truth="masks"
        )


def test_extra_information_stands_in_the_header(folder, image, strokes):
    classifier = apoc.PixelClassifier("m.cl")
    classifier.train(WORDS, strokes, image)
    classifier.to_opencl_file("n.cl", extra_information="microscope = old\n")
    assert "\nmicroscope = old\n*/" in (folder / "n.cl").read_text()
    assert classifier.opencl_file == "n.cl"
    np.testing.assert_array_equal(
        apoc.PixelClassifier("n.cl").predict(image), classifier.predict(image)
    )


def test_a_file_that_does_not_name_its_class_opens_as_any(folder, image, strokes):
    apoc.PixelClassifier("m.cl").train(WORDS, strokes, image)
    text = (folder / "m.cl").read_text().replace("classifier_class_name = PixelClassifier\n", "")
    (folder / "early.cl").write_text(text)
    classes = apoc.PixelClassifier("early.cl").predict(image)
    objects = apoc.ObjectSegmenter("early.cl", positive_class_identifier=2).predict(image)
    np.testing.assert_array_equal(objects > 0, classes == 2)


def test_no_words_make_no_features(image):
    assert apoc.generate_feature_stack(image, "") == []
    assert apoc.generate_feature_stack(image, apoc.PredefinedFeatureSet.custom) == []


def test_what_is_not_offered_says_what_to_use():
    with pytest.raises(AttributeError, match=r"to_opencl_file writes a \.cl file"):
        _ = apoc.RFC_to_OCL
    with pytest.raises(AttributeError, match=r"napari_spinney\.load\(opencl_file\)\.forest_"):
        _ = apoc.PixelClassifier("m.cl").classifier
    assert not hasattr(apoc.PixelClassifier("m.cl"), "nonsense")


def test_features_before_the_image_are_refused(image, strokes):
    classifier = apoc.PixelClassifier("m.cl")
    classifier.train(WORDS, strokes, image)
    with pytest.raises(TypeError, match="predict takes the image first"):
        classifier.predict(WORDS, image)


def test_what_the_tests_of_apoc_call(image, strokes):
    classifier = apoc.ObjectSegmenter("m.cl")
    classifier.train(WORDS, strokes, image)
    classes = classifier._predict_cpu(image)
    np.testing.assert_array_equal(classes == 2, classifier.predict(image) > 0)
    assert "ObjectSegmenter" in classifier.info()
    assert apoc.__version__


def test_measurements_of_annotated_objects_and_of_all():
    labels = np.array([[0, 0, 1, 1, 1, 1, 3, 2, 2, 2, 2]])
    annotation = np.array([[1, 0, 2, 2, 2, 0, 0, 0, 0, 1, 1]])
    classifier = apoc.ObjectClassifier()
    table, classes = classifier._make_features(" area ", labels, annotation)
    assert (table["area"].tolist(), classes.tolist()) == ([4, 4], [2, 1])
    table, classes = classifier._make_features("area", labels)
    assert (table["area"].tolist(), classes) == ([0, 4, 4, 1], None)
