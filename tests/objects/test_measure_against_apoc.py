import numpy as np
import pytest

from napari_spinney.objects.measure import measure
from napari_spinney.objects.pairs import measure_pairs

pytestmark = pytest.mark.opencl


@pytest.fixture(scope="module")
def cle():
    import pyclesperanto_prototype

    return pyclesperanto_prototype


def consecutive(labels):
    return np.searchsorted(np.unique(labels), labels).astype(np.uint32)


@pytest.fixture(params=["labels2d", "labels3d"])
def labels(request):
    return consecutive(request.getfixturevalue(request.param))


@pytest.mark.filterwarnings("ignore")
def test_statistics_of_labelled_pixels(cle, labels):
    image = np.random.default_rng(0).integers(1, 200, labels.shape).astype(np.float32)
    theirs = cle.statistics_of_labelled_pixels(image, labels)
    names = [n for n in theirs if n != "label" and "times" not in n and n[:-1] != "sum_"]
    table = measure(labels, image, features=names)
    assert len(names) >= 30
    for name in names:
        np.testing.assert_allclose(table[name], theirs[name], rtol=2e-5, atol=2e-5, err_msg=name)


@pytest.mark.filterwarnings("ignore")
def test_statistics_of_labelled_neighbors(cle, labels):
    theirs = cle.statistics_of_labelled_neighbors(labels, dilation_radii=(2, 3))
    # With fewer neighbours than asked for, theirs takes the object itself for a far one.
    few = [] if labels.max() > 20 else ["average_distance_of_n20_nearest_neighbors"]
    names = [n for n in theirs if n not in ["label", *few]]
    table = measure(labels, features=names)
    for name in names:
        mine, other = table[name].to_numpy(), np.asarray(theirs[name])
        # Where nothing touches, theirs is the largest value of the whole image.
        compared = (
            table["touch_count_sum"] > 0 if name.startswith("minimum_touch_") else slice(None)
        )
        np.testing.assert_allclose(
            mine[compared], other[compared], rtol=1e-4, atol=1e-4, err_msg=name
        )


@pytest.mark.filterwarnings("ignore")
def test_measurements_of_pairs(cle, labels):
    image = 2 * np.random.default_rng(0).integers(1, 200, labels.shape)
    pairs = measure_pairs(labels, image)
    a, b = pairs["label"].to_numpy(), pairs["other_label"].to_numpy()
    centres = cle.centroids_of_labels(labels)
    matrices = {
        "touch_count": cle.generate_touch_count_matrix(labels),
        "touch_portion": cle.generate_touch_portion_matrix(labels),
        "mean_touch_intensity": cle.generate_touch_mean_intensity_matrix(image, labels),
        "centroid_distance": cle.generate_distance_matrix(centres, centres),
    }
    assert len(pairs) > 3
    for name, matrix in matrices.items():
        np.testing.assert_allclose(pairs[name], np.asarray(matrix)[b, a], rtol=1e-4, err_msg=name)
