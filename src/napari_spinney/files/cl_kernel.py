"""The kernel of a classifier of APOC: parsed as text, never compiled or run; and written.

The grammar, statement by statement (white space is free)::

    kernel  = "__kernel void predict (" {input} "IMAGE_out_TYPE out) {"
              [sampler] {place} {read} sum {sum} tree {tree} (best | share) "}"
    tree    = leaf | "if(i" n "<" number "){" tree "} else {" tree "}"
    leaf    = {"s" n "+=" number ";"}
    best    = "float max_s=s0; int cls=" class ";"
              {"if (max_s < s" n ") { max_s = s" n "; cls=" class "; }"} "WRITE_IMAGE (.., cls);"
    share   = "float sum_s=s0;" ["int cls=1;"] {"sum_s = sum_s + s" n ";"}
              "WRITE_IMAGE (.., s" n " / sum_s);"

APOC's sums are ``float``. Spinney writes ``uint`` sums of `TreeArrays.quanta` for its own forests:
whole numbers add up to the same on every device, so that APOC decides exactly as Spinney does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_spinney.files.cl_text import StatementReader, literal_above
from napari_spinney.files.cl_trees import TreeBuilder, TreeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from re import Match

    from napari_spinney.compute.trees import TreeArrays

MAX_COLUMNS = 65_536
"""Most images, and most classes, that a kernel may have."""


@dataclass(frozen=True, slots=True, eq=False)
class ClKernel:
    """What a kernel says.

    Parameters
    ----------
    trees : TreeArrays
        Its trees; ``x < t`` is kept exactly, as ``x <=`` the largest float32 below ``t``.
    classes : tuple of int
        Class number written for each sum, in the order of the sums.
    share_of : int or None
        Position of the sum whose share of all sums is written; None where classes are written.
    """

    trees: TreeArrays
    classes: tuple[int, ...]
    share_of: int | None


def parse_kernel(text: str, first_line: int = 1) -> ClKernel:
    """Parse a kernel.

    Parameters
    ----------
    text : str
        From ``__kernel`` to the last brace.
    first_line : int
        Line of the file on which it begins, for messages.

    Raises
    ------
    ClSyntaxError
        If the text is not in the grammar; the message has the line.
    """
    reader = StatementReader(text, first_line)
    n_inputs = _parse_inputs(reader)
    n_sums, exact = _parse_sums(reader)
    trees = _parse_trees(reader, TreeBuilder(n_inputs, n_sums, exact=exact))
    kernel = _parse_best(reader, trees) if reader.take("best") else _parse_share(reader, trees)
    reader.expect("close")
    reader.end()
    return kernel


def _parse_inputs(reader: StatementReader) -> int:
    """Everything before the sums; returns the number of images."""
    reader.expect("kernel")
    n_inputs = 0
    while match := reader.take("parameter"):
        if {int(match[1]), int(match[2])} != {n_inputs} or n_inputs >= MAX_COLUMNS:
            raise reader.error(
                f"parameters must be in0, in1, ... in order, at most {MAX_COLUMNS}", match.start()
            )
        n_inputs += 1
    reader.expect("out")
    reader.take("sampler")
    while reader.take("place"):
        pass
    n_read = 0
    while match := reader.take("read"):
        if {int(match[1]), int(match[2]), int(match[3])} != {n_read}:
            raise reader.error("images must be read in order: i0 from in0, ...", match.start())
        n_read += 1
    if n_read != n_inputs:
        raise reader.error(f"{n_inputs} images are passed, but {n_read} are read")
    return n_inputs


def _parse_sums(reader: StatementReader) -> tuple[int, bool]:
    """Declarations of the sums; returns how many, and whether they are whole numbers."""
    kinds = [reader.expect("sum")]
    while match := reader.take("sum"):
        kinds.append(match)
        if len(kinds) > MAX_COLUMNS:
            raise reader.error(f"at most {MAX_COLUMNS} sums are read", match.start())
    if [int(match[2]) for match in kinds] != list(range(len(kinds))):
        raise reader.error("sums must be declared in order: s0, s1, ...", kinds[0].start())
    if len({match[1] for match in kinds}) > 1:
        raise reader.error("sums must be of one type", kinds[0].start())
    return len(kinds), kinds[0][1] == "uint"


def _parse_trees(reader: StatementReader, builder: TreeBuilder) -> TreeArrays:
    """All trees, one statement after the other."""
    steps: dict[str, Callable[[Match[str]], None]] = {
        "add": lambda match: builder.add(int(match[1]), match[2]),
        "if": lambda match: builder.branch(int(match[1]), match[2]),
        "else": lambda _: builder.turn(),
        "close": lambda _: builder.close(),
    }
    start = reader.position
    try:
        while True:
            start = reader.position
            name = _take_first(reader, steps, builder.is_inside)
            if name is None:
                return builder.finish()
    except TreeError as error:
        raise reader.error(str(error), start) from None


def _take_first(
    reader: StatementReader, steps: dict[str, Callable[[Match[str]], None]], is_inside: bool
) -> str | None:
    """Take the next statement of a tree, if there is one; returns its kind."""
    for name, step in steps.items():
        if name == "close" and not is_inside:  # that brace closes the kernel
            continue
        if match := reader.take(name):
            step(match)
            return name
    return None


def _parse_best(reader: StatementReader, trees: TreeArrays) -> ClKernel:
    """The choice of the largest sum."""
    classes = [int(reader.expect("first")[1])]
    while match := reader.take("better"):
        if {int(match[1]), int(match[2])} != {len(classes)} or len(classes) >= trees.n_classes:
            raise reader.error("sums must be compared in order: s1, s2, ...", match.start())
        classes.append(int(match[3]))
    if len(classes) != trees.n_classes:
        raise reader.error(f"{trees.n_classes} sums are declared, {len(classes)} are compared")
    if min(np.diff([0, *classes])) <= 0 or classes[-1] >= 2**32:
        raise reader.error(f"class numbers must rise from 1 on; got {classes[:10]}")
    if reader.expect("write")[1] is not None:
        raise reader.error("the class must be written: no share of sums is computed")
    return ClKernel(trees, tuple(classes), None)


def _parse_share(reader: StatementReader, trees: TreeArrays) -> ClKernel:
    """The quotient of one sum and all of them."""
    if reader.take("whole") is None:
        raise reader.error("expected a tree, 'float max_s=s0;' or 'float sum_s=s0;'")
    reader.take("first")
    n_added = 1
    while match := reader.take("more"):
        if int(match[1]) != n_added:
            raise reader.error("sums must be added in order: s1, s2, ...", match.start())
        n_added += 1
    if n_added != trees.n_classes:
        raise reader.error(f"{trees.n_classes} sums are declared, {n_added} are added")
    column = reader.expect("write")[1]
    if column is None or int(column) >= trees.n_classes:
        raise reader.error("the share of a declared sum must be written")
    return ClKernel(trees, tuple(range(1, trees.n_classes + 1)), int(column))


# --- writing --------------------------------------------------------------------------------


def format_kernel(kernel: ClKernel) -> Iterator[str]:
    """The text of a kernel, in parts; `parse_kernel` reads it back without loss.

    What cannot be said: where NaN goes (right, always), and a threshold of infinity (an infinite
    pixel goes right).
    """
    trees = kernel.trees
    yield from _format_head(trees.n_features, trees.n_classes, trees.sums == "exact")
    yield from _format_trees(trees)
    if kernel.share_of is None:
        yield from _format_best(kernel.classes, "uint" if trees.sums == "exact" else "float")
    else:
        yield " float sum_s=s0;\n int cls=1;\n"
        yield from (f" sum_s = sum_s + s{i};\n" for i in range(1, trees.n_classes))
        yield f" WRITE_IMAGE (out, POS_out_INSTANCE(x,y,z,0), s{kernel.share_of} / sum_s);\n}}\n"


def _format_head(n_inputs: int, n_sums: int, exact: bool) -> Iterator[str]:
    inputs = range(n_inputs)
    parameters = "".join(f"IMAGE_in{i}_TYPE in{i}, " for i in inputs)
    yield f"__kernel void predict ({parameters}IMAGE_out_TYPE out) {{\n"
    yield (
        " sampler_t sampler = CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP_TO_EDGE |"
        " CLK_FILTER_NEAREST;\n"
    )
    yield from (f" const int {n} = get_global_id({axis});\n" for axis, n in enumerate("xyz"))
    yield from (
        f" float i{i} = READ_IMAGE(in{i}, sampler, POS_in{i}_INSTANCE(x,y,z,0)).x;\n"
        for i in inputs
    )
    yield from (f" {'uint' if exact else 'float'} s{i}=0;\n" for i in range(n_sums))


def _format_trees(trees: TreeArrays) -> Iterator[str]:
    """Preorder is the order of the text; what is left to do waits on a stack."""
    leaves = _leaf_literals(trees)
    right = trees.right.tolist()
    feature, threshold, leaf = (
        array.tolist() for array in (trees.feature, trees.threshold, trees.leaf)
    )
    for root in trees.roots.tolist():
        pending: list[tuple[int, int, str]] = [(root, 0, "")]
        while pending:
            node, depth, before = pending.pop()
            space = " " * min(depth, 200)
            yield before
            if node < 0:
                continue
            if feature[node] < 0:
                yield "".join(f"{space}s{c}+={text};\n" for c, text in leaves[leaf[node]])
                continue
            yield f"{space}if(i{feature[node]}<{literal_above(threshold[node])}){{\n"
            pending.append((-1, depth, f"{space}}}\n"))
            pending.append((right[node], depth + 1, f"{space}}} else {{\n"))
            pending.append((node + 1, depth + 1, ""))


def _leaf_literals(trees: TreeArrays) -> list[list[tuple[int, str]]]:
    """For each row of leaf values: sums and what is added to them."""
    if trees.sums == "exact":
        quanta, _ = trees.quanta()
        return [[(c, f"{q}u") for c, q in enumerate(row)] for row in quanta.tolist()]
    rows = trees.values.tolist()
    return [[(c, repr(v)) for c, v in enumerate(row) if v > 0 or not any(row)] for row in rows]


def _format_best(classes: Sequence[int], number: str) -> Iterator[str]:
    yield f" {number} max_s=s0;\n int cls={classes[0]};\n"
    for i, class_number in enumerate(classes[1:], start=1):
        yield f" if (max_s < s{i}) {{\n  max_s = s{i};\n  cls={class_number};\n }}\n"
    yield " WRITE_IMAGE (out, POS_out_INSTANCE(x,y,z,0), cls);\n}\n"
