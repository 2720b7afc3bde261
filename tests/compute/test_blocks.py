"""Cutting images into blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_spinney.compute.blocks import Block, cut, fit_inner, fit_lanes

shapes = st.lists(st.integers(1, 40), min_size=2, max_size=3).map(tuple)


@st.composite
def cuttings(draw):
    shape = draw(shapes)
    inner = tuple(draw(st.integers(1, 50)) for _ in shape)
    reach = tuple(draw(st.integers(0, 9)) for _ in shape)
    return shape, inner, reach


@given(cuttings())
def test_blocks_cover_every_pixel_once(cutting):
    shape, inner, reach = cutting
    seen = np.zeros(shape, int)
    blocks = list(cut(tuple(slice(0, n) for n in shape), inner, shape, reach))
    for block in blocks:
        seen[block.target] += 1
        assert all(a <= b for a, b in zip(block.inner_shape, inner, strict=True))
    assert (seen == 1).all()


@given(cuttings())
def test_inner_and_target_are_the_same_pixels_and_the_halo_is_whole(cutting):
    shape, inner, reach = cutting
    image = np.arange(np.prod(shape)).reshape(shape)
    for block in cut(tuple(slice(0, n) for n in shape), inner, shape, reach):
        np.testing.assert_array_equal(image[block.outer][block.inner], image[block.target])
        for outer, target, n, r in zip(block.outer, block.target, shape, reach, strict=True):
            assert outer.start == max(0, target.start - r)
            assert outer.stop == min(n, target.stop + r)


def test_halves_make_up_the_block():
    shape, reach = (20, 31), (2, 3)
    block = Block.around((slice(0, 20), slice(5, 31)), shape, reach)
    first, second = block.halves(shape, reach)
    assert first.target == (slice(0, 20), slice(5, 18))
    assert second.target == (slice(0, 20), slice(18, 31))
    assert second.outer == (slice(0, 20), slice(15, 31))


def test_fit_inner_keeps_within_the_budget():
    inner = fit_inner((1000, 1000), (512, 512), (10, 10), lambda s: 4 * s[0] * s[1], 100_000)
    assert 4 * (inner[0] + 20) * (inner[1] + 20) <= 100_000
    assert inner == (128, 128)


def test_fit_inner_says_the_least_that_works():
    def fit(budget):
        return fit_inner((1000, 1000), (512, 512), (100, 100), lambda s: 4 * s[0] * s[1], budget)

    with pytest.raises(
        ValueError, match=r"a halo of \(100, 100\) .* takes 161,604 bytes, .* 1,000"
    ):
        fit(1000)
    assert fit(161_604) == (1, 1)


@pytest.mark.parametrize(
    ("budget", "inner", "lanes"),
    [
        (10**9, (512, 512), 64),
        (64 * 4 * 300**2, (64, 128), 64),
        (4 * 4 * 300**2, (64, 128), 4),
        (3 * 4 * 300**2, (128, 128), 2),
        (4 * 300**2, (64, 128), 1),
        (4 * 201**2, (1, 1), 1),
    ],
)
def test_fewer_blocks_are_in_flight_where_each_would_be_tiny(budget, inner, lanes):
    def cost(outer):
        return 4 * outer[0] * outer[1]

    assert fit_lanes((1000, 1000), (512, 512), (100, 100), cost, budget, 64) == (inner, lanes)
