import numpy as np
import pandas as pd
import pytest

from napari_spinney import ObjectMapper, load, measure


@pytest.fixture
def labels():
    labels = np.zeros((20, 20 * 40), np.uint32)
    for k in range(40):
        size = 2 + k % 15
        labels[1 : 1 + size, 20 * k + 1 : 20 * k + 1 + size] = 3 * k + 5
    return labels


def test_a_measurement_is_painted(labels):
    painted = ObjectMapper("area").predict(labels)
    assert painted.dtype == np.float32
    assert painted[labels == 0].max() == 0
    for label, area in measure(labels, features="area").itertuples(index=False):
        assert (painted[labels == label] == area).all()


def test_a_value_is_learnt_and_painted(labels, tmp_path):
    table = measure(labels, features="area")
    sides = pd.Series(np.sqrt(table["area"].to_numpy()) - 7, index=table["label"])
    mapper = ObjectMapper("size").fit(labels, sides[::2])
    painted = mapper.predict(labels)
    errors = [abs(painted[labels == n].max() - side) for n, side in sides[1::2].items()]
    assert max(errors) < 0.7
    assert mapper.provenance_["out_of_bag_r2"] > 0.95
    mapper.save(tmp_path / "model.spinney")
    np.testing.assert_array_equal(load(tmp_path / "model.spinney").predict(labels), painted)


def test_equal_values_stay_equal(labels):
    assert np.unique(
        ObjectMapper("area").fit(labels, {5: 2.5, 8: 2.5}).predict(labels)
    ).tolist() == [
        0,
        2.5,
    ]


def test_what_cannot_be_painted_says_why(labels):
    with pytest.raises(ValueError, match="paints one measurement"):
        ObjectMapper("size").predict(labels)
    with pytest.raises(ValueError, match="at least two objects"):
        ObjectMapper("size").fit(labels, {5: 1.0})
    with pytest.raises(ValueError, match="no object 4"):
        ObjectMapper("size").fit(labels, {5: 1.0, 4: 2.0})
    with pytest.raises(ValueError, match="at least three"):
        ObjectMapper("size").fit(labels, {5: 1.0, 8: 2.0}).validate()
    with pytest.raises(ValueError, match="values for 1"):
        ObjectMapper("size").fit([labels, labels], [{5: 1.0}])


def sides_of(labels):
    table = measure(labels, features="area")
    return pd.Series(np.sqrt(table["area"].to_numpy()), index=table["label"])


def test_validation_holds_objects_out(labels):
    sides = sides_of(labels)
    report = ObjectMapper("size").fit(labels, sides).validate()
    assert report.r2 > 0.95
    assert report.mean_error < 0.5 < report.spread
    assert (report.n_rows, report.n_folds, report.grouped_by) == (40, 5, "objects")
    assert "objects are held out" in report.summary()
    rng = np.random.default_rng(0)
    noise = ObjectMapper("size").fit(
        labels, dict(zip(sides.index, rng.normal(size=40), strict=True))
    )
    assert noise.validate().r2 < 0.3
    assert ObjectMapper("size").fit(labels, dict.fromkeys(sides.index, 2.0)).validate().r2 is None


def test_validation_holds_images_out_where_there_are_several(labels):
    sides = sides_of(labels)
    report = ObjectMapper("size").fit([labels, labels], [sides[::2], sides[1::2]]).validate()
    assert (report.grouped_by, report.n_groups) == ("images", 2)


def test_what_was_learnt_before_is_added_to_also_from_a_file(labels, tmp_path):
    sides = sides_of(labels)
    first = ObjectMapper("size").fit(labels, sides[::2])
    first.save(tmp_path / "m.spinney")
    again = load(tmp_path / "m.spinney")
    again.fit(labels, sides[1::2], add=True)
    assert len(again.table_) == 40
    assert again.validate().n_rows == 40
    together = ObjectMapper("size").fit([labels, labels], [sides[::2], sides[1::2]])
    np.testing.assert_array_equal(again.predict(labels), together.predict(labels))
    with pytest.raises(ValueError, match="spacing"):
        again.fit(labels, {5: 1.0}, spacing=(0.5, 0.5), add=True)
