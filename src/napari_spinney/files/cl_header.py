"""The comment at the top of a `.cl` file: lines of ``key = value``."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from napari_spinney.files.cl_features import are_measurements

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_HEADER = 4 * 2**20
"""Longest header that is read, in characters."""

PIXEL_KINDS = ("PixelClassifier", "ObjectSegmenter", "ProbabilityMapper")
OBJECT_KINDS = ("ObjectClassifier", "ObjectSelector")
KINDS = (*PIXEL_KINDS, *OBJECT_KINDS, "ObjectMerger", "TableRowClassifier")
"""Classifiers that a `.cl` file can hold."""
WITH_TARGET = ("ObjectSegmenter", "ObjectSelector")
"""Those that name their class in the header."""

_LINE = re.compile(r"(\w+) *= ?(.*)")


def _split_words(value: Any) -> Any:
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _split_numbers(value: Any) -> Any:
    return [v for v in value.split(",") if v.strip()] if isinstance(value, str) else value


def _no_depth(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip() in ("None", "") else value


class ClHeader(BaseModel):
    """What the header says; keys that are not known are left alone, as APOC does.

    Files of APOC before 0.5 do not name their class, or call a classifier of objects a
    PixelClassifier: ``is_named`` is False where the class was found out from the rest.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    classifier_class_name: str
    is_named: bool = True
    feature_specification: str = ""
    num_ground_truth_dimensions: Annotated[int, Field(ge=0, le=3)] = 2
    num_features: Annotated[int, Field(ge=0)] | None = None
    max_depth: Annotated[Annotated[int, Field(ge=0)] | None, BeforeValidator(_no_depth)] = None
    num_trees: Annotated[int, Field(ge=1)] | None = None
    feature_importances: Annotated[tuple[float, ...], BeforeValidator(_split_numbers)] = ()
    positive_class_identifier: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    class_numbers: Annotated[
        tuple[Annotated[int, Field(ge=1, lt=2**32)], ...], BeforeValidator(_split_numbers)
    ] = ()
    apoc_version: str | None = None
    written_by: str | None = None

    @model_validator(mode="after")
    def _check(self) -> ClHeader:
        if self.classifier_class_name not in KINDS:
            raise ValueError(
                f"classifier_class_name must be one of {', '.join(KINDS)}; "
                f"got {self.classifier_class_name!r}"
            )
        if any(not math.isfinite(v) or v < 0 for v in self.feature_importances):
            raise ValueError("feature_importances must be numbers of 0 or more")
        return self


def split_file(text: str) -> tuple[ClHeader, str, int]:
    """Take a file apart.

    Returns
    -------
    header : ClHeader
        What the comment says.
    kernel : str
        What follows.
    line : int
        Line on which it begins, from 1.

    Raises
    ------
    ValueError
        If there is no such comment, or a value in it breaks a rule.
    """
    start = len(text) - len(text.lstrip())
    end = text.find("*/", start, start + MAX_HEADER)
    if not text.startswith("/*", start) or end < 0:
        raise ValueError("it does not begin with a comment of lines 'key = value', as APOC's do")
    values: dict[str, str] = {}
    for line in text[start + 2 : end].splitlines():
        match = _LINE.fullmatch(line)
        if match is not None:
            values.setdefault(match[1], match[2])
    named = values.get("classifier_class_name")
    values["classifier_class_name"] = _kind_of(values, text[end:])
    try:
        header = ClHeader.model_validate(
            {**values, "is_named": named == values["classifier_class_name"]}
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "header"
        raise ValueError(f"{where}: {first['msg']}") from None
    return header, text[end + 2 :], text.count("\n", 0, end + 2) + 1


def _kind_of(values: dict[str, str], kernel: str) -> str:
    """Name of the class: as written, unless an early version of APOC wrote none or another."""
    words = _split_words(values.get("feature_specification", ""))
    named = values.get("classifier_class_name")
    if named in (None, "PixelClassifier") and are_measurements(words):
        return "ObjectClassifier"
    if named is not None:
        return named
    if not words:
        raise ValueError(
            "its header has neither a line 'classifier_class_name = ...' nor a line "
            "'feature_specification = ...', as APOC's have"
        )
    if "positive_class_identifier" in values:
        return "ObjectSegmenter"
    return "ProbabilityMapper" if "sum_s" in kernel[-1000:] else "PixelClassifier"


def format_header(header: ClHeader, n_classes: int, extra: str = "") -> Iterator[str]:
    """The comment, in lines, in APOC's order; ``extra`` holds further lines ``key = value``.

    Raises
    ------
    ValueError
        If a value would not stay on its line or would end the comment.
    """
    lines = {
        "classifier_class_name": header.classifier_class_name,
        "feature_specification": header.feature_specification,
        "num_ground_truth_dimensions": header.num_ground_truth_dimensions,
        "num_classes": n_classes,
        "num_features": header.num_features,
        "max_depth": header.max_depth,
        "num_trees": header.num_trees,
        "feature_importances": ",".join(map(repr, header.feature_importances)),
        "positive_class_identifier": header.positive_class_identifier,
        "class_numbers": ",".join(map(str, header.class_numbers)),
        "written_by": header.written_by,
    }
    yield "/*\nOpenCL RandomForestClassifier\n"
    for key, value in lines.items():
        text = str(value)
        if "*/" in text or not text.isprintable():
            raise ValueError(f"{key} cannot stand in a comment: {text[:80]!r}")
        if value is not None and text:
            yield f"{key} = {text}\n"
    for line in extra.splitlines():
        if "*/" in line or not line.isprintable():
            raise ValueError(f"an extra line cannot stand in a comment: {line[:80]!r}")
        yield f"{line}\n"
    yield "*/\n"
