"""The training summary as HTML that Qt can show."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_spinney.session import Session


def report_html(session: Session) -> str:
    """Classes, forest, error on held-out strokes, options and versions of the model at hand."""
    model = session.model
    if model is None:
        return "<p>No model yet.</p>"
    classifier = model.classifier
    parts = [
        _classes(session, classifier),
        _error(session, classifier),
        _forest(classifier),
        _pairs("Made with", classifier.provenance_),
    ]
    return "".join(parts)


def _classes(session: Session, classifier: Any) -> str:
    table = classifier.table_
    rows = []
    for number in classifier.classes_.tolist():
        name = classifier.class_names.get(number) or f"class {number}"
        pixels = strokes = "?"
        if table is not None:
            mine = table.y == number
            pixels, strokes = f"{int(mine.sum()):,}", str(len(np.unique(table.stroke[mine])))
        rows.append((str(number), name, pixels, strokes))
    if is_of_objects(classifier):
        few = [row[:3] for row in rows]
        return "<h4>Learnt from</h4>" + _table(("class", "name", "objects"), few)
    return "<h4>Learnt from</h4>" + _table(("class", "name", "px", "strokes"), rows)


def is_of_objects(classifier: Any) -> bool:
    """Whether a model was trained on objects, borders or rows, and not on pixels."""
    return classifier.state_.kind in (
        "ObjectClassifier",
        "ObjectSelector",
        "ObjectMapper",
        "ObjectMerger",
        "TableRowClassifier",
    )


def _error(session: Session, classifier: Any) -> str:
    report = session.report
    of: Literal["objects", "pixels"] = "objects" if is_of_objects(classifier) else "pixels"
    what = "strokes" if of == "pixels" else of
    if report is None:
        lacking = f"it needs several {what} of each class"
        return f"<h4>Error</h4><p>Not estimated yet: {lacking}.</p>"
    names = {n: entry.name for n, entry in session.classes.items()}
    rows = [
        (names.get(c, str(c)), f"{100 * p:.1f} %", f"{100 * r:.1f} %", f"{s:,}")
        for c, p, r, s in zip(
            report.classes, report.precision, report.recall, report.support, strict=True
        )
    ]
    head = ("class", "precision", "recall", "px" if what == "strokes" else what)
    return f"<h4>Error</h4><p>{escape(report.summary(of))}</p>{_table(head, rows)}"


def _forest(classifier: Any) -> str:
    forest = classifier.forest_
    depths, sizes = forest.depths(), forest.sizes()
    return _pairs(
        "Forest",
        {
            "trees": forest.n_trees,
            "depth": f"{depths.min()} to {depths.max()}, median {np.median(depths):g}",
            "nodes per tree": f"{sizes.min()} to {sizes.max()}, median {np.median(sizes):g}",
            "features": len(classifier.feature_names_),
            **classifier.state_.parameters,
        },
    )


def _pairs(title: str, values: dict[str, Any]) -> str:
    return f"<h4>{title}</h4>" + _table((), [(str(k), _plain(v)) for k, v in values.items()])


def _plain(value: Any) -> str:
    """A value as a person writes it: no brackets, no quotes."""
    if isinstance(value, dict):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_plain(v) for v in value)
    return str(value)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["".join(f"<th align='left'>{escape(cell)}&nbsp;&nbsp;</th>" for cell in head)]
    lines += ["".join(f"<td>{escape(cell)}&nbsp;&nbsp;</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines if line) + "</table>"
