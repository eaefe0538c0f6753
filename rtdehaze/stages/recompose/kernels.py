"""The compiled loops of recomposition: from the planes of one frame into those of another.

One pass over the frame, a block row at a time (the luma rows that share a row of chroma): the maps, already
enlarged in x, are interpolated in y, the haze is taken off, and the samples are rounded with a dither. In numbers
of the loops below, `p` is the input's sample, `q` the output's, both relative to black or to neutral chroma.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy import float32 as f32

from rtdehaze.core.frame import Samples
from rtdehaze.stages.recompose.rows import DITHER_UNIT, DITHER_X, DITHER_Y, Axis, Rows, compiled, move_to

__all__ = ["CHROMA_FIELDS", "LUMA_FIELDS", "MARGIN", "Levels", "Picture", "recompose_rows"]

LUMA_FIELDS = 3
"""Maps that luma needs, in order: transmission, veil, guide."""
CHROMA_FIELDS = 5
"""Maps that chroma needs, in order: transmission, veil of U and V, guide of U and V."""
MARGIN = 16
"""Samples by which scratch rows are longer than the picture is wide."""

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
    unshift: np.float32
    """Input levels per stored number: 1, or 1/64 for p010."""
    shift_out: int
    """Bits by which stored output samples are shifted left."""
    deband: np.float32
    """1 where the guide fills in between the input's levels, 0 where there is no guide."""


class Picture(NamedTuple):
    """The planes of a frame as the loops take them; interleaved chroma stands in `u`, gray has empty chroma."""

    y: Samples
    u: Samples
    v: Samples
    interleaved: bool
    left: int
    """Column of the luma plane at which the picture begins."""
    chroma_left: int
    """Sample of a chroma row, counted per component, at which the picture begins."""


@compiled
def _luma_row(
    source: Samples, target: Picture, y: int, held: Rows, down: np.float32, clear: Rows, k: int, width: int, to: Levels
) -> None:
    """Recomposes one row of luma; leaves it in `clear[k]` too, unrounded, for chroma to be fitted to."""
    start = y * DITHER_Y
    to_plane, left = target.y, target.left
    black, white, unshift, scale, deband = to.black, to.white, to.unshift, to.scale, to.deband
    rounding = to.black_out + _HALF
    for x in range(width):
        transmission = held[0, 0, x] + down * held[2, 0, x]
        veil = held[0, 1, x] + down * held[2, 1, x]
        guide = held[0, 2, x] + down * held[2, 2, x]
        p = f32(source[y, x]) * unshift - black
        gain = _ONE / transmission
        fade = min(max(gain - _ONE, _ZERO), _ONE)
        off = guide - p
        most = max(_ZERO, f32(0.75) - _HALF * abs(off)) * deband
        q = (p + min(max(off, -most), most) * fade - veil) * gain
        q = min(max(q, min(_ZERO, p)), max(white, p))
        clear[k, x] = q
        noise = f32(np.int32(x * DITHER_X + start)) * fade
        to_plane[y, x + left] = np.int32(q * scale + rounding + noise * DITHER_UNIT)


@compiled
def _load_chroma(source: Picture, row: int, work: Rows, width: int, to: Levels) -> None:
    """Reads one row of U and V."""
    unshift, neutral = to.unshift, to.neutral
    if source.interleaved:
        for x in range(width):
            work[0, x] = f32(source.u[row, 2 * x]) * unshift - neutral
            work[1, x] = f32(source.u[row, 2 * x + 1]) * unshift - neutral
        return
    for x in range(width):
        work[0, x] = f32(source.u[row, x]) * unshift - neutral
        work[1, x] = f32(source.v[row, x]) * unshift - neutral


@compiled
def _store_chroma(work: Rows, target: Picture, row: int, width: int) -> None:
    """Writes one row of U and V that are already rounded upwards by what truncation takes away."""
    left = target.chroma_left
    if target.interleaved:
        for x in range(width):
            target.u[row, 2 * (x + left)] = np.int32(work[0, x])
            target.u[row, 2 * (x + left) + 1] = np.int32(work[1, x])
        return
    for x in range(width):
        target.u[row, x + left] = np.int32(work[0, x])
        target.v[row, x + left] = np.int32(work[1, x])


@compiled
def _shift(plane: Samples, row: int, left: int, width: int, bits: int) -> None:
    """Moves samples to the upper bits, where p010 keeps them."""
    for x in range(left, left + width):
        plane[row, x] <<= bits


@compiled
def _mean_luma(clear: Rows, rows: int, step: int, work: Rows, width: int, to: Levels) -> None:
    """The mean of each block's recomposed luma in units of white, in [0, 1]."""
    last = rows - 1
    share = f32(0.25) / to.white
    if step == 2:
        for x in range(width):
            total = clear[0, 2 * x] + clear[0, 2 * x + 1] + clear[last, 2 * x] + clear[last, 2 * x + 1]
            work[2, x] = min(max(total * share, _ZERO), _ONE)
        return
    for x in range(width):
        work[2, x] = min(max((clear[0, x] + clear[last, x]) * share * f32(2.0), _ZERO), _ONE)


@compiled
def _chroma_row(work: Rows, row: int, held: Rows, down: np.float32, width: int, to: Levels) -> None:
    """Recomposes one row of U and V in place, ready to be truncated.

    Where luma and chroma together would leave RGB's range, chroma shrinks towards neutral until they fit: luma
    and hue hold. It never shrinks by more than the gain, so a picture that is left alone stays as it was.
    """
    start = row * DITHER_Y
    reach, deband, scale = to.reach, to.deband, to.scale
    rounding = to.neutral_out + _HALF
    for x in range(width):
        transmission = held[0, 0, x] + down * held[2, 0, x]
        gain = _ONE / transmission
        fade = min(max(gain - _ONE, _ZERO), _ONE)
        pu, pv = work[0, x], work[1, x]
        off = held[0, 3, x] + down * held[2, 3, x] - pu
        most = max(_ZERO, f32(0.75) - _HALF * abs(off)) * deband
        qu = (pu + min(max(off, -most), most) * fade - held[0, 1, x] - down * held[2, 1, x]) * gain
        off = held[0, 4, x] + down * held[2, 4, x] - pv
        most = max(_ZERO, f32(0.75) - _HALF * abs(off)) * deband
        qv = (pv + min(max(off, -most), most) * fade - held[0, 2, x] - down * held[2, 2, x]) * gain

        red, blue = to.red * qv, to.blue * qu
        green = -to.green_u * qu - to.green_v * qv
        above = max(red, max(green, blue))
        below = -min(red, min(green, blue))
        room_above, room_below = _ONE - work[2, x], work[2, x]
        crowded_above = room_above * below < room_below * above
        room = room_above if crowded_above else room_below
        need = above if crowded_above else below
        fit = min(max(room / max(need, _TINY), transmission), _ONE)
        qu = min(max(qu * fit, min(-reach, pu)), max(reach, pu))
        qv = min(max(qv * fit, min(-reach, pv)), max(reach, pv))

        noise = f32(np.int32(x * DITHER_X + start)) * fade * DITHER_UNIT + rounding
        work[0, x] = qu * scale + noise
        work[1, x] = qv * scale + noise


@compiled
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
            rows (3, chroma width + MARGIN).
        to: How samples are read and written.
    """
    held, held_chroma, clear, work = scratch
    across_luma, across_chroma = across
    down_luma, down_chroma = down
    height, width, chroma_width = down_luma.before.shape[0], across_luma.before.shape[0], across_chroma.before.shape[0]
    at = at_chroma = -1
    for block_row in range(rows[0], rows[1]):
        first = block_row * block[1]
        count = min(block[1], height - first)
        for k in range(count):
            y = first + k
            at = move_to(luma, down_luma.before[y], down_luma.after[y], at, across_luma, held)
            _luma_row(source.y, target, y, held, down_luma.weight[y], clear, k, width, to)
            clear[k, width] = clear[k, width - 1]
            if to.shift_out > 0:
                _shift(target.y, y, target.left, width, to.shift_out)
        if chroma_width == 0:
            continue
        r = block_row
        at_chroma = move_to(chroma, down_chroma.before[r], down_chroma.after[r], at_chroma, across_chroma, held_chroma)
        _load_chroma(source, r, work, chroma_width, to)
        _mean_luma(clear, count, block[0], work, chroma_width, to)
        _chroma_row(work, r, held_chroma, down_chroma.weight[r], chroma_width, to)
        _store_chroma(work, target, r, chroma_width)
        if to.shift_out > 0:
            _shift(target.u, r, 2 * target.chroma_left, 2 * chroma_width, to.shift_out)
