"""Sixty-four pixels at a time: vector operations that numba has no words for.

LLVM splits these vectors into whatever registers the machine has.
"""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

LANES = 64
"""Pixels of one tile: as many as a 64-bit mask has bits."""


@intrinsic
def not_above(typing_context: Any, tile: Any, feature: Any, threshold: Any) -> Any:
    """Bit ``i`` of the result is ``tile[feature, i] <= threshold``; false for NaN."""
    return types.uint64(tile, feature, threshold), _comparison("<=", ordered=True)


@intrinsic
def not_a_number(typing_context: Any, tile: Any, feature: Any, threshold: Any) -> Any:
    """Bit ``i`` of the result says that ``tile[feature, i]`` is NaN (the threshold is not)."""
    return types.uint64(tile, feature, threshold), _comparison("uno", ordered=False)


@intrinsic
def add_where(typing_context: Any, sums: Any, row: Any, mask: Any, value: Any) -> Any:
    """``sums[row, i] += value`` for every set bit ``i`` of the mask.

    A float64 value is added to float32 sums in float64 and rounded.
    """
    if (sums.dtype, value) not in {
        (types.uint32, types.uint32),
        (types.float32, types.float64),
    }:
        raise TypingError(f"no sums of {sums.dtype} and {value}")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = _row(context, builder, signature.args[0], args[0], args[1])
        old = builder.load(lanes, align=4)
        if value == types.float64:
            wide = builder.fpext(old, ir.VectorType(ir.DoubleType(), LANES))
            new = builder.fptrunc(
                builder.fadd(wide, _splat(builder, args[3])), ir.VectorType(ir.FloatType(), LANES)
            )
        else:
            new = builder.add(old, _splat(builder, args[3]))
        chosen = builder.bitcast(args[2], ir.VectorType(ir.IntType(1), LANES))
        builder.store(builder.select(chosen, new, old), lanes, align=4)
        return context.get_dummy_value()

    return types.void(sums, row, mask, value), generate


def _comparison(relation: str, *, ordered: bool) -> Any:
    """Generate the comparison of one row of a tile with a number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = builder.load(_row(context, builder, signature.args[0], args[0], args[1]), align=4)
        compare = builder.fcmp_ordered if ordered else builder.fcmp_unordered
        bits = compare(relation, lanes, _splat(builder, args[2]))
        return builder.bitcast(bits, ir.IntType(LANES))

    return generate


def _row(context: Any, builder: Any, array_type: Any, array: Any, row: Any) -> Any:
    """Pointer to a row of a (rows, LANES) array in C order, as one vector."""
    data = cgutils.create_struct_proxy(array_type)(context, builder, array).data
    wide = builder.sext(row, ir.IntType(64)) if row.type.width < 64 else row
    start = builder.gep(data, [builder.mul(wide, ir.Constant(ir.IntType(64), LANES))])
    element = context.get_data_type(array_type.dtype)
    return builder.bitcast(start, ir.VectorType(element, LANES).as_pointer())


def _splat(builder: Any, value: Any) -> Any:
    """Repeat a number in all lanes."""
    vector = ir.VectorType(value.type, LANES)
    first = builder.insert_element(
        ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0)
    )
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)
