"""What every classifier is once it is trained: values that a file can hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.forest.forest import Forest
    from napari_spinney.forest.training import TrainingTable


@dataclass(frozen=True, slots=True, eq=False)
class StageState:
    """One forest and what its columns are.

    Parameters
    ----------
    features : str
        Text form of the feature set (`FeatureSet`), or names of measurements separated by
        blanks, or empty for a table whose columns have free names.
    names : tuple of str
        One name per column of the forest, in order.
    forest : Forest
        The trained forest; reads ``len(names)`` columns.
    importances : (n_columns,) float64
        Mean decrease of impurity per column; sums to 1 (or to 0 for trees without a split).
    table : TrainingTable or None
        The rows the forest was trained on, where they are kept.
    """

    features: str
    names: tuple[str, ...]
    forest: Forest
    importances: NDArray[np.float64]
    table: TrainingTable | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ModelState:
    """A trained classifier as plain values; what a model file holds.

    Parameters
    ----------
    kind : str
        Name of the class, e.g. "PixelClassifier".
    parameters : dict
        Arguments of the constructor (JSON values only), ``features`` excepted.
    stages : tuple of StageState
        One stage, or two for autocontext.
    class_names, class_colors : dict of int to str
        Names and "#rrggbb" colours by class number; may be empty.
    ndim : int or None
        Spatial dimensions of the images trained on; None where there are none (tables).
    n_channels : int
        Channels of the images trained on.
    channel_axis, time_axis : int or None
        The axes named in training; defaults for prediction.
    spacing : tuple of float or None
        Micrometres per pixel along each spatial axis, where known.
    provenance : dict
        What made the model: versions, device, date, hashes (JSON values only).
    """

    kind: str
    parameters: dict[str, Any]
    stages: tuple[StageState, ...]
    class_names: dict[int, str] = field(default_factory=dict)
    class_colors: dict[int, str] = field(default_factory=dict)
    ndim: int | None = None
    n_channels: int = 1
    channel_axis: int | None = None
    time_axis: int | None = None
    spacing: tuple[float, ...] | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
