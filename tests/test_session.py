import subprocess
import sys

import numpy as np
import pytest

from napari_spinney.interaction.messages import status_of
from napari_spinney.session import Activity, Count, ImageEntry, Session, TrainedModel


class Model:
    """Stands for a classifier."""

    def __init__(self):
        self.class_names = {1: "ground", 3: "cell"}
        self.class_colors = {3: "#123456"}


@pytest.fixture
def session():
    session = Session()
    session.set_image(ImageEntry("a", "nuclei", np.zeros((2, 20, 30)), "cyx"))
    session.set_annotation("a", np.zeros((20, 30), np.uint8))
    return session


def emitted(signal):
    seen = []
    signal.connect(lambda *values: seen.append(values))
    return seen


def test_importing_the_session_brings_no_qt_and_no_napari():
    code = (
        "import sys, napari_spinney.session\n"
        "from napari_spinney.interaction import autosave, following, messages, tasks\n"
        "bad = {'napari', 'qtpy', 'PyQt6', 'magicgui'} & set(sys.modules)\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_entry_knows_its_axes(session):
    entry = session.images["a"]
    assert (entry.channel_axis, entry.time_axis, entry.n_channels, entry.ndim) == (0, None, 2, 2)
    assert entry.annotation_shape == (20, 30)


def test_an_annotation_of_another_shape_is_refused(session):
    with pytest.raises(ValueError, match=r"\(20, 30\); got \(20, 31\)"):
        session.set_annotation("a", np.zeros((20, 31), np.uint8))


def test_every_change_that_training_would_see_raises_the_generation(session):
    seen = [session.generation]
    session.set_annotation("a", np.ones((20, 30), np.uint8))
    seen.append(session.generation)
    session.set_recipe(n_trees=7)
    seen.append(session.generation)
    session.change_image("a", used=False)
    seen.append(session.generation)
    assert seen == sorted(set(seen))


def test_a_recipe_that_does_not_change_is_not_told(session):
    told = emitted(session.recipe_changed)
    session.set_recipe(n_trees=session.recipe.n_trees)
    assert told == []


def test_an_older_model_does_not_replace_a_newer_one(session):
    newer, older = TrainedModel(Model(), session.generation), TrainedModel(Model(), 0)
    assert session.accept(newer)
    assert not session.accept(older)
    assert session.model is newer


def test_a_model_of_strokes_painted_over_since_is_taken_and_marked_old(session):
    generation = session.generation
    session.set_annotation("a", np.ones((20, 30), np.uint8))
    assert session.accept(TrainedModel(Model(), generation))
    assert session.is_stale


def test_a_model_of_an_image_replaced_since_is_dropped(session):
    generation = session.generation
    session.set_image(ImageEntry("a", "nuclei", np.zeros((40, 30)), "yx"))
    assert not session.accept(TrainedModel(Model(), generation))
    assert "a" not in session.annotations


def test_an_estimate_of_another_generation_is_dropped(session):
    session.accept(TrainedModel(Model(), session.generation))
    session.set_report("old", session.generation - 1)
    assert session.report is None


def test_classes_are_added_with_the_next_number_and_colour(session):
    assert session.add_class().number == 3
    assert session.add_class(7, "spot").name == "spot"
    assert len({entry.color for entry in session.classes.values()}) == 4
    with pytest.raises(ValueError, match="got 7, taken are"):
        session.add_class(7)


def test_the_last_class_stays(session):
    session.remove_class(2)
    with pytest.raises(ValueError, match="at least one class must stay"):
        session.remove_class(1)


def test_removing_the_class_in_hand_takes_another(session):
    session.select_class(2)
    session.remove_class(2)
    assert session.selected_class == 1


def test_counts_bring_classes_that_were_not_known(session):
    session.set_counts("a", {1: Count(5, 1), 9: Count(2, 1)})
    assert session.painted() == (1, 9)
    assert session.count(9) == Count(2, 1)


def test_a_model_from_a_file_brings_its_classes(session):
    session.open_model(Model(), "model.spinney")
    assert session.classes[1].name == "ground"
    assert session.classes[3].color == "#123456"
    assert not session.is_stale


@pytest.mark.parametrize(
    ("prepare", "words", "mood"),
    [
        (lambda s: s.remove_image("a"), "Open an image", "hint"),
        (lambda s: None, "two classes", "hint"),
        (lambda s: s.set_counts("a", {1: Count(5, 1)}), "foreground", "hint"),
        (lambda s: s.set_counts("a", {1: Count(5, 1), 2: Count(5, 1)}), "press Train", "hint"),
        (lambda s: s.set_activity(Activity("failed", "No.", details="x")), "No.", "bad"),
        (lambda s: s.set_activity(Activity("training", "Training")), "Training", "busy"),
    ],
)
def test_the_status_says_one_thing(session, prepare, words, mood):
    prepare(session)
    message = status_of(session)
    assert words.lower() in message.text.lower()
    assert message.mood == mood


def test_few_strokes_are_asked_for_before_an_error_is_told(session):
    session.set_counts("a", {1: Count(5, 4), 2: Count(5, 1)})
    session.accept(TrainedModel(Model(), session.generation))
    assert status_of(session).text == "foreground: paint 2 more strokes to estimate the error."


def test_a_closed_session_tells_nobody(session):
    told = emitted(session.classes_changed)
    session.close()
    session.add_class()
    assert told == []
