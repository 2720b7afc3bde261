import dask.array
import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_spinney.objects.definitions import MEASUREMENTS
from napari_spinney.objects.measure import measure
from napari_spinney.objects.request import columns_of, measurement_table


@pytest.fixture
def disc():
    y, x = np.mgrid[-20:21, -20:21]
    return (y**2 + x**2 <= 15**2).astype(np.uint8)


def test_labels_come_first_and_rising(labels2d):
    table = measure(labels2d, features="area")
    assert list(table.columns) == ["label", "area"]
    assert table["label"].tolist() == np.unique(labels2d)[1:].tolist()
    assert isinstance(table.index, pd.RangeIndex)


def test_pixels_without_spacing_and_its_unit_with_it(disc):
    plain = measure(disc, features="area centroid_x axis_major_length bbox_width").iloc[0]
    scaled = measure(disc, features=list(plain.index[1:]), spacing=(0.5, 0.5)).iloc[0]
    assert scaled["area"] == plain["area"] / 4
    assert scaled["centroid_x"] == plain["centroid_x"] / 2 == 10
    assert scaled["axis_major_length"] == pytest.approx(plain["axis_major_length"] / 2)
    assert scaled["bbox_width"] == plain["bbox_width"] == 31


def test_a_disc_is_round(disc):
    row = measure(disc, features="shape").iloc[0]
    assert row["circularity"] == pytest.approx(1, abs=0.1)
    assert row["roundness"] == pytest.approx(1, abs=0.01)
    assert row["eccentricity"] == pytest.approx(0, abs=1e-6)
    assert row["euler_number"] == 1


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.5, 0.5)])
def test_the_surface_of_a_ball(spacing):
    radius = 12.0
    grid = [np.arange(-radius - 2 * s, radius + 3 * s, s) for s in spacing]
    z, y, x = np.meshgrid(*grid, indexing="ij")
    ball = (z**2 + y**2 + x**2 <= radius**2).astype(np.uint8)
    row = measure(ball, features="surface_area sphericity", spacing=spacing).iloc[0]
    assert row["surface_area"] == pytest.approx(4 * np.pi * radius**2, rel=0.03)
    assert row["sphericity"] == pytest.approx(1, abs=0.03)


def test_perimeter_of_pixels_that_are_not_square():
    y, x = np.mgrid[-40:41, -80:81]
    disc = ((y * 1.0) ** 2 + (x * 0.5) ** 2 <= 30**2).astype(np.uint8)
    row = measure(disc, features="perimeter perimeter_crofton", spacing=(1.0, 0.5)).iloc[0]
    assert row["perimeter"] == row["perimeter_crofton"] == pytest.approx(60 * np.pi, rel=0.02)


@pytest.mark.parametrize(("hollow", "expected"), [("cavity", 2), ("tunnel", 0), ("none", 1)])
def test_euler_number_in_3d_by_hand(hollow, expected):
    cube = np.ones((5, 5, 5), np.uint8)
    if hollow == "cavity":
        cube[2, 2, 2] = 0
    if hollow == "tunnel":
        cube[:, 2, 2] = 0
    assert measure(cube, features="euler_number")["euler_number"].tolist() == [expected]


def test_every_measurement_of_one_pixel():
    labels = np.zeros((5, 6), np.uint16)
    labels[2, 3] = 9
    table = measure(labels, labels * 2.0, features="all")
    assert len(table) == 1
    assert table.loc[0, ["area", "area_convex", "area_filled", "mean_intensity"]].tolist() == [
        1,
        1,
        1,
        18,
    ]
    assert np.isnan(table.loc[0, "circularity"])
    assert np.isnan(table.loc[0, "average_distance_of_n1_nearest_neighbors"])
    assert table.loc[0, "touching_neighbor_count"] == 0


@pytest.mark.parametrize("shape", [(0, 0), (8, 9), (4, 5, 6)])
def test_no_objects_give_a_table_without_rows(shape):
    table = measure(np.zeros(shape, np.uint8), np.ones(shape), features="all")
    assert len(table) == 0
    assert (
        table.columns.tolist()
        == measure(
            np.ones((4,) * len(shape), np.uint8), np.ones((4,) * len(shape)), features="all"
        ).columns.tolist()
    )


def test_labels_may_be_huge_and_have_gaps(disc):
    table = measure(disc * np.uint64(2**63 + 1), features="area solidity")
    pd.testing.assert_frame_equal(
        table.drop(columns="label"), measure(disc, features="area solidity").drop(columns="label")
    )
    assert table["label"].tolist() == [2**63 + 1]


def test_nan_pixels_are_left_out():
    labels = np.array([[1, 1, 1, 2, 2, 0]])
    image = np.array([[1.0, np.nan, 3.0, np.nan, np.nan, 7.0]])
    table = measure(labels, image, features="intensity").set_index("label")
    assert table.loc[1, "mean_intensity"] == 2
    assert table.loc[1, "median_intensity"] == 2
    assert table.loc[1, "min_intensity"] == 1
    assert table.loc[1, "standard_deviation_intensity"] == 1
    assert np.isnan(table.loc[2, ["mean_intensity", "sum_intensity", "max_intensity"]]).all()


def test_channels_have_a_suffix_and_can_be_chosen(disc):
    image = np.stack([disc * 2, disc * 5])
    table = measure(disc, image, features="mean_intensity area", channel_axis=0)
    assert table.columns.tolist() == ["label", "mean_intensity", "mean_intensity_1", "area"]
    assert table.iloc[0].tolist()[1:3] == [2, 5]
    one = measure(disc, image, features="mean_intensity_1", channel_axis=0)
    assert one.columns.tolist() == ["label", "mean_intensity_1"]


def test_time_points_are_measured_apart(disc):
    labels = np.stack([disc, disc * 3, disc * 0], axis=1)
    table = measure(labels, labels, features="area max_intensity", time_axis=1)
    assert table[["frame", "label", "max_intensity"]].to_numpy().tolist() == [[0, 1, 1], [1, 3, 3]]


def test_objects_on_the_border():
    labels = np.zeros((10, 10), np.uint8)
    labels[0:3, 4:6] = 1
    labels[5:7, 5:7] = 2
    table = measure(labels, features="touches_border distance_to_border")
    assert table["touches_border"].tolist() == [1, 0]
    assert table["distance_to_border"].tolist() == [0, 3]


def test_groups_without_an_image_leave_intensities_out(disc):
    table = measure(disc, features="intensity size")
    assert not any("intensity" in name for name in table.columns)
    assert "area" in table.columns


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ("aera", "nearest known are 'area'"),
        ("intensity_mean", "here it is 'mean_intensity'"),
        ("mean_intensity", "image="),
        ("surface_area", "3D only; the labels are 2D"),
        ("", "at least one"),
    ],
)
def test_wrong_names_say_what_to_do(disc, features, message):
    with pytest.raises(ValueError, match=message):
        measure(disc, features=features)


def test_wrong_shapes_say_what_to_do(disc):
    with pytest.raises(ValueError, match=r"\(41, 41\).*\(20, 20\)"):
        measure(disc, np.zeros((20, 20)))
    with pytest.raises(ValueError, match="time_axis"):
        measure(np.zeros((2, 3, 4, 5), int))
    with pytest.raises(TypeError, match="astype"):
        measure(disc * 1.0)
    with pytest.raises(ValueError, match="negative"):
        measure(disc.astype(int) - 1)
    with pytest.raises(ValueError, match="spacing must be 2 positive numbers"):
        measure(disc, spacing=(1.0, 0.0))


def test_names_of_columns_can_be_asked_for_again(labels2d):
    image = np.zeros((2, *labels2d.shape), np.uint8)
    names = [c.name for c in columns_of("all", ndim=2, n_channels=2)]
    again = measure(labels2d, image, features=names, channel_axis=0)
    assert again.columns.tolist() == ["label", *names]


def test_names_are_unique_and_documented():
    names = [entry.name for entry in MEASUREMENTS]
    assert len(set(names)) == len(names)
    assert all(entry.definition.endswith(".") for entry in MEASUREMENTS)
    assert measurement_table().count("\n") == len(names) + 2


@settings(deadline=None)
@given(
    arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 3))
)
def test_objects_measure_the_same_alone_as_together(labels):
    features = "size shape position intensity texture"
    image = np.arange(labels.size, dtype=np.uint16).reshape(labels.shape)
    together = measure(labels, image, features=features)
    for k, label in enumerate(together["label"]):
        alone = measure(labels * (labels == label), image, features=features)
        pd.testing.assert_frame_equal(
            alone, together.iloc[[k]].reset_index(drop=True), check_exact=True
        )


def test_an_infinite_pixel_spoils_its_own_object_alone():
    labels = np.zeros((12, 24), int)
    labels[2:9, 2:9], labels[2:9, 12:20] = 3, 8
    image = np.random.default_rng(0).normal(100, 20, labels.shape)
    without = measure(labels, image, features="all").set_index("label")
    image[4, 4] = np.inf
    table = measure(labels, image, features="all").set_index("label")
    pd.testing.assert_series_equal(table.loc[8], without.loc[8])
    assert table.loc[3, "mean_intensity"] == np.inf
    assert table.loc[3, "min_intensity"] == without.loc[3, "min_intensity"]


@pytest.mark.parametrize("wrap", [lambda a: a, dask.array.from_array, zarr.array])
def test_arrays_on_disk_measure_the_same(labels2d, wrap):
    image = np.arange(labels2d.size, dtype=np.float32).reshape(labels2d.shape)
    table = measure(wrap(labels2d), wrap(image), features="all")
    pd.testing.assert_frame_equal(table, measure(labels2d, image, features="all"))
