"""The dark channel prior at full resolution, in OpenCV (He, Sun, Tang 2009; guided filter 2013)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["restore"]

_PATCH = 15
"""Pixels: the papers' window of the dark channel."""
_OMEGA = 0.95
"""Share of the haze that is removed (2009, eq. 12)."""
_LEAST = 0.1
"""Least transmission (2009, eq. 16)."""
_BRIGHTEST = 0.001
"""Share of the pixels with the brightest dark channel among which the airlight is looked for (2009, section 4.4)."""
_RADIUS, _EPSILON = 60, 1e-4
"""Of the guided filter, as in the 2013 paper's section on haze removal (radius 20 to 60, 1e-3 to 1e-4)."""

Map = NDArray[np.float32]


def restore(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Removes the haze of one picture, (H, W, 3) RGB."""
    hazy = picture.astype(np.float32) / np.float32(255.0)
    window = np.ones((_PATCH, _PATCH), np.uint8)
    dark = np.asarray(cv2.erode(_least(hazy), window), np.float32)
    airlight = _airlight(hazy, dark)
    rough = 1.0 - _OMEGA * np.asarray(cv2.erode(_least(hazy / airlight), window), np.float32)
    transmission = _guided(np.asarray(cv2.cvtColor(hazy, cv2.COLOR_RGB2GRAY), np.float32), rough)
    clear = (hazy - airlight) / np.maximum(transmission, np.float32(_LEAST))[..., None] + airlight
    return np.asarray(np.clip(clear * np.float32(255.0) + np.float32(0.5), 0, 255), np.uint8)


def _least(picture: Map) -> Map:
    """The least of the three channels."""
    red, green, blue = cv2.split(picture)
    return np.asarray(cv2.min(cv2.min(red, green), blue), np.float32)


def _airlight(hazy: Map, dark: Map) -> Map:
    """The brightest pixel among those whose dark channel is brightest."""
    count = max(1, int(dark.size * _BRIGHTEST))
    places = np.argpartition(dark.ravel(), -count)[-count:]
    pixels = hazy.reshape(-1, 3)[places]
    return np.maximum(pixels[pixels.sum(1).argmax()], np.float32(1e-3))


def _guided(guide: Map, values: Map) -> Map:
    """The grey guided filter by box filters (He, Sun, Tang 2013, algorithm 1)."""
    side = (2 * _RADIUS + 1, 2 * _RADIUS + 1)

    def mean(what: Map) -> Map:
        return np.asarray(cv2.blur(what, side), np.float32)

    of_guide, of_values = mean(guide), mean(values)
    slope = (mean(guide * values) - of_guide * of_values) / (mean(guide * guide) - of_guide**2 + np.float32(_EPSILON))
    offset = of_values - slope * of_guide
    return mean(slope) * guide + mean(offset)
