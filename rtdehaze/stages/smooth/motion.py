"""What moved between two thumbnails, and how far the later one bears it out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.stages.smooth.kernels import carry_maps

__all__ = ["Motion", "MotionEstimator", "View"]

Array = NDArray[np.float32]

_CONTRAST_WINDOW = 15
"""Side, in samples, of the window that contrast is evened out over: wider than texture, narrower than objects."""
_AGREEMENT_WINDOW = 5
"""Side, in samples, of the window that agreement is judged over: noise averages out, edges stay in place."""
_FLOOR = 2.0 / 255.0
"""Contrast (standard deviation) below which structure is taken for rounding, in units of the range."""
_SMALLEST_SIDE = 24
"""Samples: below this the pyramid of the flow has no room, and thumbnails are compared without motion."""
_FIRST_NOISE = 1.0 / 255.0
"""Noise (standard deviation) that is assumed before any was measured."""


@dataclass(frozen=True, slots=True)
class View:
    """A thumbnail made ready for comparison."""

    luma: Array
    """(h, w), in [0, 1]."""
    evened: Array
    """(h, w), luma less its local mean, divided by its local contrast."""
    contrast: Array
    """(h, w), > 0: local standard deviation of luma, noise taken out, floor added."""
    texture: NDArray[np.uint8]
    """(h, w), `evened` as the flow wants it."""


@dataclass(frozen=True, slots=True)
class Motion:
    """How a thumbnail follows from the one before."""

    flow: Array
    """(h, w, 2): where each sample came from, (u, v) in samples: `now[y, x]` is `before[y + v, x + u]`."""
    agreement: Array
    """(h, w), in [0, 1]: 1 where the two pictures agree within noise and local contrast."""


def _box(image: Array, side: int) -> Array:
    return np.asarray(cv2.boxFilter(image, -1, (side, side), borderType=cv2.BORDER_REPLICATE), dtype=np.float32)


def observe(thumbnail: Array, noise: float) -> View:
    """Evens out the contrast of a thumbnail: in fog everything looks alike until that is done.

    Args:
        thumbnail: (3, h, w) RGB in [0, 1].
        noise: Standard deviation of its noise.
    """
    luma = 0.299 * thumbnail[0] + 0.587 * thumbnail[1] + 0.114 * thumbnail[2]
    mean = _box(luma, _CONTRAST_WINDOW)
    residue = luma - mean
    variance = _box(residue * residue, _CONTRAST_WINDOW)
    contrast = np.sqrt(np.maximum(variance - noise * noise, 0.0) + (_FLOOR * _FLOOR + 4.0 * noise * noise))
    evened = residue / contrast
    texture = cv2.convertScaleAbs(evened, alpha=40.0, beta=128.0)
    return View(luma, evened, contrast, np.asarray(texture, dtype=np.uint8))


class MotionEstimator:
    """Dense motion between thumbnails by DIS optical flow (Kroeger et al. 2016), and the noise that is left."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self.noise = _FIRST_NOISE

    def observe(self, thumbnail: Array) -> View:
        """Makes a (3, h, w) RGB thumbnail ready for comparison."""
        return observe(thumbnail, self.noise)

    def between(self, before: View, now: View) -> Motion:
        """Returns the motion from one view to the next of the same size."""
        height, width = now.luma.shape
        if min(height, width) < _SMALLEST_SIDE:
            flow = np.zeros((height, width, 2), np.float32)
        else:
            # What is handed in is where the search starts.
            start = np.zeros((height, width, 2), np.float32)
            flow = np.asarray(self._flow.calc(now.texture, before.texture, start), dtype=np.float32)
        pair = np.dstack([before.luma, before.evened])
        carried = np.empty_like(pair)
        carry_maps(pair, flow, carried)
        return Motion(flow, self._agreement(now, carried))

    def _agreement(self, now: View, carried: Array) -> Array:
        difference = now.luma - carried[:, :, 0]
        exposure = float(np.median(difference[::4, ::4]))
        difference -= exposure
        self._learn_noise(difference)
        # Two noisy samples differ by twice the variance of one.
        expected = 2.0 * self.noise * self.noise
        structure = now.evened - carried[:, :, 1]
        scale = now.contrast * now.contrast
        unlike = _box(structure * structure + difference * difference / scale, _AGREEMENT_WINDOW)
        unlike -= 2.0 * expected / scale
        return np.asarray(np.clip(1.5 - 2.5 * unlike, 0.0, 1.0), dtype=np.float32)

    def _learn_noise(self, difference: Array) -> None:
        spread = float(np.median(np.abs(difference[::3, ::3]))) * 1.4826 / np.sqrt(2.0)
        self.noise += 0.1 * (min(spread, 0.1) - self.noise)
