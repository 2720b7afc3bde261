"""Both executors, held to the same numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_spinney.compute.program import Executor
from napari_spinney.compute.run import executor_for
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import build_plan

Features = Callable[..., dict[str, NDArray[np.float32]]]


@pytest.fixture(scope="session", params=["cpu", pytest.param("opencl", marks=pytest.mark.opencl)])
def executor(request: pytest.FixtureRequest) -> Executor:
    return executor_for(request.param)


@pytest.fixture(scope="session")
def features_of(executor: Executor) -> Features:
    """Features of a whole image, by name."""

    def compute(
        words: str, image: NDArray[np.generic], n_channels: int = 1
    ) -> dict[str, NDArray[np.float32]]:
        block = np.ascontiguousarray(image, np.float32)
        if n_channels == 1:
            block = block[None]
        plan = build_plan(FeatureSet.parse(words), ndim=block.ndim - 1, n_channels=n_channels)
        inner = tuple(slice(0, n) for n in block.shape[1:])
        planes = executor.features(plan, block, inner)
        assert planes.dtype == np.float32
        return dict(zip(plan.names, planes, strict=True))

    return compute
