"""Several numbers in one value: what the feature kernels are written with.

A vector fills one register where the machine has AVX-512 (16 numbers) or AVX (8); LLVM splits it
where registers are shorter.
Operations are those of IEEE 754 per lane, with nothing reassociated or contracted, so results do
not depend on the machine or on where a block begins. Vectors are read from and written to flat
arrays at any position, and no bounds are checked.

`Floats` hold float32, `Doubles` float64, `Keys` unsigned 32-bit numbers in the order of the floats
that they stand for.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic, models, register_model

WIDTH = 16 if binding.get_host_cpu_features().get("avx512f") else 8
"""Numbers in one vector."""


class VectorType(types.Type):
    """The type of a vector in numba."""

    def __init__(self, name: str, element: ir.Type) -> None:
        super().__init__(name=f"{name}{WIDTH}")
        self.llvm = ir.VectorType(element, WIDTH)


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: VectorType) -> None:
        super().__init__(manager, fe_type, fe_type.llvm)


Floats = VectorType("float32x", ir.FloatType())
Doubles = VectorType("float64x", ir.DoubleType())
Keys = VectorType("uint32x", ir.IntType(32))
_OF_DTYPE = {types.float32: Floats, types.uint32: Keys}
_SIGN = 0x80000000
_ALL = 0xFFFFFFFF


# --- memory ---------------------------------------------------------------------------------


@intrinsic
def load(typing_context: Any, array: Any, position: Any) -> Any:
    """``array[position : position + WIDTH]`` of a flat array."""
    vector = _vector_in(array)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, args), align=4)

    return vector(array, types.int64), generate


@intrinsic
def store(typing_context: Any, array: Any, position: Any, vector: Any) -> Any:
    """``array[position : position + WIDTH] = vector``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(context, builder, signature, args), align=4)
        return context.get_dummy_value()

    return types.void(array, types.int64, _vector_in(array)), generate


@intrinsic
def item(typing_context: Any, array: Any, position: Any) -> Any:
    """``array[position]`` of a flat array, for a position that is not negative.

    Numba's own index has to test for negative positions, which costs as much as a multiply-add.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = cgutils.create_struct_proxy(signature.args[0])(context, builder, args[0]).data
        return builder.load(builder.gep(data, [args[1]]))

    return array.dtype(array, types.int64), generate


@intrinsic
def splat(typing_context: Any, value: Any) -> Any:
    """The same number in every lane; float32, float64 or uint32."""
    vector = {types.float32: Floats, types.float64: Doubles, types.uint32: Keys}.get(value)
    if vector is None:
        raise TypingError(f"no vector of {value}")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        undefined = ir.Constant(vector.llvm, ir.Undefined)
        first = builder.insert_element(undefined, args[0], ir.Constant(ir.IntType(32), 0))
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        return builder.shuffle_vector(first, undefined, lanes)

    return vector(value), generate


# --- arithmetic -----------------------------------------------------------------------------


@intrinsic
def fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, rounded once."""
    return _lanewise(lambda builder, *args: _call(builder, "fma", args), a, b, c)


@intrinsic
def multiply(typing_context: Any, a: Any, b: Any) -> Any:
    """``a * b``."""
    return _lanewise(lambda builder, a, b: builder.fmul(a, b), a, b)


@intrinsic
def divide(typing_context: Any, a: Any, b: Any) -> Any:
    """``a / b``."""
    return _lanewise(lambda builder, a, b: builder.fdiv(a, b), a, b)


@intrinsic
def add(typing_context: Any, a: Any, b: Any) -> Any:
    """``a + b``."""
    return _lanewise(lambda builder, a, b: builder.fadd(a, b), a, b)


@intrinsic
def subtract(typing_context: Any, a: Any, b: Any) -> Any:
    """``a - b``."""
    return _lanewise(lambda builder, a, b: builder.fsub(a, b), a, b)


@intrinsic
def square_root(typing_context: Any, a: Any) -> Any:
    """``sqrt(a)``, correctly rounded."""
    return _lanewise(lambda builder, a: _call(builder, "sqrt", (a,)), a)


@intrinsic
def absolute(typing_context: Any, a: Any) -> Any:
    """``|a|``."""
    return _lanewise(lambda builder, a: _call(builder, "fabs", (a,)), a)


@intrinsic
def smaller(typing_context: Any, a: Any, b: Any) -> Any:
    """The smaller of two; NaN where either is."""
    return _lanewise(lambda builder, a, b: _choose(builder, "<", a, b), a, b)


@intrinsic
def larger(typing_context: Any, a: Any, b: Any) -> Any:
    """The larger of two; NaN where either is."""
    return _lanewise(lambda builder, a, b: _choose(builder, ">", a, b), a, b)


@intrinsic
def where_zero(typing_context: Any, a: Any, if_zero: Any, otherwise: Any) -> Any:
    """``if_zero`` where ``a == 0``, else ``otherwise``."""
    return _lanewise(_where("=="), a, if_zero, otherwise)


@intrinsic
def where_negative(typing_context: Any, a: Any, if_negative: Any, otherwise: Any) -> Any:
    """``if_negative`` where ``a < 0``, else ``otherwise``."""
    return _lanewise(_where("<"), a, if_negative, otherwise)


# --- conversions ----------------------------------------------------------------------------


@intrinsic
def widen(typing_context: Any, a: Any) -> Any:
    """float32 to float64."""
    return Doubles(Floats), lambda _c, builder, _s, args: builder.fpext(args[0], Doubles.llvm)


@intrinsic
def narrow(typing_context: Any, a: Any) -> Any:
    """float64 to float32."""
    return Floats(Doubles), lambda _c, builder, _s, args: builder.fptrunc(args[0], Floats.llvm)


@intrinsic
def to_keys(typing_context: Any, a: Any) -> Any:
    """Unsigned numbers that sort as the floats do; every NaN sorts last."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], Keys.llvm)
        # Negative: all bits flip, so that larger magnitudes come first; else only the sign does.
        spread = builder.ashr(bits, _integers(31))
        keys = builder.xor(bits, builder.or_(spread, _integers(_SIGN)))
        is_nan = builder.fcmp_unordered("uno", args[0], args[0])
        return builder.select(is_nan, _integers(_ALL), keys)

    return Keys(Floats), generate


@intrinsic
def from_keys(typing_context: Any, a: Any) -> Any:
    """The floats that `to_keys` came from; one NaN for all."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        spread = builder.ashr(args[0], _integers(31))
        flip = builder.or_(builder.not_(spread), _integers(_SIGN))
        return builder.bitcast(builder.xor(args[0], flip), Floats.llvm)

    return Floats(Keys), generate


@intrinsic
def with_bit(typing_context: Any, a: Any, bit: Any) -> Any:
    """``a | bit``."""
    return Keys(Keys, Keys), lambda _c, builder, _s, args: builder.or_(*args)


@intrinsic
def count_below(typing_context: Any, count: Any, a: Any, limit: Any) -> Any:
    """``count + 1`` where ``a < limit``, else ``count``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        below = builder.icmp_unsigned("<", args[1], args[2])
        return builder.sub(args[0], builder.sext(below, Keys.llvm))

    return Keys(Keys, Keys, Keys), generate


@intrinsic
def where_at_most(typing_context: Any, a: Any, limit: Any, if_so: Any, otherwise: Any) -> Any:
    """``if_so`` where ``a <= limit``, else ``otherwise``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.icmp_unsigned("<=", args[0], args[1]), args[2], args[3])

    return Keys(Keys, Keys, Keys, Keys), generate


# --- pieces ---------------------------------------------------------------------------------


def _lanewise(generate: Any, *operands: Any) -> tuple[Any, Any]:
    """Signature and code of an operation on vectors of one type."""
    vector = operands[0]
    if not isinstance(vector, VectorType) or any(other != vector for other in operands):
        raise TypingError(f"vectors of one type are needed; got {operands}")

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return generate(builder, *args)

    return vector(*operands), codegen


def _vector_in(array: Any) -> VectorType:
    if not isinstance(array, types.Array) or array.ndim != 1 or array.dtype not in _OF_DTYPE:
        raise TypingError(f"a flat array of float32 or uint32 is needed; got {array}")
    return _OF_DTYPE[array.dtype]


def _pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array_type = signature.args[0]
    data = cgutils.create_struct_proxy(array_type)(context, builder, args[0]).data
    vector = _OF_DTYPE[array_type.dtype].llvm
    return builder.bitcast(builder.gep(data, [args[1]]), vector.as_pointer())


def _call(builder: Any, name: str, args: tuple[Any, ...]) -> Any:
    """Call one of LLVM's functions that exist for vectors of floats."""
    vector = args[0].type
    bits = 32 if vector == Floats.llvm else 64
    function_type = ir.FunctionType(vector, [vector] * len(args))
    name = f"llvm.{name}.v{WIDTH}f{bits}"
    return builder.call(cgutils.get_or_insert_function(builder.module, function_type, name), args)


def _choose(builder: Any, relation: str, a: Any, b: Any) -> Any:
    """``a`` where the relation holds or a is NaN, else ``b``."""
    is_nan = builder.fcmp_unordered("uno", a, a)
    better = builder.fcmp_ordered(relation, a, b)
    return builder.select(builder.or_(is_nan, better), a, b)


def _where(relation: str) -> Any:
    def generate(builder: Any, a: Any, if_so: Any, otherwise: Any) -> Any:
        zero = ir.Constant(a.type, [0.0] * WIDTH)
        return builder.select(builder.fcmp_ordered(relation, a, zero), if_so, otherwise)

    return generate


def _integers(value: int) -> Any:
    return ir.Constant(Keys.llvm, [value] * WIDTH)
