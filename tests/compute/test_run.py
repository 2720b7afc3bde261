"""Running executors over images: order, cancelling, memory that runs out."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest

from napari_spinney.compute import run
from napari_spinney.compute.device import DeviceError, DeviceMemoryError, choose_device
from napari_spinney.compute.run import executor_for, executor_that_can, in_flight, iter_run
from napari_spinney.compute.source import ImageSource
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import build_plan


class Doubling:
    """An executor that doubles pixels, and says so where blocks are too large for it."""

    parallel = 2

    def __init__(self, largest=10**9):
        self.largest = largest
        self.shapes = []
        self.device = choose_device("cpu")

    def preferred_block(self, ndim):
        return (32,) * ndim

    def block_bytes(self, program, outer_shape):
        return int(np.prod(outer_shape))

    def predict(self, program, block, inner, output="classes"):
        self.shapes.append(block.shape)
        if block.size > self.largest:
            raise DeviceMemoryError("too large for this device")
        return 2 * block[0][inner]


class Reaching:
    """Stands for a program: only its halo matters here."""

    reach = (3, 3)


def predict(image, executor):
    source = ImageSource.of(image)
    out = np.zeros(image.shape, np.float32)
    blocks = run.plan_blocks(source, executor, Reaching())
    for _ in iter_run(source, executor, Reaching(), blocks, out):
        pass
    return out


def test_every_block_is_written():
    image = np.random.default_rng(0).random((70, 45)).astype(np.float32)
    np.testing.assert_array_equal(predict(image, Doubling()), 2 * image)


def test_blocks_are_halved_where_the_device_runs_out_of_memory():
    image = np.random.default_rng(0).random((70, 45)).astype(np.float32)
    executor = Doubling(largest=600)
    np.testing.assert_array_equal(predict(image, executor), 2 * image)
    assert any(np.prod(shape) > 600 for shape in executor.shapes)


def test_the_processor_takes_over_where_no_block_is_small_enough(monkeypatch, caplog):
    image = np.random.default_rng(0).random((20, 45)).astype(np.float32)
    monkeypatch.setattr(run, "executor_for", lambda device: Doubling())
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(predict(image, Doubling(largest=0)), 2 * image)
    assert "going on without OpenCL" in caplog.text


def test_items_come_back_in_order_and_errors_reach_the_caller():
    def work(item):
        if item == 7:
            raise ValueError("seven")

    seen = []
    with pytest.raises(ValueError, match="seven"):
        seen.extend(in_flight(work, list(range(20)), 3))
    done = []
    iterator = in_flight(work, list(range(7)), 3)
    done.extend(iterator)
    assert done == list(range(7))


def test_closing_leaves_the_rest_undone():
    started = []
    gate = threading.Event()

    def work(item):
        started.append(item)
        if item > 2:
            gate.wait(5)

    steps = in_flight(work, list(range(100)), 2)
    next(steps)
    gate.set()
    steps.close()
    assert len(started) < 100


def test_the_same_device_has_one_executor():
    assert executor_for("cpu") is executor_for("cpu")


def test_features_that_need_opencl_say_so_without_it(monkeypatch):
    plan = build_plan(FeatureSet.parse("original top_hat_box=5"), ndim=2)
    assert plan.opencl_names == ("top_hat_box=5",)
    cpu = executor_for("cpu")

    def only_cpu(device):
        if device == "opencl":
            raise DeviceError("no OpenCL here")
        return cpu

    monkeypatch.setattr(run, "executor_for", only_cpu)
    with pytest.raises(DeviceError, match=r"top_hat_box=5 can only be computed with OpenCL. no"):
        executor_that_can((plan,), "auto")


def test_threads_that_begin_together_share_one_executor(monkeypatch):
    made = []
    start = threading.Barrier(6)

    class Slow:
        def __init__(self, device):
            time.sleep(0.05)  # as a driver does, which lets other threads in
            made.append(device)

    monkeypatch.setattr("napari_spinney.compute.cpu.executor.CpuExecutor", Slow)
    monkeypatch.setattr(run, "_executor", cache(run._executor.__wrapped__))

    def ask(_):
        start.wait(30)
        return run.executor_for("cpu")

    with ThreadPoolExecutor(6) as pool:
        executors = set(pool.map(ask, range(6)))
    assert len(executors) == 1
    assert len(made) == 1
