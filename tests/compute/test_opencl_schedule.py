"""What the host decides before any kernel runs; needs no OpenCL."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_spinney.compute.opencl.layout import ALIGNMENT, Layout, box_of, grow, union
from napari_spinney.compute.opencl.programs import Tuning
from napari_spinney.compute.opencl.schedule import (
    StageSlots,
    boxes,
    make_schedule,
    radius_x,
    waves,
)
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
]


def plan_of(words, ndim=2):
    return build_plan(FeatureSet.parse(" ".join(words)), ndim=ndim)


words = st.lists(st.sampled_from(WORDS), min_size=1, unique=True)


@given(st.integers(1, 2000), st.integers(0, 500))
def test_rows_have_margins_and_start_at_cache_lines(n, radius):
    layout = Layout.of((3, n), radius)
    assert layout.margin % ALIGNMENT == layout.pitch % ALIGNMENT == 0
    assert layout.margin >= radius + ALIGNMENT
    assert layout.pitch >= layout.margin + n + radius + ALIGNMENT
    assert layout.pitch // ALIGNMENT % 2 == 1


def test_images_of_two_axes_are_one_deep():
    assert Layout.of((5, 7), 0).shape == (1, 5, 7)
    assert box_of((slice(1, 2), slice(3, 4))) == ((0, 1), (1, 2), (3, 4))


def test_boxes_grow_as_far_as_the_block_goes():
    box = ((0, 1), (5, 9), (5, 9))
    assert grow(box, (2, 7), (1, 10, 20)) == ((0, 1), (3, 10), (0, 16))
    assert union(((0, 1), (0, 5), (5, 9)), box) == ((0, 1), (0, 9), (5, 9))
    assert union(None, box) == box


@given(words, st.integers(1, 6))
def test_a_wave_holds_steps_that_do_not_need_each_other(chosen, most):
    plan = plan_of(chosen)
    done = {i for i, step in enumerate(plan.steps) if isinstance(step, Source)}
    for wave in waves(plan, most):
        assert all(done.issuperset(plan.steps[i].inputs) for i in wave)
        done.update(wave)
    assert done == set(range(len(plan.steps)))


@given(words)
def test_every_step_has_what_the_next_ones_need(chosen):
    plan = plan_of(chosen)
    shape = (1, 300, 300)
    needed = boxes(plan, ((0, 1), (140, 150), (140, 150)), shape)
    reach = plan.reach
    for i, step in enumerate(plan.steps):
        if isinstance(step, Source):
            (_, (y0, y1), (x0, x1)) = needed[i]
            assert 140 - reach[0] <= y0 <= 140 < 150 <= y1 <= 150 + reach[0]
            assert 140 - reach[1] <= x0 <= 140 < 150 <= x1 <= 150 + reach[1]


@settings(deadline=None)
@given(words, st.sampled_from([2, 3]))
def test_no_plane_is_overwritten_before_its_last_use(chosen, ndim):
    """Follow the slots through all launches, and what each holds."""
    plan = plan_of(
        [w for w in chosen if ndim == 2 or not w.startswith("top_hat")] or ["mean=1"], ndim
    )
    shape = (40,) * ndim
    layout = Layout.of(shape, radius_x(plan))
    inner = box_of(tuple(slice(0, n) for n in shape))
    schedule = make_schedule(plan, layout, inner, StageSlots((0,), 1), TUNING)
    written = [0] * schedule.n_slots
    written[0] = 1
    for launch in schedule.launches:
        for reads, writes in accesses(schedule, launch):
            assert all(written[slot] for slot in reads)
            assert not set(reads) & set(writes)
            assert 0 not in writes
            for slot in writes:
                written[slot] += 1
    assert len(set(schedule.columns)) == len(set(plan.outputs))


def accesses(schedule, launch):
    """Slots that each step of a launch reads and writes."""
    if launch.kernel == "fill_margin":
        return
    if launch.external is not None:
        yield [launch.external.source], [launch.external.target]
        return
    for number in range(launch.items[2] // launch.others):
        step = schedule.code[launch.first + 16 * number :][:16].tolist()
        if launch.kernel.startswith("eigenvalue"):
            n = 3 if launch.kernel.endswith("2") else 6
            outputs = [slot for slot in (step[0], step[13], step[14]) if slot >= 0 and slot != 0]
            yield schedule.code[step[5] : step[5] + n].tolist(), outputs
        else:
            yield [step[1], step[2]], [step[0]]


def test_slots_are_used_again():
    plan = plan_of([f"structure_tensor_eigenvalues={s}" for s in (1, 2, 3, 4, 5, 6)])
    layout = Layout.of((64, 64), radius_x(plan))
    inner = box_of((slice(0, 64), slice(0, 64)))
    schedule = make_schedule(plan, layout, inner, StageSlots((0,), 1), TUNING)
    assert len(plan.steps) > 80
    assert schedule.n_slots < 40


def test_margins_are_filled_only_where_the_block_ends():
    plan = plan_of(["gaussian_blur=2"])
    layout = Layout.of((64, 64), radius_x(plan))

    def kernels(columns):
        inner = box_of((slice(10, 20), columns))
        schedule = make_schedule(plan, layout, inner, StageSlots((0,), 1), TUNING)
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
