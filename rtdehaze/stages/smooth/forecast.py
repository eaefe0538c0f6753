"""Where the maps are heading, and whether a new estimate bears out what was carried along."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Forecast", "Verdict"]

Array = NDArray[np.float32]

_CELL = 4
"""Samples of a map per cell of the coarse grid that innovations are judged on: noise averages out in a cell."""
_TREND_CELLS = 3
"""Side, in cells, of the window that a trend is taken from."""
_TREND_PACE = 0.15
"""The trend's time constant over the map's."""
_COMMON_PACE = 0.3
"""The same for the part that is common to the picture: what all of an estimate does at once may be flicker."""
_FASTEST = 1.0
"""Bounds the trend, in units of the maps per second."""
_FLAT = 0.03
"""Standard deviation of transmission in a neighbourhood (3 cells) up to which a wrong motion does no harm in it."""
_SUPPORT, _PERMIT = 2.5, 4.0
"""Innovation, in units of its usual size, up to which it counts as noise where motion is in doubt, and where not."""
_LEAST_SCALE = 0.004
"""Innovation that is always noise: one level of eight bits."""
_SCALE_PACE = 0.1
"""How far the usual size of an innovation moves with one frame."""


def _cells(plane: Array) -> Array:
    height, width = plane.shape
    size = (-(-width // _CELL), -(-height // _CELL))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _enlarged(cells: Array, height: int, width: int) -> Array:
    return np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _box(cells: Array, side: int) -> Array:
    return np.asarray(cv2.boxFilter(cells, -1, (side, side), borderType=cv2.BORDER_REPLICATE), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a new estimate says of the carried maps."""

    support: Array
    """(h, w), in [0, 1]: they may be kept although the pictures do not agree, being flat and borne out."""
    permit: Array
    """(h, w), in [0, 1]: they may be kept where the pictures agree; 0 where they are plainly wrong."""


class Forecast:
    """A trend of the maps per place of the picture, learnt from innovations (estimate less carried map).

    Who drives into fog sees everything come nearer: a surface's transmission rises as it is followed, and a mean
    along its motion lags behind. The lag shows as an innovation that stays; the trend takes it up (an alpha-beta
    filter, Kalata 1984, on a coarse grid), so that the mean is one about a moving value. The innovation's common
    part counts less: it may be flicker of the whole estimate, which is what is to be smoothed away.

    Args:
        seconds: Time constant of the maps, > 0.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._trend: list[Array] = []
        self._low: list[float] = []
        self._high: list[float] = []
        self._scale = 0.0

    def reset(self, maps: Array) -> None:
        """Starts from the first maps of a scene, (c, h, w)."""
        self._trend = [np.zeros_like(_cells(plane)) for plane in maps]
        self._low = [float(plane.min()) for plane in maps]
        self._high = [float(plane.max()) for plane in maps]
        self._scale = 0.0

    def advance(self, maps: Array, step: float) -> None:
        """Moves carried maps, (c, h, w), on by their trend, in place, over `step` seconds."""
        height, width = maps.shape[1:]
        step = min(step, self._seconds)
        for plane, trend, low, high in zip(maps, self._trend, self._low, self._high, strict=True):
            plane += _enlarged(trend * np.float32(step), height, width)
            np.clip(plane, low, high, out=plane)

    def judge(self, maps: Array, estimate: Array, step: float) -> Verdict:
        """Compares the maps, carried and moved on, with a new estimate, and learns from it.

        Args:
            maps: (c, h, w), transmission first.
            estimate: (c, h, w).
            step: Seconds since the last estimate.
        """
        height, width = maps.shape[1:]
        gain, common_gain = (
            np.float32((1.0 - math.exp(-step / (pace * self._seconds))) / self._seconds)
            for pace in (_TREND_PACE, _COMMON_PACE)
        )
        innovations = [_cells(new - plane) for plane, new in zip(maps, estimate, strict=True)]
        for index, (innovation, new) in enumerate(zip(innovations, estimate, strict=True)):
            common = np.float32(np.median(innovation))
            innovation -= common
            trend = self._trend[index] + gain * _box(innovation, _TREND_CELLS) + common_gain * common
            self._trend[index] = np.clip(trend, -_FASTEST, _FASTEST)
            self._low[index] = min(self._low[index], float(new.min()))
            self._high[index] = max(self._high[index], float(new.max()))
        size = np.abs(innovations[0])
        usual = 1.4826 * float(np.median(size))
        self._scale = usual if self._scale == 0.0 else self._scale + _SCALE_PACE * (usual - self._scale)
        size /= np.float32(max(self._scale, _LEAST_SCALE))
        support = _fading(size, _SUPPORT) * _flatness(_cells(maps[0]))
        return Verdict(_enlarged(support, height, width), _enlarged(_fading(size, _PERMIT), height, width))


def _fading(size: Array, full: float) -> Array:
    """1 up to `full`, falling to 0 at twice that."""
    return np.asarray(np.clip(2.0 - size / np.float32(full), 0.0, 1.0), dtype=np.float32)


def _flatness(cells: Array) -> Array:
    """1 where a map is flat, so that a wrong motion does no harm, 0 where it is not."""
    mean = _box(cells, 3)
    spread = np.asarray(np.sqrt(np.maximum(_box(cells * cells, 3) - mean * mean, 0.0)), dtype=np.float32)
    return _fading(spread, _FLAT)
