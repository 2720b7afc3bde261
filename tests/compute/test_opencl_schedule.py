"""What the host decides before any kernel runs; needs no OpenCL."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_spinney.compute.opencl.launches import StagePlaces
from napari_spinney.compute.opencl.layout import Layout, Place, region_of, volume
from napari_spinney.compute.opencl.programs import Tuning
from napari_spinney.compute.opencl.schedule import make_schedule, radius_x, waves
from napari_spinney.compute.regions import LINE, Region
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import build_plan
from napari_spinney.features.steps import Source

TUNING = Tuning(vector=16)
WORDS = [
    "original",
    "gaussian_blur=2",
    "difference_of_gaussian=3",
    "hessian_eigenvalues=1",
    "median=1",
    "structure_tensor_eigenvalues=2",
    "top_hat_box_of_gaussian_blur=2",
    "standard_deviation=2",
    "maximum=4",
    "gaussian_blur=40",
]


def plan_of(words, ndim=2):
    return build_plan(FeatureSet.parse(" ".join(words)), ndim=ndim, exact=False)


words = st.lists(st.sampled_from(WORDS), min_size=1, unique=True)


def schedule_of(plan, shape, inner=None):
    layout = Layout.of(shape, radius_x(plan))
    place = Place(0, layout.whole)
    inner = region_of(inner) if inner else layout.whole
    places = StagePlaces((place,), layout.size(layout.whole))
    return layout, make_schedule(plan, layout, inner, places, waves(plan, TUNING.wave))


@given(st.integers(1, 2000), st.integers(0, 500))
def test_rows_have_margins_and_start_at_cache_lines(n, radius):
    layout = Layout.of((3, n), radius)
    assert layout.margin % LINE == layout.pitch % LINE == 0
    assert layout.margin >= radius + LINE
    assert layout.pitch >= layout.margin + n + radius + LINE
    assert layout.pitch // LINE % 2 == 1


def test_images_of_two_axes_are_one_deep():
    assert volume((5, 7)) == (1, 5, 7)
    assert region_of((slice(1, 2), slice(3, 4))) == Region((0, 1, 3), (1, 2, 4))


@given(st.integers(0, 2**40), st.integers(0, 50), st.integers(0, 50))
def test_the_table_says_where_the_first_pixel_would_be(position, z, y):
    layout = Layout.of((60, 70, 9), 2)
    place = Place(position, Region((z, y, 0), (55, 66, 9)))
    low, high, rows, _ = np.array(layout.entry(place), np.int32).tolist()
    origin = (high << 32) + (low & 0xFFFFFFFF)
    assert rows == 66 - y
    assert origin + (z * rows + y) * layout.pitch == position + layout.margin


@given(words, st.integers(1, 6))
def test_a_wave_holds_steps_that_do_not_need_each_other(chosen, most):
    plan = plan_of(chosen)
    done = {i for i, step in enumerate(plan.steps) if isinstance(step, Source)}
    for wave in waves(plan, most):
        assert all(done.issuperset(plan.steps[i].inputs) for i in wave)
        done.update(wave)
    assert done == set(range(len(plan.steps)))


@settings(deadline=None)
@given(words, st.sampled_from([2, 3]))
def test_planes_that_live_at_the_same_time_do_not_overlap(chosen, ndim):
    two = [w for w in chosen if ndim == 2 or not w.startswith("top_hat")]
    plan = plan_of(two or ["mean=1"], ndim)
    layout, schedule = schedule_of(plan, (40,) * ndim, (slice(11, 31),) * ndim)
    held = {}  # step: first float and past the last, first and last wave
    for step, (born, last) in lives(plan).items():
        place = schedule.places[step]
        stop = place.position + layout.size(place.region)
        assert stop <= schedule.size
        for start, end, other_born, other_last in held.values():
            apart = stop <= start or end <= place.position
            assert apart or last < other_born or other_last < born
        held[step] = (place.position, stop, born, last)


def lives(plan):
    """First and last wave in which the plane of each step is written or read."""
    forever = len(plan.steps)
    order = waves(plan, TUNING.wave)
    found = {i: (-1, forever) for i, step in enumerate(plan.steps) if isinstance(step, Source)}
    for number, wave in enumerate(order):
        for step in wave:
            found[step] = (number, number)
            for i in plan.steps[step].inputs:
                found[i] = (found[i][0], max(number, found[i][1]))
    found.update({output: (found[output][0], forever) for output in plan.outputs})
    return found


def test_room_is_used_again():
    plan = plan_of([f"structure_tensor_eigenvalues={s}" for s in (1, 2, 3, 4, 5, 6)])
    layout, schedule = schedule_of(plan, (64, 64))
    assert len(plan.steps) > 80
    assert schedule.size < 40 * layout.size(layout.whole)


def test_planes_hold_only_the_rows_that_are_needed():
    plan = plan_of(["gaussian_blur=2", "gaussian_blur=3"])
    layout, schedule = schedule_of(plan, (100, 64), (slice(45, 55), slice(0, 64)))
    assert {place.region.shape for place in schedule.columns} == {(1, 10, 64)}
    # The source is whole; of two passes of two features, ten rows each are held.
    assert schedule.size == (100 + 4 * 10) * layout.pitch


def test_margins_are_filled_only_where_the_block_ends():
    plan = plan_of(["gaussian_blur=2"])

    def kernels(columns):
        _, schedule = schedule_of(plan, (64, 64), (slice(10, 20), columns))
        return [launch.kernel for launch in schedule.launches]

    assert kernels(slice(8, 56)) == ["correlate_y", "correlate_x"]
    assert kernels(slice(7, 56)) == ["correlate_y", "fill_margin", "correlate_x"]
    assert kernels(slice(8, 57)) == ["correlate_y", "fill_margin", "correlate_x"]


@pytest.mark.parametrize(
    ("needed", "room"), [((5, 2, 3), (256, 32, 64)), ((257, 33, 65), (512, 64, 128))]
)
def test_kernels_have_room_for_larger_forests(needed, room):
    tuning = TUNING.with_room(*needed)
    assert (tuning.columns, tuning.classes, tuning.waiting) == room
