"""The compiled loops over a row of chroma: short ones, since LLVM gives up on loops that touch many rows.

They share a scratch of eight rows, `work`: U and V as read, and in the end as written (0, 1); the mean of the block's
recomposed luma (2); what depth edges changed about transmission (3) and about the veil (4); the gain (5); U and V
without haze, not yet clipped (6, 7).
"""

from __future__ import annotations

import numpy as np
from numpy import float32 as f32

from rtdehaze.stages.recompose.levels import Edges, Levels, Picture
from rtdehaze.stages.recompose.rows import DITHER_UNIT, DITHER_Y, SPARED_BY, SPARED_TO, Ramp, Rows, compiled

__all__ = ["block_means", "chroma_gain", "clear_chroma", "fit_chroma", "load_chroma", "store_chroma"]

_HALF = f32(0.5)
_ZERO = f32(0.0)
_ONE = f32(1.0)
_TINY = f32(1e-6)
_FAR = f32(1e9)


@compiled
def load_chroma(source: Picture, row: int, work: Rows, width: int, to: Levels) -> None:
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
def store_chroma(work: Rows, target: Picture, row: int, width: int) -> None:
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
def block_means(clear: Rows, rows: int, step: int, work: Rows, width: int, to: Levels) -> None:
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
def chroma_gain(work: Rows, held: Rows, at: int, down: np.float32, width: int, edges: Edges) -> None:
    """The gain of one row of chroma, into `work[5]`."""
    over, under, up = at & 1, (at + 1) & 1, _ONE - down
    low, high = edges.chroma_low, edges.chroma_high
    for x in range(width):
        work[5, x] = _ONE / min(max(up * held[over, 0, x] + down * held[under, 0, x] + work[3, x], low), high)


@compiled
def clear_chroma(
    work: Rows, k: int, share: np.float32, held: Rows, at: int, down: np.float32, width: int, to: Levels
) -> None:
    """Takes the haze off one row of U (`k` 0) or V (1): from `work[k]` into `work[6 + k]`, not yet clipped."""
    over, under, up = at & 1, (at + 1) & 1, _ONE - down
    reach_inside = to.deband
    for x in range(width):
        p, gain = work[k, x], work[5, x]
        off = up * held[over, 3 + k, x] + down * held[under, 3 + k, x] - p
        most = max(_ZERO, reach_inside - _HALF * abs(off))
        veil = up * held[over, 1 + k, x] + down * held[under, 1 + k, x] + work[4, x] * share
        work[6 + k, x] = (p + min(max(off, -most), most) * min(gain - _ONE, _ONE) - veil) * gain


@compiled
def fit_chroma(work: Rows, row: int, ramp: Ramp, width: int, to: Levels) -> None:
    """Clips one row of U and V, from `work[6]` and `[7]` into `work[0]` and `[1]`, ready to be truncated.

    Where luma and chroma together would leave RGB's range, chroma shrinks towards neutral until they fit: luma
    and hue hold. A picture that is nearly left alone keeps its colours even so: the rule comes in with the gain.
    """
    start = np.int32(row * DITHER_Y)
    reach, scale, rounding = to.reach, to.scale, to.neutral_out + _HALF
    of_red, of_blue, of_green_u, of_green_v = to.red, to.blue, to.green_u, to.green_v
    for x in range(width):
        qu, qv, gain = work[6, x], work[7, x], work[5, x]
        red, blue = of_red * qv, of_blue * qu
        green = -of_green_u * qu - of_green_v * qv
        above = max(red, max(green, blue))
        below = -min(red, min(green, blue))
        room_above, room_below = _ONE - work[2, x], work[2, x]
        crowded_above = room_above * below < room_below * above
        room = room_above if crowded_above else room_below
        need = above if crowded_above else below
        fit = min(max(room / max(need, _TINY), SPARED_TO - SPARED_BY * gain), _ONE)
        pu, pv = work[0, x], work[1, x]
        qu = min(max(qu * fit, min(-reach, pu)), max(reach, pu))
        qv = min(max(qv * fit, min(-reach, pv)), max(reach, pv))
        noise = f32(np.int32(ramp[x] + start)) * min(gain - _ONE, _ONE) * DITHER_UNIT + rounding
        work[0, x] = qu * scale + noise
        work[1, x] = qv * scale + noise
