from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from napari_spinney.files.apoc_cl import read_cl, write_cl
from napari_spinney.files.errors import ClFileError

HEADER = """/*
OpenCL RandomForestClassifier
classifier_class_name = ObjectSegmenter
feature_specification = original gaussian_blur=1
num_ground_truth_dimensions = 2
num_classes = 3
num_features = 2
max_depth = 1
num_trees = 1
feature_importances = 0.4,0.6
positive_class_identifier = 2
apoc_version = 0.14.0
*/
"""
KERNEL = """__kernel void predict (IMAGE_in0_TYPE in0, IMAGE_in1_TYPE in1, IMAGE_out_TYPE out) {
 sampler_t sampler = CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP_TO_EDGE | CLK_FILTER_NEAREST;
 const int x = get_global_id(0);
 const int y = get_global_id(1);
 const int z = get_global_id(2);
 float i0 = READ_IMAGE(in0, sampler, POS_in0_INSTANCE(x,y,z,0)).x;
 float i1 = READ_IMAGE(in1, sampler, POS_in1_INSTANCE(x,y,z,0)).x;
 float s0=0;
 float s1=0;
 float s2=0;
if(i0<35.0){
 s0+=1.0;
} else {
 s1+=0.6666666666666666;
 s2+=0.3333333333333333;
}
"""
BEST = """ float max_s=s0;
 int cls=1;
 if (max_s < s1) {
  max_s = s1;
  cls=2;
 }
 if (max_s < s2) {
  max_s = s2;
  cls=3;
 }
 WRITE_IMAGE (out, POS_out_INSTANCE(x,y,z,0), cls);
}
"""
SHARE = """ float sum_s=s0;
 int cls=1;
 sum_s = sum_s + s1;
 sum_s = sum_s + s2;
 WRITE_IMAGE (out, POS_out_INSTANCE(x,y,z,0), s2 / sum_s);
}
"""


@pytest.fixture
def cl(tmp_path):
    """Write a file with changes; returns its path."""

    def write(*changes, end=BEST):
        text = HEADER + KERNEL + end
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "model.cl").write_bytes(text.encode())
        return tmp_path / "model.cl"

    return write


def changed(key, value):
    """A change of one line of the header."""
    line = next(line for line in HEADER.splitlines() if line.startswith(key))
    return line + "\n", "" if value is None else f"{key} = {value}\n"


# --- reading --------------------------------------------------------------------------------


def test_header_and_forest(cl):
    state = read_cl(cl())
    (stage,) = state.stages
    assert state.kind == "ObjectSegmenter"
    assert state.parameters["target_class"] == 2
    assert (state.parameters["n_trees"], state.parameters["max_depth"]) == (1, 1)
    assert (state.ndim, state.n_channels) == (2, 1)
    assert stage.names == ("original", "gaussian_blur=1")
    assert stage.importances.tolist() == [0.4, 0.6]
    assert stage.forest.classes.tolist() == [1, 2, 3]
    assert stage.forest.predict([[34, 0], [35, 0]]).tolist() == [1, 2]
    assert stage.table is None
    assert state.provenance["written_by"] == "apoc 0.14.0"


def test_class_of_a_probability_map_is_in_the_last_line(cl):
    path = cl(
        ("ObjectSegmenter", "ProbabilityMapper"),
        changed("positive_class_identifier", None),
        end=SHARE,
    )
    state = read_cl(path)
    assert (state.kind, state.parameters["target_class"]) == ("ProbabilityMapper", 3)
    probability = state.stages[0].forest.predict_proba([[40, 0]])[0, 2]
    assert probability == np.float32(0.3333333333333333) / (
        np.float32(0.6666666666666666) + np.float32(0.3333333333333333)
    )


def test_probability_map_of_class_0_is_a_pixel_classifier(cl):
    with pytest.warns(UserWarning, match="writes class numbers and no probabilities"):
        state = read_cl(cl(("ObjectSegmenter", "ProbabilityMapper")))
    assert state.kind == "PixelClassifier"


@pytest.mark.parametrize(
    ("changes", "end", "kind"),
    [
        ([], BEST, "ObjectSegmenter"),
        ([changed("positive_class_identifier", None)], BEST, "PixelClassifier"),
        ([changed("positive_class_identifier", None)], SHARE, "ProbabilityMapper"),
    ],
)
def test_early_files_do_not_name_their_class(cl, changes, end, kind):
    early = ["classifier_class_name", "num_ground_truth", "feature_importances", "apoc_version"]
    path = cl(*changes, *[changed(key, None) for key in early], end=end)
    state = read_cl(path)
    assert (state.kind, state.ndim) == (kind, 2)
    assert state.provenance["classifier_named"] is False


def test_early_classifiers_of_objects_were_called_pixel_classifiers(cl):
    path = cl(
        changed("classifier_class_name", "PixelClassifier"),
        changed("feature_specification", "area,average_distance_of_n_nearest_neighbors=6"),
        changed("num_ground_truth_dimensions", 1),
        changed("positive_class_identifier", None),
    )
    state = read_cl(path)
    assert state.kind == "ObjectClassifier"
    assert state.stages[0].names == ("area", "average_distance_of_n_nearest_neighbors=6")


def test_the_label_of_apoc_is_one_more_than_the_number_of_an_object(cl, tmp_path):
    path = cl(
        changed("classifier_class_name", "ObjectClassifier"),
        changed("feature_specification", "label original_label"),
        changed("num_ground_truth_dimensions", 1),
    )
    state = read_cl(path)
    assert state.stages[0].forest.predict([[33, 0], [34, 0]]).tolist() == [1, 2]
    write_cl(state, tmp_path / "again.cl")
    assert "if(i0<35.0f)" in (tmp_path / "again.cl").read_text()
    again = read_cl(tmp_path / "again.cl").stages[0].forest
    assert again.predict([[33, 0], [34, 0]]).tolist() == [1, 2]


def test_a_header_of_neither_class_nor_features_is_refused(cl):
    path = cl(changed("classifier_class_name", None), changed("feature_specification", None))
    with pytest.raises(ClFileError, match="neither a line 'classifier_class_name"):
        read_cl(path)


def test_several_channels(cl):
    path = cl(changed("feature_specification", "gaussian_blur=1"))
    state = read_cl(path)
    assert state.n_channels == 2
    assert state.stages[0].names == ("gaussian_blur=1", "gaussian_blur=1_1")


def test_words_that_apoc_leaves_out_are_left_out(cl):
    path = cl(changed("feature_specification", "Original  nonsense\tgaussian_blur=1 "))
    assert read_cl(path).stages[0].features == "original gaussian_blur=1"


def test_3d_stencils_are_reported(cl):
    path = cl(
        changed("feature_specification", "original sobel_of_gaussian_blur=1"),
        changed("num_ground_truth_dimensions", 3),
    )
    with pytest.warns(UserWarning, match=r"sobel_of_gaussian_blur=1 of 3D images are faulty"):
        assert read_cl(path).ndim == 3


def test_features_made_by_hand_have_no_names(cl):
    state = read_cl(cl(changed("feature_specification", "Custom/unkown")))
    assert state.stages[0].features == ""
    assert state.stages[0].names == ("feature_0", "feature_1")


def test_selector_behaves_as_in_apoc(cl):
    path = cl(("ObjectSegmenter", "ObjectSelector"), changed("feature_specification", "area sum_x"))
    parameters = read_cl(path).parameters
    assert (parameters["target_class"], parameters["renumber"]) == (2, True)
    assert parameters["rule"] == "largest"


@pytest.mark.parametrize("kind", ["ObjectClassifier", "TableRowClassifier", "ObjectMerger"])
def test_tables_have_columns(cl, kind):
    path = cl(
        ("ObjectSegmenter", kind),
        changed("feature_specification", "area,  mean_intensity"),
        changed("num_ground_truth_dimensions", 1),
    )
    state = read_cl(path)
    assert (state.kind, state.ndim) == (kind, None)
    assert state.stages[0].names == ("area", "mean_intensity")


def test_a_byte_order_mark_is_read_over(cl):
    path = cl()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_cl(path).kind == "ObjectSegmenter"


def test_old_files_and_line_ends(cl):
    path = cl(
        changed("num_features", None),
        changed("feature_importances", None),
        changed("num_trees", None),
        changed("apoc_version", None),
    )
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    state = read_cl(path)
    assert state.stages[0].importances.tolist() == [0, 0]
    assert state.parameters["n_trees"] == 1
    assert "version unknown" in state.provenance["written_by"]


def test_names_in_another_encoding(cl):
    path = cl(("ObjectSegmenter", "TableRowClassifier"), changed("feature_specification", "a ü"))
    path.write_bytes(path.read_text("utf-8").encode("latin-1"))
    assert read_cl(path).stages[0].names == ("a", "ü")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("/*\n", ""), "does not begin with a comment"),
        (("*/\n", ""), "does not begin with a comment"),
        (changed("classifier_class_name", "Evil"), "must be one of PixelClassifier, .*got 'Evil'"),
        (changed("num_ground_truth_dimensions", 4), "num_ground_truth_dimensions"),
        (changed("num_ground_truth_dimensions", 1), "must be 2 or 3"),
        (changed("num_features", 3), "num_features is 3, the kernel reads 2"),
        (changed("num_trees", "many"), "num_trees"),
        (changed("feature_importances", "1.0"), "1 numbers for 2 features"),
        (changed("feature_importances", "nan,1"), "numbers of 0 or more"),
        (changed("positive_class_identifier", -2), "positive_class_identifier"),
        (changed("feature_specification", "original a=1 b=2"), "unknown feature 'a'"),
        (changed("feature_specification", "original"), None),
        (changed("feature_specification", "original median=1"), "APOC has no median=1"),
        (changed("feature_specification", "gaussian_blur=1um original"), "APOC has no"),
        (changed("feature_specification", ""), "at least one"),
        (changed("feature_specification", "original " * 3), "3 features do not make 2 columns"),
        (("if(i0<35.0){", "if(i0<35.0) exit(1); {"), "line 24: expected a tree"),
        (("s0+=1.0;", "s0+=-1.0;"), "leaf values must lie in 0"),
        ((" float s2=0;", " float s2=0; printf(1);"), "line 23"),
    ],
)
def test_file_that_breaks_a_rule_is_refused(cl, change, message):
    path = cl(change)
    if message is None:  # one feature of two channels
        assert read_cl(path).n_channels == 2
        return
    with pytest.raises(ClFileError, match=message) as caught:
        read_cl(path)
    assert str(path) in str(caught.value)


def test_names_with_blanks_cannot_be_told_apart(cl):
    path = cl(("ObjectSegmenter", "TableRowClassifier"), changed("feature_specification", "a b c"))
    with pytest.raises(ClFileError, match="3 words for 2 columns"):
        read_cl(path)


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"PK\3\4", b"/*" * 1000, bytes(range(256))])
def test_other_files_are_refused(tmp_path, data):
    (tmp_path / "x.cl").write_bytes(data)
    with pytest.raises(ClFileError, match=r"x\.cl"):
        read_cl(tmp_path / "x.cl")


def test_large_file_is_refused(cl, monkeypatch):
    monkeypatch.setattr("napari_spinney.files.apoc_cl.MAX_FILE", 1000)
    with pytest.raises(ClFileError, match="the largest"):
        read_cl(cl())


# --- writing --------------------------------------------------------------------------------


def predictions(state, n_columns=3):
    X = np.random.default_rng(1).normal(size=(500, n_columns)).astype(np.float32)
    return state.stages[0].forest.predict(X)


def test_model_comes_back(tmp_path, make):
    state = make.state(stage=make.stage(classes=(2, 5, 300)))
    write_cl(state, tmp_path / "m.cl")
    found = read_cl(tmp_path / "m.cl")
    assert found.stages[0].names == state.stages[0].names
    np.testing.assert_array_equal(found.stages[0].forest.classes, [2, 5, 300])
    np.testing.assert_array_equal(predictions(found), predictions(state))
    np.testing.assert_array_equal(found.stages[0].importances, state.stages[0].importances)
    trees, again = state.stages[0].forest.trees, found.stages[0].forest.trees
    np.testing.assert_array_equal(trees.quanta()[0], again.quanta()[0])


def test_probability_map_keeps_its_class_numbers(tmp_path, make):
    state = make.state(
        "ProbabilityMapper", stage=make.stage(classes=(2, 5)), parameters={"target_class": 5}
    )
    write_cl(state, tmp_path / "m.cl")
    found = read_cl(tmp_path / "m.cl")
    assert (found.kind, found.parameters["target_class"]) == ("ProbabilityMapper", 5)
    assert found.stages[0].forest.classes.tolist() == [2, 5]
    assert "s1 / sum_s" in (tmp_path / "m.cl").read_text()


@pytest.mark.parametrize("end", [BEST, SHARE])
def test_file_of_apoc_comes_back(cl, tmp_path, end):
    kind = "ObjectSegmenter" if end == BEST else "ProbabilityMapper"
    state = read_cl(cl(("ObjectSegmenter", kind), end=end))
    write_cl(state, tmp_path / "again.cl")
    found = read_cl(tmp_path / "again.cl")
    assert found.kind == state.kind
    assert found.parameters == state.parameters
    assert found.stages[0].forest.trees.sums == "float32"
    for name in ("threshold", "values", "right"):
        np.testing.assert_array_equal(
            getattr(found.stages[0].forest.trees, name), getattr(state.stages[0].forest.trees, name)
        )


def test_forest_of_single_leaves(tmp_path, make):
    stage = make.stage(min_leaf=60)
    assert stage.forest.depths().max() == 0
    write_cl(make.state(stage=stage), tmp_path / "m.cl")
    found = read_cl(tmp_path / "m.cl")
    assert found.stages[0].forest.n_trees == 5
    np.testing.assert_array_equal(predictions(found), predictions(make.state(stage=stage)))


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("ObjectClassifier", ["area", "touching_neighbor_count", "proximal_neighbor_count_d20"]),
        ("ObjectSelector", ["area", "average_distance_of_n_nearest_neighbors=3", "sum_x"]),
        ("ObjectMerger", ["touch_portion", "touch_count", "area_difference"]),
        ("TableRowClassifier", ["anything", "else", "ä"]),
    ],
)
def test_tables_come_back(tmp_path, make, kind, names):
    state = make.state(
        kind, stage=make.stage(" ".join(names)), ndim=None, parameters={"target_class": 1}
    )
    write_cl(state, tmp_path / "m.cl")
    found = read_cl(tmp_path / "m.cl")
    assert (found.kind, list(found.stages[0].names)) == (kind, names)
    np.testing.assert_array_equal(predictions(found), predictions(state))


def test_several_channels_come_back(tmp_path, make):
    names = ["original", "gaussian_blur=1", "original_1", "gaussian_blur=1_1"]
    stage = make.stage("original gaussian_blur=1", names)
    write_cl(make.state(stage=stage, n_channels=2), tmp_path / "m.cl")
    found = read_cl(tmp_path / "m.cl")
    assert (found.n_channels, list(found.stages[0].names)) == (2, names)


def test_named_set_is_written_in_words(tmp_path, make):
    stage = make.stage("small_quick", ["original", "gaussian_blur=1", "sobel_of_gaussian_blur=1"])
    write_cl(make.state(stage=stage), tmp_path / "m.cl")
    text = (tmp_path / "m.cl").read_text()
    assert "feature_specification = original gaussian_blur=1 sobel_of_gaussian_blur=1\n" in text


def test_apoc_finds_its_keys(tmp_path, make):
    write_cl(make.state("ObjectSegmenter", parameters={"target_class": 2}), tmp_path / "m.cl")
    lines = (tmp_path / "m.cl").read_text().splitlines()[:25]
    keys = [line.partition(" = ")[0] for line in lines if " = " in line]
    assert keys[:8] == [
        "classifier_class_name", "feature_specification", "num_ground_truth_dimensions",
        "num_classes", "num_features", "max_depth", "num_trees", "feature_importances",
    ]  # fmt: skip
    assert "positive_class_identifier = 2" in lines
    assert any(line.startswith("if(i") for line in (tmp_path / "m.cl").read_text().splitlines())


@pytest.mark.parametrize(
    ("kind", "features", "facts", "message"),
    [
        ("PixelClassifier", "original median=1", {}, "APOC has no median=1"),
        ("PixelClassifier", "gaussian_blur=1 gaussian_blur=1um", {}, "APOC has no gaussian_blur=1"),
        ("PixelClassifier", "original gaussian_blur=1,2", {}, "APOC has no gaussian_blur=1,2"),
        ("PixelClassifier", "original hessian_eigenvalues=2", {}, "APOC has no hessian"),
        ("PixelClassifier", "original gaussian_blur=1", {"n_channels": 2}, "2 columns are not"),
        ("PixelClassifier", "original sobel=1", {"ndim": 3}, "APOC computes sobel=1 of 3D"),
        ("ObjectSegmenter", "original", {"parameters": {"split": "watershed"}}, "split='watershed"),
        ("ObjectSegmenter", "original", {"parameters": {"min_size": 5}}, "min_size=5"),
        ("ProbabilityMapper", "original", {"parameters": {"target_class": 9}}, "target_class must"),
        ("ObjectMapper", "area", {}, "got 'ObjectMapper'|no ObjectMapper|has no area"),
        ("ObjectClassifier", "area solidity", {}, "has no solidity"),
        ("ObjectMerger", "area touch_count", {}, "has no area"),
        ("ObjectMerger", "touch_count", {"parameters": {"merge_class": 2}}, "merge_class=2"),
        ("ObjectClassifier", "area", {"spacing": (0.5, 0.5)}, r"spacing \(0.5, 0.5\)"),
    ],
)
def test_what_apoc_has_not_is_refused(tmp_path, make, kind, features, facts, message):
    names = features.replace("hessian_eigenvalues", "h").split()
    state = make.state(kind, stage=make.stage(features, names), **facts)
    with pytest.raises(ClFileError, match=message) as caught:
        write_cl(state, tmp_path / "m.cl")
    assert "m.cl" in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_two_stages_are_refused(tmp_path, make):
    state = make.state()
    with pytest.raises(ClFileError, match="no classifier with stages=2"):
        write_cl(replace(state, stages=state.stages * 2), tmp_path / "m.cl")


@pytest.mark.parametrize("name", ["two words", "a,b", "", "a\nb", "a\tb"])
def test_names_that_apoc_would_part_are_refused(tmp_path, make, name):
    state = make.state("TableRowClassifier", stage=make.stage("", ["a", name]), ndim=None)
    with pytest.raises(ClFileError, match="blanks and commas"):
        write_cl(state, tmp_path / "m.cl")


@pytest.mark.parametrize("name", ["a*/", "a\x00", "a\x0bb"])
def test_names_that_would_end_the_comment_are_refused(tmp_path, make, name):
    state = make.state("TableRowClassifier", stage=make.stage("", ["a", name]), ndim=None)
    with pytest.raises(ClFileError, match=r"cannot stand in a comment|blanks"):
        write_cl(state, tmp_path / "m.cl")
