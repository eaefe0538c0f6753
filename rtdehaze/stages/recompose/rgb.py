"""The compiled loop of recomposition on arrays of RGB, for those who hold pictures rather than YUV frames."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import float32 as f32
from numpy.typing import NDArray

from rtdehaze.stages.recompose.rows import DITHER_UNIT, DITHER_X, DITHER_Y, Axis, Rows, compiled, move_to

__all__ = ["RGB_FIELDS", "Reading", "recompose_rgb_rows"]

RGB_FIELDS = 8
"""Maps that the loop needs, in order: transmission of luma and of chroma, then the veil and the guide of
each channel, in the order of the picture's channels."""

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
    """1 where the guide fills in between the picture's levels, 0 where there is no guide."""


@compiled
def _inside(level: np.float32, guide: np.float32, strength: np.float32) -> np.float32:
    """The level that the guide makes likely within the half level that rounding took away."""
    off = guide - level
    most = max(_ZERO, f32(0.75) - _HALF * abs(off)) * strength
    return level + min(max(off, -most), most)


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
def _rgb_row(work: Rows, y: int, held: Rows, down: np.float32, to: Reading) -> None:
    """Recomposes one row in place; chroma is what the channels are beyond luma, and shrinks as in `kernels`."""
    start = y * DITHER_Y
    of_a, of_b, of_c, deband = to.first, to.second, to.third, to.deband
    for x in range(work.shape[1]):
        transmission = held[0, 0, x] + down * held[2, 0, x]
        through = held[0, 1, x] + down * held[2, 1, x]
        gain = _ONE / transmission
        fade = min(max(gain - _ONE, _ZERO), _ONE)
        sure = fade * deband
        a = _inside(work[0, x], held[0, 5, x] + down * held[2, 5, x], sure)
        b = _inside(work[1, x], held[0, 6, x] + down * held[2, 6, x], sure)
        c = _inside(work[2, x], held[0, 7, x] + down * held[2, 7, x], sure)
        a -= held[0, 2, x] + down * held[2, 2, x]
        b -= held[0, 3, x] + down * held[2, 3, x]
        c -= held[0, 4, x] + down * held[2, 4, x]

        luma = of_a * a + of_b * b + of_c * c
        colour_gain = _ONE / through
        a, b, c = (a - luma) * colour_gain, (b - luma) * colour_gain, (c - luma) * colour_gain
        luma = min(max(luma * gain, _ZERO), _TOP)
        above, below = max(a, max(b, c)), -min(a, min(b, c))
        crowded_above = (_TOP - luma) * below < luma * above
        room = _TOP - luma if crowded_above else luma
        need = above if crowded_above else below
        fit = min(max(room / max(need, _TINY), min(through, _ONE)), _ONE)

        luma += f32(np.int32(x * DITHER_X + start)) * fade * DITHER_UNIT + _HALF
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
        held: Scratch of the thread's own, (3, RGB_FIELDS, W).
        work: More of it, (3, W).
        to: How the picture is to be read.
    """
    at = -1
    for y in range(rows[0], rows[1]):
        at = move_to(fields, down.before[y], down.after[y], at, across, held)
        _load(source, y, work)
        _rgb_row(work, y, held, down.weight[y], to)
        _store(work, target, y)
