"""Gaussians of large sigma, computed in two passes: held to scipy, to blocks and to both devices.

The images' means are 0, so that tolerances are about the method and not about float32.
"""

import numpy as np
import pytest
from scipy import ndimage

from napari_spinney.compute.blocks import cut
from napari_spinney.compute.run import executor_for
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import build_plan
from napari_spinney.features.steps import Refine

EVERYTHING = (
    "gaussian_blur={0} difference_of_gaussian={0} laplace_box_of_gaussian_blur={0} "
    "sobel_of_gaussian_blur={0} laplacian_of_gaussian={0} gradient_magnitude={0} "
    "hessian_eigenvalues={0} structure_tensor_eigenvalues={0}"
)


def noise(shape, mean=0):
    return np.random.default_rng(0).normal(mean, 20, shape).astype(np.float32)


def plan_of(words, image, **options):
    return build_plan(FeatureSet.parse(words), ndim=image.ndim, **options)


def check(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.ptp(expected))


def blur(image, sigma):
    radius = [int(8 * s) // 2 for s in np.broadcast_to(sigma, image.ndim)]
    wide = image.astype(np.float64)
    return ndimage.gaussian_filter(wide, sigma, mode="nearest", radius=radius)


SIZES = [
    ((200, 300), 10),
    ((200, 300), 25),
    ((260, 310), 100),
    ((40, 50, 60), 25),
    ((20, 60, 90), (2, 20, 30.5)),
    ((30, 41), 25),
]


@pytest.fixture(params=SIZES, ids=str)
def image_and_sigma(request):
    shape, sigma = request.param
    words = ",".join(map(str, sigma)) if isinstance(sigma, tuple) else str(sigma)
    return noise(shape), np.asarray(sigma), words


def test_features_of_apoc_are_those_of_long_gaussians(features_of, image_and_sigma):
    image, sigma, number = image_and_sigma
    names = "gaussian_blur", "difference_of_gaussian", "laplace_box_of_gaussian_blur"
    found = features_of(
        " ".join(f"{name}={number}" for name in (*names, "sobel_of_gaussian_blur")), image
    )
    smooth = blur(image, sigma)
    check(found[f"gaussian_blur={number}"], smooth)
    check(
        found[f"difference_of_gaussian={number}"],
        blur(image, 0.9 * sigma) - blur(image, 1.1 * sigma),
    )
    box = np.full((3,) * image.ndim, -1.0)
    box[(1,) * image.ndim] = box.size - 1
    laplace = ndimage.correlate(smooth, box, mode="nearest")
    check(found[f"laplace_box_of_gaussian_blur={number}"], laplace)
    gradient = [ndimage.sobel(smooth, axis, mode="nearest") for axis in range(image.ndim)]
    check(found[f"sobel_of_gaussian_blur={number}"], np.sqrt(sum(g**2 for g in gradient)))


def test_features_of_scipy_are_those_of_long_gaussians(features_of, image_and_sigma):
    image, sigma, number = image_and_sigma
    found = features_of(f"laplacian_of_gaussian={number} gradient_magnitude={number}", image)
    wide = image.astype(np.float64)
    check(found[f"laplacian_of_gaussian={number}"], ndimage.gaussian_laplace(wide, sigma))
    gradient = ndimage.gaussian_gradient_magnitude(wide, sigma)
    check(found[f"gradient_magnitude={number}"], gradient)


@pytest.mark.parametrize("sigma", [12, 25])
@pytest.mark.parametrize("kind", ["hessian", "structure_tensor"])
def test_eigenvalues(features_of, kind, sigma):
    image = noise((150, 200))

    def derivative(*order):
        return ndimage.gaussian_filter(image.astype(np.float64), sigma, order=order)

    if kind == "hessian":
        matrix = [[derivative(2, 0), derivative(1, 1)], [derivative(1, 1), derivative(0, 2)]]
    else:
        gradient = derivative(1, 0), derivative(0, 1)
        matrix = [[ndimage.gaussian_filter(a * b, sigma / 2) for a in gradient] for b in gradient]
    expected = np.linalg.eigvalsh(np.moveaxis(np.array(matrix), (0, 1), (-2, -1)))
    found = features_of(f"{kind}_eigenvalues={sigma}", image)
    check(found[f"{kind}_eigenvalue_largest={sigma}"], expected[..., 1])
    check(found[f"{kind}_eigenvalue_smallest={sigma}"], expected[..., 0])


@pytest.mark.parametrize(
    ("shape", "size", "sigma"),
    [
        ((190, 260), (37, 50), "16"),
        ((90, 131), (31, 45), "40"),
        ((20, 48, 60), (9, 17, 31), "2,20,30"),
        ((150, 4), (40, 3), "14"),
        ((1, 7), (1, 3), "25"),
    ],
)
def test_blocks_are_the_whole_image_bit_for_bit(executor, shape, size, sigma):
    image = noise(shape, mean=100)
    plan = plan_of(EVERYTHING.format(sigma), image)
    whole = tuple(slice(0, n) for n in shape)
    expected = executor.features(plan, image[None], whole)
    found = np.full_like(expected, np.nan)
    for block in cut(whole, size, shape, plan.reach):
        outer = np.ascontiguousarray(image[block.outer])[None]
        found[(slice(None), *block.target)] = executor.features(plan, outer, block.inner)
    np.testing.assert_array_equal(found.view(np.uint32), expected.view(np.uint32))


@pytest.mark.opencl
@pytest.mark.parametrize(
    ("shape", "sigma"),
    [
        ((150, 210), "25"),
        ((61, 83), "45"),
        ((200, 220), "100,12"),
        ((12, 50, 60), "3,20,30"),
        ((120, 1), "20"),
        ((1, 5), "30"),
        ((3, 2, 1), "30"),
    ],
)
def test_opencl_and_cpu_agree_bit_for_bit(shape, sigma):
    words = (
        "gaussian_blur={0} difference_of_gaussian={0} laplace_box_of_gaussian_blur={0} "
        "laplacian_of_gaussian={0} gradient_magnitude={0}"
    )
    image = noise(shape, mean=100)
    plan = plan_of(words.format(sigma), image)
    assert any(isinstance(step, Refine) for step in plan.steps)
    whole = tuple(slice(0, n) for n in shape)
    first, second = (executor_for(d).features(plan, image[None], whole) for d in ("cpu", "opencl"))
    np.testing.assert_array_equal(first.view(np.uint32), second.view(np.uint32))


def test_a_constant_image_shows_no_border(features_of):
    image = np.full((60, 90), 7, np.float32)
    for name, plane in features_of(EVERYTHING.format(20), image).items():
        np.testing.assert_array_equal(plane, plane[0, 0], err_msg=name)


@pytest.mark.parametrize("name", ["gaussian_blur", "laplacian_of_gaussian"])
def test_a_pixel_that_is_not_finite_spoils_its_neighbourhood_only(features_of, name):
    image = noise((150, 160))
    image[70, 80] = np.nan
    (plane,) = features_of(f"{name}=15", image).values()
    spoilt = ~np.isfinite(plane)
    assert spoilt[10:131, 80].all()
    assert spoilt[70, 20:141].all()
    spoilt[10:131, 20:141] = False
    assert not spoilt.any()
