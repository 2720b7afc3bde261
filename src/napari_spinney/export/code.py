"""The code of single steps."""

from __future__ import annotations

import inspect
import textwrap
from typing import TYPE_CHECKING, Any

_WIDTH = 94
"""Characters on a line of code, without the brackets of a call."""

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_spinney.history import (
        ApplyToObjects,
        ClassifyObjects,
        Measure,
        OpenModel,
        Predict,
        Train,
    )


def literal(value: Any) -> str:
    """A value as code, with double quotes where that is possible."""
    if isinstance(value, str):
        text = repr(value)
        plain = text.startswith("'") and '"' not in text
        return f'"{text[1:-1]}"' if plain else text
    if isinstance(value, dict):
        items = (f"{literal(key)}: {literal(item)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    return repr(value)


def call(function: str, *positional: str, **named: Any) -> str:
    """A call, on one line or, where that is long, with an argument on each line.

    Positional arguments are code; named ones are values.
    """
    line = ", ".join([*positional, *(f"{k}={literal(v)}" for k, v in named.items())])
    if len(function) + len(line) <= _WIDTH:
        return f"{function}({line})"
    arguments = [*positional, *(f"{k}={_wrapped(v)}" for k, v in named.items())]
    return "\n".join([f"{function}(", *(f"    {argument}," for argument in arguments), ")"])


def _wrapped(value: Any) -> str:
    """A value as code; words that are too long for a line on several."""
    if not isinstance(value, str) or len(value) < _WIDTH - 20 or "\n" in value:
        return literal(value)
    lines = textwrap.wrap(value, _WIDTH - 16, break_long_words=False, break_on_hyphens=False)
    if " ".join(lines) != value:
        return literal(value)
    parts = [f"        {literal(f'{line} ')}" for line in lines[:-1]]
    return "\n".join(["(", *parts, f"        {literal(lines[-1])}", "    )"])


def given(**named: Any) -> dict[str, Any]:
    """Arguments that are not None."""
    return {name: value for name, value in named.items() if value is not None}


def train_code(step: Train, images: Sequence[str], strokes: Sequence[str]) -> str:
    """Make and train a classifier of pixels; ``images`` and ``strokes`` are code."""
    state = step.classifier.state_
    one = len(images) == 1
    return "\n".join(
        [
            _made("clf", step.classifier),
            call(
                "clf.fit",
                images[0] if one else f"[{', '.join(images)}]",
                strokes[0] if one else f"[{', '.join(strokes)}]",
                **given(
                    channel_axis=state.channel_axis,
                    time_axis=state.time_axis,
                    spacing=state.spacing,
                ),
            ),
        ]
    )


def open_code(step: OpenModel, path: str) -> str:
    """Read a model; a model of another kind serves as a classifier of pixels."""
    line = f"clf = {call('spinney.load', path)}"
    if type(step.classifier).__name__ == "PixelClassifier":
        return line
    return f"{line}\nclf = spinney.PixelClassifier.from_state(clf.state_)"


def predict_code(step: Predict, image: str, result: str) -> str:
    """Apply the classifier; ``image`` and ``result`` are code."""
    entry = step.image
    options = given(
        region=step.region,
        times=None if step.time is None else [step.time],
        channel_axis=entry.channel_axis,
        time_axis=entry.time_axis,
        spacing=entry.spacing if step.use_spacing or step.what == "objects" else None,
    )
    if step.what == "objects":
        how = {"split": step.split, "min_size": step.min_size, "clear_border": step.clear_border}
        return "\n".join(
            [
                "segmenter = spinney.ObjectSegmenter.from_state(clf.state_)",
                call("segmenter.set_params", target_class=step.target_class, **how),
                f"{result} = {call('segmenter.predict', image, **options)}",
            ]
        )
    if step.what == "probability":
        return "\n".join(
            [
                f"probabilities = {call('clf.predict_proba', image, **options)}",
                f"{result} = probabilities[list(clf.classes_).index({step.target_class})]",
            ]
        )
    methods = {"classes": "predict", "probabilities": "predict_proba"}
    method = methods.get(step.what, "predict_uncertainty")
    return f"{result} = {call(f'clf.{method}', image, **options)}"


def classify_code(step: ClassifyObjects, labels: str, image: str | None, result: str) -> str:
    """Train a classifier of objects, measure and classify; ``labels``, ``image`` are code."""
    axes = _object_axes(step.labels, step.image)
    spacing = given(spacing=step.classifier.state_.spacing)
    pictures = [labels] if image is None else [labels, image]
    taught = [labels, _mapping(step.classes), *([] if image is None else [image])]
    return "\n".join(
        [
            _made("objects", step.classifier),
            call("objects.fit", *taught, **axes, **spacing),
            f"{result} = {call('objects.predict', *pictures, **axes, **spacing)}",
            f"table = {call('objects.measure', *pictures, **axes, **spacing)}",
            'table["class"] = objects.predict_table(table)',
        ]
    )


def answer_of(classifier: Any) -> str:
    """What a model of objects makes: "classes", "values" or "objects"."""
    answers = {"ObjectClassifier": "classes", "ObjectMapper": "values"}
    return answers.get(classifier.state_.kind, "objects")


def apply_code(step: ApplyToObjects, path: str, labels: str, image: str | None, result: str) -> str:
    """Read a model of objects and apply it; ``path``, ``labels`` and ``image`` are code."""
    axes = _object_axes(step.labels, step.image)
    spacing = step.labels.spacing if step.classifier.state_.spacing is not None else None
    pictures = [labels] if image is None else [labels, image]
    options = {**axes, **given(spacing=spacing)}
    lines = [
        f"objects = {call('spinney.load', path)}",
        f"{result} = {call('objects.predict', *pictures, **options)}",
        f"table = {call('objects.measure', *pictures, **options)}",
    ]
    if step.classifier.state_.kind != "ObjectMerger":
        column = "value" if answer_of(step.classifier) == "values" else "class"
        lines.append(f'table["{column}"] = objects.predict_table(table)')
    return "\n".join(lines)


def measure_code(step: Measure, labels: str, image: str | None) -> str:
    """Measure objects; with tracks, those are a variable of this name."""
    pictures = [labels] if image is None else [labels, image]
    tracks = [] if step.tracks is None else ["tracks=tracks"]
    options = {"features": step.features, **given(spacing=step.labels.spacing)}
    axes = _object_axes(step.labels, step.image)
    return f"table = {call('spinney.measure', *pictures, *tracks, **options, **axes)}"


def _made(name: str, classifier: Any) -> str:
    """A classifier with its parameters and the names and colours of its classes."""
    state = classifier.state_
    known = inspect.signature(type(classifier).__init__).parameters
    parameters = {k: v for k, v in classifier.get_params().items() if k in known}
    parameters["features"] = state.stages[0].features
    lines = [f"{name} = {call(f'spinney.{type(classifier).__name__}', **parameters)}"]
    for what in ("class_names", "class_colors"):
        values = getattr(classifier, what)
        if values:
            lines.append(f"{name}.{what} = {literal(dict(sorted(values.items())))}")
    return "\n".join(lines)


def _object_axes(labels: Any, image: Any) -> dict[str, Any]:
    channel = None if image is None else image.channel_axis
    return given(channel_axis=channel, time_axis=labels.time_axis)


def _mapping(classes: Mapping[Any, int]) -> str:
    """A dictionary as code, with eight entries on a line."""
    plain = {_plain(key): int(value) for key, value in sorted(classes.items())}
    parts = [f"{key!r}: {value}" for key, value in plain.items()]
    if len(parts) <= 8:
        return "{" + ", ".join(parts) + "}"
    rows = [", ".join(parts[i : i + 8]) for i in range(0, len(parts), 8)]
    return "{\n        " + ",\n        ".join(rows) + ",\n    }"


def _plain(key: Any) -> Any:
    return tuple(int(k) for k in key) if isinstance(key, tuple) else int(key)
