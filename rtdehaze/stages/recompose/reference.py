"""Recomposition as the mathematics says it: float planes, no rounding, no clipping; what the loops are held to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.colour import Colour, rgb_to_levels
from rtdehaze.core.haze import Removal
from rtdehaze.stages.recompose.fields import axis
from rtdehaze.stages.recompose.rows import Axis

__all__ = ["enlarge", "recompose_planes"]

Real = NDArray[np.floating]


def enlarge(maps: Real, across: Axis, down: Axis) -> NDArray[np.float64]:
    """Enlarges maps (..., h, w) bilinearly to the sites of two axes."""
    wide = _between(maps.astype(np.float64), across)
    return np.ascontiguousarray(_between(wide.swapaxes(-1, -2), down).swapaxes(-1, -2))


def recompose_planes(
    planes: Sequence[Real], removal: Removal, colour: Colour, bits: int = 8, step: tuple[int, int] = (1, 1)
) -> list[NDArray[np.float64]]:
    """Takes the haze out of float planes: J = (I - veil) / t, plane by plane, in levels.

    The haze model I = J * t + A * (1 - t) (Koschmieder 1924) holds in YUV as it does in RGB, because one is an
    affine map of the other and t is one number per pixel: (levels - offset) is linear in RGB.

    Args:
        planes: Y, or Y, U and V, (rows, width), in levels of `bits` bits.
        removal: The maps; the guide is not used.
        colour: How the levels are to be read.
        bits: Significant bits of a level.
        step: Luma samples per chroma sample, horizontally and vertically.

    Returns:
        The planes of the clear picture in the same levels.
    """
    matrix, offset = rgb_to_levels(colour, bits)
    veil = np.tensordot(matrix, removal.veil.astype(np.float64), axes=1)
    height, width = planes[0].shape
    map_height, map_width = removal.luma.shape
    clear = []
    for number, plane in enumerate(planes):
        reach_x, reach_y = (1, 1) if number == 0 else step
        across = axis(width, plane.shape[1], reach_x, map_width)
        down = axis(height, plane.shape[0], reach_y, map_height)
        transmission = enlarge(removal.luma if number == 0 else removal.chroma, across, down)
        haze = enlarge(veil[number], across, down)
        clear.append((plane - offset[number] - haze) / transmission + offset[number])
    return clear


def _between(maps: NDArray[np.float64], along: Axis) -> NDArray[np.float64]:
    before = maps[..., along.before]
    return before + along.weight[: along.before.size] * (maps[..., along.after] - before)
