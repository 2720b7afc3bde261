"""From steps to cells: short texts and the code that does each step again."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from napari_spinney.export import code
from napari_spinney.export.saving import safe_name
from napari_spinney.history import (
    ApplyToObjects,
    ClassifyObjects,
    Measure,
    OpenModel,
    Predict,
    Train,
    Validate,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari_spinney.export.saving import Folder
    from napari_spinney.history import Step
    from napari_spinney.session import ImageEntry

PACKAGES = ("napari-spinney", "numpy", "scikit-learn", "scikit-image", "scipy", "pandas")

IMPORTS = """\
from importlib.metadata import version
from pathlib import Path

import matplotlib.pyplot as plt

import napari_spinney as spinney
from napari_spinney.export.drawing import draw
from napari_spinney.files.images import read_image, write_image
from napari_spinney.provenance import made_by
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """A text (Markdown) or a piece of code."""

    text: str
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """In what a notebook and a script differ.

    Parameters
    ----------
    here : str
        Code of the folder that the export lies in.
    end_figure : callable
        Code that shows a figure; takes the name of what is drawn.
    """

    here: str
    end_figure: Callable[[str], str]


class Teller:
    """Turns steps into cells, and saves what they need beside the export.

    Parameters
    ----------
    folder : Folder
        Where images, strokes and models are saved.
    results : str
        Name of the folder that the export will write to.
    form : Form
        Notebook or script.
    """

    def __init__(self, folder: Folder, results: str, form: Form) -> None:
        self._folder = folder
        self._results = results
        self._form = form
        self._names: dict[tuple[str, int], str] = {}
        self._titles: set[str] = set()
        self._has_model = False

    def tell(self, steps: Sequence[Step], title: str) -> list[Cell]:
        """All cells.

        Raises
        ------
        ValueError
            If there is no step, or one that needs a model comes before there is one.
        """
        if not steps:
            raise ValueError(
                "nothing was done yet that could be exported: train, or open a model and predict"
            )
        cells = [*self._begin(title)]
        for step in steps:
            cells += self._images_of(step)
            cells += self._step(step)
        return cells

    def _begin(self, title: str) -> Iterator[Cell]:
        yield Cell(
            f"# {title}\n\nMade with Spinney. Run it from top to bottom: it reads what lies in "
            f"`{self._folder.path.name}`, writes to `{self._results}`, and gives the same result "
            "again, bit for bit, with the same versions."
        )
        yield Cell(
            f"{IMPORTS}\n"
            f"FILES = {self._form.here} / {code.literal(self._folder.path.name)}\n"
            f"RESULTS = {self._form.here} / {code.literal(self._results)}\n"
            "RESULTS.mkdir(exist_ok=True)\n"
            "images, strokes, labels, results = {}, {}, {}, {}",
            is_code=True,
        )
        found = "\n".join(
            f"    {code.literal(name)}: {code.literal(number)},"
            for name, number in _versions().items()
        )
        yield Cell(
            f"MADE_WITH = {{\n{found}\n}}\n"
            "for name, number in MADE_WITH.items():\n"
            "    if version(name) != number:\n"
            '        print(f"{name} is {version(name)}, it was {number}: results may differ")',
            is_code=True,
        )

    # --------------------------------------------------------------------- images

    def _images_of(self, step: Step) -> Iterator[Cell]:
        """Load the images of a step that were not loaded yet."""
        used: list[tuple[str, ImageEntry]] = []
        if isinstance(step, Train):
            used = [("images", entry) for entry in step.images]
        elif isinstance(step, Predict):
            used = [("images", step.image)]
        elif isinstance(step, (ClassifyObjects, ApplyToObjects, Measure)):
            used = [("labels", step.labels)]
            used += [] if step.image is None else [("images", step.image)]
        new = [(kind, e) for kind, e in used if (e.id, id(e.data)) not in self._names]
        if not new:
            return
        lines, texts = [], []
        for kind, entry in new:
            name = self._name(entry)
            file = self._folder.save_image(entry)
            lines.append(f"{kind}[{code.literal(name)}] = {_reading(file)}")
            texts.append(f"- {_quoted(name)}: {_form_of(entry)}")
        yield Cell("## Images\n\n" + "\n".join(texts))
        yield Cell("\n".join(lines), is_code=True)

    def _name(self, entry: ImageEntry) -> str:
        """The name of an image here; each image has its own."""
        key = (entry.id, id(entry.data))
        if key not in self._names:
            name, number = entry.name, 1
            while name in self._names.values():
                number += 1
                name = f"{entry.name} {number}"
            self._names[key] = name
        return self._names[key]

    def _code_of(self, entry: ImageEntry, kind: str = "images") -> str:
        return f"{kind}[{code.literal(self._name(entry))}]"

    # ---------------------------------------------------------------------- steps

    def _step(self, step: Step) -> Iterator[Cell]:
        if isinstance(step, Train):
            return self._train(step)
        if isinstance(step, OpenModel):
            return self._open(step)
        if isinstance(step, ClassifyObjects):
            return self._classify(step)
        if isinstance(step, ApplyToObjects):
            return self._apply(step)
        if isinstance(step, Measure):
            return self._measure(step)
        if not self._has_model:
            raise ValueError(
                f"{type(step).__name__} needs a model: there is no training and no model opened "
                "before it"
            )
        return self._validate(step) if isinstance(step, Validate) else self._predict(step)

    def _train(self, step: Train) -> Iterator[Cell]:
        self._has_model = True
        lines = []
        for entry, painted in zip(step.images, step.strokes(), strict=True):
            name = self._name(entry)
            file = self._folder.save(painted, f"{name} strokes", entry.axes.replace("c", ""))
            lines.append(f"strokes[{code.literal(name)}] = {_reading(file)}")
        yield Cell(_training_text(step))
        yield Cell("\n".join(lines), is_code=True)
        pictures = [self._code_of(entry) for entry in step.images]
        painted_on = [self._code_of(entry, "strokes") for entry in step.images]
        yield Cell(code.train_code(step, pictures, painted_on), is_code=True)

    def _open(self, step: OpenModel) -> Iterator[Cell]:
        self._has_model = True
        file = self._folder.save_model(step.classifier, "model")
        yield Cell(f"## Model\n\nIt was opened from {_quoted(step.path)}.")
        yield Cell(code.open_code(step, f"FILES / {code.literal(file)}"), is_code=True)

    def _validate(self, step: Validate) -> Iterator[Cell]:
        yield Cell("## Error\n\nEstimated on strokes (or images) that were not learnt from.")
        yield Cell(
            f"report = clf.validate(folds={step.folds})\nprint(report.summary())", is_code=True
        )

    def _predict(self, step: Predict) -> Iterator[Cell]:
        entry = step.image
        title = self._title(f"{self._name(entry)} {_what(step)}")
        result = f"results[{code.literal(title)}]"
        yield Cell(f"## {_what(step).capitalize()} of {_quoted(self._name(entry))}")
        yield Cell(code.predict_code(step, self._code_of(entry), result), is_code=True)
        axes = entry.axes.replace("c", "")
        if step.what == "probabilities":
            axes = f"c{axes}"
        on_top = step.what in ("classes", "objects")
        what = (
            [self._code_of(entry), code.literal(entry.axes), result]
            if on_top
            else [result, code.literal(axes)]
        )
        colors = ", colors=clf.class_colors" if step.what == "classes" else ""
        yield self._drawn(f"draw(ax, {', '.join(what)}{colors})", title)
        made = code.call("made_by", "clf", self._code_of(entry), what=step.what)
        yield Cell(self._written(result, title, axes, entry, made), is_code=True)

    def _classify(self, step: ClassifyObjects) -> Iterator[Cell]:
        name = self._name(step.labels)
        title = self._title(f"{name} classes of objects")
        result = f"results[{code.literal(title)}]"
        image = None if step.image is None else self._code_of(step.image)
        yield Cell(
            f"## Classes of the objects in {_quoted(name)}\n\n{len(step.classes)} objects were "
            f"given a class; a forest of {step.classifier.n_trees} trees classifies the others by "
            "what is measured of them."
        )
        labels = self._code_of(step.labels, "labels")
        yield Cell(code.classify_code(step, labels, image, result), is_code=True)
        yield from self._shown_on_objects(step, title, ", colors=objects.class_colors")

    def _apply(self, step: ApplyToObjects) -> Iterator[Cell]:
        name = self._name(step.labels)
        title = self._title(f"{name} {code.answer_of(step.classifier)}")
        result = f"results[{code.literal(title)}]"
        image = None if step.image is None else self._code_of(step.image)
        file = self._folder.save_model(step.classifier, "model of objects")
        yield Cell(
            f"## {code.answer_of(step.classifier).capitalize()} of the objects in {_quoted(name)}"
            f"\n\nThe model was opened from {_quoted(step.path)}."
        )
        labels = self._code_of(step.labels, "labels")
        path = f"FILES / {code.literal(file)}"
        yield Cell(code.apply_code(step, path, labels, image, result), is_code=True)
        classes = code.answer_of(step.classifier) == "classes"
        colored = ", colors=objects.class_colors" if classes else ""
        yield from self._shown_on_objects(step, title, colored)

    def _shown_on_objects(
        self, step: ClassifyObjects | ApplyToObjects, title: str, colored: str
    ) -> Iterator[Cell]:
        """Draw a result on the objects, and write it and its table."""
        result = f"results[{code.literal(title)}]"
        labels = self._code_of(step.labels, "labels")
        under = labels if step.image is None else self._code_of(step.image)
        axes = code.literal((step.image or step.labels).axes)
        what = f"{under}, {axes}, {result}"
        if code.answer_of(step.classifier) == "values":
            what = f"{result}, {code.literal(step.labels.axes)}"
        yield self._drawn(f"draw(ax, {what}{colored})", title)
        made = code.call("made_by", "objects", labels)
        yield Cell(self._written(result, title, step.labels.axes, step.labels, made), is_code=True)
        yield self._table(title)

    def _measure(self, step: Measure) -> Iterator[Cell]:
        name = self._name(step.labels)
        image = None if step.image is None else self._code_of(step.image)
        yield Cell(f"## Measurements of the objects in {_quoted(name)}")
        labels = self._code_of(step.labels, "labels")
        lines = [code.measure_code(step, labels, image)]
        if step.tracks is not None:
            file = self._folder.save_tracks(step.tracks, f"{name} tracks")
            lines = [
                "from napari_spinney.files.tables import read_tracks\n",
                f"tracks = read_tracks(FILES / {code.literal(file)})",
                *lines,
            ]
        yield Cell("\n".join(lines), is_code=True)
        yield self._table(self._title(f"{name} measurements"))

    def _title(self, text: str) -> str:
        """A name for a result that no other has, nor its file."""
        title, number = text, 1
        while safe_name(title).lower() in self._titles:
            number += 1
            title = f"{text} {number}"
        self._titles.add(safe_name(title).lower())
        return title

    def _drawn(self, line: str, title: str) -> Cell:
        lines = ["fig, ax = plt.subplots(figsize=(7, 7))", line, self._form.end_figure(title)]
        return Cell("\n".join(lines), is_code=True)

    def _written(self, result: str, title: str, axes: str, entry: ImageEntry, made: str) -> str:
        file = code.literal(f"{safe_name(title)}.tif")
        letters = code.literal(axes.upper())
        spacing = code.literal(entry.spacing)
        return code.call("write_image", f"RESULTS / {file}", result, letters, spacing, made)

    def _table(self, title: str) -> Cell:
        file = f"{safe_name(title)}.csv"
        return Cell(
            f"table.to_csv(RESULTS / {code.literal(file)}, index=False)\nprint(table.head())",
            is_code=True,
        )


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # not installed as a package: nothing to compare with
            continue
    return found


def _what(step: Predict) -> str:
    if step.what in ("probability", "objects"):
        return f"{step.what} of class {step.target_class}"
    return step.what


def _training_text(step: Train) -> str:
    clf = step.classifier
    table = clf.table_
    strokes = table.n_strokes()
    lines = [
        f"- {number} {_quoted(clf.class_names.get(number, f'class {number}'))}: "
        f"{strokes[number]} strokes, {pixels} pixels"
        for number, pixels in table.counts().items()
    ]
    return (
        f"## Training\n\nA forest of {clf.n_trees} trees learns {len(clf.feature_names_)} features "
        f"of the pixels that were painted on:\n\n" + "\n".join(lines)
    )


def _form_of(entry: ImageEntry) -> str:
    shape = " × ".join(f"{n} {axis}" for n, axis in zip(entry.data.shape, entry.axes, strict=True))
    if entry.spacing is None:
        return shape
    return f"{shape}, {' × '.join(f'{s:g}' for s in entry.spacing)} µm per pixel"


def _reading(file: str) -> str:
    return f"read_image(FILES / {code.literal(file)}).data"


def _quoted(text: str) -> str:
    """A name as Markdown that means nothing else."""
    return "`" + " ".join(text.replace("`", "'").split()) + "`"
