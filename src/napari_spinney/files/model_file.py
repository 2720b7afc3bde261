"""The model file ``.spinney``: a zip archive of ``model.json`` and numpy arrays.

::

    model.json                       checked by `model_schema.ModelHeader`
    stages/0/classes.npy             (n_classes,) uint32
    stages/0/importances.npy         (n_columns,) float64
    stages/0/{roots,feature,threshold,right,nan_left,leaf,values}.npy    see `TreeArrays`
    stages/0/table/{X,y,stroke,image,position}.npy                       see `TrainingTable`
    stages/1/...

Arrays are numpy's format 1.0, little-endian; ``numpy.load`` can read them. Every member must be
expected, and have the type and shape that ``model.json`` says. Nothing is unpickled, nothing in
a file is executed, and nothing is used before all of it is checked. Equal models make equal bytes.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from napari_spinney.classifiers.base import ModelState, StageState
from napari_spinney.compute.trees import TreeArrays
from napari_spinney.features.feature import FeatureSet
from napari_spinney.files.archive import Archive, read_archive, write_archive
from napari_spinney.files.atomic import replacing
from napari_spinney.files.errors import ModelFileError
from napari_spinney.files.model_schema import (
    FORMAT,
    FORMAT_VERSION,
    ForestHeader,
    ModelHeader,
    StageHeader,
    TableHeader,
    array_forms,
)
from napari_spinney.forest.forest import Forest
from napari_spinney.forest.table import TrainingTable

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

_PIXEL_KINDS = ("PixelClassifier", "ObjectSegmenter", "ProbabilityMapper")


def write_model(state: ModelState, path: str | PathLike[str]) -> None:
    """Write a model; the file is replaced whole or not at all.

    Parameters
    ----------
    state : ModelState
        Any trained classifier.
    path : path-like
        Where to write.

    Raises
    ------
    ModelFileError
        If the state is not consistent, or holds values that JSON has not.
    OSError
        If it cannot be written; a file that was there before is as it was.
    """
    target = Path(path)
    try:
        text, arrays = _parts(state)
        with replacing(target) as file:
            write_archive(file, text, arrays)
    except ValidationError as error:
        raise ModelFileError(f"{target}: this model cannot be saved: {_first(error)}") from None
    except ValueError as error:
        raise ModelFileError(f"{target}: this model cannot be saved: {error}") from error


def pack_model(state: ModelState) -> bytes:
    """The bytes that `write_model` writes.

    Raises
    ------
    ValueError
        If the state is not consistent, or holds values that JSON has not.
    """
    file = io.BytesIO()
    write_archive(file, *_parts(state))
    return file.getvalue()


def read_model(path: str | PathLike[str]) -> ModelState:
    """Read a model.

    Raises
    ------
    ModelFileError
        If the file breaks any rule of the format, or was written by a newer version of it; the
        message names the file and the rule.
    OSError
        If it cannot be opened.
    """
    source = Path(path)
    try:
        with source.open("rb") as file:
            archive = read_archive(file)
            header = _parse_header(archive.read_json("model.json"))
            forms = array_forms(header)
            _check_names(archive, set(forms) | {"model.json"})
            arrays = {name: archive.read_array(name, form) for name, form in forms.items()}
        return _from_arrays(header, arrays)
    except ValidationError as error:
        raise ModelFileError(f"{source}: model.json: {_first(error)}") from None
    except ValueError as error:
        raise ModelFileError(f"{source}: {error}") from error


# --- writing --------------------------------------------------------------------------------


def _parts(state: ModelState) -> tuple[bytes, Arrays]:
    """What goes into the archive, checked: ``model.json`` and the arrays."""
    header, arrays = _to_header(state), _to_arrays(state)
    _check_forms(header, arrays)
    _from_arrays(header, arrays)
    values = header.model_dump(mode="json")
    text = json.dumps(values, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
    return text.encode(), arrays


def _to_header(state: ModelState) -> ModelHeader:
    return ModelHeader(
        kind=state.kind,
        parameters=state.parameters,
        stages=tuple(_stage_header(stage) for stage in state.stages),
        class_names=state.class_names,
        class_colors=state.class_colors,
        ndim=state.ndim,
        n_channels=state.n_channels,
        channel_axis=state.channel_axis,
        time_axis=state.time_axis,
        spacing=state.spacing,
        provenance=state.provenance,
    )


def _stage_header(stage: StageState) -> StageHeader:
    trees = stage.forest.trees
    return StageHeader(
        features=stage.features,
        names=stage.names,
        forest=ForestHeader(
            n_trees=trees.n_trees,
            n_nodes=len(trees.feature),
            n_leaves=len(trees.values),
            n_classes=trees.n_classes,
            sums=trees.sums,
        ),
        table=None if stage.table is None else TableHeader(n_rows=len(stage.table)),
    )


def _to_arrays(state: ModelState) -> Arrays:
    arrays: Arrays = {}
    for number, stage in enumerate(state.stages):
        trees, table = stage.forest.trees, stage.table
        found: Arrays = {
            "classes": stage.forest.classes.astype(np.uint32),
            "importances": np.asarray(stage.importances, np.float64),
            **{name: getattr(trees, name) for name in _TREES},
        }
        if table is not None:
            if table.names != stage.names:
                raise ValueError(
                    f"the training table of stage {number} has the columns {table.names}, the "
                    f"forest has {stage.names}"
                )
            found |= {f"table/{name}": getattr(table, name) for name in _TABLE}
        arrays |= {f"stages/{number}/{name}.npy": array for name, array in found.items()}
    return arrays


def _check_forms(header: ModelHeader, arrays: Arrays) -> None:
    for name, (dtype, shape) in array_forms(header).items():
        array = arrays[name]
        if array.dtype.newbyteorder("<") != dtype or array.shape != shape:
            raise ValueError(
                f"{name} must be {dtype.name} of shape {shape}; got {array.dtype} of {array.shape}"
            )


_TREES = ("roots", "feature", "threshold", "right", "nan_left", "leaf", "values")
_TABLE = ("X", "y", "stroke", "image", "position")


# --- reading --------------------------------------------------------------------------------


def _parse_header(text: bytes) -> ModelHeader:
    """Look at format and version first: what is newer may differ in everything else."""
    try:
        start = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"model.json is not JSON: {error}") from None
    if not isinstance(start, dict) or start.get("format") != FORMAT:
        raise ValueError(f"model.json does not say 'format': '{FORMAT}', so this is no model")
    written = start.get("version")
    if not isinstance(written, int) or isinstance(written, bool) or written < 1:
        raise ValueError(f"the format version must be a whole number from 1 on; got {written!r}")
    if written > FORMAT_VERSION:
        raise ValueError(
            f"it was saved by a newer Spinney, in format version {written}; this one reads up to "
            f"{FORMAT_VERSION}. Update with: pip install --upgrade napari-spinney"
        )
    return ModelHeader.model_validate_json(text)


def _check_names(archive: Archive, expected: set[str]) -> None:
    missing, further = expected - archive.names, archive.names - expected
    if missing:
        raise ValueError(f"the archive lacks {', '.join(sorted(missing)[:5])}")
    if further:
        raise ValueError(f"the archive has unexpected members: {sorted(further)[:5]}")


def _from_arrays(header: ModelHeader, arrays: Arrays) -> ModelState:
    stages = tuple(_to_stage(header, number, arrays) for number in range(len(header.stages)))
    if header.spacing is not None and header.ndim not in (None, len(header.spacing)):
        raise ValueError(f"spacing {header.spacing} must have {header.ndim} numbers, one per axis")
    _check_features(header)
    return ModelState(
        kind=header.kind,
        parameters=header.parameters,
        stages=stages,
        class_names=header.class_names,
        class_colors=header.class_colors,
        ndim=header.ndim,
        n_channels=header.n_channels,
        channel_axis=header.channel_axis,
        time_axis=header.time_axis,
        spacing=header.spacing,
        provenance=header.provenance,
    )


def _to_stage(header: ModelHeader, number: int, arrays: Arrays) -> StageState:
    stage = header.stages[number]
    folder = f"stages/{number}/"
    try:
        forest = _to_forest(stage, {name: arrays[f"{folder}{name}.npy"] for name in _FOREST})
        importances = arrays[f"{folder}importances.npy"]
        if not np.all(np.isfinite(importances) & (importances >= 0)):
            raise ValueError("importances must be numbers of 0 or more")
        table = None
        if stage.table is not None:
            rows = {name: arrays[f"{folder}table/{name}.npy"] for name in _TABLE}
            table = TrainingTable(**rows, names=stage.names)
            _check_table(table, forest)
    except ValueError as error:
        raise ValueError(f"stage {number}: {error}") from None
    return StageState(stage.features, stage.names, forest, importances, table)


def _to_forest(stage: StageHeader, arrays: Arrays) -> Forest:
    """Put a forest together; its constructor checks every index."""
    inner = arrays["feature"] >= 0
    following = np.arange(1, len(inner) + 1, dtype=np.int32)
    trees = TreeArrays(
        left=np.where(inner, following, np.int32(-1)),
        n_features=len(stage.names),
        sums=stage.forest.sums,
        **{name: arrays[name] for name in _TREES},
    )
    return Forest(trees, arrays["classes"])


_FOREST = ("classes", *_TREES)


def _check_table(table: TrainingTable, forest: Forest) -> None:
    unknown = np.setdiff1d(table.classes, forest.classes)
    if len(unknown):
        raise ValueError(
            f"the training table has the classes {unknown.tolist()}, which the forest has not"
        )
    for name in ("stroke", "image", "position"):
        if np.any(getattr(table, name) < 0):
            raise ValueError(f"{name} of the training table must be 0 or more")


def _check_features(header: ModelHeader) -> None:
    """Pixel features must be in the grammar and make the columns that the forest reads."""
    if header.kind not in _PIXEL_KINDS or header.ndim is None or not header.stages[0].features:
        return
    features = FeatureSet.parse(header.stages[0].features)
    names = features.names(header.n_channels, header.ndim)
    if len(names) != len(header.stages[0].names):
        raise ValueError(
            f"the features make {len(names)} columns ({header.n_channels} channel(s)), but the "
            f"forest reads {len(header.stages[0].names)}"
        )


def _first(error: ValidationError) -> str:
    """The first of the rules broken, in one line."""
    problem = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
