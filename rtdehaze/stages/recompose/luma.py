"""The compiled loops over a row of luma, and what rows of luma and chroma have in common."""

from __future__ import annotations

import numpy as np
from numpy import float32 as f32

from rtdehaze.core.frame import Samples
from rtdehaze.stages.recompose.levels import Edges, Levels
from rtdehaze.stages.recompose.rows import Rows, compiled
from rtdehaze.stages.recompose.vectors import widest

__all__ = ["clear_luma", "clip", "clip_between", "shift"]

_HALF = f32(0.5)
_ZERO = f32(0.0)
_ONE = f32(1.0)


@compiled
def clear_luma(
    row: Samples,
    line: Samples,
    held: Rows,
    slot: int,
    down: np.float32,
    edge: Rows,
    k: int,
    noise: Rows,
    edges: Edges,
    to: Levels,
) -> None:
    """Recomposes one row of luma, from `row` into `line`, not yet clipped to the nominal range.

    Leaves in `edge[k]` and `edge[k + 2]` what depth edges changed about transmission and about the veil.
    """
    widest()
    low, high, veil_low, veil_high = edges.low, edges.high, edges.veil_low, edges.veil_high
    reach, per_gain, rounding, top = to.deband, to.per_gain, to.rounding, to.top
    for x in range(line.shape[0]):
        p = f32(row[x])
        off = held[slot, 2, x] + down * held[2, 2, x] - p
        transmission = held[slot, 0, x] + down * held[2, 0, x]
        through = transmission - (held[slot, 3, x] + down * held[2, 3, x]) * off
        through = min(max(through, low), high)
        veil = held[slot, 1, x] + down * held[2, 1, x]
        added = veil - (held[slot, 4, x] + down * held[2, 4, x]) * off
        added = min(max(added, veil_low), veil_high)
        edge[k, x] = through - transmission
        edge[k + 2, x] = added - veil
        gain = _ONE / through
        fade = min(gain * per_gain - _ONE, _ONE)
        most = max(_ZERO, reach - _HALF * abs(off))
        inside = p + min(max(off, -most), most) * fade
        level = np.int32((inside - added) * gain + (fade * noise[x] + rounding))
        line[x] = min(max(level, np.int32(0)), top)


@compiled
def clip(line: Samples, row: Samples, nominal: Samples) -> None:
    """Clips samples to the nominal range, or to where the input was beyond it."""
    widest()
    low, high = nominal[0], nominal[1]
    for x in range(line.shape[0]):
        line[x] = min(max(line[x], min(row[x], low)), max(row[x], high))


@compiled
def clip_between(line: Samples, row: Samples, nominal: Samples, to: Levels) -> None:
    """The same where samples are stored otherwise in the input; before they are shifted."""
    low, high = np.int32(nominal[0] >> to.shift_out), np.int32(nominal[1] >> to.shift_out)
    ratio, offset = to.ratio, to.offset
    for x in range(line.shape[0]):
        level = np.int32(f32(row[x]) * ratio + offset)
        line[x] = min(max(np.int32(line[x]), min(level, low)), max(level, high))


@compiled
def shift(line: Samples, bits: int) -> None:
    """Moves samples to the upper bits, where p010 keeps them."""
    for x in range(line.shape[0]):
        line[x] <<= bits
