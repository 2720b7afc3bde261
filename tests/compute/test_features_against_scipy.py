"""Features that scipy has too, borders included, within 1e-4 of their range."""

import numpy as np
import pytest
from scipy import ndimage

SHAPES = [(61, 150), (9, 34, 47), (1, 12), (7, 1), (3, 5), (2, 3, 4), (1, 1, 9), (1, 1)]


@pytest.fixture(params=SHAPES, ids=lambda shape: "x".join(map(str, shape)))
def image(request):
    return np.random.default_rng(0).normal(100, 20, request.param).astype(np.float32)


def check(found, expected, image):
    """Within 1e-4 of the feature's range; where that is nothing, of the image's values."""
    tolerance = 1e-4 * np.ptp(expected) + 1e-6 * np.abs(image).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def derivative(image, sigma, *axes):
    order = [axes.count(axis) for axis in range(image.ndim)]
    return ndimage.gaussian_filter(image.astype(np.float64), sigma, order=order)


def hessian(image, sigma):
    axes = range(image.ndim)
    return [[derivative(image, sigma, i, j) for j in axes] for i in axes]


def structure_tensor(image, sigma):
    gradient = [derivative(image, sigma, axis) for axis in range(image.ndim)]
    return [[ndimage.gaussian_filter(a * b, sigma / 2) for b in gradient] for a in gradient]


@pytest.mark.parametrize("sigma", [0.4, 1.0, 3.3])
def test_gradient_magnitude(features_of, image, sigma):
    found = features_of(f"gradient_magnitude={sigma}", image)[f"gradient_magnitude={sigma:g}"]
    check(found, ndimage.gaussian_gradient_magnitude(image.astype(np.float64), sigma), image)


@pytest.mark.parametrize("sigma", [0.4, 1.0, 3.3])
def test_laplacian_of_gaussian(features_of, image, sigma):
    found = features_of(f"laplacian_of_gaussian={sigma}", image)
    expected = ndimage.gaussian_laplace(image.astype(np.float64), sigma)
    check(found[f"laplacian_of_gaussian={sigma:g}"], expected, image)


@pytest.mark.parametrize("sigma", [0.7, 2.0])
@pytest.mark.parametrize("matrix", [hessian, structure_tensor])
def test_eigenvalues(features_of, image, matrix, sigma):
    found = features_of(f"{matrix.__name__}_eigenvalues={sigma}", image)
    matrices = np.moveaxis(np.array(matrix(image, sigma)), (0, 1), (-2, -1))
    expected = np.linalg.eigvalsh(matrices)[..., ::-1]
    assert len(found) == image.ndim
    for rank, plane in enumerate(found.values()):
        check(plane, expected[..., rank], image)


def test_eigenvalues_that_are_equal(features_of):
    image = np.add.outer(np.arange(9.0) ** 2, np.arange(9.0) ** 2)
    image = np.add.outer(np.arange(9.0) ** 2, image)
    found = features_of("hessian_eigenvalues=0.5", image)
    for plane in found.values():
        centre = plane[4, 4, 4]
        assert centre == pytest.approx(derivative(image, 0.5, 0, 0)[4, 4, 4], rel=1e-4)


@pytest.mark.parametrize("radius", [1, 2, 7])
@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("mean", lambda image, size: ndimage.uniform_filter(image.astype(np.float64), size)),
        ("minimum", ndimage.minimum_filter),
        ("maximum", ndimage.maximum_filter),
    ],
)
def test_boxes(features_of, image, name, reference, radius):
    found = features_of(f"{name}={radius}", image)[f"{name}={radius}"]
    check(found, reference(image, size=2 * radius + 1), image)


@pytest.mark.parametrize("radius", [1, 3])
def test_median_is_exact(features_of, image, radius):
    found = features_of(f"median={radius}", image)[f"median={radius}"]
    np.testing.assert_array_equal(found, ndimage.median_filter(image, 2 * radius + 1))


@pytest.mark.parametrize("radius", [1, 3])
def test_standard_deviation(features_of, image, radius):
    found = features_of(f"standard_deviation={radius}", image)[f"standard_deviation={radius}"]
    expected = ndimage.generic_filter(image.astype(np.float64), np.std, 2 * radius + 1)
    check(found, expected, image)


def test_standard_deviation_far_from_zero(features_of):
    image = 1e6 + np.random.default_rng(1).integers(0, 3, (20, 20)).astype(np.float32)
    found = features_of("standard_deviation=2", image)["standard_deviation=2"]
    expected = ndimage.generic_filter(image.astype(np.float64), np.std, 5)
    np.testing.assert_allclose(found, expected, rtol=1e-2)


def test_box_of_another_radius_along_each_axis(features_of):
    image = np.random.default_rng(2).normal(size=(6, 20, 24)).astype(np.float32)
    found = features_of("median=0,1,2 maximum=1,0,2 standard_deviation=0,2,1", image)
    np.testing.assert_array_equal(
        found["median=0,1,2"], ndimage.median_filter(image, size=(1, 3, 5))
    )
    np.testing.assert_array_equal(
        found["maximum=1,0,2"], ndimage.maximum_filter(image, size=(3, 1, 5))
    )
    expected = ndimage.generic_filter(image.astype(np.float64), np.std, size=(1, 5, 3))
    check(found["standard_deviation=0,2,1"], expected, image)


def test_sigma_along_each_axis(features_of):
    image = np.random.default_rng(3).normal(size=(8, 20, 24)).astype(np.float32)
    found = features_of("laplacian_of_gaussian=0.5,1,2", image)["laplacian_of_gaussian=0.5,1,2"]
    check(found, ndimage.gaussian_laplace(image.astype(np.float64), (0.5, 1, 2)), image)


@pytest.mark.parametrize("shape", [(30, 40), (5, 20, 24)])
def test_apoc_features_in_words_of_scipy(features_of, shape):
    image = np.random.default_rng(4).normal(size=shape).astype(np.float32)
    found = features_of(
        "gaussian_blur=1.5 difference_of_gaussian=1.5 wide_difference_of_gaussian=1.5", image
    )

    def blur(sigma):
        radius = int(8 * sigma) // 2
        return ndimage.gaussian_filter(
            image.astype(np.float64), sigma, mode="nearest", radius=radius
        )

    check(found["gaussian_blur=1.5"], blur(1.5), image)
    check(found["difference_of_gaussian=1.5"], blur(1.35) - blur(1.65), image)
    check(found["wide_difference_of_gaussian=1.5"], blur(1.5) - blur(0.66 * 1.5), image)


@pytest.mark.parametrize("shape", [(30, 40), (5, 20, 24), (1, 7), (1, 1, 5)])
def test_stencils_in_words_of_scipy(features_of, shape):
    image = np.random.default_rng(5).normal(size=shape).astype(np.float32)
    found = features_of("laplace_box=1 sobel=1", image)
    weights = np.full((3,) * image.ndim, -1.0)
    weights[(1,) * image.ndim] = weights.size - 1
    wide = image.astype(np.float64)
    check(found["laplace_box=1"], ndimage.correlate(wide, weights, mode="nearest"), image)
    gradient = [ndimage.sobel(wide, axis, mode="nearest") for axis in range(image.ndim)]
    check(found["sobel=1"], np.sqrt(sum(g**2 for g in gradient)), image)


def test_composition_applies_the_inner_feature_first(features_of):
    image = np.random.default_rng(6).normal(size=(30, 40)).astype(np.float32)
    found = features_of("gaussian_blur=2 median_of_gaussian_blur=2", image)
    expected = ndimage.median_filter(found["gaussian_blur=2"], 5)
    np.testing.assert_array_equal(found["median_of_gaussian_blur=2"], expected)


@pytest.mark.parametrize("shape", [(20, 30), (6, 8, 10)])
def test_sigma_larger_than_the_image(features_of, shape):
    image = np.random.default_rng(7).normal(size=shape).astype(np.float32)
    found = features_of("gradient_magnitude=40 gaussian_blur=40", image)
    expected = ndimage.gaussian_gradient_magnitude(image.astype(np.float64), 40)
    check(found["gradient_magnitude=40"], expected, image)
    assert np.ptp(found["gaussian_blur=40"]) < np.ptp(image)
