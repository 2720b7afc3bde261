from dataclasses import replace

import numpy as np
import pytest

from napari_spinney.forest.annotation import Painted
from napari_spinney.interaction import following
from napari_spinney.interaction.following import ViewDone, follow, outwards, tiles_outwards
from napari_spinney.interaction.looking import doubting, measuring
from napari_spinney.interaction.orders import Region, ViewOrder
from napari_spinney.interaction.predicting import PredictOrder, predicting
from napari_spinney.interaction.tasks import (
    Problem,
    Snapshot,
    TrainOrder,
    allocate,
    counting,
    plainly,
    train,
)
from napari_spinney.samples import load_sample
from napari_spinney.session import ClassEntry, ImageEntry, Recipe, TrainedModel


def finish(steps):
    """All that a generator yields, and what it returns."""
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return seen, end.value


@pytest.fixture(scope="module")
def sample():
    return load_sample("nuclei")


@pytest.fixture(scope="module")
def entry(sample):
    return ImageEntry("a", "nuclei", sample.image, "yx")


@pytest.fixture(scope="module")
def order(sample, entry):
    classes = tuple(ClassEntry.default(n) for n in (1, 2))
    snapshot = Snapshot.of(sample.strokes)
    recipe = Recipe(features="small_quick", n_trees=40)
    return TrainOrder(3, (entry,), (snapshot,), recipe, classes)


@pytest.fixture(scope="module")
def model(order):
    return train(order)


def view_of(entry, box=None):
    box = tuple(slice(0, n) for n in entry.spatial_shape) if box is None else box
    return ViewOrder(entry, box, None, np.zeros(entry.annotation_shape, np.uint8))


def test_live_answers_with_few_trees_first_and_tells_the_model_once(order, entry):
    view = view_of(entry, (slice(100, 200), slice(50, 150)))
    seen, _ = finish(follow(order, view))
    done = [step.coarse for step in seen if isinstance(step, ViewDone)]
    models = [step for step in seen if isinstance(step, TrainedModel)]
    assert done == [True, False]
    assert [m.generation for m in models] == [3]
    assert seen.index(models[0]) > next(i for i, s in enumerate(seen) if isinstance(s, ViewDone))


def test_what_live_leaves_behind_is_what_predict_gives(order, model, entry):
    view = view_of(entry, (slice(100, 200), slice(50, 150)))
    finish(follow(order, view))
    np.testing.assert_array_equal(view.out, model.classifier.predict(entry.data))


def test_a_zoomed_out_view_is_guessed_first(model, entry, monkeypatch):
    monkeypatch.setattr(following, "COARSE_FROM", 1000)
    monkeypatch.setattr(following, "COARSE_SIZE", 10_000)
    view = view_of(entry)
    steps = outwards(model, view)
    guess = next(steps)
    assert guess == Region((slice(0, 320), slice(0, 320)), coarse=True)
    guessed = view.out.copy()
    finish(steps)
    assert 0.8 < np.mean(guessed == view.out) < 1


def test_tiles_begin_at_the_view_and_cover_the_image():
    tiles = tiles_outwards((3000, 2500), (slice(2900, 3000), slice(0, 100)))
    assert tiles[0] == (slice(2048, 3000), slice(0, 1024))
    covered = np.zeros((3000, 2500), int)
    for tile in tiles:
        covered[tile] += 1
    assert (covered == 1).all()


def test_tiles_done_before_are_not_done_again(model, entry):
    view = view_of(entry, (slice(0, 10), slice(0, 10)))
    finish(outwards(model, view))
    again = replace(view, out=np.zeros_like(view.out))
    finish(outwards(model, again))
    assert again.out[:10, :10].all()
    assert not again.out[10:, 10:].any()


def test_a_closed_prediction_gives_the_lock_back(model, entry):
    view = view_of(entry)
    steps = outwards(model, view)
    next(steps)
    assert view.writing.locked()
    steps.close()
    assert not view.writing.locked()


def test_objects_are_numbered(model, entry, sample):
    out = np.zeros(sample.image.shape, np.uint32)
    seen, _ = finish(predicting(PredictOrder(model, entry, "objects", out, target=2, min_size=30)))
    assert seen[-2].done == seen[-2].total
    assert seen[-1].seconds > 0
    assert abs(int(out.max()) - int(sample.truth.max())) <= 12


def test_a_model_for_one_channel_asks_which_of_three(model, sample):
    rgb = ImageEntry("b", "rgb", np.stack([sample.image] * 3, -1), "yxc")
    order = PredictOrder(model, rgb, "classes", np.zeros(sample.image.shape, np.uint8))
    with pytest.raises(Problem, match=r"expects 1 channel\(s\), rgb has 3: which one is it"):
        finish(predicting(order))


def test_unsure_places_are_not_visited_twice(model, entry):
    view = view_of(entry)
    _, first = finish(doubting(model, view, ()))
    _, second = finish(doubting(model, view, (first,)))
    assert max(abs(a - b) for a, b in zip(first, second, strict=True)) >= 15


def test_one_feature_of_a_box_is_measured(entry):
    box = (slice(10, 60), slice(20, 90))
    _, (values, index) = finish(measuring("gaussian_blur=2", view_of(entry, box)))
    assert values.shape == (50, 70)
    assert index == box
    whole, _ = finish(measuring("gaussian_blur=2", view_of(entry)))[1]
    np.testing.assert_array_equal(values, whole[box])


def test_images_with_other_axes_are_not_trained_together(order, sample):
    rgb = ImageEntry("b", "rgb", np.stack([sample.image] * 3, -1), "yxc")
    both = replace(order, images=(*order.images, rgb), annotations=order.annotations * 2)
    with pytest.raises(Problem, match="Leave one out under Train"):
        train(both)


def test_nothing_painted_is_said_in_words(order):
    with pytest.raises(Problem, match="paint a stroke of two classes"):
        train(replace(order, images=(), annotations=()))


def test_strokes_are_counted_by_class(sample):
    _, tally = finish(counting("a", Snapshot.of(sample.strokes)))
    assert tally.counts[1].pixels == (sample.strokes == 1).sum()
    assert tally.counts[2].strokes > 2


def test_a_large_annotation_is_copied_by_the_worker():
    array = np.zeros(100, np.uint8)
    late = Snapshot.of(array, limit=10)
    early = Snapshot.of(array)
    array[3] = 1
    assert late.take()[3] == 1
    assert early.take()[3] == 0


@pytest.mark.parametrize("share", [0, 0.01, 0.9])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
@pytest.mark.parametrize("shape", [(64, 96), (7, 13), (5, 9, 11)])
def test_a_snapshot_does_not_change_while_somebody_paints_on(share, dtype, shape):
    array = (np.random.default_rng(0).random(shape) < share).astype(dtype)
    before, snapshot = array.copy(), Snapshot.of(array)
    array[...] = 2
    np.testing.assert_array_equal(snapshot.take(), before)
    assert snapshot.take().dtype == dtype
    np.testing.assert_array_equal(Painted.of(before).position, positions_of(snapshot.strokes()))


def positions_of(strokes):
    return (strokes if isinstance(strokes, Painted) else Painted.of(strokes)).position


def test_a_snapshot_of_every_other_column_is_right():
    whole = np.zeros((40, 80), np.uint8)
    whole[3, 10:20] = 1
    snapshot = Snapshot.of(whole[:, ::2])
    np.testing.assert_array_equal(snapshot.take(), whole[:, ::2])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("the number is 3"), "The number is 3."),
        (MemoryError(), "Not enough memory for testing."),
        (KeyError("x"), "Something went wrong in testing"),
    ],
)
def test_errors_become_sentences(error, words):
    with pytest.raises(Problem, match=words) as caught, plainly("testing"):
        raise error
    assert caught.value.__cause__ is error


def test_a_result_that_is_too_large_lives_in_a_file(monkeypatch):
    monkeypatch.setattr("napari_spinney.interaction.tasks.IN_MEMORY", 10)
    result = allocate((4, 5), np.uint8)
    assert isinstance(result, np.memmap)
    assert not result.any()
