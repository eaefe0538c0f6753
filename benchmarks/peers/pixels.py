"""Smoothing pixels over time, the naive way against flicker: every plane a running mean of what came out before."""

from __future__ import annotations

import math

import cv2
import numpy as np

from rtdehaze.core.frame import Frame
from rtdehaze.pipeline.decision import Decision
from rtdehaze.pipeline.runner import FrameDehazer

__all__ = ["SmoothedPixels"]


class SmoothedPixels:
    """Averages the pictures of a dehazer that takes every frame by itself.

    It costs a pass over all samples in floats, and leaves ghosts behind whatever moves.

    Args:
        inside: The dehazer, its own smoothing off.
        seconds: Time constant.
    """

    def __init__(self, inside: FrameDehazer, seconds: float = 0.5) -> None:
        self._inside, self._seconds = inside, seconds
        self._means: list[np.ndarray] = []
        self._time = 0.0

    def decide(self, frame: Frame) -> Decision:
        """As the dehazer does."""
        return self._inside.decide(frame)

    def apply(self, frame: Frame, decision: Decision, out: Frame) -> None:
        """Writes the mean."""
        self._inside.apply(frame, decision, out)
        share = 1.0 - math.exp(-abs(frame.time - self._time) / self._seconds)
        self._time = frame.time
        if not self._means:
            self._means = [plane.samples.astype(np.float32) for plane in out.planes]
        for mean, plane in zip(self._means, out.planes, strict=True):
            cv2.accumulateWeighted(plane.samples, mean, share)
            plane.samples[:] = np.rint(mean)
