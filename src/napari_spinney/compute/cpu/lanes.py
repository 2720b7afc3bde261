"""A tile of 128 pixels at a time: vector operations that numba has no words for.

A set of pixels of a tile is two 64-bit masks. LLVM splits the vectors into whatever registers
the machine has (AVX-512, AVX2, NEON).
"""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

LANES = 128
"""Pixels of one tile."""
RUN = 16
"""Pixels that `copy_run` copies: neighbours in a row."""

_HALF = 64
_I64 = ir.IntType(64)


@intrinsic
def split_tile(typing_context: Any, tile: Any, feature: Any, threshold_bits: Any) -> Any:
    """Compare one feature of a tile, (n_features, LANES) float32, with a threshold.

    Returns four masks: ``value <= threshold`` of the first and of the second 64 pixels (false
    for NaN), then ``value is NaN`` of both. What is not used is not computed.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.trunc(args[2], ir.IntType(32))
        threshold = _splat(builder, builder.bitcast(bits, ir.FloatType()), _HALF)
        halves = [
            builder.load(
                _lanes(context, builder, signature.args[0], args[0], args[1], half), align=4
            )
            for half in (0, 1)
        ]
        below = [builder.fcmp_ordered("<=", values, threshold) for values in halves]
        missing = [builder.fcmp_unordered("uno", values, values) for values in halves]
        masks = [builder.bitcast(mask, _I64) for mask in below + missing]
        return context.make_tuple(builder, signature.return_type, masks)

    return types.UniTuple(types.uint64, 4)(tile, feature, threshold_bits), generate


@intrinsic
def copy_run(
    typing_context: Any, planes: Any, f: Any, z: Any, y: Any, x: Any, tile: Any, start: Any
) -> Any:
    """Copy ``planes[f, z, y, x : x + RUN]``, contiguous, to ``tile[f, start:]``; True if NaN."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = cgutils.create_struct_proxy(signature.args[0])(context, builder, args[0])
        address = builder.ptrtoint(array.data, _I64)
        for axis in range(4):
            stride = builder.extract_value(array.strides, axis)
            address = builder.add(address, builder.mul(stride, args[1 + axis]))
        vector = ir.VectorType(ir.FloatType(), RUN)
        values = builder.load(builder.inttoptr(address, vector.as_pointer()), align=4)
        data = cgutils.create_struct_proxy(signature.args[5])(context, builder, args[5]).data
        place = builder.add(builder.mul(args[1], ir.Constant(_I64, LANES)), args[6])
        target = builder.bitcast(builder.gep(data, [place]), vector.as_pointer())
        builder.store(values, target, align=4)
        missing = builder.bitcast(builder.fcmp_unordered("uno", values, values), ir.IntType(RUN))
        return builder.icmp_unsigned("!=", missing, ir.Constant(ir.IntType(RUN), 0))

    return types.boolean(planes, f, z, y, x, tile, start), generate


def _leaf_sum(width: int) -> Any:
    """Make an operation that adds up leaves for this many classes at once."""

    @intrinsic
    def add_leaves(
        typing_context: Any, queue: Any, start: Any, stop: Any, values: Any, c: Any, sums: Any
    ) -> Any:
        """Add ``values[queue[k, 0], c]`` to the lanes in ``queue[k, 1:3]``, for k in order.

        float64 values are added to float32 sums in float64, and each sum is rounded.
        """
        if (sums.dtype, values.dtype) not in {
            (types.uint32, types.uint32),
            (types.float32, types.float64),
        }:
            raise TypingError(f"no sums of {sums.dtype} and {values.dtype}")

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            for half in (0, 1):
                _add_leaves_to_half(context, builder, signature, args, half, width)
            return context.get_dummy_value()

        return types.void(queue, start, stop, values, c, sums), generate

    return add_leaves


add_leaves_1 = _leaf_sum(1)
add_leaves_2 = _leaf_sum(2)


def _add_leaves_to_half(
    context: Any, builder: Any, signature: Any, args: Any, half: int, width: int
) -> None:
    """Keep the sums of 64 lanes in registers while the queue is read."""
    queue, start, stop, values, c, sums = args
    entries = cgutils.create_struct_proxy(signature.args[0])(context, builder, queue)
    table = cgutils.create_struct_proxy(signature.args[3])(context, builder, values)
    n_classes = builder.extract_value(table.shape, 1)
    totals = []
    for k in range(width):
        row = builder.add(c, ir.Constant(_I64, k))
        place = _lanes(context, builder, signature.args[5], sums, row, half)
        totals.append((place, cgutils.alloca_once_value(builder, builder.load(place, align=4))))
    one = ir.Constant(_I64, 1)
    with cgutils.for_range_slice(builder, start, stop, one, _I64) as (k, _):
        entry = builder.gep(entries.data, [builder.mul(k, ir.Constant(_I64, 3))])
        leaf = builder.load(entry)
        mask = builder.load(builder.gep(entry, [ir.Constant(_I64, 1 + half)]))
        chosen = builder.bitcast(mask, ir.VectorType(ir.IntType(1), _HALF))
        first = builder.gep(table.data, [builder.add(builder.mul(leaf, n_classes), c)])
        for k_class, (_, total) in enumerate(totals):
            value = builder.load(builder.gep(first, [ir.Constant(_I64, k_class)]))
            old = builder.load(total)
            builder.store(builder.select(chosen, _added(builder, old, value), old), total)
    for place, total in totals:
        builder.store(builder.load(total), place, align=4)


def _added(builder: Any, old: Any, value: Any) -> Any:
    """Add one number to all lanes."""
    if value.type != ir.DoubleType():
        return builder.add(old, _splat(builder, value, _HALF))
    wide = builder.fpext(old, ir.VectorType(ir.DoubleType(), _HALF))
    return builder.fptrunc(builder.fadd(wide, _splat(builder, value, _HALF)), old.type)


def _lanes(context: Any, builder: Any, kind: Any, array: Any, row: Any, half: int) -> Any:
    """Pointer to 64 lanes in a row of a (rows, LANES) array in C order, aligned to 64 bytes."""
    data = cgutils.create_struct_proxy(kind)(context, builder, array).data
    start = builder.add(builder.mul(row, ir.Constant(_I64, LANES)), ir.Constant(_I64, half * _HALF))
    element = context.get_data_type(kind.dtype)
    return builder.bitcast(builder.gep(data, [start]), ir.VectorType(element, _HALF).as_pointer())


def _splat(builder: Any, value: Any, lanes: int) -> Any:
    """Repeat a number in all lanes."""
    vector = ir.VectorType(value.type, lanes)
    first = builder.insert_element(
        ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0)
    )
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)
