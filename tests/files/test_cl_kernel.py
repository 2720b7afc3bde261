from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_spinney.files import cl_kernel, cl_trees
from napari_spinney.files.cl_kernel import ClKernel, format_kernel, parse_kernel
from napari_spinney.files.cl_text import ClSyntaxError
from napari_spinney.forest.forest import Forest

HEAD = """__kernel void predict (IMAGE_in0_TYPE in0, IMAGE_in1_TYPE in1, IMAGE_out_TYPE out) {
 sampler_t sampler = CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP_TO_EDGE | CLK_FILTER_NEAREST;
 const int x = get_global_id(0);
 const int y = get_global_id(1);
 const int z = get_global_id(2);
 float i0 = READ_IMAGE(in0, sampler, POS_in0_INSTANCE(x,y,z,0)).x;
 float i1 = READ_IMAGE(in1, sampler, POS_in1_INSTANCE(x,y,z,0)).x;
 float s0=0;
 float s1=0;
"""
TREE = "if(i0<35.0){\n s0+=1.0;\n} else {\n s0+=0.25;\n s1+=0.75;\n}\n"
BEST = """ float max_s=s0;
 int cls=2;
 if (max_s < s1) {
  max_s = s1;
  cls=5;
 }
 WRITE_IMAGE (out, POS_out_INSTANCE(x,y,z,0), cls);
}
"""
SHARE = """ float sum_s=s0;
 int cls=1;
 sum_s = sum_s + s1;
 WRITE_IMAGE (out, POS_out_INSTANCE(x,y,z,0), s1 / sum_s);
}
"""
ARRAYS = ("roots", "feature", "threshold", "left", "right", "nan_left", "leaf", "values")


def forest_of(text):
    kernel = parse_kernel(text)
    return Forest.from_trees(kernel.trees, kernel.classes)


def assert_same(a: ClKernel, b: ClKernel):
    assert (a.classes, a.share_of, a.trees.sums) == (b.classes, b.share_of, b.trees.sums)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(a.trees, name), getattr(b.trees, name), name)


def test_kernel_is_understood():
    kernel = parse_kernel(HEAD + TREE + TREE + BEST)
    assert kernel.classes == (2, 5)
    assert kernel.share_of is None
    assert kernel.trees.roots.tolist() == [0, 3]
    assert kernel.trees.feature.tolist() == [0, -1, -1] * 2
    assert kernel.trees.values.tolist() == [[1, 0], [0.25, 0.75]] * 2
    assert kernel.trees.sums == "float32"


def test_pixel_on_a_threshold_goes_right():
    forest = forest_of(HEAD + TREE + BEST)
    below = np.nextafter(np.float32(35), np.float32(0))
    assert forest.predict([[35, 0], [below, 0], [np.nan, 0]]).tolist() == [5, 2, 5]


def test_counts_are_added_as_they_are():
    counts = "if(i1<0.5){\n s0+=412.0;\n s1+=3.0;\n} else {\n s1+=7.0;\n}\n"
    forest = forest_of(HEAD + counts + TREE + BEST)
    assert forest.sums([[0, 0], [40, 1]]).tolist() == [[413, 3], [0.25, 7.75]]


def test_share_names_its_sum():
    kernel = parse_kernel(HEAD + TREE + SHARE)
    assert (kernel.classes, kernel.share_of) == ((1, 2), 1)


def test_trees_of_one_leaf():
    text = HEAD + "s0+=0.5;\ns1+=0.5;\ns0+=1.0;\ns1+=1.0;\n" + TREE + BEST
    forest = forest_of(text)
    assert forest.n_trees == 3  # s0 s1, s0 s1, and the one with a branch
    assert forest.sums([[0, 0]]).tolist() == [[2.5, 1.5]]


def test_single_class():
    head = HEAD.replace(" float s1=0;\n", "")
    end = " float max_s=s0;\n int cls=1;\n" + BEST.splitlines(keepends=True)[-2] + "}\n"
    assert forest_of(head + "s0+=1.0;\n" + end).predict([[1, 2]]).tolist() == [1]


def test_empty_branch_adds_nothing():
    forest = forest_of(HEAD + "if(i0<1.0){\n} else {\n s1+=1.0;\n}\n" + BEST)
    assert forest.sums([[0, 0]]).tolist() == [[0, 0]]


def test_layout_is_free():
    text = " ".join((HEAD + TREE + BEST).split())
    assert_same(parse_kernel(text), parse_kernel(HEAD + TREE + BEST))


def test_very_deep_tree_is_read_without_recursion():
    depth = 5_000
    text = "".join(f"if(i0<{i}.0){{s0+=1.0;}} else {{" for i in range(depth))
    kernel = parse_kernel(HEAD + text + "s1+=1.0;" + "}" * depth + BEST)
    forest = Forest.from_trees(kernel.trees, kernel.classes)
    assert forest.depths().tolist() == [depth]
    assert_same(parse_kernel("".join(format_kernel(kernel))), kernel)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("__kernel void predict", "__kernel void evil", "line 1: expected '__kernel void"),
        ("in1, IMAGE_out", "in2, IMAGE_out", "line 1: parameters must be in0, in1"),
        ("float i1 = READ_IMAGE(in1", "float i1 = READ_IMAGE(in0", "line 7: images must be read"),
        (" float i1 = READ_IMAGE(in1, sampler, POS_in1_INSTANCE(x,y,z,0)).x;\n", "", "1 are read"),
        (" float s0=0;\n float s1=0;\n", "", "line 8: expected 'float s0=0;'"),
        ("float s1=0", "float s2=0", "sums must be declared in order"),
        ("float s1=0", "uint s1=0", "sums must be of one type"),
        (TREE, "", "line 10: expected a tree"),
        ("i0<35.0", "i2<35.0", "line 10: i2 is not read"),
        ("s1+=0.75", "s2+=0.75", "line 14: s2 is not declared"),
        ("s1+=0.75", "s0+=0.75", "line 14: s0 is added twice"),
        ("s1+=0.75", "s1+=system(1)", "expected a statement of a tree"),
        ("i0<35.0", "i0<exit(1)", "line 10: expected a tree"),
        ("s1+=0.75;\n}", "s1+=0.75;\n", "expected a statement of a tree"),
        ("} else {", "} else { while(1);", "line 12: expected a statement|line 13"),
        (" s0+=1.0;\n} else {", " s0+=1.0;\n}", "line 12: expected '} else {'"),
        (TREE, TREE + "} else {", "'else' without 'if'"),
        ("{\n s0+=1.0;", "{\n s0+=1.0; if(i1<1.0){} else {}", "one leaf or one 'if'"),
        ("{\n s0+=1.0;", "{\n if(i1<1.0){} else {} s0+=1.0;", "one leaf or one 'if'"),
        ("cls=5", "cls=2", r"must rise from 1 on; got \[2, 2\]"),
        ("int cls=2", "int cls=0", "must rise from 1 on"),
        ("cls=5", "cls=4294967296", "must rise"),
        ("max_s < s1", "max_s < s0", "compared in order"),
        (" if (max_s < s1) {\n  max_s = s1;\n  cls=5;\n }\n", "", "1 are compared"),
        ("cls);", "s1 / sum_s);", "no share of sums"),
        ("WRITE_IMAGE (out,", "WRITE_IMAGE (in0,", "expected 'WRITE_IMAGE"),
        ("cls);\n}", "cls);\n}\n__kernel void evil() {}", "line 24: expected nothing after"),
        ("cls);\n}", "cls);\n", "expected '}'"),
    ],
)
def test_text_outside_the_grammar_is_refused(old, new, message):
    text = HEAD + TREE + BEST
    assert text.count(old) == 1
    with pytest.raises(ClSyntaxError, match=message):
        parse_kernel(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sum_s + s1", "sum_s + s0", "added in order"),
        (" sum_s = sum_s + s1;\n", "", "1 are added"),
        ("s1 / sum_s", "s2 / sum_s", "share of a declared sum"),
        ("s1 / sum_s", "cls", "share of a declared sum"),
    ],
)
def test_wrong_share_is_refused(old, new, message):
    text = HEAD + TREE + SHARE
    assert text.count(old) == 1
    with pytest.raises(ClSyntaxError, match=message):
        parse_kernel(text.replace(old, new))


def test_numbers_of_columns_are_limited(monkeypatch):
    monkeypatch.setattr(cl_kernel, "MAX_COLUMNS", 1)
    with pytest.raises(ClSyntaxError, match="at most 1"):
        parse_kernel(HEAD + TREE + BEST)


def test_number_of_leaf_values_is_limited(monkeypatch):
    monkeypatch.setattr(cl_trees, "MAX_VALUES", 3)
    with pytest.raises(ClSyntaxError, match="more than 3 leaf values"):
        parse_kernel(HEAD + TREE + BEST)


@settings(deadline=None)
@given(text=st.text(alphabet=" \n(){};+=<.0159esifxcl", max_size=60), place=st.floats(0, 1))
def test_any_text_is_read_or_refused(text, place):
    whole = HEAD + TREE + BEST
    cut = int(place * len(whole))
    with contextlib.suppress(ClSyntaxError):
        kernel = parse_kernel(whole[:cut] + text + whole[cut:])
        assert (kernel.trees.n_features, kernel.trees.n_classes) == (2, 2)


@pytest.mark.parametrize("value", ["0.5", "-1", "4294967296u", "1e3", "1f"])
def test_whole_sums_take_whole_numbers(value):
    text = (HEAD + TREE + BEST).replace("float s", "uint s").replace("float max_s", "uint max_s")
    with pytest.raises(ClSyntaxError, match=r"whole number below 2\*\*32"):
        parse_kernel(text.replace("1.0;", f"{value};"))


@pytest.mark.parametrize("share_of", [None, 1])
@pytest.mark.parametrize("classes", [(1, 2), (2, 5, 4_000_000_000)])
def test_what_is_written_is_read_back(make, classes, share_of):
    forest = make.stage(classes=classes).forest
    written = tuple(range(1, len(classes) + 1)) if share_of else classes
    kernel = ClKernel(forest.trees, written, share_of)
    found = parse_kernel("".join(format_kernel(kernel)))
    X = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    one, two = Forest.from_trees(kernel.trees, written), Forest.from_trees(found.trees, written)
    np.testing.assert_array_equal(one.sums(X), two.sums(X))
    assert (found.classes, found.share_of) == (written, share_of)


def test_kernel_of_apoc_is_written_as_it_was():
    text = HEAD + TREE + BEST
    again = "".join(format_kernel(parse_kernel(text)))
    assert again == text.replace("35.0", "35.0f")
