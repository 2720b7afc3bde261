from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier

from napari_spinney.compute.blocks import cut
from napari_spinney.compute.device import DeviceError, DeviceMemoryError, choose_device
from napari_spinney.compute.opencl.executor import OpenClExecutor
from napari_spinney.compute.opencl.launcher import Launcher
from napari_spinney.compute.opencl.programs import Tuning, compile_kernels
from napari_spinney.compute.program import Program, Stage
from napari_spinney.compute.run import executor_for
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import build_plan
from napari_spinney.features.steps import Refine
from napari_spinney.forest.forest import Forest

pytestmark = pytest.mark.opencl

LABELS = np.array([1, 2, 5], np.uint8)

EVERYTHING = """
    original gaussian_blur=1 gaussian_blur=3.3 difference_of_gaussian=2
    laplace_box_of_gaussian_blur=1 sobel_of_gaussian_blur=2 laplacian_of_gaussian=1.5
    gradient_magnitude=0.7 hessian_eigenvalues=1 structure_tensor_eigenvalues=2 mean=2
    minimum=1 maximum=3 median=1 standard_deviation=2"""

OUTPUTS = ["classes", "probabilities", "uncertainty"]


def executor(vector):
    device = choose_device("opencl")
    return OpenClExecutor(device, replace(Tuning.of(device), vector=vector))


@pytest.fixture(scope="module", params=[16, 8, 1], ids=lambda vector: f"vector{vector}")
def opencl(request):
    """Vectors as on processors with AVX-512, as on others, and as on GPUs."""
    return executor(request.param)


@pytest.fixture(scope="module")
def image():
    noise = np.random.default_rng(0).normal(size=(70, 90))
    return ndimage.gaussian_filter(noise, 2).astype(np.float32)[None]


def whole(image):
    return tuple(slice(0, n) for n in image.shape[1:])


def fitted_stage(executor, plan, image):
    X = executor.features(plan, image, whole(image)).reshape(len(plan.outputs), -1).T
    y = np.digitize(X[:, 0], np.quantile(X[:, 0], [0.3, 0.6]))
    model = RandomForestClassifier(10, max_depth=4, random_state=0, n_jobs=1)
    return Stage(plan, Forest.from_sklearn(model.fit(X[::7], LABELS[y[::7]])).trees)


@pytest.fixture(scope="module")
def program(image):
    plan = build_plan(FeatureSet.parse("gaussian_blur=1 object_size_1_to_2_px"), ndim=2)
    return Program((fitted_stage(executor_for("cpu"), plan, image),), LABELS)


@pytest.fixture(scope="module")
def three_stages(image, program):
    """Each later stage reads the probabilities of the one before; the third as the second."""
    cpu = executor_for("cpu")
    probabilities = cpu.predict(program, image, whole(image), "probabilities")
    plan = build_plan(FeatureSet.parse("gaussian_blur=1 mean=2"), ndim=2, n_channels=4)
    stage = fitted_stage(cpu, plan, np.concatenate([image, probabilities]))
    return Program((*program.stages, stage, stage), LABELS)


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (37, 61), (1, 5, 9), (7, 18, 21)])
def test_features_are_those_of_the_other_executor_bit_for_bit(opencl, shape):
    image = np.random.default_rng(1).normal(100, 30, (1, *shape)).astype(np.float32)
    plan = build_plan(FeatureSet.parse(EVERYTHING), ndim=len(shape))
    found = opencl.features(plan, image, whole(image))
    expected = executor_for("cpu").features(plan, image, whole(image))
    for name, a, b in zip(plan.names, found, expected, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)


WIDE = "gaussian_blur=8 gaussian_blur=20 difference_of_gaussian=15 gradient_magnitude=30"


@pytest.mark.parametrize("shape", [(3, 200), (150, 9), (137, 161), (70, 30, 21)])
def test_long_gaussians_in_two_passes_are_those_of_the_other_executor(opencl, shape):
    image = np.random.default_rng(1).normal(100, 30, (1, *shape)).astype(np.float32)
    plan = build_plan(FeatureSet.parse(WIDE), ndim=len(shape), exact=False)
    assert any(isinstance(step, Refine) for step in plan.steps)
    found = opencl.features(plan, image, whole(image))
    expected = executor_for("cpu").features(plan, image, whole(image))
    for name, a, b in zip(plan.names, found, expected, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)


@pytest.mark.parametrize("shape", [(40, 300), (137, 161)])
def test_long_gaussians_in_two_passes_are_nearly_exact(opencl, shape):
    image = np.random.default_rng(1).normal(0, 30, (1, *shape)).astype(np.float32)
    features = FeatureSet.parse(WIDE)
    found = opencl.features(build_plan(features, ndim=2, exact=False), image, whole(image))
    expected = opencl.features(build_plan(features, ndim=2, exact=True), image, whole(image))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4 * np.ptp(b))


def test_long_gaussians_in_blocks_are_those_of_the_whole(opencl):
    image = np.random.default_rng(1).normal(100, 30, (1, 400, 300)).astype(np.float32)
    plan = build_plan(FeatureSet.parse(WIDE), ndim=2, exact=False)
    expected = opencl.features(plan, image, whole(image))
    for block in cut(whole(image), (170, 120), image.shape[1:], plan.reach):
        part = np.ascontiguousarray(image[(slice(None), *block.outer)])
        found = opencl.features(plan, part, block.inner)
        np.testing.assert_array_equal(found, expected[(slice(None), *block.target)])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_spread_as_in_the_other_executor(opencl, image, value):
    spoilt = image.copy()
    spoilt[0, 20:60:7, 45] = value
    plan = build_plan(FeatureSet.parse(EVERYTHING), ndim=2)
    found = opencl.features(plan, spoilt, whole(image))
    expected = executor_for("cpu").features(plan, spoilt, whole(image))
    for name, a, b in zip(plan.names, found, expected, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("stages", ["program", "three_stages"])
def test_predictions_are_those_of_the_other_executor(opencl, request, image, stages, output):
    program = request.getfixturevalue(stages)
    found = opencl.predict(program, image, whole(image), output)
    expected = executor_for("cpu").predict(program, image, whole(image), output)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("stages", ["program", "three_stages"])
def test_prediction_in_blocks_is_that_of_the_whole(opencl, request, image, stages, output):
    program = request.getfixturevalue(stages)
    expected = opencl.predict(program, image, whole(image), output)
    found = np.zeros_like(expected)
    for block in cut(whole(image), (33, 40), image.shape[1:], program.reach):
        part = np.ascontiguousarray(image[(slice(None), *block.outer)])
        found[(..., *block.target)] = opencl.predict(program, part, block.inner, output)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64])
def test_classes_have_the_type_of_the_labels(opencl, image, program, dtype):
    labels = np.array([1, 2, np.iinfo(dtype).max], dtype)
    found = opencl.predict(replace(program, labels=labels), image, whole(image))
    first = opencl.predict(program, image, whole(image))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found == labels[2], first == 5)


def test_channels_have_planes_of_their_own(opencl, image):
    channels = np.concatenate([image, -image, 2 * image])
    plan = build_plan(FeatureSet.parse("original gaussian_blur=1"), ndim=2, n_channels=3)
    found = opencl.features(plan, channels, whole(channels))
    np.testing.assert_array_equal(found[2:4], -found[:2])
    np.testing.assert_array_equal(found[4:], 2 * found[:2])


def test_one_plane_may_be_continued_in_two_ways(opencl, image):
    """The same source is read with "nearest" and, in between, with "reflect"."""
    words = "gaussian_blur=2 gradient_magnitude=3 difference_of_gaussian=4 mean=9 sobel=0"
    alone = [
        opencl.features(build_plan(FeatureSet.parse(w), ndim=2), image, whole(image))[0]
        for w in words.split()
    ]
    found = opencl.features(build_plan(FeatureSet.parse(words), ndim=2), image, whole(image))
    np.testing.assert_array_equal(found, alone)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shape", [(40, 50), (1, 9, 12), (6, 9, 12)])
def test_filters_of_pyclesperanto(shape):
    import pyclesperanto_prototype as cle

    image = np.random.default_rng(2).normal(100, 30, shape).astype(np.float32)
    plan = build_plan(
        FeatureSet.parse("original top_hat_box=3 top_hat_box_of_mean=2"), ndim=len(shape)
    )
    found = executor_for("opencl").features(plan, image[None], whole(image[None]))
    expected = np.asarray(cle.top_hat_box(image, None, 3, 3, 3))
    np.testing.assert_allclose(found[1].reshape(expected.shape), expected, atol=1e-3)
    smooth = ndimage.uniform_filter(image, 5)
    expected = np.asarray(cle.top_hat_box(smooth, None, 2, 2, 2))
    np.testing.assert_allclose(found[2].reshape(expected.shape), expected, atol=1e-3)


@pytest.mark.filterwarnings("ignore")
def test_a_filter_that_this_version_lacks_is_an_error(image):
    plan = build_plan(FeatureSet.parse("top_hat_box=3"), ndim=2)
    steps = tuple(
        replace(s, function="no_such_filter") if hasattr(s, "function") else s for s in plan.steps
    )
    with pytest.raises(DeviceError, match="no_such_filter"):
        executor_for("opencl").features(replace(plan, steps=steps), image, whole(image))


def test_threads_do_not_disturb_each_other(opencl, image, program):
    inputs = [image * factor for factor in (1, 2, 3, 4)]
    expected = [opencl.predict(program, i, whole(i)) for i in inputs]
    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(opencl.predict, program, i, whole(i)) for i in 4 * inputs]
        for task, classes in zip(tasks, 4 * expected, strict=True):
            np.testing.assert_array_equal(task.result(), classes)


def test_a_block_that_the_device_cannot_hold_is_an_error_of_its_own(image, program):
    opencl = executor(16)
    for lane in list(opencl._lanes.queue):
        lane._largest = 1000
    with pytest.raises(DeviceMemoryError, match="smaller blocks"):
        opencl.predict(program, image, whole(image))


def test_errors_of_opencl_are_device_errors(image, program, monkeypatch):
    opencl = executor(16)
    monkeypatch.setattr(Launcher, "_enqueue", lambda self, lane, *_: lane.queue.get_info(99999))
    with pytest.raises(DeviceError, match="failed: "):
        opencl.predict(program, image, whole(image))
    monkeypatch.undo()
    assert opencl.predict(program, image, whole(image)).shape == image.shape[1:]


def taken_by(opencl):
    """Bytes of the buffers of the busiest lane."""
    lanes = list(opencl._lanes.queue)
    return max(sum(buffer.size for buffer in lane._buffers.values()) for lane in lanes)


@pytest.mark.parametrize("shape", [(20, 20), (70, 90)])
def test_block_bytes_is_what_a_block_takes(image, program, shape):
    opencl = executor(16)
    part = np.ascontiguousarray(image[:, : shape[0], : shape[1]])
    halo = [r if n > 2 * r else 0 for r, n in zip(program.reach, shape, strict=True)]
    inner = tuple(slice(h, n - h) for h, n in zip(halo, shape, strict=True))
    opencl.predict(program, part, inner, "probabilities")
    assert taken_by(opencl) <= opencl.block_bytes(program, shape) < 1.3 * taken_by(opencl)


def test_a_pixel_of_many_wide_features_fits_in_little_memory():
    plan = build_plan(FeatureSet.parse("ilastik"), ndim=3)
    opencl = executor(16)
    assert opencl.block_bytes(plan, tuple(2 * r + 1 for r in plan.reach)) < 64 * 2**20


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_block_that_takes_too_much_memory_is_done_in_parts(image, three_stages, output):
    opencl = executor(16)
    expected = opencl.predict(three_stages, image, whole(image), output)
    features = opencl.features(three_stages.stages[0].plan, image, whole(image))
    small = executor(16)
    small._memory = 400_000
    found = small.predict(three_stages, image, whole(image), output)
    np.testing.assert_array_equal(found, expected)
    found = small.features(three_stages.stages[0].plan, image, whole(image))
    np.testing.assert_array_equal(found, features)
    assert taken_by(small) < 500_000 < taken_by(opencl)


def test_kernels_are_compiled_once_for_all_forests(opencl, image, program):
    before = compile_kernels.cache_info().misses
    opencl.predict(program, image, whole(image))
    other = fitted_stage(executor_for("cpu"), program.stages[0].plan, -image)
    opencl.predict(Program((other,), LABELS), image, whole(image))
    assert compile_kernels.cache_info().misses == before


@pytest.mark.parametrize("ndim", [2, 3])
def test_preferred_block_has_an_extent_per_axis(opencl, ndim):
    assert len(opencl.preferred_block(ndim)) == ndim
