import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from napari_spinney import ObjectClassifier, ObjectMapper, ObjectSelector, load, measure
from napari_spinney.samples import load_sample


def class_of_each(sample, classes):
    """Truth, prediction and whether it was painted, for each object."""
    numbers = np.unique(sample.labels)[1:]
    inside = [sample.labels == number for number in numbers]
    truth = np.array([sample.truth[where].max() for where in inside])
    predicted = np.array([classes[where].max() for where in inside])
    painted = np.array([sample.strokes[where].any() for where in inside])
    return truth, predicted, painted


def boxes(sizes):
    """Squares of the given sizes in a row, numbered 10, 20, ..."""
    labels = np.zeros((14, 16 * len(sizes)), np.uint16)
    for k, size in enumerate(sizes):
        labels[2 : 2 + size, 16 * k + 2 : 16 * k + 2 + size] = 10 * (k + 1)
    return labels


@pytest.fixture
def labels():
    return boxes([3, 9, 4, 10, 3, 9])


@pytest.mark.parametrize(
    ("name", "features"),
    [
        ("shapes", "area eccentricity solidity"),
        ("shapes", "size shape intensity"),
        ("sizes", "area eccentricity"),
        ("sizes", "size shape intensity"),
    ],
)
def test_classic_exercises_classify_objects_that_were_not_painted(name, features):
    sample = load_sample(name)
    clf = ObjectClassifier(features).fit(sample.labels, sample.strokes, sample.image)
    classes = clf.predict(sample.labels, sample.image)
    truth, predicted, painted = class_of_each(sample, classes)
    assert painted.sum() <= 15 < (~painted).sum()
    assert np.mean(truth[~painted] == predicted[~painted]) >= 0.95
    assert classes.dtype == np.uint8
    assert not classes[sample.labels == 0].any()


def test_elongation_is_found_by_what_tells_it():
    sample = load_sample("shapes")
    clf = ObjectClassifier("area eccentricity").fit(sample.labels, sample.strokes)
    importances = clf.feature_importances()
    assert importances["eccentricity"] > 0.6 > importances["area"]


def test_a_mapping_of_labels_is_an_annotation(labels):
    clf = ObjectClassifier("area").fit(labels, {10: 7, 20: 300})
    classes = clf.predict(labels)
    assert classes.dtype == np.uint16
    assert [classes[labels == n].max() for n in (10, 20, 30, 40)] == [7, 300, 7, 300]


@pytest.mark.parametrize(("rule", "expected"), [("most", 1), ("largest", 2)])
def test_several_classes_on_one_object(labels, rule, expected):
    annotation = np.zeros_like(labels)
    annotation[2, 18:22] = 1
    annotation[3, 18] = 2
    annotation[2, 2] = 3
    clf = ObjectClassifier("area", rule=rule).fit(labels, annotation)
    assert sorted(clf.classes_) == [expected, 3]


def test_paint_outside_objects_counts_for_nothing(labels):
    annotation = np.zeros_like(labels)
    annotation[2, 2], annotation[2, 18] = 1, 2
    bare = ObjectClassifier("area").fit(labels, annotation)
    annotation[labels == 0] = 5
    assert ObjectClassifier("area").fit(labels, annotation).classes_.tolist() == [1, 2]
    np.testing.assert_array_equal(bare.predict(labels) > 0, labels > 0)


def test_adding_objects_of_another_image(labels):
    clf = ObjectClassifier("area").fit(labels, {10: 1, 20: 2})
    clf.fit(boxes([6, 6]), {10: 3, 20: 3}, add=True)
    assert clf.classes_.tolist() == [1, 2, 3]
    assert clf.table_.n_images == 2
    assert clf.predict(boxes([6])).max() == 3


def test_several_images_at_once_and_validation_by_image():
    images = [boxes([3, 9, 4, 10, 3, 9]) for _ in range(4)]
    annotations = [np.where(i > 0, np.where(np.isin(i, [10, 30, 50]), 1, 2), 0) for i in images]
    clf = ObjectClassifier("area", n_trees=20).fit(images, annotations)
    report = clf.validate(4)
    assert report.error == 0
    assert report.grouped_by == "images"
    assert report.n_groups == 4


def test_validation_holds_out_objects(labels):
    clf = ObjectClassifier("area", n_trees=20)
    clf.fit(labels, {10: 1, 20: 2, 30: 1, 40: 2, 50: 1, 60: 2})
    report = clf.validate(3)
    assert report.error == 0
    assert report.n_groups == 6


def test_undefined_measurements_drop_no_object():
    labels = boxes([1, 9, 1, 9])
    clf = ObjectClassifier("circularity").fit(labels, {10: 1, 20: 2})
    assert np.isnan(clf.measure(labels)["circularity"]).sum() == 2
    assert clf.predict(labels)[labels > 0].min() == 1
    assert [clf.predict(labels)[labels == n].max() for n in (30, 40)] == [1, 2]


def test_tables_give_what_pictures_give(labels):
    image = np.random.default_rng(0).normal(size=labels.shape)
    clf = ObjectClassifier("area mean_intensity").fit(labels, {10: 1, 20: 2}, image)
    table = clf.measure(labels, image)
    assert table.columns.tolist() == ["label", "area", "mean_intensity"]
    classes = clf.predict_table(table)
    painted = clf.predict(labels, image)
    assert [painted[labels == n].max() for n in table["label"]] == classes.tolist()
    proba = clf.predict_proba(table)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(clf.classes_[proba.argmax(axis=1)], classes)
    assert ((clf.predict_uncertainty(table) >= 0) & (clf.predict_uncertainty(table) <= 1)).all()


def test_a_table_measured_before_trains_the_same(labels):
    table = measure(labels, features="size")
    classes = np.where(table["label"] == 10, 1, np.where(table["label"] == 20, 2, 0))
    by_table = ObjectClassifier().fit_table(table, classes, ndim=2)
    by_image = ObjectClassifier("size").fit(labels, {10: 1, 20: 2})
    np.testing.assert_array_equal(by_table.predict_proba(table), by_image.predict_proba(table))
    np.testing.assert_array_equal(by_table.predict(labels), by_image.predict(labels))


def test_channels_time_and_spacing(labels):
    series = np.stack([labels, labels[:, ::-1]])
    image = np.stack([series * 1.0, (series > 0) * 3.0], axis=-1)
    clf = ObjectClassifier("area max_intensity").fit(
        series, {(0, 10): 1, (0, 20): 2}, image, channel_axis=-1, time_axis=0, spacing=(0.5, 0.5)
    )
    assert clf.feature_names_ == ("area", "max_intensity", "max_intensity_1")
    classes = clf.predict(series, image, channel_axis=-1, time_axis=0)
    assert classes.shape == series.shape
    np.testing.assert_array_equal(classes[0], classes[1][:, ::-1])
    assert clf.measure(series, image, channel_axis=-1, time_axis=0)["area"].max() == 25


def test_objects_in_3d():
    labels = np.zeros((6, 12, 24), np.uint8)
    labels[1:3, 1:3, 1:3], labels[1:3, 1:3, 6:8], labels[1:5, 1:9, 12:20] = 1, 2, 3
    clf = ObjectClassifier("area sphericity").fit(labels, {1: 1, 3: 2})
    assert clf.predict(labels)[labels == 2].max() == 1
    with pytest.raises(ValueError, match="trained on 3D objects; these labels are 2D"):
        clf.predict(labels[0])


@pytest.mark.parametrize("cls", [ObjectClassifier, ObjectSelector])
def test_saved_and_loaded_it_is_the_same(cls, labels, tmp_path):
    clf = cls("size shape", n_trees=15).fit(labels, {10: 1, 20: 2})
    clf.class_names = {1: "small", 2: "large"}
    clf.save(tmp_path / "model.spinney")
    again = load(tmp_path / "model.spinney")
    assert type(again) is cls
    assert again.get_params() == clf.get_params()
    assert again.class_names == clf.class_names
    np.testing.assert_array_equal(again.predict(labels), clf.predict(labels))
    again.fit(labels, {30: 3}, add=True)
    assert again.classes_.tolist() == [1, 2, 3]


def test_apoc_files_both_ways(labels, tmp_path):
    clf = ObjectClassifier("area max_distance_to_centroid", n_trees=15, max_depth=2)
    clf.fit(labels, {10: 1, 20: 2, 30: 1, 40: 2})
    clf.save(tmp_path / "model.cl")
    again = load(tmp_path / "model.cl")
    assert again.feature_names_ == ("area", "max_distance_to_centroid")
    np.testing.assert_array_equal(again.predict(labels), clf.predict(labels))


@pytest.mark.opencl
@pytest.mark.filterwarnings("ignore")
def test_apoc_reads_what_was_saved_and_decides_the_same(labels, tmp_path):
    import apoc

    clf = ObjectClassifier("area touching_neighbor_count", n_trees=15, max_depth=2)
    numbered = (labels // 10).astype(np.uint32)
    clf.fit(numbered, {1: 1, 2: 2, 3: 1, 4: 2})
    clf.save(tmp_path / "model.cl")
    theirs = apoc.ObjectClassifier(str(tmp_path / "model.cl"))
    np.testing.assert_array_equal(
        np.asarray(theirs.predict(numbered)), clf.predict(numbered).astype(np.uint32)
    )


def test_a_selector_keeps_one_class(labels):
    selector = ObjectSelector("area", target_class=2).fit(labels, {10: 1, 20: 2})
    kept = selector.predict(labels)
    assert kept.dtype == labels.dtype
    assert np.unique(kept).tolist() == [0, 20, 40, 60]
    selector.set_params(renumber=True)
    assert np.unique(selector.predict(labels)).tolist() == [0, 1, 2, 3]
    selector.set_params(target_class=9)
    with pytest.raises(ValueError, match="target_class=9"):
        selector.predict(labels)


def test_a_selector_renumbers_each_time_point(labels):
    series = np.stack([labels, labels])
    selector = ObjectSelector("area", renumber=True)
    selector.fit(series, {(0, 10): 1, (1, 20): 2}, time_axis=0)
    kept = selector.predict(series, time_axis=0)
    assert kept.max(axis=(1, 2)).tolist() == [3, 3]


def test_no_objects_predict_nothing(labels):
    clf = ObjectClassifier("area").fit(labels, {10: 1, 20: 2})
    assert not clf.predict(np.zeros((5, 6), int)).any()


def test_scikit_learn_can_clone_it(labels):
    clf = ObjectClassifier("area", n_trees=7, seed=3)
    assert clone(clf).get_params() == clf.get_params()
    with pytest.raises(NotFittedError):
        clf.predict(labels)


def test_same_seed_same_forest(labels):
    table = ObjectClassifier("size").fit(labels, {10: 1, 20: 2}).measure(labels)
    probabilities = [
        ObjectClassifier("size").fit(labels, {10: 1, 20: 2}).predict_proba(table) for _ in range(2)
    ]
    np.testing.assert_array_equal(*probabilities)


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ({10: 1}, "only class 1"),
        ({}, "nothing is annotated"),
        ({10: 1, 11: 2}, "no object 11"),
        (np.ones((3, 3), int), "shape"),
        ({10: -1, 20: 2}, "negative"),
    ],
)
def test_wrong_annotations_say_why(labels, annotation, message):
    with pytest.raises(ValueError, match=message):
        ObjectClassifier("area").fit(labels, annotation)


def test_wrong_images_say_why(labels):
    clf = ObjectClassifier("mean_intensity").fit(labels, {10: 1, 20: 2}, labels)
    with pytest.raises(ValueError, match="image="):
        clf.predict(labels)
    with pytest.raises(ValueError, match=r"trained on 1 channel.*has 2"):
        clf.predict(labels, np.stack([labels, labels]), channel_axis=0)
    with pytest.raises(ValueError, match="lacks the columns mean_intensity"):
        clf.predict_table(pd.DataFrame({"area": [1]}))
    with pytest.raises(ValueError, match="rule must be"):
        ObjectClassifier("area", rule="first").fit(labels, labels)


def test_reports_speak_of_objects(labels, tmp_path):
    given = {10 * (k + 1): 1 + k % 2 for k in range(6)}
    clf = ObjectClassifier("area", n_trees=3).fit(labels, given)
    clf.save(tmp_path / "m.spinney")
    for model in (clf, load(tmp_path / "m.spinney")):
        said = model.validate().summary()
        assert "annotated objects are wrong when objects are held out" in said
        assert "stroke" not in said


def test_a_mask_is_one_object(labels):
    mask = labels > 0
    painted = ObjectMapper("area").predict(mask)
    np.testing.assert_array_equal(painted, np.where(mask, mask.sum(), 0))
    clf = ObjectSelector("area", target_class=1, n_trees=3)
    clf.fit([mask, labels], [mask.astype(int), np.where(labels > 0, 2, 0)])
    np.testing.assert_array_equal(clf.predict(mask), mask)


def test_a_series_by_label_is_an_annotation(labels):
    given = {10: 1, 30: 2}
    by_series = ObjectClassifier("area", n_trees=3).fit(labels, pd.Series(given))
    by_mapping = ObjectClassifier("area", n_trees=3).fit(labels, given)
    np.testing.assert_array_equal(by_series.predict(labels), by_mapping.predict(labels))


def test_axes_that_do_not_fit_are_named(labels):
    with pytest.raises(ValueError, match="time_axis"):
        ObjectClassifier("size").fit(np.ones((2, 2, 2, 2), int), {1: 1})
    with pytest.raises(ValueError, match="channel_axis must be an axis of the image"):
        measure(labels, np.zeros((*labels.shape, 2)), channel_axis=3)
