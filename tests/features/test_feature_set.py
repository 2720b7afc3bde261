import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_spinney.features.feature import Feature, FeatureSet
from napari_spinney.features.sets import SETS, named_sets

WORDS = st.sampled_from(
    ["original", "gaussian_blur=1", "median=2", "sobel_of_gaussian_blur=0.5", "mean=1,2um"]
)


@given(st.lists(WORDS, min_size=1))
def test_text_form_reads_back_as_the_same_set(words):
    text = " ".join(words)
    features = FeatureSet.parse(text)
    assert str(features) == text
    assert FeatureSet.parse(str(features)) == features
    assert [str(feature) for feature in features] == words


def test_any_white_space_separates_words():
    assert str(FeatureSet.parse(" original\tgaussian_blur=1 \n median=2 ")) == (
        "original gaussian_blur=1 median=2"
    )


def test_a_named_set_can_be_one_of_the_words():
    features = FeatureSet.parse("small_quick median=2")
    assert str(features) == "original gaussian_blur=1 sobel_of_gaussian_blur=1 median=2"


@pytest.mark.parametrize("text", ["", "  "])
def test_no_feature(text):
    with pytest.raises(ValueError, match="at least one feature"):
        FeatureSet.parse(text)


def test_misspelt_named_set():
    with pytest.raises(ValueError, match=r"'ilastic'.*nearest.*ilastik"):
        FeatureSet.parse("ilastic")


def test_the_bad_word_of_many_is_named():
    with pytest.raises(ValueError, match="'gausian_blur'"):
        FeatureSet.parse("original gausian_blur=2 gaussian_blur=1")


def test_with_and_without_features():
    features = FeatureSet.parse("original gaussian_blur=1")
    more = features.with_features([Feature.parse("median=2"), Feature("original")])
    assert str(more) == "original gaussian_blur=1 median=2"
    assert str(more.without([Feature("original")])) == "gaussian_blur=1 median=2"
    assert Feature("original") in features
    assert len(more) == 3


def test_names_of_later_channels_are_numbered():
    features = FeatureSet.parse("original gaussian_blur=1")
    assert features.names(3) == (
        "original",
        "gaussian_blur=1",
        "original_1",
        "gaussian_blur=1_1",
        "original_2",
        "gaussian_blur=1_2",
    )


def test_a_feature_that_comes_twice_has_two_names():
    names = FeatureSet.parse("original original original").names(2)
    assert names[:3] == ("original", "original (2)", "original (3)")
    assert len(set(names)) == 6


def test_sets_of_apoc():
    sets = named_sets()
    assert str(sets["object_size_1_to_5_px"]) == (
        "original gaussian_blur=1 gaussian_blur=2 gaussian_blur=3 gaussian_blur=4 gaussian_blur=5 "
        "difference_of_gaussian=1 difference_of_gaussian=2 difference_of_gaussian=3 "
        "difference_of_gaussian=4 difference_of_gaussian=5 laplace_box_of_gaussian_blur=1 "
        "laplace_box_of_gaussian_blur=2 laplace_box_of_gaussian_blur=3 "
        "laplace_box_of_gaussian_blur=4 laplace_box_of_gaussian_blur=5"
    )
    assert str(sets["v070"]) == (
        "gaussian_blur=1 difference_of_gaussian=1 laplace_box_of_gaussian_blur=1 "
        "sobel_of_gaussian_blur=1"
    )


def test_sets_are_those_of_the_installed_apoc():
    from apoc import PredefinedFeatureSet

    theirs = {s.name: s.value for s in PredefinedFeatureSet if s.value}
    assert {name: SETS[name] for name in theirs} == theirs


def test_default_comes_first():
    assert next(iter(named_sets())) == "default"
