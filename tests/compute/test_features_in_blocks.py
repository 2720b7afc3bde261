"""What does not depend on how an image is cut, and what happens to odd pixels."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_spinney.compute.blocks import Block, cut
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import build_plan

EVERYTHING = (
    "original gaussian_blur=1 difference_of_gaussian=2 laplace_box_of_gaussian_blur=2 "
    "sobel_of_gaussian_blur=1 laplacian_of_gaussian=1.5 gradient_magnitude=0.7 "
    "hessian_eigenvalues=1 structure_tensor_eigenvalues=1.6 wide_difference_of_gaussian=1 "
    "mean=2 minimum=3 maximum=1 median=1 standard_deviation=2 median_of_gaussian_blur=1 original"
)


def in_blocks(executor, plan, image, blocks):
    found = np.full((len(plan.outputs), *image.shape[1:]), np.nan, np.float32)
    for block in blocks:
        outer = np.ascontiguousarray(image[(slice(None), *block.outer)])
        found[(slice(None), *block.target)] = executor.features(plan, outer, block.inner)
    return found


@pytest.mark.parametrize(
    ("shape", "size"), [((90, 131), (37, 50)), ((17, 40, 45), (9, 16, 21)), ((64, 9), (5, 4))]
)
def test_blocks_are_the_whole_image_bit_for_bit(executor, shape, size):
    image = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    plan = build_plan(FeatureSet.parse(EVERYTHING), ndim=len(shape), n_channels=2)
    whole = executor.features(plan, image, tuple(slice(0, n) for n in shape))
    blocks = cut(tuple(slice(0, n) for n in shape), size, shape, plan.reach)
    found = in_blocks(executor, plan, image, blocks)
    np.testing.assert_array_equal(found.view(np.uint32), whole.view(np.uint32))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_part_is_the_same_part_of_the_whole(executor, data):
    shape = tuple(data.draw(st.lists(st.integers(1, 40), min_size=2, max_size=2)))
    starts = [data.draw(st.integers(0, n - 1)) for n in shape]
    target = tuple(
        slice(a, data.draw(st.integers(a + 1, n))) for a, n in zip(starts, shape, strict=True)
    )
    image = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
    plan = build_plan(FeatureSet.parse(EVERYTHING), ndim=2)
    whole = executor.features(plan, image, tuple(slice(0, n) for n in shape))
    block = Block.around(target, shape, plan.reach)
    found = in_blocks(executor, plan, image, [block])[(slice(None), *target)]
    part = whole[(slice(None), *target)]
    np.testing.assert_array_equal(found.view(np.uint32), part.view(np.uint32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("word", "radius"),
    [
        ("gaussian_blur=1", 4),
        ("laplace_box=1", 1),
        ("gradient_magnitude=1", 4),
        ("mean=2", 2),
        ("standard_deviation=2", 4),
    ],
)
def test_a_pixel_that_is_not_finite_spoils_its_neighbourhood_only(features_of, value, word, radius):
    image = np.random.default_rng(0).normal(size=(24, 30)).astype(np.float32)
    image[10, 12] = value
    (plane,) = features_of(word, image).values()
    spoilt = ~np.isfinite(plane)
    assert spoilt[10, 12]
    spoilt[10 - radius : 11 + radius, 12 - radius : 13 + radius] = False
    assert not spoilt.any()


def test_infinity_is_the_extreme_of_its_window(features_of):
    image = np.zeros((9, 9), np.float32)
    image[4, 4] = np.inf
    found = features_of("maximum=1 minimum=1 median=1", image)
    assert np.isposinf(found["maximum=1"][3:6, 3:6]).all()
    assert not found["minimum=1"].any()
    assert not found["median=1"].any()


def test_a_constant_image_shows_no_border(features_of):
    image = np.full((20, 30), 7, np.float32)
    for name, plane in features_of(EVERYTHING, image).items():
        np.testing.assert_array_equal(plane, plane[0, 0], err_msg=name)


def test_features_of_part_of_a_plan_are_the_same(executor):
    image = np.random.default_rng(0).normal(size=(1, 40, 50)).astype(np.float32)
    plan = build_plan(FeatureSet.parse(EVERYTHING), ndim=2)
    inner = (slice(0, 40), slice(0, 50))
    whole = executor.features(plan, image, inner)
    columns = [12, 0, 7, 12]
    found = executor.features(plan.keep(columns), image, inner)
    np.testing.assert_array_equal(found, whole[columns])


def test_channels_are_measured_one_by_one(features_of):
    image = np.random.default_rng(0).normal(size=(2, 20, 30)).astype(np.float32)
    both = features_of("small_quick", image, n_channels=2)
    second = features_of("small_quick", image[1])
    for name, plane in second.items():
        np.testing.assert_array_equal(both[f"{name}_1"], plane)
