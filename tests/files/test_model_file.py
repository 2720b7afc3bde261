from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_spinney.classifiers.base import ModelState, StageState
from napari_spinney.compute.trees import TreeArrays
from napari_spinney.files.errors import ModelFileError
from napari_spinney.files.model_file import read_model, write_model
from napari_spinney.forest.forest import Forest


def unpack(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def npy(array):
    data = io.BytesIO()
    np.save(data, array)
    return data.getvalue()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.spinney"


@pytest.fixture
def damaged(path, state):
    """Write a model with changed members; returns the file."""

    def damage(changes=(), json_changes=()):
        write_model(state, path)
        members = {**unpack(path), **dict(changes)}
        header = json.loads(members["model.json"])
        for keys, value in dict(json_changes).items():
            *parents, last = keys.split(".")
            place = header
            for key in parents:
                place = place[int(key) if key.isdigit() else key]
            place[last] = value
        members["model.json"] = json.dumps(header).encode()
        pack(path, {name: data for name, data in members.items() if data is not None})
        return path

    return damage


# --- round trips ----------------------------------------------------------------------------


def test_every_value_comes_back(path, state, make):
    write_model(state, path)
    make.assert_same(read_model(path), state)


def test_two_stages_come_back(path, make):
    second = make.stage("gaussian_blur=2", ["gaussian_blur=2", "p1", "p2", "p1_gaussian_blur=2"])
    state = make.state(parameters={"stages": 2})
    state = replace(state, stages=(*state.stages, second))
    write_model(state, path)
    make.assert_same(read_model(path), state)


@pytest.mark.parametrize("kind", ["ObjectClassifier", "TableRowClassifier", "ObjectMerger"])
def test_other_classifiers_come_back(path, make, kind):
    stage = make.stage("", ["area", "a column, with ü", "x*/y"], classes=(3, 7, 300))
    state = make.state(kind, stage=stage, ndim=None, parameters={"n": 3, "deep": {"a": [1, None]}})
    write_model(state, path)
    make.assert_same(read_model(path), state)


def test_model_without_table_comes_back(path, make):
    state = make.state(stage=replace(make.stage(), table=None))
    write_model(state, path)
    make.assert_same(read_model(path), state)


def test_table_with_nan_and_infinity_comes_back(path, make):
    stage = make.stage()
    stage.table.X[:2, 0] = np.nan, -np.inf
    write_model(make.state(stage=stage), path)
    make.assert_same(read_model(path), make.state(stage=stage))


@settings(deadline=None, max_examples=40)
@given(
    classes=st.lists(st.integers(1, 2**32 - 1), min_size=1, max_size=5, unique=True).map(sorted),
    sums=st.sampled_from(["exact", "float32"]),
    thresholds=arrays.arrays(np.float32, 3, elements=st.floats(width=32, allow_nan=False)),
    names=st.lists(st.text(min_size=1), min_size=2, max_size=2, unique=True),
    text=st.text(),
)
def test_any_forest_comes_back(tmp_path_factory, make, classes, sums, thresholds, names, text):
    values = np.full((2, len(classes)), 1 / len(classes))
    trees = TreeArrays(
        roots=np.array([0], np.int32),
        feature=np.array([1, -1, -1], np.int32),
        threshold=thresholds,
        left=np.array([1, -1, -1], np.int32),
        right=np.array([2, -1, -1], np.int32),
        nan_left=np.array([True, False, False]),
        leaf=np.array([-1, 1, 0], np.int32),
        values=values,
        n_features=2,
        sums=sums,
    )
    stage = StageState("", tuple(names), Forest.from_trees(trees, classes), np.array([0.0, 1.0]))
    state = ModelState("TableRowClassifier", {"text": text}, (stage,), {classes[0]: text})
    path = tmp_path_factory.mktemp("any") / "m.spinney"
    write_model(state, path)
    make.assert_same(read_model(path), state)


def test_equal_models_make_equal_bytes(tmp_path, state):
    first, second = tmp_path / "a.spinney", tmp_path / "b.spinney"
    write_model(state, first)
    write_model(read_model(first), second)
    assert first.read_bytes() == second.read_bytes()


def test_numpy_can_read_the_arrays(path, state):
    write_model(state, path)
    with np.load(path, allow_pickle=False) as members:
        np.testing.assert_array_equal(members["stages/0/table/X"], state.stages[0].table.X)


def test_file_is_small(path, make):
    stage = make.stage(n_trees=100)
    write_model(make.state(stage=stage), path)
    unpacked = sum(len(data) for data in unpack(path).values())
    assert path.stat().st_size < 0.5 * unpacked


def test_training_goes_on_after_loading(path, state, make):
    write_model(state, path)
    table = read_model(path).stages[0].table
    assert len(table.concat(make.table(table.names))) == 2 * len(table)


# --- saving what cannot be saved ------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"parameters": {"device": object()}}, "parameters.device"),
        ({"provenance": {"error": float("nan")}}, "not JSON compliant"),
        ({"class_colors": {1: "red"}}, "class_colors.1"),
        ({"class_names": {-1: "a"}}, "class_names.-1"),
        ({"spacing": (0.0, 1.0)}, "spacing.0"),
        ({"spacing": (1.0, 1.0, 1.0)}, "one per axis"),
        ({"ndim": 5}, "ndim"),
        ({"n_channels": 2}, "6 columns"),
        ({"kind": "../evil"}, "kind"),
    ],
)
def test_state_that_breaks_a_rule_is_not_written(path, make, facts, message):
    with pytest.raises(ModelFileError, match=message) as caught:
        write_model(make.state(**facts), path)
    assert str(path) in str(caught.value)
    assert not path.exists()


def test_table_with_other_columns_is_not_written(path, make):
    stage = replace(make.stage(), table=make.table(["a", "b", "c"]))
    with pytest.raises(ModelFileError, match="training table of stage 0 has the columns"):
        write_model(make.state(stage=stage), path)


def test_full_disk_leaves_the_old_model(path, state, make, monkeypatch):
    write_model(state, path)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_model(make.state(), path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_killed_while_saving_leaves_the_old_model(path, state):
    write_model(state, path)
    before = path.read_bytes()
    code = (
        "import os, sys, zipfile\n"
        "from napari_spinney.files.model_file import read_model, write_model\n"
        "state = read_model(sys.argv[1]); write = zipfile.ZipFile.writestr\n"
        "def die(self, member, *rest):\n"
        "    write(self, member, *rest)\n"
        "    if 'threshold' in member.filename: self.fp.flush(); os._exit(7)\n"
        "zipfile.ZipFile.writestr = die\n"
        "write_model(state, sys.argv[1])"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], timeout=60).returncode == 7
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


# --- damaged and hostile files --------------------------------------------------------------


def test_newer_version_says_what_to_do(damaged):
    path = damaged(json_changes={"version": 2, "what_is_new": True})
    with pytest.raises(ModelFileError, match=r"newer Spinney.*version 2.*pip install --upgrade"):
        read_model(path)


@pytest.mark.parametrize("size", [0, 1, 21, 22, 300, 1000, -1])
def test_truncated_file(path, state, size):
    write_model(state, path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ModelFileError, match=r"truncated|not a model file"):
        read_model(path)


@settings(deadline=None, max_examples=100)
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), length=st.integers(1, 9))
def test_damaged_bytes_never_crash(tmp_path_factory, state, make, place, byte, length):
    path = tmp_path_factory.mktemp("damaged") / "m.spinney"
    write_model(state, path)
    data = bytearray(path.read_bytes())
    start = int(place * len(data))
    data[start : start + length] = bytes([byte]) * len(data[start : start + length])
    path.write_bytes(bytes(data))
    try:
        found = read_model(path)
    except ModelFileError:
        return
    make.assert_same(found, state)  # what was hit has no meaning, such as a date


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("../evil.npy", b"", "unsafe name"),
        ("/etc/passwd", b"", "unsafe name"),
        ("a/../../b", b"", "unsafe name"),
        ("C:evil", b"", "unsafe name"),
        ("a\\b", b"", "unsafe name"),
        ("notes.txt", b"hello", r"unexpected members: \['notes.txt'\]"),
        ("stages/1/roots.npy", b"", "unexpected members"),
        ("stages/0/roots.npy", None, "lacks stages/0/roots.npy"),
        ("stages/0/roots.npy", b"no numpy", "no array in numpy's format"),
        ("stages/0/roots.npy", npy(np.array(["a"] * 5, object)), "must be <i4 of shape"),
        ("stages/0/roots.npy", npy(np.zeros(5, np.int64)), "must be <i4 of shape"),
        ("stages/0/roots.npy", npy(np.zeros(6, np.int32)), "must be <i4 of shape"),
        ("stages/0/roots.npy", npy(np.zeros((1, 5), np.int32)), "must be <i4 of shape"),
        ("stages/0/importances.npy", npy(np.array([1, np.nan, 0])), "importances"),
        ("stages/0/importances.npy", npy(np.array([1.5, -0.5, 0])), "importances"),
        ("stages/0/classes.npy", npy(np.array([2, 1], np.uint32)), "classes must rise"),
        ("stages/0/classes.npy", npy(np.array([1, 3], np.uint32)), r"has the classes \[2\]"),
    ],
)
def test_wrong_member_is_refused(damaged, name, data, message):
    path = damaged({name: data})
    with pytest.raises(ModelFileError, match=message) as caught:
        read_model(path)
    assert str(path) in str(caught.value)


def _changed(state, name, **changes):
    """An array of the forest or the table with changed elements."""
    owner = state.stages[0].table if name.startswith("table/") else state.stages[0].forest.trees
    array = getattr(owner, name.removeprefix("table/")).copy()
    for place, value in changes.items():
        array.flat[int(place[1:])] = value
    return npy(array)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("right", 0, "right child lies behind"),
        ("right", 2**30, "right child lies behind"),
        ("right", -5, "right child lies behind"),
        ("feature", 3, r"a feature lies in 0 \.\. 2"),
        ("feature", -7, "a feature lies in"),
        ("threshold", np.nan, "a threshold is a number"),
        ("roots", 1, "roots of a forest must rise from 0"),
        ("leaf", 4, "a leaf has a row of values"),
        ("values", np.nan, r"leaf values must lie in 0"),
        ("values", 2.0, "leaf values must lie in 0"),
        ("table/y", 0, "class 0 means"),
        ("table/y", 9, r"has the classes \[9\]"),
        ("table/stroke", -1, "stroke of the training table must be 0 or more"),
        ("table/position", -1, "position of the training table must be 0 or more"),
    ],
)
def test_array_that_breaks_a_rule_is_refused(damaged, state, name, value, message):
    path = damaged({f"stages/0/{name}.npy": _changed(state, name, _0=value)})
    with pytest.raises(ModelFileError, match=message):
        read_model(path)


def test_cycle_in_a_tree_is_refused(damaged, state):
    trees = state.stages[0].forest.trees
    inner = np.flatnonzero(trees.feature >= 0)
    right = trees.right.copy()
    right[inner[-1]] = inner[0]
    with pytest.raises(ModelFileError, match="right child lies behind"):
        read_model(damaged({"stages/0/right.npy": npy(right)}))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", "zip", "this is no model"),
        ("version", 0, "whole number from 1"),
        ("version", "1", "whole number from 1"),
        ("version", True, "whole number from 1"),
        ("surprise", 1, "surprise: Extra inputs"),
        ("stages", [], "stages"),
        ("stages.0.forest.n_trees", 2**40, "n_trees"),
        ("stages.0.forest.n_nodes", 2**31 - 1, "must be <i4"),
        ("stages.0.forest.sums", "double", "sums"),
        ("stages.0.names", ["a", "b"], "must be <f8 of shape"),
        ("stages.0.features", "original hessian=1 x=1", "'hessian'"),
        ("stages.0.features", "original", "the features make 1 columns"),
        ("stages.0.table.n_rows", 7, "must be|bytes"),
        ("ndim", 9, "ndim"),
        ("spacing", ["a", 1], "spacing"),
    ],
)
def test_wrong_header_is_refused(damaged, key, value, message):
    with pytest.raises(ModelFileError, match=message):
        read_model(damaged(json_changes={key: value}))


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 100_000, b'{"version": 1}'],
)
def test_header_that_is_no_json_is_refused(path, state, text):
    write_model(state, path)
    pack(path, {**unpack(path), "model.json": text})
    with pytest.raises(ModelFileError, match=r"model\.json"):
        read_model(path)


def test_nothing_is_unpickled(damaged):
    class Evil:
        def __reduce__(self):
            return (os._exit, (66,))

    data = io.BytesIO()
    np.save(data, np.array([Evil()] * 5, object), allow_pickle=True)
    with pytest.raises(ModelFileError, match=r"roots\.npy"):
        read_model(damaged({"stages/0/roots.npy": data.getvalue()}))


def test_missing_file_stays_an_oserror(path):
    with pytest.raises(FileNotFoundError):
        read_model(path)
