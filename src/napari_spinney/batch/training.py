"""Training on files and scoring files, as generators for a worker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_spinney.batch.file_scores import score_files, score_table
from napari_spinney.batch.files import train_files
from napari_spinney.batch.pairing import expand, pair_lists, pair_names, read_pairs
from napari_spinney.interaction.tasks import Problem, plainly

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import pandas as pd

    from napari_spinney.batch.file_scores import Of
    from napari_spinney.batch.pairing import Pairs
    from napari_spinney.classifiers.pixels import PixelClassifier
    from napari_spinney.session import Recipe


def pairs_of(images: str, masks: str) -> Pairs:
    """Images and masks: of two folders (or patterns), or of a table that pairs them.

    Raises
    ------
    ValueError
        If they do not pair; see `napari_spinney.batch.pairing`.
    """
    if Path(images).suffix.lower() in (".csv", ".tsv"):
        return read_pairs(Path(images).expanduser())
    if not masks:
        raise ValueError("name the folder of the masks, or a table (.csv) that pairs both")
    return pair_lists([Path(images).expanduser()], [Path(masks).expanduser()])


def learning_from_files(
    recipe: Recipe, images: str, masks: str
) -> Generator[None, None, PixelClassifier]:
    """Train a classifier on image files and mask files.

    Raises
    ------
    Problem
        If they do not pair, a file is unfit, or there is nothing to learn.
    """
    from napari_spinney.classifiers.pixels import PixelClassifier

    yield
    with plainly("training on files"):
        first, second = zip(*pairs_of(images, masks), strict=True)
        yield
        classifier = PixelClassifier(recipe.features, **recipe.parameters())
        return train_files(classifier, first, second, device=recipe.device)


def scoring(
    results: Sequence[Path], truth: str, of: Of, *, sparse: bool
) -> Generator[None, None, pd.DataFrame]:
    """Score results against files of the same names; see `napari_spinney.batch.file_scores`.

    Raises
    ------
    Problem
        If there are no results, they have no truth, or one cannot be scored.
    """
    yield
    with plainly("scoring the results"):
        made = [path for path in results if path.exists()]
        if not made:
            raise Problem("There are no results of these files yet: press Run first.")
        pairs = pair_names(made, expand([Path(truth).expanduser()]), all_of_both=False)
        scores: list[Any] = []
        for score in score_files(pairs, of, sparse=sparse):
            if score.error:
                raise Problem(score.error)
            scores.append(score)
            yield
        table = score_table(scores)
        if len(table):
            table["file"] = [Path(name).name for name in table["file"]]
        return table


def said_of(scores: pd.DataFrame) -> str:
    """What scores come to, of all files taken together."""
    if scores.empty:
        return "There is nothing to score: no class and no object."
    whole = scores[scores["file"] == scores["file"].iloc[-1]]  # the last rows are of all files
    if "f1" in scores:
        row = whole.iloc[0]
        return f"Objects found: F1 {row['f1']:.3f}, Dice of their pixels {row['dice']:.3f}."
    parts = [
        f"{d:.3f} for class {int(n)}" for n, d in zip(whole["class"], whole["dice"], strict=True)
    ]
    return f"Dice {', '.join(parts)}."
