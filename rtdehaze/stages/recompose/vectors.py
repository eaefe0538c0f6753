"""What LLVM has to be told about vectors: how wide they may be, and a loop too short for it to find."""
# ruff: noqa: ARG001
# Numba counts the arguments and passes them as `values`.

from __future__ import annotations

from typing import Any, cast

from llvmlite import ir  # type: ignore[import-untyped]
from llvmlite.binding import get_host_cpu_name  # type: ignore[import-untyped]
from numba import extending, types

__all__ = ["MARGIN", "draw", "widest"]

MARGIN = 8
"""Samples that are enlarged at a time; rows of enlarged maps are longer by as much."""

_SLOWED_BY_512 = "skylake-avx512", "cascadelake", "cooperlake"
_intrinsic = cast(Any, extending.intrinsic)


@_intrinsic  # type: ignore[untyped-decorator]
def widest(context: Any) -> tuple[Any, Any]:
    """Asks, in a loop's function, for vectors of 512 bits where there are any: LLVM prefers 256 everywhere.

    A quarter to a third faster on Sapphire Rapids. The first processors with AVX-512 lower their clock for it, also
    for the codecs beside, and are left with 256.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if get_host_cpu_name() not in _SLOWED_BY_512:
            # The set's own `add` refuses attributes with a value.
            set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


@_intrinsic  # type: ignore[untyped-decorator]
def draw(context: Any, line: Any, more: Any, above: Any, first: Any, level: Any, slope: Any) -> tuple[Any, Any]:
    """Writes a ramp of `MARGIN` samples into `line`, and into `more` by how much it is above `above`.

    Written out for LLVM: it does not vectorise a loop as short as this one.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = ir.FloatType()
        vector = ir.VectorType(number, MARGIN)
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), MARGIN), [0] * MARGIN)

        def everywhere(value: Any) -> Any:
            one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
            return builder.shuffle_vector(one, one, lanes)

        def place(number: int) -> Any:
            array = context.make_array(signature.args[number])(context, builder, values[number])
            return builder.bitcast(builder.gep(array.data, [values[3]]), vector.as_pointer())

        steps = ir.Constant(vector, [float(k) for k in range(MARGIN)])
        drawn = builder.fadd(everywhere(values[4]), builder.fmul(everywhere(values[5]), steps), flags=("contract",))
        over = builder.load(place(2), align=4)
        builder.store(drawn, place(0), align=4)
        builder.store(builder.fsub(drawn, over), place(1), align=4)
        return context.get_dummy_value()

    return types.void(line, more, above, types.uint64, types.float32, types.float32), generate
