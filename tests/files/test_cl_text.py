from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from napari_spinney.files.cl_text import (
    ClSyntaxError,
    StatementReader,
    literal_above,
    literal_value,
    threshold_below,
)

FLOATS = st.floats(width=32, allow_nan=False)


def around(value):
    """The float32 numbers next to a number, and infinities."""
    with np.errstate(over="ignore"):
        nearest = np.float32(value)
        up, down = np.float32(np.inf), np.float32(-np.inf)
        below, above = np.nextafter(nearest, down), np.nextafter(nearest, up)
        further = np.nextafter(below, down), np.nextafter(above, up)
    return [nearest, below, above, *further, up, down, np.float32(0), np.float32(-0.0)]


@given(value=st.floats(allow_nan=False, allow_infinity=False))
@example(0.123456789)
@example(0.0)
@example(-0.0)
@example(1e300)
@example(-1e300)
@example(1e-320)
@example(3.4028234663852886e38)
def test_double_literal_is_compared_in_double(value):
    threshold = np.float32(threshold_below(repr(float(value))))
    for x in around(value):
        assert (x <= threshold) == (float(x) < value)


@given(value=FLOATS.filter(np.isfinite))
def test_float_literal_is_compared_in_float(value):
    text = f"{value:.9g}"
    text += "f" if "." in text or "e" in text else ".0f"
    threshold = np.float32(threshold_below(text))
    for x in around(value):
        assert (x <= threshold) == (x < np.float32(value))


def test_whole_number_becomes_a_float():
    assert literal_value("16777217") == 16777216.0
    assert literal_value("16777217.0") == 16777217.0
    assert literal_value("412u") == 412.0


@given(threshold=FLOATS)
@example(np.finfo(np.float32).max)
@example(np.finfo(np.float32).smallest_subnormal)
@example(float("-inf"))
@example(0.0)
def test_literal_above_is_exact(threshold):
    text = literal_above(threshold)
    if threshold == np.inf:  # cannot be said: infinity itself goes right
        assert text == "INFINITY"
    else:
        assert threshold_below(text) == threshold


@pytest.mark.parametrize(
    "text",
    ["if(i0<35.0){", "if ( i0 < 35.0 )\n{", "if(i0<-1e-05f){", "if(i0<.5){", "if(i0<INFINITY){"],
)
def test_white_space_and_numbers_are_free(text):
    assert StatementReader(text).take("if") is not None


@pytest.mark.parametrize(
    "text", ["if(i0<nan){", "if(i0<1/0){", "if(i0<f()){", "if(i-1<1){", "if(i0<=1){", "if(i٣<1){"]
)
def test_anything_else_is_no_statement(text):
    assert StatementReader(text).take("if") is None


def test_error_has_the_line_and_what_was_found():
    reader = StatementReader("\n\n  nonsense();\nmore", first_line=10)
    with pytest.raises(ClSyntaxError, match=r"line 12: expected '}'; found 'nonsense\(\);'"):
        reader.expect("close")
