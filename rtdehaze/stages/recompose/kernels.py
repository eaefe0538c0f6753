"""The compiled loops of recomposition: from the planes of one frame into those of another.

One pass over the frame, a block row at a time (the luma rows that share a row of chroma): the maps, already
enlarged in x, are interpolated in y, the haze is taken off, and the samples are rounded with a dither. In numbers
of the loops, `p` is the input's sample, `q` the output's, both relative to black or to neutral chroma.
"""

from __future__ import annotations

import numpy as np
from numpy import float32 as f32

from rtdehaze.core.frame import Samples
from rtdehaze.stages.recompose.chroma import (
    block_means,
    chroma_gain,
    clear_chroma,
    fit_chroma,
    load_chroma,
    store_chroma,
)
from rtdehaze.stages.recompose.levels import Edges, Levels, Picture
from rtdehaze.stages.recompose.rows import DITHER_UNIT, DITHER_Y, Axis, Ramp, Rows, compiled, move_to

__all__ = ["recompose_rows"]

_HALF = f32(0.5)
_ZERO = f32(0.0)
_ONE = f32(1.0)


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
def _shift(plane: Samples, row: int, left: int, width: int, bits: int) -> None:
    """Moves samples to the upper bits, where p010 keeps them."""
    line = plane[row, left : left + width]
    for x in range(width):
        line[x] <<= bits


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
            rows (8, chroma width + MARGIN); and the dither's ramp (width,).
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
        load_chroma(source, r, work, chroma_width, to)
        block_means(clear, count, block[0], work, chroma_width, to)
        share_down = down_chroma.weight[r]
        chroma_gain(work, held_chroma, at_chroma, share_down, chroma_width, edges)
        clear_chroma(work, 0, edges.share_u, held_chroma, at_chroma, share_down, chroma_width, to)
        clear_chroma(work, 1, edges.share_v, held_chroma, at_chroma, share_down, chroma_width, to)
        fit_chroma(work, r, ramp, chroma_width, to)
        store_chroma(work, target, r, chroma_width)
        if to.shift_out > 0:
            _shift(target.u, r, 2 * target.chroma_left, 2 * chroma_width, to.shift_out)
