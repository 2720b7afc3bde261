"""Work of the Objects dock that runs in the background: generators, no Qt and no layers."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from napari_spinney.classifiers.objects import ObjectClassifier, ObjectMapper, ObjectMerger
from napari_spinney.classifiers.tables import TableRowClassifier
from napari_spinney.compute.recent import Recent
from napari_spinney.objects.regions import AXIS_NAMES
from napari_spinney.objects.request import columns_of
from napari_spinney.origins import origin_of_objects
from napari_spinney.provenance import forget_beside, write_beside
from napari_spinney.widgets.objects_model import (
    CLASS,
    VALUE,
    Answer,
    Measured,
    classes_given,
    tracked,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from napari_spinney.classifiers.base import Classifier
    from napari_spinney.classifiers.object_images import ObjectImage
    from napari_spinney.objects.tracks import TrackPoints
    from napari_spinney.widgets.objects_model import Key, Painted
    from napari_spinney.widgets.objects_source import UnreadObjects

OF_OBJECTS = (ObjectClassifier, ObjectMapper, ObjectMerger, TableRowClassifier)
"""Classifiers that the Objects dock can use."""

BREATH = 0.2
"""Seconds between an answer and the estimate of its error: the answer is drawn meanwhile, which
takes several times as long while another thread computes."""

_ORIGINS: Recent[dict[str, Any]] = Recent(1)
"""What the classifier taught last made, so that all that it makes says the same."""

Progress: TypeAlias = tuple[int, int]
Counts: TypeAlias = dict[int, int]
"""Number of objects of each class."""


def measuring(
    unread: UnreadObjects, features: str, points: TrackPoints | None
) -> Generator[Progress, None, Measured]:
    """Read and measure all objects; yields how many time points are done, of how many."""
    yield 0, 1
    objects = unread.read()
    names = objects.names(features)
    centroid = [f"centroid_{axis}" for axis in AXIS_NAMES[-objects.ndim :]]
    table = yield from objects.iter_measure([*names, *centroid])
    middles = table[centroid].to_numpy() / (objects.spacing or (1.0,) * objects.ndim)
    table = table.drop(columns=[name for name in centroid if name not in names])
    return tracked(Measured(objects, table, middles), points)


def painting(
    measured: Measured, column: str, answer: Answer | None
) -> Generator[None, None, Painted]:
    """Paint a column of the table onto the objects; the one that ``answer`` told, or another."""
    yield
    told = answer if answer is not None and column == answer.column else None
    return replace(measured.painted(column), origin=table_origin(measured, told))


def learning(
    measured: Measured,
    given: Mapping[Key, int],
    painted: Any,
    names: Mapping[int, str],
    options: Mapping[str, Any],
) -> Generator[Counts | Answer | None, None, Answer | None]:
    """Train on the table and say the class of all rows; then estimate the error.

    Parameters
    ----------
    measured : Measured
        The objects.
    given : mapping
        Classes of single objects.
    painted : array_like or None
        Strokes: classes painted on the objects.
    names : mapping
        Names of classes.
    options : mapping
        Of the forest: arguments of `ObjectClassifier`.

    Yields
    ------
    Counts
        Number of objects of each class; with fewer than two classes it ends here.
    Answer
        What is said, before the error is known.
    """
    yield None
    classes = classes_given(measured, given, None if painted is None else np.array(painted))
    numbers, counts = np.unique(classes[classes > 0], return_counts=True)
    yield dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    if len(numbers) < 2:
        return None
    answer = _taught(measured, classes, names, options)
    yield answer
    time.sleep(BREATH)
    try:
        return replace(answer, report=answer.classifier.validate())
    except ValueError as reason:
        return replace(answer, reason=str(reason))


def _taught(
    measured: Measured,
    classes: NDArray[np.uint32],
    names: Mapping[int, str],
    options: Mapping[str, Any],
) -> Answer:
    objects = measured.objects
    first = [name for name in ("frame", "label") if name in measured.table]
    table = measured.table[[*first, *measured.measurements()]]
    classifier = ObjectClassifier(**options)
    classifier.class_names.update({n: name for n, name in names.items() if n in classes})
    classifier.fit_table(
        table,
        classes,
        ndim=objects.ndim,
        n_channels=max(1, len(objects.channels)),
        spacing=objects.spacing,
    )
    return Answer(classifier, measured.with_answer(CLASS, classifier.predict_table(table)))


def applying(
    measured: Measured, classifier: Classifier, fact: Mapping[str, str] | None = None
) -> Generator[None, None, Answer]:
    """Use a model from a file, whose name and hash are ``fact``, on the objects.

    Raises
    ------
    ValueError
        If the model does not fit the objects or their image.
    """
    yield
    origin = origin_of_objects(measured.objects, measured.measurements(), classifier, fact)
    if isinstance(classifier, ObjectMerger):
        picture = _merged(measured.objects, classifier)
        return Answer(classifier, measured, column="", picture=picture, origin=origin)
    column = VALUE if isinstance(classifier, ObjectMapper) else CLASS
    table = _table_for(measured, classifier)
    yield
    values = (
        classifier.predict(table)
        if isinstance(classifier, TableRowClassifier)
        else classifier.predict_table(table)  # type: ignore[attr-defined]
    )
    told = measured.with_answer(column, values)
    return Answer(classifier, told, column=column, origin=origin)


def table_origin(measured: Measured, answer: Answer | None) -> dict[str, Any]:
    """What made a table: the model where there is one, and what was measured.

    Of what was taught here it is found when it is first asked for: a click need not wait until
    the pixels of large labels are hashed.
    """
    names = measured.measurements()
    if answer is None:
        return origin_of_objects(measured.objects, names)
    return answer.origin or _ORIGINS.get(
        answer.classifier,
        (id(measured.objects), *names),
        lambda: origin_of_objects(measured.objects, names, answer.classifier),
    )


def exporting_table(
    measured: Measured, answer: Answer | None, path: str
) -> Generator[None, None, str]:
    """Write the table, and beside it what made it."""
    from napari_spinney.files.tables import write_table

    yield
    target = Path(path)
    forget_beside(target)
    write_table(target, measured.table)
    write_beside(target, table_origin(measured, answer))
    return f"Saved {path}, and beside it what made it"


def misfit(measured: Measured, classifier: Classifier) -> str:
    """What keeps a model from being used on these objects, and what to do; empty if it fits."""
    objects, state = measured.objects, classifier.state_
    if state.ndim not in (None, objects.ndim):
        return f"This model is for {state.ndim}D objects; these are {objects.ndim}D."
    known = set(measured.table.columns)
    if isinstance(classifier, TableRowClassifier):
        missing = [name for name in classifier.feature_names_ if name not in known]
        return _lacking(missing, "Join a table that has them, or measure them.")
    if state.spacing is not None and objects.spacing is None:
        return (
            "This model measures in micrometres; the layer of objects has no pixel size. "
            "Give the layer a scale and units."
        )
    if isinstance(classifier, ObjectMerger):
        needs = any("intensity" in name for name in classifier.feature_names_)
    else:
        needs, missing = _needs_image(classifier, objects, known)
        if missing:
            return _lacking(missing, "Join the table that has them.")
    if needs and len(objects.channels) != state.n_channels:
        return _channels(state.n_channels, len(objects.channels))
    return ""


def _needs_image(
    classifier: Classifier, objects: ObjectImage, known: set[str]
) -> tuple[bool, list[str]]:
    """Whether a model measures in an image, and which columns cannot be measured at all."""
    needs, missing = False, []
    for name in classifier.feature_names_:
        try:
            columns = columns_of(name, ndim=objects.ndim, n_channels=classifier.state_.n_channels)
        except ValueError:
            missing += [name] if name not in known else []
        else:
            needs = needs or any(column.measurement.per_channel for column in columns)
    return needs, missing


def _lacking(missing: list[str], what_to_do: str) -> str:
    named = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
    return f"This model decides by columns that are not there: {named}. {what_to_do}" * bool(
        missing
    )


def _channels(wanted: int, found: int) -> str:
    if not found:
        return "This model measures intensities: choose the image under the objects, as Image."
    return (
        f"This model expects {wanted} channel{'s' if wanted > 1 else ''}, the image has {found}: "
        "choose another image, or name its axes."
    )


def _table_for(measured: Measured, classifier: Classifier) -> pd.DataFrame:
    """The table, measured anew where the model needs other columns, or other units."""
    names, spacing = classifier.feature_names_, classifier.state_.spacing
    same_units = (spacing is None) == (measured.objects.spacing is None)
    from_table = isinstance(classifier, TableRowClassifier)
    if from_table or (same_units and set(names) <= set(measured.table.columns)):
        return measured.table
    objects = _in_units_of(measured.objects, classifier)
    own = [name for name in names if _is_measured(name, objects)]
    table = objects.measure(own)
    for name in set(names) - set(own):
        table[name] = measured.table[name].to_numpy()
    return table


def _is_measured(name: str, objects: ObjectImage) -> bool:
    try:
        columns_of(name, ndim=objects.ndim, n_channels=len(objects.channels))
    except ValueError:
        return False
    return True


def _in_units_of(objects: ObjectImage, classifier: Classifier) -> ObjectImage:
    return replace(objects, spacing=None) if classifier.state_.spacing is None else objects


def _merged(objects: ObjectImage, merger: ObjectMerger) -> Any:
    objects = _in_units_of(objects, merger)
    image: Any = list(objects.channels) or None
    return merger.predict(
        objects.labels,
        None if image is None else _stacked(image),
        channel_axis=None if image is None or len(image) == 1 else 0,
        time_axis=objects.time_axis,
        spacing=objects.spacing,
    )


def _stacked(channels: list[NDArray[Any]]) -> NDArray[Any]:
    return channels[0] if len(channels) == 1 else np.stack(channels)
