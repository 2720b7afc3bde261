"""Growing forests from annotated rows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from napari_spinney.forest.annotation import check_annotation, strokes_at, strokes_of
from napari_spinney.forest.forest import Forest
from napari_spinney.forest.structure import trees_from_sklearn
from napari_spinney.forest.table import TrainingTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = [
    "FittedForest",
    "ForestOptions",
    "TrainingTable",
    "check_annotation",
    "fit_forest",
    "grow_forest",
    "strokes_at",
    "strokes_of",
]

Kind: TypeAlias = Literal["extra_trees", "random_forest"]
Balance: TypeAlias = Literal["none", "sqrt", "balanced"]

_KINDS = ("extra_trees", "random_forest")
ONE_THREAD_BELOW = 100_000
"""Trees times rows that one thread grows sooner: joblib looks for results every 10 ms only."""

_WEIGHT_POWER = {"none": 0.0, "sqrt": -0.5, "balanced": -1.0}
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class ForestOptions:
    """How a forest is grown; the defaults of the whole project are here.

    Parameters
    ----------
    n_trees : int
        Number of trees, 1 or more.
    max_depth : int, optional
        Most comparisons from the root to a leaf; None for no limit.
    kind : {"extra_trees", "random_forest"}
        Thresholds drawn at random (quicker to grow, smoother) or searched for.
    balance : {"none", "sqrt", "balanced"}
        Weight of a row whose class has n rows: 1, ``n ** -0.5``, or ``1 / n``.
    min_leaf : int
        Fewest rows in a leaf.
    seed : int
        The same seed and table give the same forest.

    Raises
    ------
    TypeError, ValueError
        That name the option, its value and its rule.
    """

    n_trees: int = 100
    max_depth: int | None = None
    kind: Kind = "extra_trees"
    balance: Balance = "sqrt"
    min_leaf: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        lowest = {"n_trees": 1, "max_depth": 1, "min_leaf": 1, "seed": 0}
        for name, least in lowest.items():
            value = getattr(self, name)
            if name == "max_depth" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
                raise TypeError(f"{name} must be a whole number; got {value!r}")
            if not least <= value < 2**31:
                raise ValueError(f"{name} must be at least {least} and below 2**31; got {value}")
            object.__setattr__(self, name, int(value))
        for name, known in (("kind", _KINDS), ("balance", tuple(_WEIGHT_POWER))):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} must be one of {', '.join(known)}; got {getattr(self, name)!r}"
                )


@dataclass(frozen=True, slots=True, eq=False)
class FittedForest:
    """A forest and what training says about it.

    Parameters
    ----------
    forest : Forest
        The trees.
    importances : (n_features,) float64
        Mean decrease of impurity by each feature; they add up to 1 (all 0 if nothing is split).
    """

    forest: Forest
    importances: NDArray[np.float64]


def fit_forest(
    table: TrainingTable, options: ForestOptions | None = None, *, n_jobs: int | None = None
) -> FittedForest:
    """Train a forest.

    Parameters
    ----------
    table : TrainingTable
        At least two classes.
    options : ForestOptions, optional
        Default options if not given.
    n_jobs : int, optional
        Threads; one per core if not given. Has no influence on the result.

    Raises
    ------
    ValueError
        If the table is empty or has a single class.
    """
    options = options or ForestOptions()
    (fitted,) = grow_forest(table, options, steps=(options.n_trees,), n_jobs=n_jobs)
    return fitted


def grow_forest(
    table: TrainingTable,
    options: ForestOptions | None = None,
    *,
    steps: tuple[int, ...] = (10, 30),
    n_jobs: int | None = None,
) -> Iterator[FittedForest]:
    """Train a forest in steps, for a first answer soon.

    Parameters
    ----------
    table, options, n_jobs
        See `fit_forest`.
    steps : tuple of int
        Numbers of trees, rising, after which a forest is yielded; the whole forest comes last.

    Yields
    ------
    FittedForest
        Each holds the trees of the one before it and more. The last is what `fit_forest` gives.
    """
    options = options or ForestOptions()
    check_classes(table)
    X, scale = _for_sklearn(table.X)
    few = options.n_trees * len(table) < ONE_THREAD_BELOW
    model = _new_model(table, options, n_jobs or (1 if few else os.cpu_count()) or 1)
    for n_trees in [n for n in steps if n < options.n_trees] + [options.n_trees]:
        model.set_params(n_estimators=n_trees)
        with np.errstate(over="ignore", invalid="ignore"):  # it adds up columns to find NaN
            model.fit(X, table.y)
        forest = Forest(trees_from_sklearn(model, scale), model.classes_)
        yield FittedForest(forest, importances_of(model))


def importances_of(model: Any) -> NDArray[np.float64]:
    """Mean decrease of impurity by each feature, as scikit-learn has it; all 0 where none fell.

    Asked for directly, without its threads, which take longer than the sums do.
    """
    trees = [tree for tree in model.estimators_ if tree.tree_.node_count > 1]
    if not trees:
        return np.zeros(model.n_features_in_)
    mean = np.mean([tree.feature_importances_ for tree in trees], axis=0, dtype=np.float64)
    total = mean.sum()
    return mean / total if total > 0 else np.zeros_like(mean)


def check_classes(table: TrainingTable) -> None:
    """Refuse a table that no decision can be learned from."""
    classes = table.classes.tolist()
    if not classes:
        raise ValueError(
            "nothing is annotated: paint strokes of at least two classes (numbers from 1 on; "
            "0 means 'not annotated')"
        )
    if len(classes) == 1:
        raise ValueError(
            f"only class {classes[0]} is annotated, and a classifier needs something to tell it "
            f"from: paint strokes of a second class"
        )
    if table.X.shape[1] == 0:
        raise ValueError("the table has no features: choose at least one")


def _new_model(table: TrainingTable, options: ForestOptions, n_jobs: int) -> Any:
    """Make scikit-learn's classifier, not fitted; its threads need no processes."""
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    kind = ExtraTreesClassifier if options.kind == "extra_trees" else RandomForestClassifier
    power = _WEIGHT_POWER[options.balance]
    return kind(
        n_estimators=options.n_trees,
        max_depth=options.max_depth,
        min_samples_leaf=options.min_leaf,
        bootstrap=True,
        class_weight={c: (n / len(table)) ** power for c, n in table.counts().items()},
        random_state=options.seed,
        n_jobs=n_jobs,
        warm_start=True,
    )


def _for_sklearn(X: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Make features that scikit-learn can split, and what their thresholds must be multiplied by.

    It takes no infinities (the largest float32 goes the same way) and does not split values
    closer than 1e-7, so that an image in metres would not train: columns of small numbers are
    multiplied by a power of two, which changes no comparison.
    """
    finite = np.clip(X, -_LARGEST, _LARGEST)
    largest = np.fmax.reduce(np.abs(finite), axis=0, initial=0.0)
    _, exponent = np.frexp(np.where((largest > 0) & (largest < 1), largest, 0.5))
    return np.ldexp(finite, -exponent), np.ldexp(1.0, exponent)
