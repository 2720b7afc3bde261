import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_spinney.features.catalogue import CATALOGUE, FAMILIES
from napari_spinney.features.external import EXTERNAL
from napari_spinney.features.feature import Feature

SIZES = st.floats(1e-6, 1e6, allow_subnormal=False)
SIGMA_NAMES = [entry.name for entry in CATALOGUE.values() if entry.parameter == "sigma"]
NAMES = st.sampled_from(
    [*SIGMA_NAMES, *FAMILIES, "sobel_of_gaussian_blur", "hessian_eigenvalues_of_gaussian_blur"]
)
UNITS = st.sampled_from(["pixel", "micrometre"])


@given(name=NAMES, number=st.lists(SIZES, min_size=1, max_size=3), unit=UNITS)
def test_text_form_reads_back_as_the_same_feature(name, number, unit):
    feature = Feature(name, tuple(number), unit)
    assert Feature.parse(str(feature)) == feature


@given(name=st.sampled_from(sorted(EXTERNAL)), number=st.floats(-1e6, 1e6))
def test_text_form_of_an_opencl_filter_reads_back(name, number):
    feature = Feature(name, (number,))
    assert Feature.parse(str(feature)) == feature


@pytest.mark.parametrize(
    "word",
    [
        "original",
        "gaussian_blur=1",
        "gaussian_blur=0.7",
        "gaussian_blur=1,2,2",
        "gaussian_blur=0.5um",
        "gaussian_blur=0.5,0.25um",
        "laplace_box_of_gaussian_blur=25",
        "maximum_box_of_gaussian_blur=3",
        "median_of_gaussian_blur=2",
        "hessian_eigenvalues=1.6",
        "top_hat_box=5",
        "small_hessian_eigenvalue=1",
        "multiply_image_and_scalar=-2",
        "mean=0,2,2",
    ],
)
def test_words_come_back_as_they_were_written(word):
    assert str(Feature.parse(word)) == word


@pytest.mark.parametrize(
    ("word", "canonical"),
    [
        ("gaussian_blur=1.0", "gaussian_blur=1"),
        ("gaussian_blur=1e0", "gaussian_blur=1"),
        ("Original", "original"),
        ("gaussian_blur=2\u00b5m", "gaussian_blur=2um"),
        ("gaussian_blur=2\u03bcm", "gaussian_blur=2um"),
    ],
)
def test_other_spellings(word, canonical):
    assert str(Feature.parse(word)) == canonical


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("gausian_blur=2", "gausian_blur.*nearest.*gaussian_blur"),
        ("sobel_of_gaus=2", "sobel_of_gaus.*nearest.*sobel_of_gaussian_blur"),
        ("MEDIAN=2", "MEDIAN.*nearest.*median"),
        ("wavelet=3", "wavelet.*known are original, gaussian_blur"),
        ("sobel_of_original=1", "sobel_of_original"),
        ("median_of_hessian_eigenvalues=1", "median_of_hessian_eigenvalues"),
        ("gaussian_blur", "gaussian_blur.*needs a number"),
        ("gaussian_blur=", "not a number"),
        ("gaussian_blur=two", "two.*not a number"),
        ("gaussian_blur=1=2", "not a number"),
        ("gaussian_blur=1,,2", "not a number"),
        ("gaussian_blur=1px", "not a number"),
        ("=2", "is not a feature"),
        ("", "is not a feature"),
        ("gaussian blur=2", "is not a feature"),
        ("original=2", "takes no number"),
        ("gaussian_blur=0", "above 0; got 0"),
        ("gaussian_blur=-1", "above 0; got -1"),
        ("gaussian_blur=1,0,1", "above 0; got 0"),
        ("gaussian_blur=nan", "finite; got nan"),
        ("gaussian_blur=inf", "finite; got inf"),
        ("median=1.5", "whole number of pixels; got 1.5"),
        ("median=0", "above 0; got 0"),
        ("median=-1,2", "above 0; got -1"),
        ("median_of_gaussian_blur=1.5", "whole number of pixels; got 1.5"),
        ("top_hat_box=1,2", "one number for all axes"),
    ],
)
def test_bad_words_say_what_is_wrong(word, message):
    with pytest.raises(ValueError, match=message):
        Feature.parse(word)


def test_unknown_unit():
    with pytest.raises(ValueError, match="'pixel' or 'micrometre'; got 'inch'"):
        Feature("gaussian_blur", (1.0,), "inch")


def test_one_number_stands_for_every_axis():
    assert Feature.parse("gaussian_blur=2").pixels(3) == (2, 2, 2)
    assert Feature.parse("gaussian_blur=1,2,3").pixels(3) == (1, 2, 3)
    assert Feature.parse("original").pixels(3) == ()


def test_micrometres_become_pixels_of_each_axis():
    feature = Feature.parse("gaussian_blur=1um")
    assert feature.pixels(3, (2.0, 0.5, 0.25)) == (0.5, 2, 4)


def test_radius_in_micrometres_becomes_whole_pixels():
    assert Feature.parse("median=1um").pixels(3, (3.0, 0.4, 0.4)) == (0, 2, 2)


@pytest.mark.parametrize(
    ("word", "spacing", "message"),
    [
        ("gaussian_blur=1,2", None, "has 2 numbers, but the image has 3"),
        ("gaussian_blur=1um", None, "spacing is not known"),
        ("gaussian_blur=1um", (1, 1), "spacing must be 3 numbers above 0"),
        ("gaussian_blur=1um", (0, 1, 1), "spacing must be 3 numbers above 0"),
        ("gaussian_blur=1um", (1, math.nan, 1), "spacing must be 3 numbers above 0"),
        ("median=1um", (9, 9, 9), "less than a pixel"),
        ("top_hat_box=3um", (2, 1, 1), "one size for all axes"),
        ("gaussian_blur=1001", None, "1001 pixels; at most 1000"),
        ("gaussian_blur=1um", (1, 1e-6, 1), "at most 1000"),
        ("median_box=5", None, "sorts 1331 pixels at each place; at most 1000"),
        ("median_box_of_gaussian_blur=5", None, "sorts 1331 pixels"),
        ("median_sphere=7", None, "sorts 1436 pixels.*'median=7'"),
    ],
)
def test_numbers_that_cannot_be_pixels(word, spacing, message):
    with pytest.raises(ValueError, match=message):
        Feature.parse(word).pixels(3, spacing)


def test_opencl_filter_in_micrometres_on_even_spacing():
    assert Feature.parse("top_hat_box=4um").pixels(2, (2, 2)) == (2, 2)


def test_medians_of_opencl_may_be_as_large_as_their_kernels():
    for word, ndim in [
        ("median_box=4", 3),
        ("median_box=15", 2),
        ("median_sphere=6", 3),
        ("median_sphere=17", 2),
    ]:
        assert Feature.parse(word).pixels(ndim)
    with pytest.raises(ValueError, match="sorts 1089 pixels"):
        Feature.parse("median_box=16").pixels(2)


def test_numbers_of_opencl_filters_may_be_large():
    assert Feature.parse("multiply_image_and_scalar=65535").pixels(2) == (65535, 65535)


def test_a_family_has_one_member_per_axis():
    family = Feature.parse("hessian_eigenvalues=2")
    assert [str(f) for f in family.for_ndim(2)] == [
        "hessian_eigenvalue_largest=2",
        "hessian_eigenvalue_smallest=2",
    ]
    assert [str(f) for f in family.for_ndim(3)] == [
        "hessian_eigenvalue_largest=2",
        "hessian_eigenvalue_middle=2",
        "hessian_eigenvalue_smallest=2",
    ]


@pytest.mark.parametrize("word", ["hessian_eigenvalue_middle=1", "gradient_z=1"])
def test_features_of_3d_only(word):
    assert Feature.parse(word).for_ndim(3) == (Feature.parse(word),)
    with pytest.raises(ValueError, match=f"'{word}' exists only in 3D"):
        Feature.parse(word).for_ndim(2)


@pytest.mark.parametrize("name", [*CATALOGUE, *FAMILIES])
def test_every_name_of_the_catalogue_can_be_asked_for(name):
    number = () if name == "original" else (2.0,)
    assert str(Feature(name, number)).startswith(name)
