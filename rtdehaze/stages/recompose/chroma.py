"""The compiled loops over a row of chroma: short ones, since LLVM gives up on loops that touch many rows.

They share a scratch of seven rows, `work`: U and V as read (0, 1) and as they will be written (5, 6); the mean of the
block's recomposed luma (2); what depth edges changed about transmission (3) and about the veil (4).
"""

from __future__ import annotations

import numpy as np
from numpy import float32 as f32

from rtdehaze.core.frame import Samples
from rtdehaze.stages.recompose.levels import Edges, Levels, Picture
from rtdehaze.stages.recompose.rows import SPARED_BY, SPARED_TO, Rows, compiled
from rtdehaze.stages.recompose.vectors import widest

__all__ = ["block_means", "clear_chroma", "clip_chroma", "load_chroma", "store_chroma"]

_HALF = f32(0.5)
_QUARTER = f32(0.25)
_ZERO = f32(0.0)
_ONE = f32(1.0)
_TINY = f32(1e-9)


@compiled
def load_chroma(source: Picture, row: int, work: Rows, width: int) -> None:
    """Reads one row of U and V."""
    widest()
    if source.interleaved:
        line = source.u[row]
        for x in range(width):
            work[0, x] = line[2 * x]
            work[1, x] = line[2 * x + 1]
        return
    line, other = source.u[row], source.v[row]
    for x in range(width):
        work[0, x] = line[x]
        work[1, x] = other[x]


@compiled
def store_chroma(work: Rows, line: Samples, other: Samples, interleaved: bool, width: int, to: Levels) -> None:
    """Writes one row of U and V that are already rounded upwards by what truncation takes away."""
    widest()
    top = to.top
    if interleaved:
        for x in range(width):
            line[2 * x] = min(max(np.int32(work[5, x]), np.int32(0)), top)
            line[2 * x + 1] = min(max(np.int32(work[6, x]), np.int32(0)), top)
        return
    for x in range(width):
        line[x] = min(max(np.int32(work[5, x]), np.int32(0)), top)
        other[x] = min(max(np.int32(work[6, x]), np.int32(0)), top)


@compiled
def block_means(
    one: Samples, two: Samples, edge: Rows, last: int, step: int, work: Rows, width: int, to: Levels
) -> None:
    """Each block's means of recomposed luma, in units of white in [0, 1], and of what depth edges changed.

    Args:
        one: The block's first row of luma as written.
        two: Its last.
        edge: What depth edges changed, as `clear_luma` leaves it.
        last: 1 where a block has two rows, else 0.
        step: Luma samples per block from left to right.
        work: Written.
        width: Blocks.
        to: How luma is stored.
    """
    widest()
    black, share = to.black, to.per_white / f32(2 * step)
    if step == 2:
        for x in range(one.shape[0] // 2):
            # Back to 32 bits: sums are of 64 otherwise, and half as many to a vector.
            total = np.int32(one[2 * x]) + np.int32(one[2 * x + 1]) + np.int32(two[2 * x]) + np.int32(two[2 * x + 1])
            work[2, x] = f32(np.int32(total))
        for kind in range(2):
            for x in range(one.shape[0] // 2):
                a, b = (
                    edge[2 * kind, 2 * x] + edge[2 * kind, 2 * x + 1],
                    edge[2 * kind + last, 2 * x] + edge[2 * kind + last, 2 * x + 1],
                )
                work[3 + kind, x] = (a + b) * _QUARTER
        if one.shape[0] & 1:
            end = one.shape[0] - 1
            work[2, width - 1] = f32(2 * (np.int32(one[end]) + np.int32(two[end])))
            work[3, width - 1] = (edge[0, end] + edge[last, end]) * _HALF
            work[4, width - 1] = (edge[2, end] + edge[2 + last, end]) * _HALF
    else:
        for x in range(width):
            work[2, x] = f32(np.int32(np.int32(one[x]) + np.int32(two[x])))
            work[3, x] = (edge[0, x] + edge[last, x]) * _HALF
            work[4, x] = (edge[2, x] + edge[2 + last, x]) * _HALF
    off = black * to.per_white
    for x in range(width):
        work[2, x] = min(max(work[2, x] * share - off, _ZERO), _ONE)


@compiled
def clear_chroma(
    work: Rows, held: Rows, slot: int, down: np.float32, noise: Rows, width: int, edges: Edges, to: Levels
) -> None:
    """Takes the haze off one row of U and V, ready to be truncated, not yet clipped to the nominal range.

    Where luma and chroma together would leave RGB's range, chroma shrinks towards neutral until they fit: luma
    and hue hold. With Y the luma, `above` and `below` the most that U and V add to and take from it before they
    are amplified, the gain is the least of 1 / t, (1 - Y) / above and Y / below: the last two are Y (1 - Y) over
    the greater of above Y and below (1 - Y). A picture that is nearly left alone keeps its colours even so: the
    rule comes in with the gain.
    """
    widest()
    low, high, share_u, share_v = edges.chroma_low, edges.chroma_high, edges.share_u, edges.share_v
    reach, per_gain, rounding = to.deband, to.per_gain, to.rounding_chroma
    of_red, of_blue, of_green_u, of_green_v = to.red, to.blue, to.green_u, to.green_v
    for x in range(width):
        through = min(max(held[slot, 0, x] + down * held[2, 0, x] + work[3, x], low), high)
        most = _ONE / through
        fade = min(most * per_gain - _ONE, _ONE)
        pu, pv = work[0, x], work[1, x]
        off_u = held[slot, 3, x] + down * held[2, 3, x] - pu
        off_v = held[slot, 4, x] + down * held[2, 4, x] - pv
        most_u, most_v = max(_ZERO, reach - _HALF * abs(off_u)), max(_ZERO, reach - _HALF * abs(off_v))
        added = work[4, x]
        veil_u = held[slot, 1, x] + down * held[2, 1, x] + added * share_u
        veil_v = held[slot, 2, x] + down * held[2, 2, x] + added * share_v
        pu += min(max(off_u, -most_u), most_u) * fade - veil_u
        pv += min(max(off_v, -most_v), most_v) * fade - veil_v
        luma = work[2, x]
        red, blue, green = of_red * pv, of_blue * pu, of_green_u * pu + of_green_v * pv
        above = max(red, max(green, blue)) * luma
        below = min(red, min(green, blue)) * (luma - _ONE)
        fitting = (luma - luma * luma) / max(max(above, below), _TINY)
        gain = max(min(most, fitting), most * min(SPARED_TO - SPARED_BY * (most * per_gain), _ONE))
        level = fade * noise[x] + rounding
        work[5, x] = pu * gain + level
        work[6, x] = pv * gain + level


@compiled
def clip_chroma(work: Rows, width: int, to: Levels) -> None:
    """Clips one row of U and V to the nominal range, or to where the input was beyond it."""
    low, high = f32(to.clip_chroma[0] >> to.shift_out), f32(to.clip_chroma[1] >> to.shift_out) + _HALF
    ratio, offset = to.ratio, to.offset_chroma
    for k in range(2):
        for x in range(width):
            level = work[k, x] * ratio + offset
            work[5 + k, x] = min(max(work[5 + k, x], min(level, low)), max(level, high))
