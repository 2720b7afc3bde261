"""Scores against what can be counted by hand and by other packages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score, jaccard_score

from napari_spinney.scores import (
    ClassScore,
    ObjectScore,
    pooled_classes,
    score_classes,
    score_objects,
)

CLASSES = arrays(np.uint8, (6, 7), elements=st.integers(0, 3))


@given(CLASSES, CLASSES)
def test_dice_and_jaccard_are_those_of_scikit_learn(result, truth):
    for score in score_classes(result, truth):
        found, true = (result == score.number).ravel(), (truth == score.number).ravel()
        assert score.dice == pytest.approx(f1_score(true, found))
        assert score.jaccard == pytest.approx(jaccard_score(true, found))


@given(CLASSES, CLASSES)
def test_sparse_scores_ignore_what_nobody_knows(result, truth):
    anything = np.where(truth == 0, 3 - result, result)
    assert score_classes(result, truth, sparse=True) == score_classes(anything, truth, sparse=True)


def test_a_sparse_score_by_hand():
    (one, two) = score_classes([[1, 1, 2, 2]], [[1, 2, 2, 0]], sparse=True)
    assert (one.jaccard, two.jaccard) == (0.5, 0.5)
    assert score_classes([[1, 1, 2, 2]], [[1, 2, 2, 0]])[1].jaccard == pytest.approx(1 / 3)


@given(CLASSES)
def test_the_truth_itself_is_perfect(truth):
    assert all(score.dice == score.jaccard == 1 for score in score_classes(truth, truth))
    score = score_objects(truth, truth)
    assert score.matched == score.true == len(np.unique(truth[truth > 0]))


def dense_matches(result, truth, overlap):
    """Every pair of objects looked at; the most that can be matched."""
    from scipy.optimize import linear_sum_assignment

    pairs = [[(result == a, truth == b) for b in np.unique(truth[truth > 0])]
             for a in np.unique(result[result > 0])]  # fmt: skip
    good = [[(a & b).sum() >= overlap * (a | b).sum() for a, b in row] for row in pairs]
    if not good or not good[0]:
        return 0
    good = np.array(good)
    return int(good[linear_sum_assignment(good, maximize=True)].sum())


@given(CLASSES, CLASSES, st.sampled_from([0.1, 0.25, 0.5, 0.75, 1.0]))
def test_as_many_objects_match_as_when_every_pair_is_looked_at(result, truth, overlap):
    score = score_objects(result, truth, overlap=overlap)
    assert score.matched == dense_matches(result, truth, overlap)


def test_an_object_that_is_split_in_halves_matches_once():
    score = score_objects([[1, 2]], [[7, 7]])
    assert (score.matched, score.found, score.true) == (1, 2, 1)
    assert (score.precision, score.recall, score.f1) == (0.5, 1, pytest.approx(2 / 3))


def test_large_labels_take_no_more_room():
    labels = np.array([[0, 2**32 - 1]], np.uint32)
    assert score_objects(labels, labels) == ObjectScore(1, 1, 1)


def test_nothing_in_either_has_no_score():
    nothing = np.zeros((3, 3), np.uint8)
    assert score_classes(nothing, nothing) == ()
    assert np.isnan(score_objects(nothing, nothing).f1)


def test_images_are_pooled_by_pixels():
    pooled = pooled_classes([(ClassScore(2, 1, 2, 3),), (ClassScore(2, 10, 20, 30),)])
    assert pooled == (ClassScore(2, 11, 22, 33),)
    assert ObjectScore(1, 2, 3) + ObjectScore(1, 1, 1) == ObjectScore(2, 3, 4)


@pytest.mark.parametrize("score", [score_classes, score_objects])
@pytest.mark.parametrize(
    ("result", "word"),
    [(np.ones((2, 3)), "shape"), (np.full((2, 2), 0.5), "probabilities"),
     (np.full((2, 2), -1), "from 0"), (np.full((2, 2), np.nan), "whole numbers"),
     (np.full((2, 2), "a"), "no numbers")],
)  # fmt: skip
def test_what_is_no_result_is_refused(score, result, word):
    with pytest.raises(ValueError, match=word):
        score(result, np.ones((2, 2), int))


@pytest.mark.parametrize("overlap", [0, -1, 1.1, float("nan")])
def test_an_overlap_out_of_range_is_refused(overlap):
    with pytest.raises(ValueError, match="overlap"):
        score_objects([[1]], [[1]], overlap=overlap)
