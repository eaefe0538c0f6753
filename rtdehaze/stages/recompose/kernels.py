"""The compiled loops of recomposition: from the planes of one frame into those of another.

One pass over the frame, a block row at a time (the luma rows that share a row of chroma): the maps, already
enlarged in x, are interpolated in y, the haze is taken off, and the samples are rounded with a dither. In numbers
of the loops below, `p` is the input's sample, `q` the output's, both relative to black or to neutral chroma.

Loops over a row touch few arrays each, index two-dimensional arrays by a row that stays the same, and divide
under NumPy's error model: with any of that missing, LLVM does not vectorise them and they run five times slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit
from numpy import float32 as f32
from numpy.typing import NDArray

from rtdehaze.core.frame import Samples

__all__ = ["CHROMA_FIELDS", "LUMA_FIELDS", "MARGIN", "Axis", "Levels", "Picture", "recompose_rows"]

Rows = NDArray[np.float32]
_Function = TypeVar("_Function", bound=Callable[..., Any])

LUMA_FIELDS = 3
"""Maps that luma needs, in order: transmission, veil, guide."""
CHROMA_FIELDS = 5
"""Maps that chroma needs, in order: transmission, veil of U and V, guide of U and V."""
MARGIN = 16
"""Samples by which scratch rows are longer than the picture is wide."""

_DITHER_X = f32(0.75487767)
_DITHER_Y = f32(0.56984029)
_BELOW_ONE = f32(0.999)
_HALF = f32(0.5)
_ZERO = f32(0.0)
_ONE = f32(1.0)
_TINY = f32(1e-6)


class Levels(NamedTuple):
    """How stored samples are read and written; in levels of the input relative to black and neutral."""

    black: np.float32
    """Level of black in the input."""
    neutral: np.float32
    """Level of neutral chroma in the input."""
    black_out: np.float32
    neutral_out: np.float32
    scale: np.float32
    """Output levels per input level: 1, or about 4 from 8 bits to 10."""
    white: np.float32
    """Nominal white above black."""
    reach: np.float32
    """Nominal peak of chroma about neutral."""
    red: np.float32
    """R - Y in units of white for one level of V."""
    green_u: np.float32
    green_v: np.float32
    blue: np.float32
    """B - Y in units of white for one level of U."""
    shift: np.int32
    """Bits by which stored input samples are shifted left."""
    shift_out: np.int32
    deband: np.float32
    """1 where the guide fills in between the input's levels, 0 where there is no guide."""


class Axis(NamedTuple):
    """Where the samples along one axis of the frame fall between the samples of the map."""

    before: NDArray[np.int32]
    """Map sample at or before."""
    after: NDArray[np.int32]
    """Map sample after, the same at the border."""
    weight: NDArray[np.float32]
    """Share of the sample after."""


class Picture(NamedTuple):
    """The planes of a frame as the loops take them; interleaved chroma stands in `u`, gray has empty chroma."""

    y: Samples
    u: Samples
    v: Samples
    interleaved: bool


def _compiled(function: _Function) -> _Function:
    """Compiles at first use, with the result cached on disk where any directory can be written."""
    options: dict[str, Any] = {"nogil": True, "fastmath": True, "error_model": "numpy"}
    try:
        return cast(_Function, njit(cache=True, **options)(function))
    except RuntimeError:  # no directory for the cache: a read-only installation without a home
        return cast(_Function, njit(**options)(function))


@_compiled
def _enlarge(fields: Rows, row: int, axis: Axis, out: Rows) -> None:
    """Enlarges one row of every map to the frame's width."""
    for field in range(fields.shape[0]):
        for x in range(axis.before.shape[0]):
            left = fields[field, row, axis.before[x]]
            out[field, x] = left + axis.weight[x] * (fields[field, row, axis.after[x]] - left)


@_compiled
def _move_to(fields: Rows, upper: int, lower: int, at: int, across: Axis, rows: NDArray[np.float32]) -> int:
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


@_compiled
def _luma_row(
    source: Samples, target: Samples, y: int, base: Rows, slope: Rows, down: np.float32, clear: Rows, k: int, to: Levels
) -> None:
    """Recomposes one row of luma; leaves it in `clear[k]` too, unrounded, for chroma to be fitted to."""
    start = f32(y) * _DITHER_Y
    start -= np.floor(start)
    for x in range(clear.shape[1] - MARGIN):
        transmission = base[0, x] + down * slope[0, x]
        veil = base[1, x] + down * slope[1, x]
        guide = base[2, x] + down * slope[2, x]
        p = f32(np.int32(source[y, x]) >> to.shift) - to.black
        gain = _ONE / transmission
        fade = min(max(gain - _ONE, _ZERO), _ONE)
        off = guide - p
        far = abs(off)
        inside = min(far, max(_ZERO, f32(0.75) - _HALF * far)) * fade * to.deband
        q = (p + (inside if off > _ZERO else -inside) - veil) * gain
        q = min(max(q, min(_ZERO, p)), max(to.white, p))
        clear[k, x] = q
        noise = f32(np.int32(x)) * _DITHER_X + start
        noise = (noise - np.floor(noise) - _HALF) * fade * _BELOW_ONE
        target[y, x] = np.int32(q * to.scale + to.black_out + noise + _HALF) << to.shift_out


@_compiled
def _load_chroma(source: Picture, row: int, u: Rows, v: Rows, to: Levels) -> None:
    """Reads one row of U and V."""
    if source.interleaved:
        for x in range(u.shape[1] - MARGIN):
            u[0, x] = f32(np.int32(source.u[row, 2 * x]) >> to.shift) - to.neutral
            v[0, x] = f32(np.int32(source.u[row, 2 * x + 1]) >> to.shift) - to.neutral
        return
    for x in range(u.shape[1] - MARGIN):
        u[0, x] = f32(np.int32(source.u[row, x]) >> to.shift) - to.neutral
        v[0, x] = f32(np.int32(source.v[row, x]) >> to.shift) - to.neutral


@_compiled
def _store_chroma(u: Rows, v: Rows, target: Picture, row: int, to: Levels) -> None:
    """Writes one row of U and V that are already rounded upwards by what truncation takes away."""
    if target.interleaved:
        for x in range(u.shape[1] - MARGIN):
            target.u[row, 2 * x] = np.int32(u[0, x]) << to.shift_out
            target.u[row, 2 * x + 1] = np.int32(v[0, x]) << to.shift_out
        return
    for x in range(u.shape[1] - MARGIN):
        target.u[row, x] = np.int32(u[0, x]) << to.shift_out
        target.v[row, x] = np.int32(v[0, x]) << to.shift_out


@_compiled
def _mean_luma(clear: Rows, rows: int, step: int, out: Rows, to: Levels) -> None:
    """The mean of each block's recomposed luma in units of white, in [0, 1]."""
    last = rows - 1
    share = f32(0.25) / to.white
    if step == 2:
        for x in range(out.shape[1] - MARGIN):
            total = clear[0, 2 * x] + clear[0, 2 * x + 1] + clear[last, 2 * x] + clear[last, 2 * x + 1]
            out[0, x] = min(max(total * share, _ZERO), _ONE)
        return
    for x in range(out.shape[1] - MARGIN):
        out[0, x] = min(max((clear[0, x] + clear[last, x]) * share * f32(2.0), _ZERO), _ONE)


@_compiled
def _chroma_row(u: Rows, v: Rows, mean: Rows, row: int, base: Rows, slope: Rows, down: np.float32, to: Levels) -> None:
    """Recomposes one row of U and V in place, ready to be truncated.

    Where luma and chroma together would leave RGB's range, chroma shrinks towards neutral until they fit: luma
    and hue hold. It never shrinks by more than the gain, so a picture that is left alone stays as it was.
    """
    start = f32(row) * _DITHER_Y
    start -= np.floor(start)
    for x in range(u.shape[1] - MARGIN):
        transmission = base[0, x] + down * slope[0, x]
        gain = _ONE / transmission
        fade = min(max(gain - _ONE, _ZERO), _ONE)
        pu, pv = u[0, x], v[0, x]
        off = base[3, x] + down * slope[3, x] - pu
        far = abs(off)
        inside = min(far, max(_ZERO, f32(0.75) - _HALF * far)) * fade * to.deband
        qu = (pu + (inside if off > _ZERO else -inside) - base[1, x] - down * slope[1, x]) * gain
        off = base[4, x] + down * slope[4, x] - pv
        far = abs(off)
        inside = min(far, max(_ZERO, f32(0.75) - _HALF * far)) * fade * to.deband
        qv = (pv + (inside if off > _ZERO else -inside) - base[2, x] - down * slope[2, x]) * gain

        red, blue = to.red * qv, to.blue * qu
        green = -to.green_u * qu - to.green_v * qv
        above = max(red, max(green, blue))
        below = -min(red, min(green, blue))
        room_above, room_below = _ONE - mean[0, x], mean[0, x]
        if room_above * below < room_below * above:
            fit = room_above / max(above, _TINY)
        else:
            fit = room_below / max(below, _TINY)
        fit = min(max(fit, transmission), _ONE)
        qu = min(max(qu * fit, min(-to.reach, pu)), max(to.reach, pu))
        qv = min(max(qv * fit, min(-to.reach, pv)), max(to.reach, pv))

        noise = f32(np.int32(x)) * _DITHER_X + start
        noise = (noise - np.floor(noise) - _HALF) * fade * _BELOW_ONE + _HALF + to.neutral_out
        u[0, x] = qu * to.scale + noise
        v[0, x] = qv * to.scale + noise


@_compiled
def recompose_rows(
    source: Picture,
    target: Picture,
    luma: Rows,
    chroma: Rows,
    across: tuple[Axis, Axis],
    down: tuple[Axis, Axis],
    block: tuple[int, int],
    rows: tuple[int, int],
    scratch: tuple[Rows, Rows, Rows, Rows],
    to: Levels,
) -> None:
    """Recomposes some block rows of a frame.

    Args:
        source: Planes that are read.
        target: Planes that are written; samples beyond the picture's width are left alone.
        luma: (LUMA_FIELDS, h, w) maps.
        chroma: (CHROMA_FIELDS, h, w) maps.
        across: Horizontal axes of luma and chroma.
        down: Vertical axes of luma and chroma.
        block: Luma samples per chroma sample, (width, height); height 1 and an empty chroma axis for gray.
        rows: First block row and the one after the last.
        scratch: Rows of the thread's own: luma's enlarged maps (3, LUMA_FIELDS, width + MARGIN), chroma's
            (3, CHROMA_FIELDS, chroma width + MARGIN), luma's result (2, width + MARGIN) and chroma's working
            rows (3, 1, chroma width + MARGIN).
        to: How samples are read and written.
    """
    held, held_chroma, clear, work = scratch
    across_luma, across_chroma = across
    down_luma, down_chroma = down
    height, width = down_luma.before.shape[0], across_luma.before.shape[0]
    at = at_chroma = -1
    for block_row in range(rows[0], rows[1]):
        first = block_row * block[1]
        count = min(block[1], height - first)
        for k in range(count):
            y = first + k
            at = _move_to(luma, down_luma.before[y], down_luma.after[y], at, across_luma, held)
            _luma_row(source.y, target.y, y, held[0], held[2], down_luma.weight[y], clear, k, to)
            clear[k, width] = clear[k, width - 1]
        if across_chroma.before.shape[0] == 0:
            continue
        r = block_row
        at_chroma = _move_to(chroma, down_chroma.before[r], down_chroma.after[r], at_chroma, across_chroma, held_chroma)
        _load_chroma(source, r, work[0], work[1], to)
        _mean_luma(clear, count, block[0], work[2], to)
        _chroma_row(work[0], work[1], work[2], r, held_chroma[0], held_chroma[2], down_chroma.weight[r], to)
        _store_chroma(work[0], work[1], target, r, to)
