"""What the compiled loops share: how they are compiled, and maps enlarged to the frame's width, row by row.

Loops over a row touch few arrays each, index two-dimensional arrays by a row that stays the same, stay in 32 bits,
and divide under NumPy's error model: with any of that missing, LLVM does not vectorise them and they run several
times slower.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import float32 as f32
from numba import njit
from numba.core.caching import FunctionCache
from numpy.typing import NDArray

from rtdehaze.stages.recompose.vectors import draw

__all__ = [
    "DEBAND",
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
Ramp = NDArray[np.uint32]
_log = logging.getLogger("rtdehaze.recompose")
_Function = TypeVar("_Function", bound=Callable[..., Any])

# Roberts (2018), "The unreasonable effectiveness of quasirandom sequences": steps of the R2 sequence as fractions of
# 2**32, so that the sum of their multiples wraps by itself. Neighbours differ much, any small area holds every value.
_DITHER_X = 3242174889
_DITHER_Y = 2447445413
_DITHER_UNIT = np.float32(0.999 / 2**32)
_SHIFTS = 1024
"""Places at which rows of the dither may begin."""

SPARED_TO, SPARED_BY = f32(5.0), f32(4.0)
"""Chroma keeps the share `SPARED_TO - SPARED_BY * gain` however little room RGB has for it: all of it at gain 1, so
that what is left alone stays as it was, and nothing from gain 1.25 on."""

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
    """Share of the sample after."""
    cell: NDArray[np.uint32]
    """The map sample before, of every run of samples that is one even ramp between two of the map."""
    start: NDArray[np.uint64]
    """Where runs begin; they are at most `MARGIN` long."""
    offset: NDArray[np.float32]
    """Share of the map sample after at every run's start."""
    step: NDArray[np.float32]
    """How much that share grows from one sample of the run to the next."""


@lru_cache(maxsize=1)
def _sources() -> str:
    """Fingerprint of this package: loops have others compiled into them, from other files than their own."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _say_compiling() -> None:
    _log.info("compiling the loops, once on this machine")


class _Cache(FunctionCache):
    """Compiled loops on disk, valid for exactly these sources: Numba's own looks at the function's file alone."""

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return (*super()._index_key(sig, codegen), _sources())  # type: ignore[no-untyped-call]

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        found = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        if found is None:
            _say_compiling()
        return found


def compiled(function: _Function) -> _Function:
    """Compiles at first use, with the result cached on disk where any directory can be written.

    Loops are compiled into those that call them: as calls they were now and then left in a slower version.
    """
    dispatcher: Any = njit(nogil=True, fastmath=True, error_model="numpy", forceinline=True)(function)
    # No directory for the cache: a read-only installation without a home.
    with suppress(RuntimeError):
        dispatcher._cache = _Cache(function)  # type: ignore[no-untyped-call]
    return cast(_Function, dispatcher)


def dither_ramp(width: int, height: int) -> tuple[Rows, Ramp]:
    """The dither of a frame: one long row of it, in (-0.5, 0.5), and where in it every row of the frame begins.

    A shift along the sequence stands for the row's share of it, to a thousandth.
    """
    row = (np.arange(width + _SHIFTS, dtype=np.uint64) * _DITHER_X).astype(np.uint32)
    order = np.argsort(row[:_SHIFTS])
    wanted = (np.arange(height, dtype=np.uint64) * _DITHER_Y).astype(np.uint32)
    nearest = np.searchsorted(row[:_SHIFTS][order], wanted) % _SHIFTS
    return (row.view(np.int32) * _DITHER_UNIT).astype(np.float32), order[nearest].astype(np.uint32)


@compiled
def _enlarge(fields: Rows, row: int, across: Axis, held: Rows) -> None:
    """Enlarges one row of every map to the frame's width, into `held[row & 1]`, and what it has more into `held[2]`.

    Between two samples of the map all is one ramp, drawn `MARGIN` samples at a time, which vectorises as no look-up
    for each sample does; what runs over the end is overwritten by the next.
    """
    start, cell, offset, step = across.start, across.cell, across.offset, across.step
    right = min(1, fields.shape[2] - 1)
    for field in range(fields.shape[0]):
        line, after = fields[field, row], fields[field, row, right:]
        drawn, over, more = held[row & 1, field], held[(row + 1) & 1, field], held[2, field]
        for run in range(start.shape[0]):
            left = line[cell[run]]
            way = after[cell[run]] - left
            draw(drawn, more, over, start[run], left + offset[run] * way, step[run] * way)


@compiled
def move_to(fields: Rows, upper: int, lower: int, at: int, across: Axis, held: Rows) -> int:
    """Makes `held` hold the enlarged map row `upper` and, last, what `lower` has more.

    Row numbers modulo 2 say where rows are kept. Neighbouring rows of the frame mostly fall between the same two
    map rows, so `at`, the upper row that is held already, saves most of the work.

    Returns:
        The upper map row that is held now.
    """
    if upper == at:
        return at
    if upper != at + 1 or at < 0:
        _enlarge(fields, upper, across, held)
    if lower != upper:
        _enlarge(fields, lower, across, held)
    else:
        held[2] = 0
    return upper
