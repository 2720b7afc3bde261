"""Trained states, small and quick to make."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from napari_spinney.classifiers.base import ModelState, StageState
from napari_spinney.forest.training import ForestOptions, TrainingTable, fit_forest

WORDS = "original gaussian_blur=1 sobel_of_gaussian_blur=2"


def make_table(names, classes=(1, 2), rows=60, seed=0):
    rng = np.random.default_rng(seed)
    y = np.resize(np.array(classes, np.uint32), rows)
    X = rng.normal(size=(rows, len(names))).astype(np.float32)
    X[:, 0] += y
    return TrainingTable(
        X=X,
        y=y,
        stroke=np.arange(rows, dtype=np.int32) // 4,
        image=np.zeros(rows, np.int32),
        position=np.arange(rows, dtype=np.int64),
        names=tuple(names),
    )


def make_stage(features=WORDS, names=None, classes=(1, 2), **options):
    names = tuple(names or features.split())
    table = make_table(names, classes)
    fitted = fit_forest(table, ForestOptions(**{"n_trees": 5, **options}))
    return StageState(features, names, fitted.forest, fitted.importances, table)


def make_state(kind="PixelClassifier", *, stage=None, **facts):
    stage = stage or make_stage()
    facts = {"parameters": {"n_trees": 5}, "ndim": 2, **facts}
    return ModelState(kind=kind, stages=(stage,), **facts)


def assert_same(a: ModelState, b: ModelState) -> None:
    """Equal in every value, array and type."""
    facts = [f.name for f in fields(ModelState) if f.name != "stages"]
    assert {name: getattr(a, name) for name in facts} == {n: getattr(b, n) for n in facts}
    assert len(a.stages) == len(b.stages)
    for one, two in zip(a.stages, b.stages, strict=True):
        assert (one.features, one.names) == (two.features, two.names)
        for owner, names in (
            ("forest", ["classes"]),
            ("table", ["X", "y", "stroke", "image", "position"]),
        ):
            first, second = getattr(one, owner), getattr(two, owner)
            assert (first is None) == (second is None)
            for name in names if first is not None else ():
                _assert_equal(getattr(first, name), getattr(second, name))
        trees = ("roots", "feature", "threshold", "left", "right", "nan_left", "leaf", "values")
        for name in trees:
            _assert_equal(getattr(one.forest.trees, name), getattr(two.forest.trees, name))
        assert one.forest.trees.sums == two.forest.trees.sums
        _assert_equal(one.importances, two.importances)


def _assert_equal(a, b):
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a, b)


class Make:
    """The builders above, for tests that may not import this file."""

    table = staticmethod(make_table)
    stage = staticmethod(make_stage)
    state = staticmethod(make_state)
    assert_same = staticmethod(assert_same)


@pytest.fixture(scope="session")
def make():
    return Make


@pytest.fixture(scope="session")
def state():
    return make_state(
        parameters={"n_trees": 5, "max_depth": None, "kind": "extra_trees"},
        class_names={1: "background", 2: "Zellkerne ü"},
        class_colors={1: "#112233", 2: "#aabbcc"},
        spacing=(0.5, 0.25),
        provenance={"versions": {"numpy": "2"}, "images": ["a.tif"]},
    )
