"""Long work as generators over values: what worker threads run. No Qt, no layers.

Each yields often enough to be stopped, and raises `Problem` with a plain sentence.
"""

from __future__ import annotations

import errno
import math
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_spinney.forest.annotation import Painted, is_sparse, painted_positions, strokes_at
from napari_spinney.session import (
    LARGEST_CLASS,
    ClassEntry,
    Count,
    ImageEntry,
    Recipe,
    TrainedModel,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Mapping

    from numpy.typing import NDArray

    from napari_spinney.forest.rows import RowCache

CHUNK = 2**20
"""Elements looked at in one go, so that no call keeps other threads waiting long."""

IN_MEMORY = 2**31
"""Results of more bytes than this are kept in a temporary file."""


class Problem(Exception):
    """What went wrong, in a sentence for the person in front of the screen."""


@contextmanager
def plainly(doing: str) -> Iterator[None]:
    """Turn any error into a `Problem` that says what was being done."""
    try:
        yield
    except Problem:
        raise
    except MemoryError as error:
        raise Problem(
            f"Not enough memory for {doing}. Close other images, or work on a smaller one."
        ) from error
    except OSError as error:
        raise Problem(_of_the_disk(doing, error)) from error
    except (ValueError, TypeError) as error:
        raise Problem(_sentence(str(error))) from error
    except Exception as error:
        raise Problem(f"Something went wrong in {doing}: {error}") from error


def _of_the_disk(doing: str, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full: make room, then go on. What was written before stays."
    return f"Something went wrong in {doing}: {error}"


def _sentence(text: str) -> str:
    text = text.strip() or "unknown reason"
    text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """An annotation as it was when work began; large ones are copied by the worker itself.

    Parameters
    ----------
    array : array
        The annotation, which goes on changing unless it was ``copied``.
    copied : bool
        Whether it is a copy.
    painted : Painted, optional
        What was painted when work began.
    """

    array: Any
    copied: bool
    painted: Painted | None = None

    @classmethod
    def of(cls, array: Any, *, limit: int = 2**25) -> Snapshot:
        """Remember an array of up to ``limit`` bytes now, a larger one later.

        Of a few strokes only the painted pixels: 1 ms for 16 megapixels, where a copy takes 5.
        """
        if not isinstance(array, np.ndarray) or array.nbytes > limit:
            return cls(array, copied=False)
        if _is_plain(array) and is_sparse(array):
            return cls(array, copied=False, painted=Painted.of(array))
        return cls(array.copy(), copied=True)

    def take(self) -> NDArray[np.integer]:
        """The copy."""
        if self.painted is not None:
            return self.painted.whole()
        return np.asarray(self.array) if self.copied else np.array(self.array)

    def strokes(self) -> NDArray[np.integer] | Painted:
        """What training takes: the painted pixels alone, where they are known."""
        return self.take() if self.painted is None else self.painted


def _is_plain(array: NDArray[Any]) -> bool:
    """Whether an array can hold no wrong class: what is wrong is told by the worker."""
    unsigned = array.dtype.kind == "u" and array.dtype.itemsize <= 4
    return unsigned and array.flags.c_contiguous


@dataclass(frozen=True, slots=True, eq=False)
class TrainOrder:
    """All that training needs."""

    generation: int
    images: tuple[ImageEntry, ...]
    annotations: tuple[Snapshot, ...]
    recipe: Recipe
    classes: tuple[ClassEntry, ...]
    caches: tuple[RowCache, ...] | None = None


def train(order: TrainOrder) -> TrainedModel:
    """Train a new classifier.

    Raises
    ------
    Problem
        If there is nothing to learn from, or the images do not go together.
    """
    (model,) = train_in_steps(order)
    return model


def train_in_steps(order: TrainOrder, steps: tuple[int, ...] = ()) -> Iterator[TrainedModel]:
    """Like `train`, with models of the first trees before, at these numbers of trees."""
    from napari_spinney.classifiers.pixels import PixelClassifier

    with plainly("training"):
        first = _same_axes(order.images)
        classifier = PixelClassifier(order.recipe.features, **order.recipe.parameters())
        classifier.class_names = {c.number: c.name for c in order.classes}
        classifier.class_colors = {c.number: c.color for c in order.classes}
        growing = classifier.iter_fit(
            [entry.data for entry in order.images],
            [snapshot.strokes() for snapshot in order.annotations],
            steps=steps,
            channel_axis=first.channel_axis,
            time_axis=first.time_axis,
            spacing=first.spacing if order.recipe.use_spacing else None,
            device=order.recipe.device,
            caches=order.caches,
        )
    seconds = 0.0
    while True:
        start = time.perf_counter()
        with plainly("training"):
            grown = next(growing, None)
        if grown is None:
            return
        seconds += time.perf_counter() - start
        yield TrainedModel(grown, order.generation, seconds=seconds, images=order.images)


def _same_axes(images: tuple[ImageEntry, ...]) -> ImageEntry:
    if not images:
        raise Problem("Nothing is painted yet: paint a stroke of two classes, then train.")
    first = images[0]
    for other in images[1:]:
        if (other.axes, other.n_channels) != (first.axes, first.n_channels):
            raise Problem(
                f"{first.name} has {first.n_channels} channel(s) and axes {first.axes}, "
                f"{other.name} has {other.n_channels} and {other.axes}: images that are trained on "
                "together need the same. Leave one out under Train."
            )
    return first


def training(order: TrainOrder) -> Generator[None, None, TrainedModel]:
    """`train` as a generator."""
    yield
    return train(order)


def estimating(model: TrainedModel) -> Generator[None, None, tuple[Any, int]]:
    """Estimate the error of a model on strokes that were held out."""
    yield
    with plainly("estimating the error"):
        return model.classifier.validate(), model.generation


@dataclass(frozen=True, slots=True, eq=False)
class ReadStrokes:
    """Strokes of an image from a file; names and "#rrggbb" of classes where the file has them."""

    entry: ImageEntry
    classes: NDArray[np.unsignedinteger]
    names: dict[int, str]
    colors: dict[int, str]


def reading_strokes(
    path: str, entry: ImageEntry, known: Mapping[int, str], painted: Collection[int]
) -> Generator[None, None, ReadStrokes]:
    """Read the strokes of an image from a file.

    Classes of the file that have names get the numbers ``known`` for them; others keep their
    numbers, unless these are ``painted`` already.
    """
    from napari_spinney.files.elsewhere import read_labels

    yield
    with plainly("reading the strokes"):
        found = read_labels(path, shape=entry.annotation_shape).renumbered(known, painted)
        highest = int(found.classes.max(initial=0))
        if highest > LARGEST_CLASS:
            raise Problem(
                f"{path} holds numbers up to {highest}; strokes are classes from 1 to "
                f"{LARGEST_CLASS}. Is it an image of objects?"
            )
        classes = found.classes.astype(np.uint8)
        return ReadStrokes(entry, classes, dict(found.names), dict(found.colors))


def counting(image_id: str, snapshot: Snapshot) -> Generator[None, None, Tally]:
    """Count painted pixels and strokes per class."""
    yield
    with plainly("counting the strokes"):
        return (yield from tally(image_id, snapshot.array))


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """How much is painted on one image, and a number that tells one state from another."""

    image_id: str
    counts: dict[int, Count]
    digest: int


def tally(image_id: str, annotation: Any) -> Generator[None, None, Tally]:
    """Count pixels in small steps, and strokes by the painted pixels only."""
    positions = yield from _find_painted(annotation)
    values = annotation.reshape(-1)[positions]
    strokes = strokes_at(positions, values, annotation.shape)
    yield
    counts = {
        int(n): Count(int((values == n).sum()), len(np.unique(strokes[values == n])))
        for n in np.unique(values)
        if n
    }
    return Tally(image_id, counts, hash((positions.tobytes(), values.tobytes())))


def _find_painted(annotation: Any) -> Generator[None, None, NDArray[np.int64]]:
    """Flat positions of painted pixels, found piece by piece."""
    flat = annotation.reshape(-1)
    found = []
    for start in range(0, flat.size, CHUNK):
        found.append(painted_positions(np.asarray(flat[start : start + CHUNK])) + start)
        if start % (16 * CHUNK) == 0:
            yield
    return np.concatenate(found)


def allocate(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Zeros for a result; a large one lives in a temporary file that goes with it."""
    if math.prod(shape) * np.dtype(dtype).itemsize <= IN_MEMORY:
        return np.zeros(shape, dtype)
    with tempfile.TemporaryFile(prefix="spinney-") as file:  # the mapping keeps it open
        return np.memmap(file, dtype, "w+", shape=shape)
