"""What the host decides before any kernel runs; needs no OpenCL."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_spinney.compute.opencl.descriptions import INTS
from napari_spinney.compute.opencl.layout import Layout, Place, region_of, volume
from napari_spinney.compute.opencl.programs import Tuning
from napari_spinney.compute.opencl.schedule import StagePlaces, make_schedule, radius_x, waves
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
]


def plan_of(words, ndim=2):
    return build_plan(FeatureSet.parse(" ".join(words)), ndim=ndim)


words = st.lists(st.sampled_from(WORDS), min_size=1, unique=True)


def schedule_of(plan, shape, inner=None):
    layout = Layout.of(shape, radius_x(plan))
    place = Place(0, layout.whole)
    inner = region_of(inner) if inner else layout.whole
    places = StagePlaces((place,), layout.size(layout.whole))
    return layout, make_schedule(plan, layout, inner, places, TUNING)


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
def test_no_plane_is_overwritten_before_its_last_use(chosen, ndim):
    """Follow what every row of the arena holds through all launches."""
    two = [w for w in chosen if ndim == 2 or not w.startswith("top_hat")]
    plan = plan_of(two or ["mean=1"], ndim)
    layout, schedule = schedule_of(plan, (40,) * ndim, (slice(11, 31),) * ndim)
    owner = np.full(schedule.size // layout.pitch, -1)
    planes = Planes(schedule, layout)
    owner[planes.rows_of(schedule.sources[0])] = planes.number(schedule.sources[0])
    for launch in schedule.launches:
        steps = list(accesses(schedule, launch, planes))
        for reads, _ in steps:
            for plane in reads:
                assert (owner[planes.rows[plane]] == plane).all()
        for _, writes in steps:
            for plane in writes:
                owner[planes.rows[plane]] = plane
        for reads, _ in steps:
            for plane in reads:
                assert (owner[planes.rows[plane]] == plane).all()
    for place in schedule.columns:
        (plane,) = np.unique(owner[planes.rows_of(place)])
        assert planes.table[plane] == layout.entry(place)


class Planes:
    """Rows of the arena that each plane of the table holds."""

    def __init__(self, schedule, layout):
        self.layout = layout
        self.table = schedule.code[schedule.code[5] :].reshape(-1, 4).tolist()
        self.rows = {}
        for launch in schedule.launches:
            for step in steps_of(schedule, launch):
                outputs = [step[0]]
                if launch.kernel.startswith("eigenvalue"):
                    outputs = [plane for plane in (step[0], step[13], step[14]) if plane >= 0]
                for plane in outputs:
                    y0, y1, z0, z1 = step[8:12]
                    region = Region((z0, y0, 0), (z1, y1, 1))
                    low, high, rows, _ = self.table[plane]
                    origin = (high << 32) + (low & 0xFFFFFFFF)
                    position = origin - layout.margin + (z0 * rows + y0) * layout.pitch
                    if launch.kernel != "fill_margin":
                        self.rows[plane] = self.rows_of(Place(position, region))
            if launch.external is not None:
                for place in (launch.external.source, launch.external.target):
                    self.rows[self.number(place)] = self.rows_of(place)
        for place in (*schedule.sources, *schedule.columns):
            self.rows[self.number(place)] = self.rows_of(place)

    def number(self, place):
        return self.table.index(self.layout.entry(place)) if self.has(place) else -2

    def has(self, place):
        return self.layout.entry(place) in self.table

    def rows_of(self, place):
        first = place.position // self.layout.pitch
        nz, ny, _ = place.region.shape
        return slice(first, first + nz * ny)


def steps_of(schedule, launch):
    """The ints of each step of a launch."""
    if launch.external is not None:
        return []
    n = launch.items[2] // launch.others
    return schedule.code[launch.first :][: INTS * n].reshape(n, INTS).tolist()


def accesses(schedule, launch, planes):
    """Planes that each step of a launch reads and writes."""
    if launch.external is not None:
        yield (
            [planes.number(launch.external.source)],
            [planes.number(launch.external.target)],
        )
    if launch.kernel in ("fill_margin", "external"):
        return
    for step in steps_of(schedule, launch):
        if launch.kernel.startswith("eigenvalue"):
            n = 3 if launch.kernel.endswith("2") else 6
            outputs = [plane for plane in (step[0], step[13], step[14]) if plane >= 0]
            yield schedule.code[step[5] : step[5] + n].tolist(), outputs
        else:
            yield [step[1], step[2]], [step[0]]


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
