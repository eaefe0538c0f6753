"""The compiled loop of recomposition on arrays of RGB, for those who hold pictures rather than YUV frames."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import float32 as f32
from numpy.typing import NDArray

from rtdehaze.stages.recompose.rows import (
    SPARED_BY,
    SPARED_TO,
    Axis,
    Ramp,
    Rows,
    compiled,
    move_to,
)
from rtdehaze.stages.recompose.vectors import widest

__all__ = ["RGB_FIELDS", "Reading", "recompose_rgb_rows"]

RGB_FIELDS = 10
"""Maps that the loop needs, in order: transmission of luma and of chroma, the veil and the guide of each channel, in
the order of the picture's channels, and the slopes over luma of transmission and of the veil's luma."""

_HALF = f32(0.5)
_ZERO = f32(0.0)
_ONE = f32(1.0)
_TOP = f32(255.0)
_TINY = f32(1e-3)


class Reading(NamedTuple):
    """How a picture is to be read."""

    first: np.float32
    """Weight of the first channel in luma."""
    second: np.float32
    third: np.float32
    deband: np.float32
    """`DEBAND` where there is a guide to fill in between the picture's levels, far below 0 where there is none."""
    low: np.float32
    """Least and greatest transmission of luma anywhere."""
    high: np.float32
    chroma_low: np.float32
    """The same of chroma."""
    chroma_high: np.float32
    veil_low: np.float32
    """Least and greatest luma of the veil anywhere, in levels."""
    veil_high: np.float32
    share_a: np.float32
    """How much the first channel's veil changes with the veil's luma."""
    share_b: np.float32
    share_c: np.float32


@compiled
def _inside(level: np.float32, guide: np.float32, reach: np.float32, fade: np.float32) -> np.float32:
    """The level that the guide makes likely within the half level that rounding took away."""
    off = guide - level
    most = max(_ZERO, reach - _HALF * abs(off))
    return level + min(max(off, -most), most) * fade


@compiled
def _load(source: NDArray[np.uint8], y: int, work: Rows) -> None:
    """Takes a row's channels apart."""
    for x in range(source.shape[1]):
        work[0, x] = source[y, x, 0]
        work[1, x] = source[y, x, 1]
        work[2, x] = source[y, x, 2]


@compiled
def _store(work: Rows, target: NDArray[np.uint8], y: int) -> None:
    """Puts a row's channels together, already rounded upwards by what truncation takes away."""
    for x in range(target.shape[1]):
        target[y, x, 0] = np.int32(work[0, x])
        target[y, x, 1] = np.int32(work[1, x])
        target[y, x, 2] = np.int32(work[2, x])


@compiled
def _between(held: Rows, at: int, down: np.float32, width: int, now: Rows) -> None:
    """Interpolates every map between the two rows that are held."""
    widest()
    over = at & 1
    for field in range(now.shape[0]):
        for x in range(width):
            now[field, x] = held[over, field, x] + down * held[2, field, x]


@compiled
def _rgb_row(work: Rows, now: Rows, noise: Rows, width: int, to: Reading) -> None:
    """Recomposes one row in place; chroma is what the channels are beyond luma, and shrinks as in `kernels`."""
    widest()
    of_a, of_b, of_c, deband = to.first, to.second, to.third, to.deband
    low, high, chroma_low, chroma_high = to.low, to.high, to.chroma_low, to.chroma_high
    veil_low, veil_high = to.veil_low, to.veil_high
    share_a, share_b, share_c = to.share_a, to.share_b, to.share_c
    for x in range(width):
        transmission = now[0, x]
        guide_a = now[5, x]
        guide_b = now[6, x]
        guide_c = now[7, x]
        a, b, c = work[0, x], work[1, x], work[2, x]
        beyond = of_a * (a - guide_a) + of_b * (b - guide_b) + of_c * (c - guide_c)
        edge = min(max(transmission + now[8, x] * beyond, low), high) - transmission
        veil = of_a * now[2, x] + of_b * now[3, x] + of_c * now[4, x]
        added = min(max(veil + now[9, x] * beyond, veil_low), veil_high) - veil
        through = min(max(now[1, x] + edge, chroma_low), chroma_high)
        gain = _ONE / (transmission + edge)
        fade = min(gain - _ONE, _ONE)
        a = _inside(a, guide_a, deband, fade) - now[2, x] - added * share_a
        b = _inside(b, guide_b, deband, fade) - now[3, x] - added * share_b
        c = _inside(c, guide_c, deband, fade) - now[4, x] - added * share_c

        luma = of_a * a + of_b * b + of_c * c
        colour_gain = _ONE / through
        a, b, c = (a - luma) * colour_gain, (b - luma) * colour_gain, (c - luma) * colour_gain
        luma = min(max(luma * gain, _ZERO), _TOP)
        above, below = max(a, max(b, c)), -min(a, min(b, c))
        crowded_above = (_TOP - luma) * below < luma * above
        room = _TOP - luma if crowded_above else luma
        need = above if crowded_above else below
        fit = min(max(room / max(need, _TINY), SPARED_TO - SPARED_BY * gain), _ONE)

        luma += noise[x] * fade + _HALF
        work[0, x] = min(max(luma + a * fit, _ZERO), _TOP)
        work[1, x] = min(max(luma + b * fit, _ZERO), _TOP)
        work[2, x] = min(max(luma + c * fit, _ZERO), _TOP)


@compiled
def recompose_rgb_rows(
    source: NDArray[np.uint8],
    target: NDArray[np.uint8],
    fields: Rows,
    across: Axis,
    down: Axis,
    rows: tuple[int, int],
    held: Rows,
    work: Rows,
    noise: Rows,
    shifts: Ramp,
    to: Reading,
) -> None:
    """Recomposes some rows of a picture.

    Args:
        source: (H, W, 3), C-contiguous; read.
        target: (H, W, 3), C-contiguous; written.
        fields: (RGB_FIELDS, h, w) maps, in levels.
        across: Horizontal axis.
        down: Vertical axis.
        rows: First row and the one after the last.
        held: Scratch of the thread's own, (4, RGB_FIELDS, W + MARGIN).
        work: More of it, (3, W).
        noise: The dither, as `dither_ramp` makes it.
        shifts: Where in it rows begin.
        to: How the picture is to be read.
    """
    at = -1
    for y in range(rows[0], rows[1]):
        at = move_to(fields, down.before[y], down.after[y], at, across, held)
        _load(source, y, work)
        _between(held, at, down.weight[y], source.shape[1], held[3])
        _rgb_row(work, held[3], noise[shifts[y] :], source.shape[1], to)
        _store(work, target, y)
