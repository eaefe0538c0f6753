"""Where the maps are heading, and whether a new estimate bears out what was carried along."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.stages.smooth.kernels import advance, confide
from rtdehaze.stages.smooth.motion import median

__all__ = ["Forecast"]

Array = NDArray[np.float32]

_CELL = 4
"""Samples of a map per cell of the coarse grid that innovations are judged on: noise averages out in a cell."""
_FINE_WINDOW = 3
"""Side, in samples, of the window that trust is judged over."""
_TREND_CELLS = 3
"""Side, in cells, of the window that a trend is taken from."""
_TREND_PACE = 1.0
"""The trend's time constant over the map's: faster rings (damping is half the root of it)."""
_TREND_MEMORY = 4.0
"""Time constant, over the map's, that the trend is forgotten with, so that no fault builds up in it."""
_COMMON_PACE = 4.0
"""The same for the part that is common to the picture: what all of an estimate does at once may be flicker."""
_BOLDEST = 0.1
"""Bounds how much of an innovation is taken for motion of the map in the first frames of a scene."""
_SHORTEST = 1e-4
"""Seconds below which a step says nothing about speed."""
_FASTEST = np.float32(0.5)
"""Bounds the trend, in units of the transmission per second. What is followed changes by dt = t * beta * v, which in
dense fog is little: an estimate that wavers there must not become a trend, or it swings the picture by its gain."""
_FLAT = 0.03
"""Standard deviation of transmission in a neighbourhood (3 cells) up to which a wrong motion does no harm in it."""
_SUPPORT, _PERMIT = 2.0, 3.0
"""Innovation, in units of its usual size, up to which it counts as noise where motion is in doubt, and where not."""
_LEAST_SCALE = 0.004
"""Innovation that is always noise: one level of eight bits."""
_SCALE_PACE = 0.1
"""How far the usual size of an innovation moves with one frame."""


def _cells(plane: Array) -> Array:
    height, width = plane.shape[:2]
    size = (-(-width // _CELL), -(-height // _CELL))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _enlarged(cells: Array, height: int, width: int) -> Array:
    return np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _box(cells: Array, side: int) -> Array:
    return np.asarray(cv2.boxFilter(cells, -1, (side, side), borderType=cv2.BORDER_REPLICATE), dtype=np.float32)


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
        self.seconds = seconds
        """As given; may be changed between two frames."""
        self._trend = np.zeros((0, 0, 0), np.float32)
        self._low, self._high = np.zeros((2, 0), np.float32)
        self._scale = 0.0
        self._elapsed = 0.0

    def reset(self, maps: Array) -> None:
        """Starts from the first maps of a scene, (c, h, w)."""
        count, height, width = maps.shape
        self._trend = np.zeros((count, -(-height // _CELL), -(-width // _CELL)), np.float32)
        self._low, self._high = maps.min(axis=(1, 2)), maps.max(axis=(1, 2))
        self._scale = 0.0
        self._elapsed = 0.0

    def advance(self, maps: Array, step: float) -> None:
        """Moves carried maps, (c, h, w), on by their trend, in place, over `step` seconds."""
        height, width = maps.shape[1:]
        step = min(step, self.seconds)
        for plane, trend, low, high in zip(maps, self._trend, self._low, self._high, strict=True):
            advance(plane, _enlarged(trend, height, width), step, low, high)

    def judge(self, maps: Array, estimate: Array, agreement: Array, step: float) -> Array:
        """Compares the maps, carried and moved on, with a new estimate, and learns from it.

        Args:
            maps: (c, h, w), transmission first.
            estimate: (c, h, w).
            agreement: (h, w), in [0, 1], of the pictures.
            step: Seconds since the last estimate.

        Returns:
            The trust that the carried maps deserve, (h, w), in [0, 1]: the agreement, but 0 where they are plainly
            wrong, and up to 1 where they are flat and borne out by the estimate, so that a wrong motion does no harm.
        """
        self._elapsed += step
        gain, common_gain = self._gain(step, _TREND_PACE), self._gain(step, _COMMON_PACE)
        leak = np.float32(math.exp(-step / (_TREND_MEMORY * self.seconds)))
        trust = self._trust(maps[0], estimate[0], agreement)
        # Where nothing is kept nothing lags: an edge that the motion missed must not become a trend.
        innovations = (estimate - maps) * trust
        bound = _FASTEST * _cells(maps[0])
        for plane, trend in zip(innovations, self._trend, strict=True):
            innovation = _cells(plane)
            common = median(innovation)
            risen = leak * trend + gain * _box(innovation - common, _TREND_CELLS) + common_gain * common
            np.minimum(np.maximum(risen, -bound), bound, out=trend)
        np.minimum(self._low, estimate.min(axis=(1, 2)), out=self._low)
        np.maximum(self._high, estimate.max(axis=(1, 2)), out=self._high)
        return trust

    def _gain(self, step: float, pace: float) -> np.float32:
        """Change of the trend, per second, for an innovation of 1."""
        if step < _SHORTEST:
            return np.float32(0.0)
        steady = (1.0 - math.exp(-step / (pace * self.seconds))) / self.seconds
        growing = min(6.0 * step / self._elapsed**2, _BOLDEST / step)
        return np.float32(max(steady, growing))

    def _trust(self, transmission: Array, estimate: Array, agreement: Array) -> Array:
        # Not on the coarse grid: a pole may be one sample wide.
        innovation = _box(estimate - transmission, _FINE_WINDOW)
        sample = innovation[::4, ::4]
        common = median(sample)
        usual = 1.4826 * float(median(np.abs(sample - common)))
        self._scale = usual if self._scale == 0.0 else self._scale + _SCALE_PACE * (usual - self._scale)
        trust = _enlarged(_flatness(_cells(transmission)), *transmission.shape)
        confide(innovation, float(common), agreement, max(self._scale, _LEAST_SCALE), _SUPPORT, _PERMIT, trust)
        return trust


def _flatness(cells: Array) -> Array:
    """1 where a map is flat, so that a wrong motion does no harm, 0 where it is not."""
    mean = _box(cells, 3)
    spread = np.sqrt(np.maximum(_box(cells * cells, 3) - mean * mean, 0.0))
    flatness: Array = np.minimum(np.maximum(np.float32(2.0) - spread / np.float32(_FLAT), 0.0), 1.0)
    return flatness
