"""The rows that a forest is trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, eq=False)
class TrainingTable:
    """Features of annotated pixels (or objects), and where each row comes from.

    Parameters
    ----------
    X : (n, n_features) float32
        Features; NaN and infinities are allowed.
    y : (n,) uint32
        Annotated class, never 0.
    stroke : (n,) int32
        Stroke the pixel belongs to; each number is used once in the whole table.
    image : (n,) int32
        Image it was painted on.
    position : (n,) int64
        Flat index in the annotation of that image.
    names : tuple of str
        One name per feature.

    Raises
    ------
    ValueError
        If lengths or types do not fit, or a row is annotated with class 0.
    """

    X: NDArray[np.float32]
    y: NDArray[np.uint32]
    stroke: NDArray[np.int32]
    image: NDArray[np.int32]
    position: NDArray[np.int64]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.X.ndim != 2 or self.X.dtype != np.float32 or self.X.shape[1] != len(self.names):
            raise ValueError(
                f"X of a training table must be float32 of shape (rows, {len(self.names)}), one "
                f"column per name; got {self.X.dtype} of shape {self.X.shape}"
            )
        wanted = {"y": np.uint32, "stroke": np.int32, "image": np.int32, "position": np.int64}
        for name, dtype in wanted.items():
            column = getattr(self, name)
            if column.dtype != dtype or column.shape != (len(self.X),):
                raise ValueError(
                    f"{name} of a training table must be {np.dtype(dtype).name} of shape "
                    f"({len(self.X)},); got {column.dtype} of shape {column.shape}"
                )
        if np.any(self.y == 0):
            row = int(np.argmin(self.y))
            raise ValueError(f"class 0 means 'not annotated'; row {row} of the table has it")

    def __len__(self) -> int:
        return len(self.y)

    @property
    def classes(self) -> NDArray[np.uint32]:
        """Annotated classes, rising."""
        return np.unique(self.y)

    @property
    def n_images(self) -> int:
        """Number of images with annotations."""
        return len(np.unique(self.image))

    def counts(self) -> dict[int, int]:
        """Rows of each class."""
        classes, rows = np.unique(self.y, return_counts=True)
        return dict(zip(classes.tolist(), rows.tolist(), strict=True))

    def n_strokes(self) -> dict[int, int]:
        """Strokes of each class."""
        _, first = np.unique(self.stroke, return_index=True)
        classes, strokes = np.unique(self.y[first], return_counts=True)
        return dict(zip(classes.tolist(), strokes.tolist(), strict=True))

    def concat(self, other: TrainingTable) -> TrainingTable:
        """Add the rows of another table, as further strokes on further images."""
        return joined_tables((self, other))

    def subset(self, rows: ArrayLike) -> TrainingTable:
        """Keep some rows, given as positions or as a mask; numbers stay as they are."""
        keep = np.asarray(rows)
        if keep.size == 0:  # numpy takes [] for floats
            keep = keep.astype(np.intp)
        return replace(
            self,
            X=self.X[keep],
            y=self.y[keep],
            stroke=self.stroke[keep],
            image=self.image[keep],
            position=self.position[keep],
        )

    def with_columns(self, columns: Sequence[int]) -> TrainingTable:
        """Keep some features, in the order given."""
        return replace(
            self,
            X=np.ascontiguousarray(self.X[:, list(columns)]),
            names=tuple(self.names[column] for column in columns),
        )


def joined_tables(tables: Sequence[TrainingTable]) -> TrainingTable:
    """The rows of tables, one after the other; strokes and images of each are others.

    Raises
    ------
    ValueError
        If there are none, or their features differ.
    """
    if not tables:
        raise ValueError("there is no image to learn from: the list of images is empty")
    first = tables[0]
    for other in tables[1:]:
        if first.names != other.names:
            raise ValueError(
                f"tables must have the same features; got {list(first.names)} and "
                f"{list(other.names)}"
            )
    return TrainingTable(
        X=np.concatenate([table.X for table in tables]),
        y=np.concatenate([table.y for table in tables]),
        stroke=_in_turn([table.stroke for table in tables]),
        image=_in_turn([table.image for table in tables]),
        position=np.concatenate([table.position for table in tables]),
        names=first.names,
    )


def _in_turn(columns: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    """Numbers of one table after the other, each from the first free number on."""
    free, found = 0, []
    for numbers in columns:
        found.append(_renumbered(numbers, free))
        free = max(free, int(found[-1].max(initial=-1)) + 1)
    return np.concatenate(found)


def _renumbered(numbers: NDArray[np.int32], free: int) -> NDArray[np.int32]:
    """Number what is new from the first free number on, in rising order."""
    if len(numbers) == 0 or free == 0:
        return numbers
    _, rank = np.unique(numbers, return_inverse=True)
    return (rank + free).astype(np.int32)
