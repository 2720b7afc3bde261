import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import UNBOUNDED, build_plan
from napari_spinney.features.sets import named_sets
from napari_spinney.features.steps import Combine, Correlate, External, Refine, Source


def plan_of(words, **kwargs):
    return build_plan(FeatureSet.parse(words), **{"ndim": 2, **kwargs})


@pytest.mark.parametrize("name", named_sets())
@pytest.mark.parametrize("ndim", [2, 3])
def test_named_sets_exist_in_2d_and_3d(name, ndim):
    plan = plan_of(name, ndim=ndim)
    assert len(plan.outputs) == len(plan.names) == len(set(plan.names))
    assert not plan.needs_opencl


@pytest.mark.parametrize(("ndim", "columns"), [(2, 49), (3, 61)])
def test_ilastik_has_its_number_of_channels(ndim, columns):
    assert len(plan_of("ilastik", ndim=ndim).outputs) == columns


def test_inputs_come_before_their_readers():
    plan = plan_of("ilastik default object_size_1_to_5_px", ndim=3)
    for position, step in enumerate(plan.steps):
        assert all(i < position for i in step.inputs)


def test_no_step_comes_twice():
    plan = plan_of("ilastik default")
    assert len(set(plan.steps)) == len(plan.steps)


def test_features_share_their_passes():
    alone = plan_of("gaussian_blur=2")
    shared = plan_of("gaussian_blur=2 sobel_of_gaussian_blur=2 laplace_box_of_gaussian_blur=2")
    assert len(shared.steps) == len(alone.steps) + 2


def test_gaussian_passes_go_from_the_first_axis_to_the_last():
    passes = [s for s in plan_of("gaussian_blur=1,2,3", ndim=3).steps if isinstance(s, Correlate)]
    assert [(s.axis, s.radius) for s in passes] == [(0, 4), (1, 8), (2, 12)]


def test_weights_of_a_gaussian_add_up_to_one():
    for step in plan_of("gaussian_blur=0.3 gaussian_blur=1 gaussian_blur=7.7 mean=3").steps:
        if isinstance(step, Correlate):
            assert sum(step.weights) == pytest.approx(1)
            assert len(step.weights) % 2 == 1


def test_channels_follow_one_another():
    plan = plan_of("gaussian_blur=1 difference_of_gaussian=1", n_channels=2)
    sources = [step.channel for step in plan.steps if isinstance(step, Source)]
    assert sources == [0, 1]
    assert plan.names[2:] == ("gaussian_blur=1_1", "difference_of_gaussian=1_1")
    assert isinstance(plan.steps[plan.outputs[3]], Combine)


@pytest.mark.parametrize(
    ("words", "reach"),
    [
        ("original", (0, 0)),
        ("gaussian_blur=1", (4, 4)),
        ("laplace_box_of_gaussian_blur=1", (5, 5)),
        ("difference_of_gaussian=5", (22, 22)),
        ("gaussian_blur=1,3", (4, 12)),
        ("gradient_magnitude=1", (4, 4)),
        ("structure_tensor_eigenvalues=2", (12, 12)),
        ("standard_deviation=3", (6, 6)),
        ("median=0,3", (0, 3)),
        ("maximum=2 gaussian_blur=1", (4, 4)),
        ("top_hat_box=3", (6, 6)),
        ("maximum_box_of_gaussian_blur=3", (15, 15)),
        ("detect_maxima_box=2", (3, 3)),
        ("subtract_gaussian_background=2", (8, 8)),
        ("gradient_x=1", (1, 1)),
        ("exponential=1", (0, 0)),
        ("threshold_otsu=1", (UNBOUNDED, UNBOUNDED)),
        ("gaussian_blur_of_threshold_otsu=1", (UNBOUNDED, UNBOUNDED)),
    ],
)
def test_reach_adds_up(words, reach):
    assert plan_of(words).reach == reach


def test_filters_of_other_packages_need_opencl():
    plan = plan_of("original maximum_box_of_gaussian_blur=3")
    assert plan.needs_opencl
    assert plan.steps[-1] == External((len(plan.steps) - 2,), "maximum_box", 3.0, 3)
    assert not plan.keep([0]).needs_opencl


def test_spacing_divides_micrometres():
    um = plan_of("gaussian_blur=2um", ndim=3, spacing=(2.0, 0.5, 1.0))
    px = plan_of("gaussian_blur=1,4,2", ndim=3)
    assert um.steps == px.steps
    assert um.names == ("gaussian_blur=2um",)


@given(st.data())
def test_keeping_columns_keeps_their_steps_and_nothing_else(data):
    plan = plan_of("default object_size_1_to_5_px")
    columns = data.draw(st.lists(st.integers(0, len(plan.outputs) - 1), min_size=1, max_size=9))
    kept = plan.keep(columns)
    assert kept.names == tuple(plan.names[c] for c in columns)
    assert [describe(kept, o) for o in kept.outputs] == [
        describe(plan, plan.outputs[c]) for c in columns
    ]
    used = {i for step in kept.steps for i in step.inputs} | set(kept.outputs)
    assert used == set(range(len(kept.steps)))


def test_keeping_no_column():
    with pytest.raises(ValueError, match="at least one feature"):
        plan_of("original").keep([])


def describe(plan, position):
    """A step with all that it is made from, independent of numbering."""
    step = plan.steps[position]
    fields = [getattr(step, name) for name in step.__slots__ if name != "inputs"]
    return type(step).__name__, fields, [describe(plan, i) for i in step.inputs]


def test_last_use_is_the_last_reader():
    plan = plan_of("gaussian_blur=1 laplace_box_of_gaussian_blur=1")
    source, rows, blur, laplace = range(4)
    last = plan.last_use()
    assert (last[source], last[rows]) == (rows, blur)
    assert last[blur] == last[laplace] == len(plan.steps)


@pytest.mark.parametrize("ndim", [0, 1, 4])
def test_other_numbers_of_axes(ndim):
    with pytest.raises(ValueError, match=f"2 or 3 spatial axes; got {ndim}"):
        plan_of("original", ndim=ndim)


def test_no_channel():
    with pytest.raises(ValueError, match="at least 1 channel; got 0"):
        plan_of("original", n_channels=0)


def test_3d_feature_of_a_2d_image():
    with pytest.raises(ValueError, match="'hessian_eigenvalue_middle=1' exists only in 3D"):
        plan_of("hessian_eigenvalue_middle=1")


def test_long_gaussians_take_two_passes_unless_exact_ones_are_wanted():
    words = "gaussian_blur=25 laplacian_of_gaussian=25"
    two, one = plan_of(words), plan_of(words, exact=True)
    assert any(isinstance(step, Refine) for step in two.steps)
    assert not any(isinstance(step, Refine) for step in one.steps)
    assert all(step.dilation == 1 for step in one.steps if isinstance(step, Correlate))
    assert two.reach == one.reach == (100, 100)


def test_features_share_both_passes_of_a_long_gaussian():
    alone = plan_of("gaussian_blur=25")
    shared = plan_of("gaussian_blur=25 sobel_of_gaussian_blur=25")
    assert len(shared.steps) == len(alone.steps) + 1


def test_a_coarse_pass_reaches_less_far_than_both():
    plan = plan_of("gaussian_blur=25")
    source, coarse, rows, _, _ = plan.reaches()
    assert source == (0, 0)
    assert coarse[0] < rows[0] == 100
