"""Which rows are held out together: whole strokes or whole images, never single pixels.

Neighbouring pixels are nearly copies of each other. A fold of random pixels is predicted from
its own neighbours, and its error says nothing about the rest of the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_spinney.forest.table import TrainingTable

Grouping: TypeAlias = Literal["strokes", "images"]

LARGE_STROKE = 4096
"""A stroke of more pixels is no brush stroke but a densely annotated area; see `make_folds`."""


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """A part of the rows for each fold.

    Parameters
    ----------
    fold : (n,) int32
        The fold in which a row is held out, 0 .. n_folds - 1.
    n_folds : int
        Number of folds.
    grouped_by : {"strokes", "images"}
        What is held out as a whole.
    n_groups : int
        Number of strokes (pieces of large ones counted each) or images.
    """

    fold: NDArray[np.int32]
    n_folds: int
    grouped_by: Grouping
    n_groups: int


def make_folds(
    table: TrainingTable,
    n_folds: int = 5,
    *,
    seed: int = 0,
    single: Literal["refuse", "cut"] = "refuse",
) -> Folds:
    """Share the strokes of a table among folds.

    Whole images are held out if every class is annotated on at least two; else whole strokes, so
    that strokes and pixels of each class are spread as evenly as they can be. Each class keeps
    rows outside every fold. Strokes of more than `LARGE_STROKE` pixels, as they come from dense
    annotation, are cut in the order of their pixels into one slab per fold: a held-out slab
    touches what is trained on along two cuts only.

    Parameters
    ----------
    table : TrainingTable
        Rows with strokes and images.
    n_folds : int
        Most folds, 2 or more; fewer where there are fewer strokes or images.
    seed : int
        The same seed and table give the same folds.
    single : {"refuse", "cut"}
        What to do with a class that has a single small stroke: refuse, or cut it into slabs.

    Raises
    ------
    ValueError
        If a class has a single stroke (and is not to be cut), or too few rows to cut.
    """
    if n_folds < 2:
        raise ValueError(f"validation needs at least 2 folds; got {n_folds}")
    random = np.random.default_rng(seed)
    images = np.unique(np.stack([table.y, table.image.astype(np.uint32)]), axis=1)
    if len(table) and np.unique(images[0], return_counts=True)[1].min() >= 2:
        return _by_image(table, n_folds, random)
    return _by_stroke(table, n_folds, random, cut_single=single == "cut")


def _by_image(table: TrainingTable, n_folds: int, random: np.random.Generator) -> Folds:
    """Hold out whole images; every class stays on an image outside each fold."""
    images, group = np.unique(table.image, return_inverse=True)
    classes, column = np.unique(table.y, return_inverse=True)
    rows = np.zeros((len(images), len(classes)))
    np.add.at(rows, (group, column), 1)
    n_folds = min(n_folds, len(images))
    shares = rows / rows.sum(axis=0)
    held = np.zeros((n_folds, len(classes)))
    fold_of = np.zeros(len(images), np.int32)
    for image in sorted(random.permutation(len(images)), key=lambda i: -shares[i].max()):
        fold_of[image] = np.argmin((held + shares[image]).max(axis=1))
        held[fold_of[image]] += shares[image]
    if held.max() > 1 - 1e-9:  # a fold took all of a class: one image a fold cannot
        n_folds, fold_of = len(images), np.arange(len(images), dtype=np.int32)
    return Folds(fold_of[group], n_folds, "images", len(images))


def _by_stroke(
    table: TrainingTable, n_folds: int, random: np.random.Generator, *, cut_single: bool
) -> Folds:
    """Hold out whole strokes, class by class."""
    strokes = table.n_strokes()
    piece = _pieces(table, n_folds, {c for c, n in strokes.items() if n == 1 and cut_single})
    fold = np.zeros(len(table), np.int32)
    n_groups = 0
    for number in strokes:
        rows = np.flatnonzero(table.y == number)
        pieces, group = np.unique(
            np.stack([table.stroke[rows], piece[rows]]), axis=1, return_inverse=True
        )
        sizes = np.bincount(group.reshape(-1))
        if len(sizes) < 2:
            raise ValueError(
                f"class {number} has a single stroke, so nothing is left to learn it from when "
                f"that is held out: paint a second stroke of class {number} somewhere else"
            )
        fold[rows] = _spread(sizes, pieces[1], n_folds, random)[group.reshape(-1)]
        n_groups += len(sizes)
    used, number_of_used = np.unique(fold, return_inverse=True)
    return Folds(number_of_used.astype(np.int32), len(used), "strokes", n_groups)


def _pieces(table: TrainingTable, n_folds: int, cut: set[int]) -> NDArray[np.int32]:
    """Number the slabs of large strokes from 0; -1 for strokes that stay whole."""
    piece = np.full(len(table), -1, np.int32)
    _, first, group, sizes = np.unique(
        table.stroke, return_index=True, return_inverse=True, return_counts=True
    )
    small = [k for k, row in enumerate(first) if int(table.y[row]) not in cut]
    whole = np.zeros(len(sizes), bool)
    whole[small] = sizes[small] <= LARGE_STROKE
    for stroke in np.flatnonzero(~whole):
        rows = np.flatnonzero(group == stroke)
        rows = rows[np.argsort(table.position[rows], kind="stable")]
        piece[rows] = np.arange(len(rows)) * n_folds // len(rows)
    return piece


def _spread(
    sizes: NDArray[np.int64],
    slab: NDArray[np.int32],
    n_folds: int,
    random: np.random.Generator,
) -> NDArray[np.int32]:
    """Choose a fold for each stroke of a class: slabs in order, then the largest strokes first."""
    fold_of = slab.copy()
    held = np.bincount(slab[slab >= 0], sizes[slab >= 0], minlength=n_folds)
    order = random.permutation(len(sizes))
    start = random.permutation(n_folds)
    for stroke in order[np.argsort(-sizes[order], kind="stable")]:
        if slab[stroke] < 0:
            fold_of[stroke] = start[np.argmin(held[start])]
            held[fold_of[stroke]] += sizes[stroke]
    return fold_of
