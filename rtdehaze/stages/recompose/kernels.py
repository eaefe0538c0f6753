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
from rtdehaze.stages.recompose.rows import (
    DITHER_UNIT,
    DITHER_Y,
    SPARED_BY,
    SPARED_TO,
    Axis,
    Ramp,
    Rows,
    compiled,
    move_to,
)

__all__ = ["CHROMA_FIELDS", "LUMA_FIELDS", "Edges", "Levels", "Picture", "recompose_rows"]

LUMA_FIELDS = 5
"""Maps that luma needs, in order: transmission, veil, guide, and the slopes over luma of transmission and veil."""
CHROMA_FIELDS = 5
"""Maps that chroma needs, in order: transmission, veil of U and V, guide of U and V."""
_HALF = f32(0.5)
_ZERO = f32(0.0)
_ONE = f32(1.0)
_TINY = f32(1e-6)
_FAR = f32(1e9)


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
    """`DEBAND` where there is a guide to fill in between the input's levels, far below 0 where there is none."""


class Edges(NamedTuple):
    """Within which bounds the maps follow the picture at depth edges, and chroma's with luma's."""

    low: np.float32
    """Least and greatest transmission of luma anywhere."""
    high: np.float32
    chroma_low: np.float32
    """The same of chroma."""
    chroma_high: np.float32
    veil_low: np.float32
    """Least and greatest veil of luma anywhere, in levels."""
    veil_high: np.float32
    share_u: np.float32
    """How much U's veil changes with luma's."""
    share_v: np.float32


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
    source: Samples,
    target: Picture,
    y: int,
    held: Rows,
    at: int,
    down: np.float32,
    clear: Rows,
    k: int,
    ramp: Ramp,
    width: int,
    edges: Edges,
    to: Levels,
) -> None:
    """Recomposes one row of luma.

    Leaves for chroma to be fitted to: the unrounded result in `clear[k]`, and what depth edges changed, in
    `clear[k + 2]` about transmission and in `clear[k + 4]` about the veil.
    """
    over, under, up = at & 1, (at + 1) & 1, _ONE - down
    start = np.int32(y * DITHER_Y)
    line = target.y[y, target.left : target.left + width]
    low, high, veil_low, veil_high = edges.low, edges.high, edges.veil_low, edges.veil_high
    black, white, unshift, scale, reach_inside = to.black, to.white, to.unshift, to.scale, to.deband
    rounding = to.black_out + _HALF
    for x in range(width):
        transmission = up * held[over, 0, x] + down * held[under, 0, x]
        veil = up * held[over, 1, x] + down * held[under, 1, x]
        guide = up * held[over, 2, x] + down * held[under, 2, x]
        p = f32(source[y, x]) * unshift - black
        off = guide - p
        through = transmission - (up * held[over, 3, x] + down * held[under, 3, x]) * off
        through = min(max(through, low), high)
        added = veil - (up * held[over, 4, x] + down * held[under, 4, x]) * off
        added = min(max(added, veil_low), veil_high)
        gain = _ONE / through
        fade = min(gain - _ONE, _ONE)
        most = max(_ZERO, reach_inside - _HALF * abs(off))
        q = (p + min(max(off, -most), most) * fade - added) * gain
        q = min(max(q, min(_ZERO, p)), max(white, p))
        clear[k, x] = q
        clear[k + 2, x] = through - transmission
        clear[k + 4, x] = added - veil
        noise = f32(np.int32(ramp[x] + start)) * fade
        line[x] = np.int32(q * scale + rounding + noise * DITHER_UNIT)


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
    start, stop = target.chroma_left, target.chroma_left + width
    if target.interleaved:
        line = target.u[row, 2 * start : 2 * stop]
        for x in range(width):
            line[2 * x] = np.int32(work[0, x])
            line[2 * x + 1] = np.int32(work[1, x])
        return
    line, other = target.u[row, start:stop], target.v[row, start:stop]
    for x in range(width):
        line[x] = np.int32(work[0, x])
        other[x] = np.int32(work[1, x])


@compiled
def _shift(plane: Samples, row: int, left: int, width: int, bits: int) -> None:
    """Moves samples to the upper bits, where p010 keeps them."""
    line = plane[row, left : left + width]
    for x in range(width):
        line[x] <<= bits


@compiled
def _block_means(clear: Rows, rows: int, step: int, work: Rows, width: int, to: Levels) -> None:
    """Each block's means of recomposed luma, in units of white in [0, 1], and of what depth edges changed."""
    last = rows - 1
    quarter, half = f32(0.25), f32(0.5)
    for kind in range(3):
        share = _ONE / to.white if kind == 0 else _ONE
        low, high = (_ZERO, _ONE) if kind == 0 else (-_FAR, _FAR)
        one, two = 2 * kind, 2 * kind + last
        if step == 2:
            for x in range(width):
                total = clear[one, 2 * x] + clear[one, 2 * x + 1] + clear[two, 2 * x] + clear[two, 2 * x + 1]
                work[2 + kind, x] = min(max(total * quarter * share, low), high)
        else:
            for x in range(width):
                work[2 + kind, x] = min(max((clear[one, x] + clear[two, x]) * half * share, low), high)


@compiled
def _chroma_row(
    work: Rows, row: int, held: Rows, at: int, down: np.float32, ramp: Ramp, width: int, edges: Edges, to: Levels
) -> None:
    """Recomposes one row of U and V in place, ready to be truncated.

    Where luma and chroma together would leave RGB's range, chroma shrinks towards neutral until they fit: luma
    and hue hold. A picture that is nearly left alone keeps its colours even so: the rule comes in with the gain.
    """
    over, under, up = at & 1, (at + 1) & 1, _ONE - down
    start = np.int32(row * DITHER_Y)
    reach, reach_inside, scale = to.reach, to.deband, to.scale
    low, high, share_u, share_v = edges.chroma_low, edges.chroma_high, edges.share_u, edges.share_v
    rounding = to.neutral_out + _HALF
    for x in range(width):
        transmission = min(max(up * held[over, 0, x] + down * held[under, 0, x] + work[3, x], low), high)
        gain = _ONE / transmission
        fade = min(gain - _ONE, _ONE)
        pu, pv = work[0, x], work[1, x]
        off = up * held[over, 3, x] + down * held[under, 3, x] - pu
        most = max(_ZERO, reach_inside - _HALF * abs(off))
        veil = up * held[over, 1, x] + down * held[under, 1, x] + work[4, x] * share_u
        qu = (pu + min(max(off, -most), most) * fade - veil) * gain
        off = up * held[over, 4, x] + down * held[under, 4, x] - pv
        most = max(_ZERO, reach_inside - _HALF * abs(off))
        veil = up * held[over, 2, x] + down * held[under, 2, x] + work[4, x] * share_v
        qv = (pv + min(max(off, -most), most) * fade - veil) * gain

        red, blue = to.red * qv, to.blue * qu
        green = -to.green_u * qu - to.green_v * qv
        above = max(red, max(green, blue))
        below = -min(red, min(green, blue))
        room_above, room_below = _ONE - work[2, x], work[2, x]
        crowded_above = room_above * below < room_below * above
        room = room_above if crowded_above else room_below
        need = above if crowded_above else below
        fit = min(max(room / max(need, _TINY), SPARED_TO - SPARED_BY * gain), _ONE)
        qu = min(max(qu * fit, min(-reach, pu)), max(reach, pu))
        qv = min(max(qv * fit, min(-reach, pv)), max(reach, pv))

        noise = f32(np.int32(ramp[x] + start)) * fade * DITHER_UNIT + rounding
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
    scratch: tuple[Rows, Rows, Rows, Rows, Ramp],
    edges: Edges,
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
        scratch: Rows of the thread's own: luma's enlarged maps (2, LUMA_FIELDS, width + MARGIN), chroma's
            (2, CHROMA_FIELDS, chroma width + MARGIN), luma's result (6, width + MARGIN) and chroma's working
            rows (5, chroma width + MARGIN); and the dither's ramp (width,).
        edges: How maps follow the picture at depth edges.
        to: How samples are read and written.
    """
    held, held_chroma, clear, work, ramp = scratch
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
            _luma_row(source.y, target, y, held, at, down_luma.weight[y], clear, k, ramp, width, edges, to)
            clear[k, width] = clear[k, width - 1]
            clear[k + 2, width] = clear[k + 2, width - 1]
            clear[k + 4, width] = clear[k + 4, width - 1]
            if to.shift_out > 0:
                _shift(target.y, y, target.left, width, to.shift_out)
        if chroma_width == 0:
            continue
        r = block_row
        at_chroma = move_to(chroma, down_chroma.before[r], down_chroma.after[r], at_chroma, across_chroma, held_chroma)
        _load_chroma(source, r, work, chroma_width, to)
        _block_means(clear, count, block[0], work, chroma_width, to)
        _chroma_row(work, r, held_chroma, at_chroma, down_chroma.weight[r], ramp, chroma_width, edges, to)
        _store_chroma(work, target, r, chroma_width)
        if to.shift_out > 0:
            _shift(target.u, r, 2 * target.chroma_left, 2 * chroma_width, to.shift_out)
