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

__all__ = [
    "DEBAND",
    "DITHER_UNIT",
    "DITHER_Y",
    "MARGIN",
    "SPARED_BY",
    "SPARED_TO",
    "Axis",
    "Ramp",
    "Rows",
    "compiled",
    "dither_ramp",
    "move_to",
]

Rows = NDArray[np.float32]
Ramp = NDArray[np.int32]
_Function = TypeVar("_Function", bound=Callable[..., Any])

# Roberts (2018), "The unreasonable effectiveness of quasirandom sequences": steps of the R2 sequence as fractions of
# 2**32, so that the sum of their multiples wraps by itself. Neighbours differ much, any small area holds every value.
_DITHER_X = 3242174889
DITHER_Y = 2447445413
DITHER_UNIT = f32(0.999 / 2**32)

SPARED_TO, SPARED_BY = f32(5.0), f32(4.0)
"""Chroma keeps the share `SPARED_TO - SPARED_BY * gain` however little room RGB has for it: all of it at gain 1, so
that what is left alone stays as it was, and nothing from gain 1.25 on."""

MARGIN = 8
"""Samples that are enlarged at a time; rows of enlarged maps, and the weights, are longer by as much."""

DEBAND = 0.75
"""Half a level is filled in whole where the guide is up to half a level away, and nothing from 1.5 levels on: on a
smooth slope samples are rounded by no more, and what is further off is detail. The slope between is a half."""


class Axis(NamedTuple):
    """Where the samples along one axis of the frame fall between the samples of the map."""

    before: NDArray[np.uint32]
    """Map sample at or before."""
    after: NDArray[np.uint32]
    """Map sample after, the same at the border."""
    weight: NDArray[np.float32]
    """Share of the sample after; `MARGIN` longer than the others."""
    first: NDArray[np.int64]
    """For every map sample but the last the first of the frame's samples that has it before, then their number."""


def compiled(function: _Function) -> _Function:
    """Compiles at first use, with the result cached on disk where any directory can be written."""
    options: dict[str, Any] = {"nogil": True, "fastmath": True, "error_model": "numpy"}
    try:
        return cast(_Function, njit(cache=True, **options)(function))
    except RuntimeError:  # no directory for the cache: a read-only installation without a home
        return cast(_Function, njit(**options)(function))


def dither_ramp(width: int) -> Ramp:
    """The part of the dither that varies along a row."""
    return (np.arange(width) * _DITHER_X).astype(np.uint32).view(np.int32)


@compiled
def _enlarge(fields: Rows, row: int, across: Axis, out: Rows) -> None:
    """Enlarges one row of every map to the frame's width.

    All samples between two of the map are made from the same two numbers, `MARGIN` at a time, which vectorises as
    no look-up for each sample does; what runs over the end is overwritten by the next.
    """
    first, weight = across.first, across.weight
    last = fields.shape[2] - 1
    for field in range(fields.shape[0]):
        for cell in range(first.shape[0] - 1):
            left = fields[field, row, cell]
            way = fields[field, row, min(cell + 1, last)] - left
            for start in range(first[cell], first[cell + 1], MARGIN):
                for k in range(MARGIN):
                    out[field, np.uint64(start + k)] = left + weight[np.uint64(start + k)] * way


@compiled
def move_to(fields: Rows, upper: int, lower: int, at: int, across: Axis, held: Rows) -> int:
    """Makes `held` hold the enlarged map rows `upper` and `lower`, each at the place of its number modulo 2.

    Neighbouring rows of the frame mostly fall between the same two map rows, so `at`, the upper row that is held
    already, saves most of the work.

    Returns:
        The upper map row that is held now.
    """
    if upper == at:
        return at
    if upper != at + 1 or at < 0:
        _enlarge(fields, upper, across, held[upper & 1])
    _enlarge(fields, lower, across, held[lower & 1])
    return upper
