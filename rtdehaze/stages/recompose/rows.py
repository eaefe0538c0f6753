"""What the compiled loops share: how they are compiled, and maps enlarged to the frame's width, row by row.

Loops over a row touch few arrays each, index two-dimensional arrays by a row that stays the same, stay in 32 bits,
and divide under NumPy's error model: with any of that missing, LLVM does not vectorise them and they run several
times slower. Numba's disk cache watches a function's own file alone: after a change here, touch the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import float32 as f32
from numba import njit
from numpy.typing import NDArray

__all__ = ["DITHER_UNIT", "DITHER_X", "DITHER_Y", "Axis", "Rows", "compiled", "move_to"]

Rows = NDArray[np.float32]
_Function = TypeVar("_Function", bound=Callable[..., Any])

# Roberts (2018), "The unreasonable effectiveness of quasirandom sequences": steps of the R2 sequence as fractions of
# 2**32, so that the sum of their multiples wraps by itself. Neighbours differ much, any small area holds every value.
DITHER_X = 3242174889
DITHER_Y = 2447445413
DITHER_UNIT = f32(0.999 / 2**32)


class Axis(NamedTuple):
    """Where the samples along one axis of the frame fall between the samples of the map."""

    before: NDArray[np.uint32]
    """Map sample at or before."""
    after: NDArray[np.uint32]
    """Map sample after, the same at the border."""
    weight: NDArray[np.float32]
    """Share of the sample after."""


def compiled(function: _Function) -> _Function:
    """Compiles at first use, with the result cached on disk where any directory can be written."""
    options: dict[str, Any] = {"nogil": True, "fastmath": True, "error_model": "numpy"}
    try:
        return cast(_Function, njit(cache=True, **options)(function))
    except RuntimeError:  # no directory for the cache: a read-only installation without a home
        return cast(_Function, njit(**options)(function))


@compiled
def _enlarge(fields: Rows, row: int, across: Axis, out: Rows) -> None:
    """Enlarges one row of every map to the frame's width, two maps at a time and one more if odd."""
    before, after, weight = across
    last = fields.shape[0] - 1
    for pair in range(0, last, 2):
        for x in range(before.shape[0]):
            i, j, share = before[x], after[x], weight[x]
            first, second = fields[pair, row, i], fields[pair + 1, row, i]
            out[pair, x] = first + share * (fields[pair, row, j] - first)
            out[pair + 1, x] = second + share * (fields[pair + 1, row, j] - second)
    if last % 2 == 0:
        for x in range(before.shape[0]):
            first = fields[last, row, before[x]]
            out[last, x] = first + weight[x] * (fields[last, row, after[x]] - first)


@compiled
def move_to(fields: Rows, upper: int, lower: int, at: int, across: Axis, rows: NDArray[np.float32]) -> int:
    """Makes `rows` hold the enlarged map row `upper`, the row `lower`, and the way from one to the other.

    Neighbouring rows of the frame mostly fall between the same two map rows, so `at`, the row that is held
    already, saves most of the work.

    Returns:
        The upper map row that is held now.
    """
    if upper == at:
        return at
    if upper == at + 1 and at >= 0:
        rows[0, :, :] = rows[1]
    else:
        _enlarge(fields, upper, across, rows[0])
    _enlarge(fields, lower, across, rows[1])
    for field in range(fields.shape[0]):
        for x in range(across.before.shape[0]):
            rows[2, field, x] = rows[1, field, x] - rows[0, field, x]
    return upper
