import numpy as np
import pytest
from skimage.feature import graycomatrix, graycoprops
from skimage.measure import regionprops, regionprops_table

from napari_spinney.objects.measure import measure

BOTH = [
    "area",
    "area_bbox",
    "area_convex",
    "area_filled",
    "axis_major_length",
    "axis_minor_length",
    "equivalent_diameter_area",
    "euler_number",
    "extent",
    "feret_diameter_max",
    "solidity",
]
ONLY_2D = ["eccentricity", "orientation", "perimeter", "perimeter_crofton"]
ISOTROPIC = {"perimeter", "perimeter_crofton"}


def renumbered(labels):
    """scikit-image needs memory for every number up to the largest."""
    return np.searchsorted(np.unique(labels), labels)


def expected(labels, names, spacing=None, image=None):
    keywords = {} if spacing is None else {"spacing": spacing}
    numbers = renumbered(labels)
    return regionprops_table(numbers, image, properties=["label", *names], **keywords)


def assert_columns(table, reference, names):
    np.testing.assert_array_equal(renumbered(table["label"]) + 1, reference["label"])
    for name in names:
        np.testing.assert_allclose(table[name], reference[name], rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("spacing", [None, (0.5, 0.5), (0.7, 0.2)])
def test_shapes_in_2d_equal_scikit_image(labels2d, spacing):
    names = BOTH + [n for n in ONLY_2D if spacing != (0.7, 0.2) or n not in ISOTROPIC]
    table = measure(labels2d, features=names, spacing=spacing)
    assert_columns(table, expected(labels2d, names, spacing), names)


@pytest.mark.parametrize("spacing", [None, (2.0, 0.5, 0.4)])
def test_shapes_in_3d_equal_scikit_image(labels3d, spacing):
    table = measure(labels3d, features=BOTH, spacing=spacing)
    assert_columns(table, expected(labels3d, BOTH, spacing), BOTH)


def test_inertia_and_hu_moments_equal_scikit_image(labels2d):
    names = [f"inertia_tensor_eigvals-{k}" for k in range(2)]
    names += [f"moments_hu-{k}" for k in range(7)]
    reference = expected(labels2d, ["inertia_tensor_eigvals", "moments_hu"])
    assert_columns(measure(labels2d, features=names), reference, names)


def test_inertia_in_3d_equals_scikit_image(labels3d):
    names = [f"inertia_tensor_eigvals-{k}" for k in range(3)]
    reference = expected(labels3d, ["inertia_tensor_eigvals"])
    assert_columns(measure(labels3d, features=names), reference, names)


def test_positions_equal_scikit_image(labels3d):
    spacing = (2.0, 0.5, 0.4)
    table = measure(labels3d, features="position", spacing=spacing)
    reference = expected(labels3d, ["centroid", "bbox"], spacing)
    for axis, name in enumerate("zyx"):
        np.testing.assert_allclose(table[f"centroid_{name}"], reference[f"centroid-{axis}"])
        np.testing.assert_array_equal(table[f"bbox_min_{name}"], reference[f"bbox-{axis}"])
        np.testing.assert_array_equal(table[f"bbox_max_{name}"] + 1, reference[f"bbox-{axis + 3}"])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
def test_intensities_equal_scikit_image(labels2d, dtype):
    image = (np.random.default_rng(0).normal(size=labels2d.shape) * 40 + 120).astype(dtype)
    pairs = {
        "mean_intensity": "intensity_mean",
        "min_intensity": "intensity_min",
        "max_intensity": "intensity_max",
        "standard_deviation_intensity": "intensity_std",
        "median_intensity": "intensity_median",
        "mass_center_y": "centroid_weighted-0",
        "mass_center_x": "centroid_weighted-1",
    }
    table = measure(labels2d, image, features=list(pairs))
    wanted = list(dict.fromkeys(n.split("-")[0] for n in pairs.values()))
    reference = expected(labels2d, wanted, image=image.astype(np.float64))
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(table[ours], reference[theirs], rtol=1e-9, err_msg=ours)


def test_percentiles_equal_numpy(labels2d):
    image = np.random.default_rng(0).normal(size=labels2d.shape).astype(np.float32)
    table = measure(labels2d, image, features="percentile_5_intensity percentile_97.5_intensity")
    for region, row in zip(
        regionprops(renumbered(labels2d), image), table.itertuples(), strict=True
    ):
        inside = region.image_intensity[region.image].astype(np.float64)
        assert row.percentile_5_intensity == pytest.approx(np.percentile(inside, 5), rel=1e-6)
        assert row[-1] == pytest.approx(np.percentile(inside, 97.5), rel=1e-6)


def test_texture_of_a_rectangle_equals_graycoprops():
    image = np.random.default_rng(0).integers(0, 16, (20, 30)).astype(np.uint8)
    image.flat[:2] = 0, 15
    table = measure(np.ones_like(image, np.int64), image, features="texture").iloc[0]
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    matrix = graycomatrix(image, [1], angles, levels=16, symmetric=True).sum(axis=3, keepdims=True)
    for name in ["contrast", "dissimilarity", "homogeneity", "energy", "entropy", "correlation"]:
        theirs = graycoprops(matrix / matrix.sum(), name)[0, 0]
        theirs = theirs / np.log(2) if name == "entropy" else theirs
        assert table[f"texture_{name}"] == pytest.approx(theirs, rel=1e-9), name
