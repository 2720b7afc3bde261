import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_spinney.forest import validation
from napari_spinney.forest.folds import LARGE_STROKE, make_folds
from napari_spinney.forest.training import ForestOptions
from napari_spinney.forest.validation import (
    ValidationReport,
    fold_forests,
    out_of_fold_proba,
    validate,
)

FEW = ForestOptions(n_trees=10)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    counts=st.lists(st.integers(2, 9), min_size=2, max_size=4),
    n_folds=st.integers(2, 6),
    seed=st.integers(0, 100),
    n_images=st.integers(1, 3),
)
def test_groups_stay_whole_and_classes_stay_in_training(
    make_table, counts, n_folds, seed, n_images
):
    classes = [c + 1 for c, n in enumerate(counts) for _ in range(n)]
    table = make_table(classes, rows=3)
    for _ in range(n_images - 1):
        table = table.concat(make_table(classes, rows=5))
    folds = make_folds(table, n_folds, seed=seed)
    assert folds.grouped_by == ("images" if n_images > 1 else "strokes")
    group = table.image if n_images > 1 else table.stroke
    for number in np.unique(group):
        assert len(np.unique(folds.fold[group == number])) == 1
    assert np.unique(folds.fold).tolist() == list(range(folds.n_folds))
    assert 2 <= folds.n_folds <= n_folds
    for number in range(folds.n_folds):
        assert set(table.y[folds.fold != number]) == set(table.y)


def test_folds_depend_on_the_seed_alone(make_table):
    table = make_table([1, 2] * 8)
    one, same, other = (make_folds(table, seed=seed).fold for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_pixels_of_a_class_are_spread_evenly(make_table):
    folds = make_folds(make_table([1] * 10 + [2] * 10), 5)
    assert np.bincount(folds.fold).tolist() == [80] * 5


def test_a_class_on_one_image_means_strokes(make_table):
    table = make_table([1, 2, 2, 3, 3]).concat(make_table([1, 1, 2]))
    assert make_folds(table).grouped_by == "strokes"


def test_a_single_stroke_is_refused_with_the_reason(make_table):
    with pytest.raises(ValueError, match=r"class 5 has a single stroke.*paint a second stroke"):
        validate(make_table([2, 2, 5]))


def test_a_single_stroke_is_cut_where_asked_for(make_table):
    table = make_table([2, 2, 5])
    folds = make_folds(table, 4, single="cut")
    held = np.bincount(folds.fold[table.y == 5])
    assert held.tolist() == [5, 5, 5, 5]


def test_a_dense_annotation_is_cut_into_slabs(make_table):
    table = make_table([1, 2], rows=LARGE_STROKE + 904)
    shuffled = np.random.default_rng(0).permutation(len(table.y))
    folds = make_folds(table.subset(shuffled), 5)
    assert folds.n_groups == 10
    fold = folds.fold[np.argsort(shuffled)].reshape(2, 5, 1000)
    np.testing.assert_array_equal(fold, np.broadcast_to(np.arange(5)[None, :, None], fold.shape))


def test_at_least_two_folds(make_table):
    with pytest.raises(ValueError, match="at least 2 folds; got 1"):
        validate(make_table([1, 1, 2, 2]), folds=1)


def test_one_class_is_refused(make_table):
    with pytest.raises(ValueError, match="only class 3"):
        validate(make_table([3, 3, 3]))


def test_report_adds_up(make_table):
    table = make_table([2, 5] * 6, noise=1.5)
    report = validate(table, FEW)
    confusion = np.array(report.confusion)
    assert report.classes == (2, 5)
    assert report.support == (120, 120)
    assert confusion.sum(axis=1).tolist() == [120, 120]
    assert report.error == pytest.approx(1 - np.trace(confusion) / 240)
    assert report.recall == pytest.approx(np.diag(confusion) / 120)
    assert report.precision == pytest.approx(np.diag(confusion) / confusion.sum(axis=0))
    assert report.balanced_error == pytest.approx(1 - np.mean(report.recall))
    assert report.error_mean == pytest.approx(np.mean(report.fold_errors))
    assert report.error_std == pytest.approx(np.std(report.fold_errors))
    assert report.n_folds == 5
    assert validate(table, FEW) == report


def test_held_out_strokes_show_what_random_pixels_hide(make_table):
    table = make_table([1, 2] * 6, noise=0.05)
    table.X[:, 0] = table.stroke  # tells the stroke, not the class
    assert validate(table, FEW).error > 0.3


def test_report_survives_json(make_table):
    report = validate(make_table([2, 5] * 3), FEW)
    values = json.loads(json.dumps(report.to_dict()))
    assert ValidationReport.from_dict(values) == report
    del values["of"]
    assert ValidationReport.from_dict(values) == report
    with pytest.raises(ValueError, match="a validation report has the values"):
        ValidationReport.from_dict({"error": 0.0})


def test_summary_is_one_sentence_with_the_figures(make_table):
    report = replace(validate(make_table([2, 5] * 5), FEW), error=0.061, f1=(0.9, 0.5))
    text = report.summary()
    assert text.startswith("6.1 % of 200 annotated pixels are wrong when whole strokes are held")
    assert "10 strokes in 5 folds" in text
    assert "class 5 is the weakest (F1 0.50)" in text
    assert text.count(". ") == 0


def test_many_rows_give_what_few_rows_give(make_table, monkeypatch):
    table = make_table([2, 5] * 3, noise=1.5)
    few = out_of_fold_proba(table, FEW, make_folds(table, 3))
    monkeypatch.setattr(validation, "ROWS_FOR_REFERENCE", 0)
    many = out_of_fold_proba(table, FEW, make_folds(table, 3))
    np.testing.assert_allclose(many, few, rtol=0, atol=1e-6)


def test_out_of_fold_probabilities_come_from_forests_that_did_not_see_the_row(make_table):
    table = make_table([2, 5] * 3)
    folds = make_folds(table, 3)
    proba = out_of_fold_proba(table, FEW, folds)
    assert proba.shape == (120, 2)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
    held_out, forest = next(fold_forests(table, FEW, folds))
    np.testing.assert_array_equal(proba[held_out], forest.predict_proba(table.X[held_out]))
