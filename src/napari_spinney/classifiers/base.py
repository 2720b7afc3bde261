"""What every classifier is once it is trained, and what all classifiers do alike."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from os import PathLike

    import numpy as np
    from numpy.typing import NDArray

    from napari_spinney.forest.forest import Forest
    from napari_spinney.forest.training import ForestOptions, TrainingTable
    from napari_spinney.forest.validation import Rows, ValidationReport


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


class Classifier:
    """What all classifiers do alike: parameters, what they learnt, saving and loading.

    A subclass takes its parameters in the constructor and keeps each under its own name, trains
    in ``fit`` and hands the outcome to `_set_state`. Its registered name is the ``kind`` of its
    model files.
    """

    kinds: ClassVar[dict[str, type[Classifier]]] = {}
    """Every classifier by the name of its class."""
    learns_from: ClassVar[Rows] = "pixels"
    """What the rows of its training table are."""

    def __init_subclass__(cls) -> None:
        Classifier.kinds[cls.__name__] = cls

    def __init__(self) -> None:
        self.class_names: dict[int, str] = {}
        self.class_colors: dict[int, str] = {}
        self._state: ModelState | None = None

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({arguments})"

    # -------------------------------------------------------------- parameters

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Arguments of the constructor by name, as scikit-learn's estimators give them."""
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        return {name: getattr(self, name) for name in names}

    def set_params(self, **parameters: Any) -> Self:
        """Set arguments of the constructor by name; what was learnt stays until the next fit.

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        known = self.get_params()
        for name, value in parameters.items():
            if name not in known:
                raise ValueError(
                    f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(known)}"
                )
            setattr(self, name, value)
        return self

    # -------------------------------------------------------- what was learnt

    @property
    def is_fitted(self) -> bool:
        """Whether there is a forest to predict with."""
        return self._state is not None

    def __sklearn_is_fitted__(self) -> bool:
        return self.is_fitted

    @property
    def state_(self) -> ModelState:
        """All that was learnt, as values.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        if self._state is None:
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(
                f"this {type(self).__name__} has learnt nothing yet: call fit, or load a model"
            )
        return replace(
            self._state, class_names=dict(self.class_names), class_colors=dict(self.class_colors)
        )

    def _set_state(self, state: ModelState) -> None:
        """Take over what was learnt."""
        self._state = state
        self.class_names = {**state.class_names, **self.class_names}
        self.class_colors = {**state.class_colors, **self.class_colors}

    @classmethod
    def from_state(cls, state: ModelState) -> Self:
        """Build a classifier from what a file holds."""
        names = list(inspect.signature(cls.__init__).parameters)[1:]
        known = {"features": state.stages[0].features, **state.parameters}
        classifier = cls(**{name: known[name] for name in names if name in known})
        classifier._set_state(state)
        return classifier

    @property
    def forest_(self) -> Forest:
        """The forest that decides (of the last stage)."""
        return self.state_.stages[-1].forest

    @property
    def classes_(self) -> NDArray[Any]:
        """(n_classes,) class numbers as annotated, rising."""
        return self.forest_.classes

    @property
    def table_(self) -> TrainingTable | None:
        """The rows learnt from; None where the model came from a file that holds none."""
        return self.state_.stages[0].table

    @property
    def feature_names_(self) -> tuple[str, ...]:
        """Names of the columns of `forest_`."""
        return self.state_.stages[-1].names

    @property
    def provenance_(self) -> dict[str, Any]:
        """What made the model: versions, device, date, images."""
        return self.state_.provenance

    def feature_importances(self) -> dict[str, float]:
        """Mean decrease of impurity by feature, of the last stage; they add up to 1.

        Features that carry the same information share their importance.
        """
        stage = self.state_.stages[-1]
        return dict(zip(stage.names, stage.importances.tolist(), strict=True))

    @property
    def options(self) -> ForestOptions:
        """How the forest is grown, checked; from the constructor's parameters of that name.

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        """
        from napari_spinney.forest.training import ForestOptions

        names = inspect.signature(ForestOptions).parameters
        return ForestOptions(**{k: v for k, v in self.get_params().items() if k in names})

    def validate(self, folds: int = 5) -> ValidationReport:
        """Estimate the error on strokes (or images, or objects) that were not learnt from.

        Raises
        ------
        ValueError
            If a class has a single stroke, or the model holds no training rows.
        """
        from napari_spinney.forest.validation import validate

        table = self.state_.stages[-1].table
        if table is None:
            raise ValueError(
                "this model holds no training rows (a .cl file has none): it cannot be validated "
                "on strokes held out; train it anew, or score it on images with truth"
            )
        return replace(validate(table, self.options, folds), of=self.learns_from)

    # ------------------------------------------------------------------- files

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model; the suffix decides: ``.spinney``, or ``.cl`` for APOC.

        The file is written whole or not at all.
        """
        from napari_spinney.files.store import save

        save(self.state_, path)


def classifier_from(state: ModelState) -> Classifier:
    """Classifier of the kind that a state names.

    Raises
    ------
    ValueError
        If no classifier is called so.
    """
    if state.kind not in Classifier.kinds:
        raise ValueError(
            f"unknown kind of classifier {state.kind!r}; known: {', '.join(Classifier.kinds)}"
        )
    return Classifier.kinds[state.kind].from_state(state)


def load(path: str | PathLike[str]) -> Classifier:
    """Read a classifier from a ``.spinney`` or a ``.cl`` file.

    Nothing in the file is ever executed or unpickled.

    Raises
    ------
    ValueError
        If the file is no such model, or is damaged; the message says in what way.
    """
    import napari_spinney.classifiers.objects
    import napari_spinney.classifiers.pixels
    import napari_spinney.classifiers.tables  # noqa: F401
    from napari_spinney.files.store import load as load_state

    return classifier_from(load_state(path))
