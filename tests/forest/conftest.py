import numpy as np
import pytest

from napari_spinney.forest.training import TrainingTable


@pytest.fixture
def make_table():
    """One stroke per entry of ``stroke_classes``; the first column tells the class."""

    def make(stroke_classes, *, rows=20, n_features=4, image=0, noise=0.3, seed=0):
        random = np.random.default_rng(seed)
        stroke = np.repeat(np.arange(len(stroke_classes), dtype=np.int32), rows)
        y = np.asarray(stroke_classes, np.uint32)[stroke]
        X = random.normal(scale=noise, size=(len(y), n_features)).astype(np.float32)
        X[:, 0] += y
        position = np.arange(len(y), dtype=np.int64)
        names = tuple(f"feature {k}" for k in range(n_features))
        return TrainingTable(X, y, stroke, np.full(len(y), image, np.int32), position, names)

    return make
