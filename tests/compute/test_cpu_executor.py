from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier

from napari_spinney.compute.blocks import cut
from napari_spinney.compute.cpu.executor import CpuExecutor
from napari_spinney.compute.device import DeviceError, choose_device
from napari_spinney.compute.program import Program, Stage
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import build_plan
from napari_spinney.forest.forest import Forest

LABELS = np.array([1, 2, 5], np.uint8)


@pytest.fixture
def cpu():
    return CpuExecutor(choose_device("cpu"))


@pytest.fixture(scope="module")
def image():
    noise = np.random.default_rng(0).normal(size=(70, 90))
    return ndimage.gaussian_filter(noise, 2).astype(np.float32)[None]


def everything(image):
    return tuple(slice(0, n) for n in image.shape[1:])


def fitted_stage(executor, plan, image):
    X = executor.features(plan, image, everything(image)).reshape(len(plan.outputs), -1).T
    y = np.digitize(X[:, 0], np.quantile(X[:, 0], [0.3, 0.6]))
    model = RandomForestClassifier(10, max_depth=4, random_state=0, n_jobs=1)
    return Stage(plan, Forest.from_sklearn(model.fit(X[::7], LABELS[y[::7]])).trees)


@pytest.fixture
def program(cpu, image):
    plan = build_plan(FeatureSet.parse("gaussian_blur=1 object_size_1_to_2_px"), ndim=2)
    return Program((fitted_stage(cpu, plan, image),), LABELS)


@pytest.fixture
def two_stages(cpu, image, program):
    probabilities = cpu.predict(program, image, everything(image), "probabilities")
    plan = build_plan(FeatureSet.parse("gaussian_blur=1 mean=2"), ndim=2, n_channels=4)
    stacked = np.concatenate([image, probabilities])
    return Program((*program.stages, fitted_stage(cpu, plan, stacked)), LABELS)


def predict_in_blocks(executor, program, image, output):
    shape = image.shape[1:]
    lead = (len(LABELS),) if output == "probabilities" else ()
    found = np.zeros((*lead, *shape), np.float32)
    for block in cut(everything(image), (33, 40), shape, program.reach):
        part = np.ascontiguousarray(image[(slice(None), *block.outer)])
        found[(..., *block.target)] = executor.predict(program, part, block.inner, output)
    return found


def test_prediction_is_that_of_the_forest(cpu, program, image):
    stage = program.stages[0]
    X = cpu.features(stage.plan, image, everything(image)).reshape(len(stage.plan.outputs), -1).T
    expected = Forest(stage.trees, LABELS).predict_proba(X).T.reshape(3, *image.shape[1:])
    found = cpu.predict(program, image, everything(image), "probabilities")
    np.testing.assert_allclose(found, expected, atol=1e-6)
    classes = cpu.predict(program, image, everything(image))
    assert classes.dtype == LABELS.dtype
    best = np.sort(expected, axis=0)
    sure = best[-1] - best[-2] > 1e-6
    np.testing.assert_array_equal(classes[sure], LABELS[expected.argmax(axis=0)][sure])
    uncertainty = cpu.predict(program, image, everything(image), "uncertainty")
    np.testing.assert_allclose(uncertainty, 1 - (best[-1] - best[-2]), atol=1e-6)


@pytest.mark.parametrize("output", ["classes", "probabilities", "uncertainty"])
@pytest.mark.parametrize("stages", ["program", "two_stages"])
def test_prediction_in_blocks_is_that_of_the_whole(cpu, request, image, stages, output):
    program = request.getfixturevalue(stages)
    whole = cpu.predict(program, image, everything(image), output)
    found = predict_in_blocks(cpu, program, image, output)
    np.testing.assert_array_equal(found, whole)


def test_a_later_stage_reads_the_probabilities_of_the_one_before(cpu, image, program, two_stages):
    probabilities = cpu.predict(program, image, everything(image), "probabilities")
    second = Program(two_stages.stages[1:], LABELS)
    by_hand = cpu.predict(second, np.concatenate([image, probabilities]), everything(image))
    at_once = cpu.predict(two_stages, image, everything(image))
    np.testing.assert_array_equal(at_once, by_hand)


def test_threads_do_not_disturb_each_other(cpu, image, program):
    expected = cpu.predict(program, image, everything(image))
    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(cpu.predict, program, image, everything(image)) for _ in range(12)]
        for task in tasks:
            np.testing.assert_array_equal(task.result(), expected)


def test_results_outlive_the_memory_they_were_computed_in(cpu, image):
    plan = build_plan(FeatureSet.parse("original gaussian_blur=1"), ndim=2)
    first = cpu.features(plan, image, everything(image))
    kept = first.copy()
    cpu.features(plan, -image, everything(image))
    np.testing.assert_array_equal(first, kept)


def test_filters_of_other_packages_are_refused(cpu, image):
    plan = build_plan(FeatureSet.parse("original top_hat_box=2"), ndim=2)
    with pytest.raises(DeviceError, match=r"top_hat_box.*need OpenCL"):
        cpu.features(plan, image, everything(image))


@pytest.mark.parametrize("shape", [(200, 300), (20, 30), (1, 1)])
def test_block_bytes_is_what_a_block_takes(cpu, shape):
    plan = build_plan(FeatureSet.parse("object_size_1_to_5_px"), ndim=2)
    halo = [r if n > 2 * r else 0 for r, n in zip(plan.reach, shape, strict=True)]
    inner = tuple(slice(h, n - h) for h, n in zip(halo, shape, strict=True))
    cpu.features(plan, np.zeros((1, *shape), np.float32), inner)
    (arena,) = cpu._arenas
    assert 0 <= arena.nbytes - cpu.block_bytes(plan, shape) < 1024


def test_a_pixel_of_many_wide_features_fits_in_little_memory(cpu):
    plan = build_plan(FeatureSet.parse("ilastik"), ndim=3)
    assert cpu.block_bytes(plan, tuple(2 * r + 1 for r in plan.reach)) < 64 * 2**20


def test_a_block_that_takes_too_much_memory_is_done_in_parts(cpu, image, program):
    expected = cpu.predict(program, image, everything(image), "probabilities")
    cpu._memory = 100_000
    cpu._arenas.clear()
    found = cpu.predict(program, image, everything(image), "probabilities")
    np.testing.assert_array_equal(found, expected)
    assert max(arena.nbytes for arena in cpu._arenas) < 150_000


def test_equal_plans_share_their_schedules(cpu, image):
    for _ in range(3):
        plan = build_plan(FeatureSet.parse("small_quick"), ndim=2).keep([0, 1])
        cpu.features(plan, image, everything(image))
    assert len(cpu._schedules._values) == 1


def test_block_bytes_grows_with_the_block_and_the_program(cpu, program, two_stages):
    assert cpu.block_bytes(program, (200, 300)) < cpu.block_bytes(program, (300, 300))
    assert cpu.block_bytes(program.stages[0].plan, (99, 99)) < cpu.block_bytes(program, (99, 99))
    assert cpu.block_bytes(program, (99, 99)) < cpu.block_bytes(two_stages, (99, 99))


def test_memory_of_planes_is_used_again(cpu):
    """Twelve features of 91 steps: the other planes take the room of a few."""
    words = " ".join(f"structure_tensor_eigenvalues={s}" for s in (1, 2, 3, 4, 5, 6))
    plan = build_plan(FeatureSet.parse(words), ndim=2)
    n_pixels = 600 * 600
    planes = cpu.block_bytes(plan, (600, 600)) / (4 * n_pixels)
    assert planes < len(plan.outputs) + 10
    assert len(plan.steps) == 91


def test_image_far_smaller_than_the_reach(cpu):
    plan = build_plan(FeatureSet.parse("object_size_50_to_100_px"), ndim=2)
    image = np.random.default_rng(0).normal(size=(1, 5, 6)).astype(np.float32)
    found = cpu.features(plan, image, everything(image))
    expected = ndimage.gaussian_filter(image[0].astype(float), 50, mode="nearest", radius=200)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


@pytest.mark.parametrize("ndim", [2, 3])
def test_preferred_block_has_an_extent_per_axis(cpu, ndim):
    assert len(cpu.preferred_block(ndim)) == ndim
