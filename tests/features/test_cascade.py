import numpy as np
import pytest

from napari_spinney.features.cascade import DIFFERENCES, SMOOTH, split
from napari_spinney.features.gaussians import apoc_gaussian, scipy_gaussian

SIGMAS = [16, 16.7, 25, 31.4, 49.5, 100, 250]


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("sigma", [12.3, *SIGMAS])
def test_gaussians_of_scipy_are_reproduced(sigma, order):
    wanted = scipy_gaussian(sigma, order)
    cascade = split(wanted, SMOOTH)
    error = cascade.weights() - wanted
    assert np.linalg.norm(error) < 2e-5 * np.linalg.norm(wanted)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_gaussians_of_apoc_keep_their_second_differences(sigma):
    wanted = np.array(apoc_gaussian(sigma))
    error = split(apoc_gaussian(sigma), DIFFERENCES).weights() - wanted
    assert np.linalg.norm(error) < 3e-7 * np.linalg.norm(wanted)
    # Rounding to float32 is all that is left where sigma is very large.
    rounding = 4 * 2.0**-24 * np.linalg.norm(wanted)
    ripple = np.linalg.norm(np.diff(np.pad(error, 2), 2)) - rounding
    assert ripple < 2e-4 * np.linalg.norm(np.diff(wanted, 2))


@pytest.mark.parametrize("order", [0, 1, 2])
def test_a_constant_image_gives_what_it_did(order):
    wanted = scipy_gaussian(25, order)
    assert split(wanted, SMOOTH).weights().sum() == pytest.approx(sum(wanted), abs=1e-15)


@pytest.mark.parametrize(("order", "sign"), [(0, 1), (1, -1), (2, 1)])
def test_mirrored_images_have_mirrored_features(order, sign):
    weights = split(scipy_gaussian(30, order), SMOOTH).weights()
    np.testing.assert_allclose(weights[::-1], sign * weights, rtol=0, atol=1e-17)


@pytest.mark.parametrize("quality", [SMOOTH, DIFFERENCES])
@pytest.mark.parametrize("sigma", [25, 50, 100, 400])
def test_taps_grow_as_the_square_root_of_sigma(sigma, quality):
    weights = apoc_gaussian(sigma)
    assert split(weights, quality).n_taps < 8 * len(weights) ** 0.5


def test_short_weights_are_left_alone():
    assert split(scipy_gaussian(5), SMOOTH) is None


def test_volumes_have_to_save_more():
    weights = scipy_gaussian(16)
    assert split(weights, SMOOTH, 2) is not None
    assert split(weights, SMOOTH, 3) is None


def test_weights_that_are_not_smooth_are_left_alone():
    half = np.random.default_rng(0).normal(size=100)
    weights = tuple(np.concatenate([half, [1.0], half[::-1]]).tolist())
    assert split(weights, SMOOTH) is None


def test_weights_that_would_take_long_to_fit_are_left_alone():
    assert split(scipy_gaussian(2000), SMOOTH) is None
