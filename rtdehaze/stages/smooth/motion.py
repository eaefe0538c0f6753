"""What moved between two thumbnails, and how far the later one bears it out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.stages.smooth.kernels import agree, even_out, half_luma, unlikeness

__all__ = ["Motion", "MotionEstimator", "View", "carried", "grid", "median"]

Array = NDArray[np.float32]

_CONTRAST_WINDOW = 7
"""Side, in samples, of the window that contrast is evened out over: wider than texture, narrower than objects."""
_AGREEMENT_WINDOW = 3
"""Side, in samples, of the window that agreement is judged over: noise averages out, edges stay in place."""
_FULL_AGREEMENT, _NO_AGREEMENT = 0.2, 0.6
"""Squared difference over squared local contrast, noise taken out; unrelated texture has about 2."""
_FLOOR = 2.0 / 255.0
"""Contrast (standard deviation) below which structure is taken for rounding, in units of the range."""
_FINEST = 1
"""Level of the pyramid that the flow is found on: 64 samples wide; the next costs three times as much."""
_STRIDE = 5
"""Samples of that level from one patch of the flow to the next: 4 took half as long again and moved t by nothing."""
_SMALLEST_SIDE = 16
"""Samples: below this the pyramid of the flow has no room, and thumbnails are compared without motion."""
_FIRST_NOISE = 1.0 / 255.0
"""Noise (standard deviation) that is assumed before any was measured."""
_MOST_NOISE = 0.1
"""Noise (standard deviation) beyond which it is a mistake of the motion."""
_NOISE_FRAMES = 10
"""Frames that the noise estimate is a running mean of: sensors change slowly, one frame may mislead."""
_LEAST_SIGNAL = 0.1
"""Share of an evened picture's power that is always taken for structure."""
_CELL = 2
"""Side, in samples, of the cells that likeness is taken over: a sixteenth of white noise's power is left in them."""
_LAYOUT = (8, 8)
"""Columns and rows of the parts that are compared where there is no structure."""
_LEAST_POWER = 0.08
"""Mean square of an evened picture's cells below which there may be nothing but noise; scenes have 0.1 to 0.5."""


@dataclass(frozen=True, slots=True)
class View:
    """A thumbnail made ready for comparison, at half its size: as good on t and on the motion, at half the time."""

    luma: Array
    """(h, w), in [0, 1]."""
    evened: Array
    """(h, w), luma less its local mean, divided by its local contrast."""
    squared: Array
    """(h, w), > 0: squared local contrast of luma, noise taken out, floor added."""
    texture: NDArray[np.uint8]
    """(h, w), `evened` as the flow wants it."""
    layout: Array
    """(3, 8, 8), mean RGB of the picture's parts."""


@dataclass(frozen=True, slots=True)
class Motion:
    """How a thumbnail follows from the one before."""

    flow: Array
    """(h, w, 2), of the views: where each sample came from, (u, v): `now[y, x]` is `before[y + v, x + u]`."""
    agreement: Array
    """(h, w), in [0, 1]: 1 where the two pictures agree within noise and local contrast."""
    noise: float
    """Standard deviation of the noise of one thumbnail, as far as the two tell."""
    likeness: float | None
    """Correlation of the two evened pictures, moved along and noise taken out: about 1 in one scene, below 0.4
    across a cut. None where one is too flat to tell."""


@lru_cache(maxsize=8)
def grid(height: int, width: int) -> Array:
    """Returns the places of the samples themselves, (h, w, 2) absolute (x, y); not to be written to."""
    rows, columns = np.indices((height, width), dtype=np.float32)
    places = np.dstack([columns, rows])
    places.flags.writeable = False
    return places


def carried(plane: Array, places: Array, interpolation: int = cv2.INTER_LINEAR) -> Array:
    """Samples a (h, w) plane at `places`, (h, w, 2) absolute (x, y), bilinearly if not told, repeating its border."""
    # OpenCV's own stub forbids the None that its documentation asks for; an empty map instead gives garbage.
    moved = cv2.remap(plane, places, None, interpolation, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(moved, dtype=np.float32)


def median(samples: Array) -> np.float32:
    """Returns the (upper) median; NumPy's own spends five times as long on samples this few."""
    flat = samples.flatten()
    flat.partition(flat.size // 2)
    return np.float32(flat[flat.size // 2])


def _reduced(image: Array, factor: int) -> Array:
    """Averages a (h, w) or (h, w, c) image over squares of `factor` samples a side."""
    size = (-(-image.shape[1] // factor), -(-image.shape[0] // factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _layout(thumbnail: Array) -> Array:
    columns, rows = _LAYOUT
    # A sixteenth of the samples is enough for the mean of a part.
    step = 4 if min(thumbnail.shape[1:]) >= 4 * max(_LAYOUT) else 1
    some = thumbnail[:, step // 2 :: step, step // 2 :: step]
    stacked = some.reshape(-1, some.shape[2])
    parts = cv2.resize(stacked, (columns, 3 * rows), interpolation=cv2.INTER_AREA)
    return np.asarray(parts, dtype=np.float32).reshape(3, rows, columns)


def _mean_product(one: Array, other: Array) -> float:
    return float(np.vdot(one, other)) / one.size


def _box(image: Array, side: int) -> Array:
    return np.asarray(cv2.boxFilter(image, -1, (side, side), borderType=cv2.BORDER_REPLICATE), dtype=np.float32)


class MotionEstimator:
    """Dense motion between thumbnails by DIS optical flow (Kroeger et al. 2016), and the noise that is left."""

    def __init__(self) -> None:
        # The finer presets cost two to ten times as much and measured no better on t.
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._flow.setFinestScale(_FINEST)
        self._flow.setPatchStride(_STRIDE)
        # What is compared has been evened out already.
        self._flow.setUseMeanNormalization(False)
        self._noise = _FIRST_NOISE
        self._frames = 0

    def observe(self, thumbnail: Array) -> View:
        """Evens out the contrast of a (3, h, w) RGB thumbnail: in fog everything looks alike until that is done."""
        luma = np.empty([-(-side // 2) for side in thumbnail.shape[1:]], np.float32)
        half_luma(thumbnail, luma)
        residue = luma - _box(luma, _CONTRAST_WINDOW)
        squared = _box(residue * residue, _CONTRAST_WINDOW)
        evened, texture = np.empty_like(luma), np.empty(luma.shape, np.uint8)
        even_out(residue, squared, self._noise, _FLOOR, evened, texture)
        return View(luma, evened, squared, texture, _layout(thumbnail))

    def between(self, before: View, now: View) -> Motion:
        """Returns the motion from one view to the next of the same size."""
        flow = self.flow(before.texture, now.texture)
        places = flow + grid(*now.luma.shape)
        difference = now.luma - carried(before.luma, places)
        # A change of exposure is no change of scene.
        difference -= median(difference[::2, ::2])
        # The median absolute deviation is blind to what does not match; the difference of two noisy samples.
        spread = float(median(np.abs(difference[::2, ::2]))) * 1.4826 / math.sqrt(2.0)
        unlike = np.empty_like(difference)
        evened = carried(before.evened, places)
        inverse = unlikeness(difference, now.evened, evened, now.squared, unlike)
        unlike = _box(unlike, _AGREEMENT_WINDOW)
        agree(unlike, now.squared, flow, self._noise, _FULL_AGREEMENT, _NO_AGREEMENT)
        return Motion(
            flow, unlike, spread, self._likeness(_reduced(now.evened, _CELL), _reduced(evened, _CELL), inverse)
        )

    def _likeness(self, now: Array, before: Array, inverse: float) -> float | None:
        noise = self._noise * self._noise * inverse / (_CELL * _CELL)
        # Never below a part of what is there: where noise is all, its estimate must not make structure of it.
        ours, theirs = (
            max(power - noise, _LEAST_SIGNAL * power) for power in (_mean_product(x, x) for x in (now, before))
        )
        if min(ours, theirs) < _LEAST_POWER:
            return None
        return _mean_product(now, before) / math.sqrt(ours * theirs)

    def flow(self, before: NDArray[np.uint8], now: NDArray[np.uint8]) -> Array:
        """Returns where each sample of `now` came from, (h, w, 2), in samples."""
        # What is handed in is where the search starts.
        flow = np.zeros((*now.shape, 2), np.float32)
        if min(now.shape) < _SMALLEST_SIDE:
            return flow
        return np.asarray(self._flow.calc(now, before, flow), dtype=np.float32)

    def learn(self, motion: Motion) -> None:
        """Takes a motion's noise into account from now on; not to be called across a cut."""
        self._frames = min(self._frames + 1, _NOISE_FRAMES)
        self._noise += (min(motion.noise, _MOST_NOISE) - self._noise) / self._frames
