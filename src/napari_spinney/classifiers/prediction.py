"""From a trained state and an image to a running prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.compute.kept import Keeping
from napari_spinney.compute.program import Executor, Output, Program, Stage
from napari_spinney.compute.run import Writable, executor_that_can, iter_run, plan_blocks
from napari_spinney.compute.source import ImageSource
from napari_spinney.features.feature import FeatureSet
from napari_spinney.features.plan import Plan, build_plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from napari_spinney.classifiers.base import ModelState
    from napari_spinney.classifiers.pixels import DeviceLike, What
    from napari_spinney.compute.blocks import Blocks, Slices
    from napari_spinney.compute.kept import KeptFeatures
    from napari_spinney.forest.forest import Forest


def source_for(
    state: ModelState,
    image: Any,
    *,
    channel_axis: int | None = None,
    time_axis: int | None = None,
) -> ImageSource:
    """An image as a model reads it; axes not named are those of training.

    Raises
    ------
    ValueError
        If its spatial dimensions or channels are not those of training.
    """
    if not hasattr(image, "shape"):
        image = np.asarray(image)
    ndim = len(image.shape)
    learnt = [a for a in (state.channel_axis, state.time_axis) if a is not None]
    if channel_axis is None and time_axis is None and state.ndim is not None:
        if ndim == state.ndim + len(learnt):
            channel_axis, time_axis = state.channel_axis, state.time_axis
        elif ndim == state.ndim + 1 and state.channel_axis is not None:
            channel_axis = min(state.channel_axis, ndim - 1)
    source = ImageSource.of(image, channel_axis=channel_axis, time_axis=time_axis)
    check_fits(state, source)
    return source


def check_fits(state: ModelState, source: ImageSource) -> None:
    """Raise a ValueError that says both sides where an image does not fit a model."""
    if state.ndim is not None and source.ndim != state.ndim:
        raise ValueError(
            f"the model was trained on {state.ndim}D images; this one, of shape "
            f"{tuple(source.image.shape)} with channel_axis={source.channel_axis} and "
            f"time_axis={source.time_axis}, is {source.ndim}D: name its channel_axis or "
            "time_axis, or train on such images"
        )
    if source.n_channels != state.n_channels:
        raise ValueError(
            f"the model was trained on {state.n_channels} channel(s); this image has "
            f"{source.n_channels} (shape {tuple(source.image.shape)}, "
            f"channel_axis={source.channel_axis})"
        )


def program_of(state: ModelState, spacing: tuple[float, ...] | None) -> Program:
    """What executors run for a model, without the features that no node of a forest compares."""
    if state.ndim is None:
        raise ValueError(f"a {state.kind} does not classify pixels")
    stages = []
    for number, stage in enumerate(state.stages):
        plan = plan_of(state, number, spacing)
        # A forest of leaves alone compares nothing; a plan needs one feature all the same.
        used = stage.forest.used_features().tolist() or [0]
        stages.append(Stage(plan.keep(used), stage.forest.with_columns(used).trees))
    return Program(tuple(stages), labels_of(state.stages[-1].forest))


def keeping_of(
    state: ModelState, spacing: tuple[float, ...] | None, features: KeptFeatures
) -> Keeping | None:
    """How a model is run on features kept in ``features``; None if it has two stages."""
    if len(state.stages) > 1:
        return None
    forest = state.stages[0].forest
    used = forest.used_features().tolist() or [0]
    trees = forest.with_columns(used).trees
    return Keeping.of(features, plan_of(state, 0, spacing), trees, used, labels_of(forest))


def labels_of(forest: Forest) -> NDArray[np.unsignedinteger]:
    """Class numbers in the smallest type that holds them, which is that of a class image."""
    return forest.classes.astype(np.min_scalar_type(int(forest.classes.max())))


def plan_of(state: ModelState, number: int, spacing: tuple[float, ...] | None) -> Plan:
    """Plan of all columns of one stage of a model; a model of APOC's has APOC's very features."""
    if state.ndim is None:
        raise ValueError(f"a {state.kind} does not classify pixels")
    if not state.stages[0].features:
        raise ValueError(
            "this model was trained on feature images made by hand, and its file does not say how: "
            "it can be inspected, but not applied to an image"
        )
    features = FeatureSet.parse(state.stages[0].features)
    if number == 0:
        return build_plan(
            features,
            ndim=state.ndim,
            n_channels=state.n_channels,
            spacing=spacing,
            exact=state.provenance.get("format") == "cl",
        )
    from napari_spinney.classifiers.autocontext import second_plan

    context = FeatureSet.parse(state.stages[number].features)
    n_classes = len(state.stages[number - 1].forest.classes)
    return second_plan(features, context, state.ndim, state.n_channels, n_classes, spacing)


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A prediction ready to run."""

    source: ImageSource
    executor: Executor
    program: Program
    blocks: Blocks
    output: Output
    writer: Writable
    result: NDArray[Any]
    keeping: Keeping | None = None

    @property
    def total(self) -> int:
        """Number of blocks."""
        return len(self.blocks.items)

    def run(self) -> Iterator[tuple[int | slice, ...]]:
        """Predict; yields where in the result each block lies, once it is written."""
        steps = iter_run(
            self.source,
            self.executor,
            self.program,
            self.blocks,
            self.writer,
            self.output,
            self.keeping,
        )
        for time, block in steps:
            yield self.source.result_index(time, block.target)


def prepare(
    program: Program,
    source: ImageSource,
    what: What,
    *,
    target: int | None,
    out: Writable | None,
    region: Slices | None,
    times: Sequence[int] | None,
    device: DeviceLike,
    max_memory: int | None,
    keeping: Keeping | None = None,
) -> Job:
    """Choose the executor, cut the image and make room for the result.

    Raises
    ------
    ValueError
        If ``what`` is unknown, ``out`` has another shape than the result, or the blocks do not
        fit the memory allowed.
    """
    outputs: dict[str, Output] = {
        "classes": "classes",
        "probabilities": "probabilities",
        "probability": "probabilities",
        "uncertainty": "uncertainty",
    }
    if what not in outputs:
        raise ValueError(f"what={what!r} must be one of {', '.join(map(repr, outputs))}")
    shape = source.result_shape
    if what == "probabilities":
        shape = (len(program.labels), *shape)
    dtype = program.labels.dtype if what == "classes" else np.dtype(np.float32)
    whole = region is None and times is None
    result: Any = out
    if out is None:
        result = np.empty(shape, dtype) if whole else np.zeros(shape, dtype)
    elif tuple(out.shape) != shape:
        raise ValueError(f"out has shape {tuple(out.shape)}; the result has {shape}")
    executor = executor_that_can(tuple(stage.plan for stage in program.stages), device)
    blocks = plan_blocks(
        source,
        executor,
        program if keeping is None else keeping.plan,
        region=region,
        times=times,
        budget=max_memory,
    )
    writer = result if target is None else _OneClass(result, target)
    return Job(source, executor, program, blocks, outputs[what], writer, result, keeping)


@dataclass(frozen=True, slots=True, eq=False)
class _OneClass:
    """Takes the probabilities of all classes and keeps those of one."""

    out: Writable
    number: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of what is kept."""
        return self.out.shape

    def __setitem__(self, key: Any, value: NDArray[Any]) -> None:
        self.out[key[1:]] = value[self.number]
