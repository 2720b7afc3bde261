"""Statements and numbers of a kernel written by APOC, cut out of the text one by one."""

from __future__ import annotations

import re

import numpy as np

NUMBER = r"(?:[-+]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eE][-+]?\d{1,4})?[fFuU]?|INFINITY)"
_PLACE = r"\(\s*x\s*,\s*y\s*,\s*z\s*,\s*0\s*\)"

_STATEMENTS = {
    "kernel": r"__kernel\s+void\s+predict\s*\(",
    "parameter": r"IMAGE_in(\d{1,9})_TYPE\s+in(\d{1,9})\s*,",
    "out": r"IMAGE_out_TYPE\s+out\s*\)\s*\{",
    "sampler": r"sampler_t\s+sampler\s*=[\sA-Z_|]*;",
    "place": r"const\s+int\s+[xyz]\s*=\s*get_global_id\s*\(\s*[012]\s*\)\s*;",
    "read": r"float\s+i(\d{1,9})\s*=\s*READ_IMAGE\s*\(\s*in(\d{1,9})\s*,\s*sampler\s*,"
    rf"\s*POS_in(\d{{1,9}})_INSTANCE\s*{_PLACE}\s*\)\s*\.x\s*;",
    "sum": r"(float|uint)\s+s(\d{1,9})\s*=\s*0\s*;",
    "if": rf"if\s*\(\s*i(\d{{1,9}})\s*<\s*({NUMBER})\s*\)\s*\{{",
    "add": rf"s(\d{{1,9}})\s*\+=\s*({NUMBER})\s*;",
    "else": r"\}\s*else\s*\{",
    "best": r"(?:float|uint)\s+max_s\s*=\s*s0\s*;",
    "first": r"int\s+cls\s*=\s*(\d{1,10})\s*;",
    "better": r"if\s*\(\s*max_s\s*<\s*s(\d{1,9})\s*\)\s*\{\s*max_s\s*=\s*s(\d{1,9})\s*;"
    r"\s*cls\s*=\s*(\d{1,10})\s*;\s*\}",
    "whole": r"float\s+sum_s\s*=\s*s0\s*;",
    "more": r"sum_s\s*=\s*sum_s\s*\+\s*s(\d{1,9})\s*;",
    "write": rf"WRITE_IMAGE\s*\(\s*out\s*,\s*POS_out_INSTANCE\s*{_PLACE}\s*,"
    r"\s*(?:cls|s(\d{1,9})\s*/\s*sum_s)\s*\)\s*;",
    "close": r"\}",
}
_PATTERNS = {name: re.compile(pattern, re.ASCII) for name, pattern in _STATEMENTS.items()}
_SPACE = re.compile(r"\s*")
_EXAMPLES = {
    "kernel": "'__kernel void predict ('",
    "out": "'IMAGE_in0_TYPE in0,' or 'IMAGE_out_TYPE out) {'",
    "sum": "'float s0=0;'",
    "first": "'int cls=1;'",
    "write": "'WRITE_IMAGE (out, POS_out_INSTANCE(x,y,z,0), cls);'",
    "close": "'}'",
}


class ClSyntaxError(ValueError):
    """Text that is not in the grammar; its message begins with the line."""


class StatementReader:
    """Cuts text into statements; white space is free.

    Parameters
    ----------
    text : str
        The kernel.
    first_line : int
        Line of the file on which it begins, for messages.
    """

    def __init__(self, text: str, first_line: int = 1) -> None:
        self.text = text
        self.first_line = first_line
        self.position = self._behind_space(0)

    def take(self, name: str) -> re.Match[str] | None:
        """The next statement and go on, if it is of this kind."""
        match = _PATTERNS[name].match(self.text, self.position)
        if match is not None:
            self.position = self._behind_space(match.end())
        return match

    def expect(self, name: str) -> re.Match[str]:
        """The next statement, which must be of this kind."""
        match = self.take(name)
        if match is None:
            raise self.error(f"expected {_EXAMPLES[name]}")
        return match

    def end(self) -> None:
        """Refuse further text."""
        if self.position < len(self.text):
            raise self.error("expected nothing after the last brace of the kernel")

    def error(self, message: str, position: int | None = None) -> ClSyntaxError:
        """An error at a statement, by default the next one."""
        at = self.position if position is None else position
        line = self.first_line + self.text.count("\n", 0, at)
        found = self.text[at : at + 40].split("\n")[0]
        return ClSyntaxError(f"line {line}: {message}; found {found!r}")

    def _behind_space(self, position: int) -> int:
        space = _SPACE.match(self.text, position)
        return space.end() if space else position


def literal_value(text: str) -> float:
    """Value that OpenCL C gives a literal beside a float.

    A literal without suffix is a double, with ``f`` a float; whole numbers become floats.
    """
    if text == "INFINITY":
        return float("inf")
    body = text.rstrip("fFuU")
    is_double = body == text and any(mark in text for mark in ".eE")
    with np.errstate(over="ignore", under="ignore"):
        return float(body) if is_double else float(np.float32(body))


def threshold_below(text: str) -> float:
    """The float32 ``v`` for which ``x <= v`` is ``x < literal``, for every float32 ``x``."""
    bound = literal_value(text)
    with np.errstate(over="ignore", under="ignore"):
        nearest = np.float32(bound)
        if float(nearest) >= bound:
            nearest = np.nextafter(nearest, np.float32(-np.inf))
    return float(nearest)


def literal_above(threshold: float) -> str:
    """The literal for which ``x < literal`` is ``x <= threshold``.

    Nothing lies above infinity: there the literal is infinity itself.
    """
    with np.errstate(over="ignore", under="ignore"):
        above = float(np.nextafter(np.float32(threshold), np.float32(np.inf)))
    if np.isinf(above):
        return "INFINITY"
    text = f"{above:.9g}"  # 9 digits tell all float32 apart
    return text + ("f" if any(mark in text for mark in ".e") else ".0f")
