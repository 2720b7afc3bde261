from __future__ import annotations

import numpy as np
import pytest

from napari_spinney.classifiers.pixels import PixelClassifier
from napari_spinney.history import OpenModel, Predict, Train, Validate, with_step
from napari_spinney.session import ImageEntry, Session, TrainedModel


@pytest.fixture
def entry():
    return ImageEntry("a", "image", np.zeros((4, 5)), "yx")


@pytest.fixture
def classifier(entry):
    strokes = np.zeros((4, 5), np.uint8)
    strokes[0], strokes[3] = 1, 2
    return PixelClassifier("original", n_trees=2).fit(entry.data, strokes, device="cpu")


def kinds(steps):
    return [type(step).__name__ for step in steps]


def test_models_that_nothing_came_of_are_left_out(entry):
    steps = ()
    for step in (Train(1, ()), Validate(), Train(2, ()), Predict(entry), OpenModel(3, "m")):
        steps = with_step(steps, step)
    assert kinds(steps) == ["Train", "Predict", "OpenModel"]
    assert steps[0].classifier == 2


def test_the_last_of_equal_predictions_counts(entry):
    steps = ()
    other = ImageEntry("b", "other", entry.data, "yx")
    for step in (Predict(entry), Predict(entry, min_size=3), Predict(other), Predict(entry)):
        steps = with_step(steps, step)
    assert [(s.image.id, s.min_size) for s in steps] == [("a", 3), ("b", 0), ("a", 0)]


def test_a_session_records_what_is_trained_opened_and_estimated(entry, classifier):
    session = Session()
    told = []
    session.history_changed.connect(lambda: told.append(len(session.history)))
    session.set_image(entry)
    model = TrainedModel(classifier, session.generation, images=(entry,))
    assert session.accept(model)
    session.set_report("report", model.generation)
    session.record(Predict(entry))
    session.open_model(classifier, "m.spinney")
    assert kinds(session.history) == ["Train", "Validate", "Predict", "OpenModel"]
    assert told == [1, 2, 3, 4]
    session.close()
    assert session.history == ()


def test_a_model_that_came_too_late_is_not_recorded(entry, classifier):
    session = Session()
    model = TrainedModel(classifier, session.generation, images=(entry,))
    session.set_image(entry)
    assert not session.accept(model)
    assert session.history == ()


def test_strokes_come_back_from_the_rows(entry, classifier):
    (painted,) = Train(classifier, (entry,)).strokes()
    assert painted[0].tolist() == [1] * 5
    assert painted[3].tolist() == [2] * 5
    assert not painted[1:3].any()
