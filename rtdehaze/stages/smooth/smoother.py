"""Smoothing of the haze over time: the map is smoothed, never the pixels."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import UsageError
from rtdehaze.core.haze import Haze, Removal
from rtdehaze.stages.smooth.airlight import AirlightSmoother
from rtdehaze.stages.smooth.cuts import CutDetector
from rtdehaze.stages.smooth.forecast import Forecast
from rtdehaze.stages.smooth.kernels import blend, locate, sharpen
from rtdehaze.stages.smooth.motion import Motion, MotionEstimator, View, carried

__all__ = ["HazeSmoother"]

Array = NDArray[np.float32]

_AIRLIGHT_RATIO = 4.0
"""The airlight's time constant over the map's: the air changes with the weather, not with the scene."""
_GAP = 5.0
"""Time constants after which nothing of the past counts: e**-5 is below 1 %."""
_MOST_FRAMES_PER_SECOND = 240.0
"""Bounds the evidence where timestamps stand still."""
_EDGE = 0.04
"""Difference over two samples of a map from which on its edges are carried along sharply."""


class HazeSmoother:
    """Steadies the haze of a clip: motion-compensated maps, slow airlight, a fresh start at cuts.

    Each sample of the maps is a running mean along the motion. Its weights fade with time (`exp(-age / seconds)`,
    age from timestamps, so that the frame rate does not matter) and are cut down where the picture, moved along,
    does not agree with the one before, relative to local contrast and noise; the idea of weighing the past by
    photometric agreement is Kim, Jang, Sim, Kim (2013), the motion is DIS optical flow (Kroeger et al. 2016).

    Args:
        seconds: Time constant of the maps; 0 returns every haze as it came.

    Raises:
        UsageError: `seconds` is negative or not finite.
    """

    def __init__(self, seconds: float = 0.5) -> None:
        _check(seconds)
        self._seconds = seconds
        self._airlight = AirlightSmoother(seconds, _AIRLIGHT_RATIO * seconds)
        self._motion = MotionEstimator()
        self._cuts = CutDetector()
        self._forecast = Forecast(seconds)
        self.cut = False
        """Whether the last picture dropped the scene before it: a cut, a gap, a jump in time or in size."""
        self.reset()

    @property
    def seconds(self) -> float:
        """Time constant of the maps; may be set between two pictures, and keeps what is known.

        Raises:
            UsageError: It is set to a number that is negative or not finite.
        """
        return self._seconds

    @seconds.setter
    def seconds(self, seconds: float) -> None:
        _check(seconds)
        self._seconds = seconds
        self._airlight.pace(seconds, _AIRLIGHT_RATIO * seconds)
        self._forecast.seconds = seconds
        if seconds == 0.0:
            # What was smoothed last would be taken for the frame before when smoothing comes back.
            self._start()

    def reset(self) -> None:
        """Forgets everything; the next haze is returned as it comes."""
        self._cuts.reset()
        self._start()

    def _start(self) -> None:
        self._view: View | None = None
        self._moved: tuple[Array, Array, Array] | None = None
        self._step = 0.0
        self._carried = 0.0
        self._last: Haze | None = None
        self._maps: Array | None = None
        self._evidence: Array | None = None
        self._density = 0.0
        self._density_frames = 0.0
        self._time = 0.0
        self._clock = 0.0
        self._airlight.reset()
        self.cut = False

    def update(self, haze: Haze, thumbnail: Array, time: float) -> Haze:
        """Takes the next frame, its haze known already: `follow` and `smooth` in one.

        Args:
            haze: As estimated; its maps may be of another size than the thumbnail.
            thumbnail: (3, h, w) float32 RGB in [0, 1], the picture that the haze was estimated on.
            time: Presentation time in seconds.

        Returns:
            The smoothed haze, its maps of the size of `haze`; the arrays are the caller's.
        """
        self.follow(thumbnail, time)
        return self.smooth(haze)

    def follow(self, thumbnail: Array, time: float) -> bool:
        """Takes the next picture, before its haze is estimated: what moved, and whether the scene is another one.

        What is known of the haze is moved along at once: that needs no estimate, and may be done beside one.

        Args:
            thumbnail: (3, h, w) float32 RGB in [0, 1].
            time: Presentation time in seconds.

        Returns:
            `cut`. False for the first picture of all: no scene came before it.
        """
        view = self._motion.observe(thumbnail)
        motion = self._since(view, time)
        step = max(0.0, time - self._time) if motion is not None else 0.0
        self._view, self._time, self._step = view, time, step
        self._moved = None
        if motion is not None and self._maps is not None and self._evidence is not None:
            self._moved = self._move(self._maps, self._evidence, motion)
        return self.cut

    def smooth(self, haze: Haze) -> Haze:
        """Takes the haze of the picture that was followed last.

        Args:
            haze: As estimated; its maps may be of another size than the thumbnail.

        Returns:
            The smoothed haze, its maps of the size of `haze`; the arrays are the caller's.
        """
        if self._seconds == 0.0:
            return haze
        maps = _stack(haze)
        if self._maps is not None and self._maps.shape != maps.shape:
            view, time = self._view, self._time
            self._start()
            self._view, self._time, self.cut = view, time, True
        step = self._step + self._carried
        self._clock += step
        smoothed = self._blend(maps)
        self._carried = 0.0
        airlight = self._airlight.update(haze.airlight, self._clock, step)
        self._density_frames = self._density_frames * math.exp(-step / self._seconds) + 1.0
        self._density += (haze.density - self._density) / self._density_frames
        self._last = _unstack(smoothed, haze, airlight, self._density)
        return self._last

    def carry(self) -> Haze | None:
        """Goes without an estimate of the picture that was followed last: moves what is known of its haze along.

        Returns:
            The haze, or None where nothing is known that could be moved along: the first picture, a cut, no smoothing.
        """
        if self._moved is None or self._last is None:
            return None
        maps, evidence, agreement = self._moved
        # Where the motion is in doubt, so is what was moved: the next estimate shall count the more.
        self._maps, self._evidence = maps, evidence * agreement
        self._carried += self._step
        return _unstack(maps, self._last, self._last.airlight, self._last.density)

    def _since(self, view: View, time: float) -> Motion | None:
        """Returns the motion since the last frame, or None where there is nothing to follow it from."""
        before = self._view
        if before is None:
            return None
        step = time - self._time
        # Timestamps jitter backwards by a frame or two in broken streams; farther back is another scene.
        known = before.texture.shape == view.texture.shape
        if known and -1.0 <= step <= max(1.0, _GAP * self._seconds):
            motion = self._motion.between(before, view)
            if not self._cuts.update(before, view, motion):
                self._motion.learn(motion)
                self.cut = False
                return motion
        self._start()
        self.cut = True
        return None

    def _blend(self, estimate: Array) -> Array:
        if self._moved is None:
            self._maps = estimate.copy()
            self._forecast.reset(self._maps)
            self._evidence = np.ones(estimate.shape[1:], np.float32)
            return self._maps
        maps, evidence, agreement = self._moved
        step = self._step + self._carried
        trust = self._forecast.judge(maps, estimate, agreement, step)
        decay = math.exp(-step / self._seconds)
        blend(maps, evidence, trust, decay, 1.0 + _MOST_FRAMES_PER_SECOND * self._seconds, estimate)
        self._maps, self._evidence = maps, evidence
        return maps

    def _move(self, before: Array, evidence: Array, motion: Motion) -> tuple[Array, Array, Array]:
        """Returns maps and evidence moved along the motion and on by their trend, and the pictures' agreement."""
        _, height, width = before.shape
        flow, agreement = (_enlarged(image, width, height) for image in (motion.flow, motion.agreement))
        rows, columns = motion.agreement.shape
        places, maps = np.empty_like(flow), np.empty_like(before)
        locate(flow, width / columns, height / rows, places)
        for plane, moved in zip(before, maps, strict=True):
            moved[:] = carried(plane, places)
            sharpen(plane, places, _EDGE, moved)
        self._forecast.advance(maps, self._step)
        # Counts of frames need no more than the nearest.
        return maps, carried(evidence, places, cv2.INTER_NEAREST), agreement


def _stack(haze: Haze) -> Array:
    """Returns every map of a haze as one (c, h, w) array."""
    if haze.removal is None:
        return np.ascontiguousarray(haze.transmission[np.newaxis], dtype=np.float32)
    removal = haze.removal
    return np.stack([haze.transmission, removal.luma, removal.chroma, *removal.veil]).astype(np.float32, copy=False)


def _unstack(maps: Array, haze: Haze, airlight: Array, density: float) -> Haze:
    own = maps.copy()
    removal = None if haze.removal is None else Removal(own[1], own[2], own[3:6])
    return Haze(own[0], airlight.copy(), density, removal)


def _enlarged(image: Array, width: int, height: int) -> Array:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _check(seconds: float) -> None:
    if not (math.isfinite(seconds) and seconds >= 0.0):
        raise UsageError(f"smoothing must be 0 s or longer, not {seconds} s")
