import pytest

from napari_spinney.compute.cpu.schedule import make_schedule
from napari_spinney.compute.regions import Region, frugal_order, needed_regions
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import build_plan
from napari_spinney.features.sets import SETS


def plan_of(words, ndim=2):
    return build_plan(FeatureSet.parse(words), ndim=ndim)


@pytest.mark.parametrize("name", SETS)
def test_order_has_every_step_once_after_its_inputs(name):
    plan = plan_of(name, ndim=3)
    order = frugal_order(plan)
    assert sorted(order) == list(range(len(plan.steps)))
    rank = {position: i for i, position in enumerate(order)}
    for position, step in enumerate(plan.steps):
        assert all(rank[i] < rank[position] for i in step.inputs)


def test_features_of_one_sigma_follow_one_another():
    plan = plan_of("gradient_magnitude=1 gradient_magnitude=3 laplacian_of_gaussian=1")
    order = frugal_order(plan)
    assert order.index(plan.outputs[2]) < order.index(plan.outputs[1])


def test_steps_are_computed_where_they_are_needed():
    plan = plan_of("laplace_box_of_gaussian_blur=1")
    source, rows, blur, laplace = needed_regions(
        plan, (1, 50, 60), Region((0, 20, 30), (1, 25, 35))
    )
    assert laplace == Region((0, 20, 30), (1, 25, 35))
    assert blur == Region((0, 19, 29), (1, 26, 36))
    assert rows == Region((0, 19, 25), (1, 26, 40))
    assert source == Region((0, 15, 25), (1, 30, 40))


def test_nothing_is_needed_beyond_the_block():
    plan = plan_of("gaussian_blur=5")
    regions = needed_regions(plan, (1, 10, 12), Region((0, 0, 0), (1, 10, 12)))
    assert set(regions) == {Region((0, 0, 0), (1, 10, 12))}


def test_features_that_are_read_widely_do_not_widen_all_others():
    inner = Region((0, 100, 100), (1, 140, 140))
    narrow = make_schedule(plan_of("gaussian_blur=1 mean=3 minimum=2"), (1, 240, 240), inner)
    wide = plan_of("gaussian_blur=1 mean=3 minimum=2 gaussian_blur_of_gaussian_blur=1")
    assert make_schedule(wide, (1, 240, 240), inner).slots[0].region == narrow.slots[0].region
