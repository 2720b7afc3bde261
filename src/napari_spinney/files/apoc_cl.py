"""Read and write the `.cl` files of APOC.

Reading keeps the meaning of the kernel exactly: the same branches, the same float32 sums. A
file is parsed as text; nothing in it is ever compiled or executed. See `cl_kernel` for the
grammar.

Writing makes a file that APOC, and its counterpart in Fiji, run as it stands. What it cannot
hold, besides what `write_cl` refuses:

- the training table, names and colours of classes, spacing, and provenance;
- where NaN goes: APOC sends it right in every tree, whatever was learnt.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.classifiers.base import ModelState, StageState
from napari_spinney.features.feature import FeatureSet
from napari_spinney.files.atomic import replacing
from napari_spinney.files.cl_features import (
    check_pixel_features,
    check_table_features,
    faulty_in_apoc,
)
from napari_spinney.files.cl_header import (
    OBJECT_KINDS,
    PIXEL_KINDS,
    WITH_TARGET,
    ClHeader,
    format_header,
    split_file,
)
from napari_spinney.files.cl_kernel import ClKernel, format_kernel, parse_kernel
from napari_spinney.files.errors import ClFileError
from napari_spinney.forest.forest import Forest

if TYPE_CHECKING:
    from os import PathLike

    from napari_spinney.compute.trees import TreeArrays

MAX_FILE = 512 * 2**20
"""Largest file that is read, in bytes."""

_CUSTOM_FEATURES = "Custom/unkown"  # APOC's spelling, for feature images made by the user


def read_cl(path: str | PathLike[str]) -> ModelState:
    """Read a classifier that APOC (or Spinney) wrote.

    Parameters
    ----------
    path : path-like
        A ``.cl`` file.

    Returns
    -------
    ModelState
        Without a training table. A probability map's class is taken from the kernel's last line.
        Where APOC was trained on feature images made by hand, ``features`` is empty.

    Raises
    ------
    ClFileError
        If the file is not in APOC's format; names the file, the line and the rule.
    OSError
        If it cannot be opened.

    Warns
    -----
    UserWarning
        If the file decides otherwise here than in APOC (3D Sobel and Laplace), or otherwise than
        its class says (a ProbabilityMapper that writes classes).
    """
    source = Path(path)
    try:
        header, text, line = split_file(_read_text(source))
        return _to_state(header, parse_kernel(text, line))
    except ValueError as error:
        raise ClFileError(f"{source}: {error}") from error


def write_cl(state: ModelState, path: str | PathLike[str], *, extra: str = "") -> None:
    """Write a classifier for APOC; the file is replaced whole or not at all.

    Parameters
    ----------
    state : ModelState
        One stage; pixel features that APOC has, in pixels.
    path : path-like
        A ``.cl`` file.
    extra : str
        Further lines ``key = value`` for the header.

    Raises
    ------
    ClFileError
        If APOC has nothing like it: two stages, a feature, a unit, an option; the message names it.
    OSError
        If it cannot be written; a file that was there before is as it was.
    """
    target = Path(path)
    try:
        header, kernel = _from_state(state)
        lines = [*format_header(header, len(kernel.classes), extra)]
    except ValueError as error:
        raise ClFileError(f"{target}: {error}") from error
    with replacing(target) as file:
        for part in (*lines, *format_kernel(kernel)):
            file.write(part.encode())


# --- reading --------------------------------------------------------------------------------


def _read_text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise ValueError(f"larger than {MAX_FILE >> 20} MiB, the largest .cl file that is read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # APOC writes in the encoding of the computer
    return text.replace("\r\n", "\n")


def _to_state(header: ClHeader, kernel: ClKernel) -> ModelState:
    features, names, n_channels = _columns(header, kernel.trees)
    kind = header.classifier_class_name
    if kind == "ProbabilityMapper" and kernel.share_of is None:
        warnings.warn(
            "this ProbabilityMapper was made for class 0, for which APOC writes class numbers and "
            "no probabilities; it is read as the PixelClassifier that it is",
            stacklevel=4,
        )
        kind = "PixelClassifier"
    if kernel.share_of is not None and kind != "ProbabilityMapper":
        raise ValueError(f"a {kind} writes classes, but the kernel writes a probability")
    classes = kernel.classes
    if kernel.share_of is not None and header.class_numbers:
        classes = header.class_numbers
    stage = StageState(
        features=features,
        names=names,
        forest=Forest(_moved_labels(kernel.trees, kind, names, -1), np.array(classes, np.uint32)),
        importances=_importances(header, len(names)),
    )
    is_pixel = kind in PIXEL_KINDS
    return ModelState(
        kind=kind,
        parameters=_parameters(header, kernel, classes),
        stages=(stage,),
        ndim=header.num_ground_truth_dimensions if is_pixel else None,
        n_channels=n_channels,
        channel_axis=0 if is_pixel and n_channels > 1 else None,
        provenance=_provenance(header),
    )


def _columns(header: ClHeader, trees: TreeArrays) -> tuple[str, tuple[str, ...], int]:
    """Text of the features, names of the columns, number of channels."""
    n_columns = trees.n_features
    if header.num_features not in (None, n_columns):
        raise ValueError(f"num_features is {header.num_features}, the kernel reads {n_columns}")
    specification = header.feature_specification
    if specification.strip() == _CUSTOM_FEATURES:
        return "", tuple(f"feature_{i}" for i in range(n_columns)), 1
    if header.classifier_class_name in PIXEL_KINDS:
        return _pixel_columns(header, trees)
    words = tuple(specification.replace(",", " ").split())
    if len(words) != n_columns:
        raise ValueError(
            f"feature_specification has {len(words)} words for {n_columns} columns; names of "
            f"columns with blanks cannot be told apart, so APOC cannot use this file either"
        )
    if len(set(words)) != len(words):
        raise ValueError(f"feature_specification names a column twice: {specification!r}")
    return " ".join(words), words, 1


def _pixel_columns(header: ClHeader, trees: TreeArrays) -> tuple[str, tuple[str, ...], int]:
    ndim = header.num_ground_truth_dimensions
    if ndim not in (2, 3):
        raise ValueError(f"num_ground_truth_dimensions must be 2 or 3; got {ndim}")
    # APOC leaves out words without "=" but for "original", and so does whoever reads its files
    words = header.feature_specification.split()
    features = FeatureSet.parse(" ".join(w for w in words if "=" in w or w.lower() == "original"))
    check_pixel_features(features)
    n_channels, rest = divmod(trees.n_features, len(features))
    if rest or not n_channels:
        raise ValueError(f"{len(features)} features do not make {trees.n_features} columns")
    stencils = faulty_in_apoc(features, ndim)
    if stencils and trees.sums == "float32":
        warnings.warn(
            f"APOC's {', '.join(stencils)} of 3D images are faulty (pyclesperanto-prototype "
            "computes them with wrong weights); Spinney computes them correctly, so this forest, "
            "trained on the faulty ones, can decide otherwise here. Train it anew.",
            stacklevel=5,
        )
    return str(features), features.names(n_channels, ndim), n_channels


def _moved_labels(trees: TreeArrays, kind: str, names: tuple[str, ...], by: int) -> TreeArrays:
    """Thresholds of the column ``label``: APOC's label of an object is one more than its number.

    (It counts the background as object 1; its ``original_label`` is the number itself.)
    """
    if kind not in OBJECT_KINDS or "label" not in names:
        return trees
    moved = trees.threshold + np.float32(by) * (trees.feature == names.index("label"))
    return replace(trees, threshold=moved.astype(np.float32))


def _importances(header: ClHeader, n_columns: int) -> Any:
    values = header.feature_importances
    if len(values) not in (0, n_columns):
        raise ValueError(f"feature_importances has {len(values)} numbers for {n_columns} features")
    return np.array(values, np.float64) if values else np.zeros(n_columns)


def _parameters(header: ClHeader, kernel: ClKernel, classes: tuple[int, ...]) -> dict[str, Any]:
    """Arguments of the constructor under which training goes on as APOC trains."""
    depth = header.max_depth
    parameters: dict[str, Any] = {
        "n_trees": header.num_trees or kernel.trees.n_trees,
        "max_depth": depth or None,
        "kind": "random_forest",
        "balance": "none",
        "min_leaf": 1,
    }
    if header.classifier_class_name in OBJECT_KINDS:
        parameters["rule"] = "largest"  # of the annotations in an object
    if header.classifier_class_name == "ObjectSelector":
        parameters["renumber"] = True
    if kernel.share_of is not None:
        parameters["target_class"] = classes[kernel.share_of]
    elif header.positive_class_identifier is not None:
        parameters["target_class"] = header.positive_class_identifier
    return parameters


def _provenance(header: ClHeader) -> dict[str, Any]:
    by = header.written_by or f"apoc {header.apoc_version or '(version unknown)'}"
    facts = {"format": "cl", "written_by": by, "classifier": header.classifier_class_name}
    return facts if header.is_named else {**facts, "classifier_named": False}


# --- writing --------------------------------------------------------------------------------


def _from_state(state: ModelState) -> tuple[ClHeader, ClKernel]:
    kind = state.kind
    if len(state.stages) != 1:
        raise ValueError(
            f"APOC has no classifier with stages={len(state.stages)}; save it as .spinney, or "
            "train with stages=1"
        )
    _check_options(state)
    stage = state.stages[0]
    forest = stage.forest
    classes = tuple(forest.classes.tolist())
    target = state.parameters.get("target_class")
    if classes[0] == 0:
        raise ValueError("class 0 means 'not annotated' in APOC; train with classes from 1 on")
    if kind == "ProbabilityMapper" and target not in classes:
        raise ValueError(f"target_class must be one of the classes {classes}; got {target}")
    header = ClHeader(
        classifier_class_name=kind,
        feature_specification=_specification(state, stage),
        num_ground_truth_dimensions=_annotation_ndim(state),
        num_features=forest.n_features,
        max_depth=int(forest.depths().max()),
        num_trees=forest.n_trees,
        feature_importances=tuple(stage.importances.tolist()),
        positive_class_identifier=target if kind in WITH_TARGET else None,
        class_numbers=classes,
        written_by=f"napari-spinney {version('napari-spinney')}",
    )
    share = classes.index(target) if kind == "ProbabilityMapper" else None
    return header, ClKernel(_moved_labels(forest.trees, kind, stage.names, 1), classes, share)


def _check_options(state: ModelState) -> None:
    """Refuse what changes results and is unknown to APOC."""
    wanted = {"split": None, "min_size": 0, "clear_border": False, "merge_class": 1}
    for name, value in wanted.items():
        if state.parameters.get(name, value) != value:
            raise ValueError(
                f"APOC knows no {name}={state.parameters[name]!r}; save it as .spinney, or set "
                f"{name}={value!r}"
            )
    if state.kind not in PIXEL_KINDS and state.spacing is not None:
        raise ValueError(
            f"APOC measures objects in pixels, this {state.kind} was trained in micrometres "
            f"(spacing {state.spacing}); save it as .spinney, or train without spacing"
        )


def _specification(state: ModelState, stage: StageState) -> str:
    if state.kind not in PIXEL_KINDS:
        check_table_features(state.kind, stage.names)
        return " ".join(stage.names)
    if not stage.features:
        return _CUSTOM_FEATURES
    ndim = state.ndim or 2
    features = FeatureSet.parse(stage.features).for_ndim(ndim)
    check_pixel_features(features)
    if features.names(state.n_channels, ndim) != stage.names:
        raise ValueError(
            f"{len(stage.names)} columns are not the {len(features)} features of "
            f"{state.n_channels} channel(s)"
        )
    stencils = faulty_in_apoc(features, ndim)
    if stencils and stage.forest.trees.sums == "exact":
        raise ValueError(
            f"APOC computes {', '.join(stencils)} of 3D images with wrong weights, so it would "
            "decide otherwise; save it as .spinney, or train without these features"
        )
    return str(features)


def _annotation_ndim(state: ModelState) -> int:
    """What APOC writes: axes of the annotated array, which for objects is a list."""
    if state.kind in PIXEL_KINDS:
        return state.ndim or 2
    return 1 if state.kind in (*OBJECT_KINDS, "TableRowClassifier") else 2
