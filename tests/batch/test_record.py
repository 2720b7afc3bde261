"""How far a batch is, and what is said of it."""

from pathlib import Path

import pytest

from napari_spinney.batch.folders import FileStep, Outcome
from napari_spinney.batch.messages import BatchSituation, duration, status_of_batch
from napari_spinney.batch.record import BatchRecord

A, B = Path("x/a.tif"), Path("x/b.tif")


def outcome(image, what, state, error=None):
    return Outcome(image, Path(f"{image.stem}_{what}.tif"), state, error)


def test_a_file_is_done_when_all_its_results_are():
    record = BatchRecord(2, 2)
    record.note([FileStep(A, Path("a_classes.tif"), 1, 2)], 0)
    assert record.files[A].text(2) == "25 %"
    record.note([outcome(A, "classes", "made")], 0)
    assert record.files[A].text(2) == "50 %"
    assert record.done == 0
    record.note([outcome(A, "objects", "kept")], 0)
    assert record.files[A].text(2) == "made"
    assert B not in record.files
    assert (record.done, record.share) == (1, 0.5)


def test_a_reason_is_told_once_and_without_folders():
    record = BatchRecord(1, 2)
    error = ValueError(f"{A}: broken")
    record.note([outcome(A, what, "failed", error) for what in ("classes", "objects")], 0)
    assert record.reasons() == ["a.tif: broken"]
    assert record.count["failed"] == 1


def test_time_left_goes_by_what_was_made_not_by_what_was_kept():
    images = [Path(f"{number}.tif") for number in range(20)]
    record = BatchRecord(20, now=0)
    record.note([outcome(image, "classes", "kept") for image in images[:10]], 1)
    assert record.seconds_left is None
    record.note([outcome(image, "classes", "made") for image in images[10:15]], 10)
    assert record.seconds_left == pytest.approx(10)


def test_what_was_at_hand_when_it_stopped_is_waiting_again():
    record = BatchRecord(1)
    record.note([FileStep(A, Path("a.tif"), 1, 2)], 0)
    record.stop()
    assert record.files[A].text(1) == "waiting"
    assert record.share == 0


def test_the_end_is_good_news_only_if_nothing_failed():
    record = BatchRecord(2)
    record.note([outcome(A, "classes", "made"), outcome(B, "classes", "kept")], 1)
    situation = BatchSituation("finished", 2, True, Path(), 1, record)
    message = status_of_batch(situation)
    assert message.mood == "good"
    assert message.text.startswith("1 made, 1 kept from before.")
    failing = BatchRecord(1)
    failing.note([outcome(A, "classes", "failed", ValueError("no"))], 1)
    situation = BatchSituation("finished", 1, True, Path(), 1, failing)
    assert status_of_batch(situation).mood == "bad"
    assert "a.tif: no" in status_of_batch(situation).text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (42, "42 s"), (100, "2 min"), (7000, "1.9 h")]
)
def test_a_time_to_wait_is_no_more_exact_than_it_is_known(seconds, text):
    assert duration(seconds) == text
