from __future__ import annotations

import numpy as np
import pytest

from napari_spinney.files.errors import ClFileError, ImageFileError, ModelFileError
from napari_spinney.files.store import load, save


@pytest.mark.parametrize("name", ["m.spinney", "m.SPINNEY", "m.with.dots.spinney"])
def test_spinney_keeps_everything(tmp_path, state, make, name):
    save(state, tmp_path / name)
    make.assert_same(load(str(tmp_path / name)), state)


def test_cl_keeps_what_apoc_has(tmp_path, state):
    save(state, tmp_path / "m.cl")
    found = load(tmp_path / "m.cl")
    assert found.stages[0].features == state.stages[0].features
    assert found.stages[0].table is None


def test_conversion_to_cl_and_back_decides_the_same(tmp_path, state):
    save(state, tmp_path / "a.cl")
    save(load(tmp_path / "a.cl"), tmp_path / "b.spinney")
    X = state.stages[0].table.X
    found = load(tmp_path / "b.spinney").stages[0].forest
    np.testing.assert_array_equal(found.predict(X), state.stages[0].forest.predict(X))


@pytest.mark.parametrize("name", ["model", "model.zip", "model.pkl", "model.joblib"])
def test_other_suffixes_are_refused(tmp_path, state, name):
    with pytest.raises(ModelFileError, match=r"ends in \.spinney, or in \.cl"):
        save(state, tmp_path / name)
    with pytest.raises(ModelFileError, match=r"ends in \.spinney, or in \.cl"):
        load(tmp_path / name)


def test_one_format_under_the_name_of_the_other_is_refused(tmp_path, state):
    save(state, tmp_path / "a.spinney")
    (tmp_path / "a.spinney").rename(tmp_path / "a.cl")
    with pytest.raises(ClFileError):
        load(tmp_path / "a.cl")
    save(state, tmp_path / "b.cl")
    (tmp_path / "b.cl").rename(tmp_path / "b.spinney")
    with pytest.raises(ModelFileError):
        load(tmp_path / "b.spinney")


def test_errors_are_value_errors():
    assert issubclass(ClFileError, ModelFileError)
    assert issubclass(ModelFileError, ValueError)
    assert issubclass(ImageFileError, ValueError)
