"""APOC's 2D features, computed by APOC itself, within 1e-4 of their range, borders included.

The image's mean is 0: beside a large one, the differences of wide Gaussians are lost in the
rounding of APOC's float32 sums.
"""

import numpy as np
import pytest

from napari_spinney.features.sets import SETS

pytestmark = pytest.mark.opencl

SETS_OF_APOC = ["small_quick", "large_quick", "object_size_1_to_5_px", "object_size_25_to_50_px"]


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).normal(0, 20, (61, 83)).astype(np.float32)


@pytest.mark.parametrize("name", SETS_OF_APOC)
@pytest.mark.filterwarnings("ignore")
def test_sets_of_apoc(features_of, image, name):
    from apoc import generate_feature_stack

    expected = generate_feature_stack(image, SETS[name])
    found = features_of(name, image)
    assert len(found) == len(expected)
    for (word, plane), theirs in zip(found.items(), map(np.asarray, expected), strict=True):
        tolerance = 1e-4 * np.ptp(theirs)
        np.testing.assert_allclose(plane, theirs, rtol=0, atol=tolerance, err_msg=word)
