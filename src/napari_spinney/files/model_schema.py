"""What `model.json` in a model file says, and which arrays must lie beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "spinney model"
FORMAT_VERSION = 1
"""Goes up with every change that an older program would misread."""

_Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_ClassNumber: TypeAlias = Annotated[int, Field(ge=0, lt=2**32)]
_Color: TypeAlias = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?$")]
_Count: TypeAlias = Annotated[int, Field(ge=1, lt=2**31)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class ForestHeader(_Frozen):
    """Sizes of a forest."""

    n_trees: _Count
    n_nodes: _Count
    n_leaves: _Count
    n_classes: _Count
    sums: Literal["exact", "float32"]


class TableHeader(_Frozen):
    """Size of a training table."""

    n_rows: Annotated[int, Field(ge=0, lt=2**40)]


class StageHeader(_Frozen):
    """One stage; its arrays lie in ``stages/<number>/``."""

    features: str
    names: Annotated[tuple[str, ...], Field(min_length=1, max_length=65_536)]
    forest: ForestHeader
    table: TableHeader | None = None


class ModelHeader(_Frozen):
    """The whole of ``model.json``."""

    format: Literal["spinney model"] = "spinney model"
    version: Literal[1] = 1
    kind: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,99}$")]
    parameters: dict[str, JsonValue]
    stages: Annotated[tuple[StageHeader, ...], Field(min_length=1, max_length=16)]
    class_names: dict[_ClassNumber, str]
    class_colors: dict[_ClassNumber, _Color]
    ndim: Annotated[int, Field(ge=1, le=3)] | None
    n_channels: Annotated[int, Field(ge=1, le=65_536)]
    channel_axis: Annotated[int, Field(ge=-6, le=5)] | None
    time_axis: Annotated[int, Field(ge=-6, le=5)] | None
    spacing: Annotated[tuple[_Positive, ...], Field(min_length=1, max_length=3)] | None
    provenance: dict[str, JsonValue]


Form: TypeAlias = tuple[np.dtype[Any], tuple[int, ...]]
"""Type and shape of an array."""


def array_forms(header: ModelHeader) -> dict[str, Form]:
    """Every array that belongs to a model: name in the archive, type and shape."""
    return {
        f"stages/{number}/{name}.npy": (np.dtype(dtype).newbyteorder("<"), shape)
        for number, stage in enumerate(header.stages)
        for name, dtype, shape in _stage_forms(stage)
    }


def _stage_forms(stage: StageHeader) -> Iterator[tuple[str, Any, tuple[int, ...]]]:
    """Arrays of one stage. ``left`` of a tree is not stored: it is the next node."""
    forest, n_columns = stage.forest, len(stage.names)
    yield "classes", np.uint32, (forest.n_classes,)
    yield "importances", np.float64, (n_columns,)
    yield "roots", np.int32, (forest.n_trees,)
    for name, dtype in _NODES.items():
        yield name, dtype, (forest.n_nodes,)
    yield "values", np.float64, (forest.n_leaves, forest.n_classes)
    if stage.table is not None:
        n_rows = stage.table.n_rows
        yield "table/X", np.float32, (n_rows, n_columns)
        for name, dtype in _ROWS.items():
            yield f"table/{name}", dtype, (n_rows,)


_NODES = {
    "feature": np.int32,
    "threshold": np.float32,
    "right": np.int32,
    "nan_left": np.bool_,
    "leaf": np.int32,
}
_ROWS = {"y": np.uint32, "stroke": np.int32, "image": np.int32, "position": np.int64}
