"""Motion between frames where nobody knows the true one, for measuring flicker along it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.measure.flicker import warp_backward

__all__ = ["estimated_motion"]

Picture = NDArray[np.uint8]


def estimated_motion(current: Picture, previous: Picture) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Estimates the backward motion by DIS optical flow (Kroeger et al. 2016) and where it can be trusted.

    A pixel counts as seen in both frames if the flows there and back agree, |f + b|^2 < 0.01 (|f|^2 + |b|^2) + 0.5
    (Sundaram, Brox, Keutzer 2010, eq. 5), as Lai et al. (2018) choose the pixels of their warping error.

    Args:
        current: (H, W, 3) RGB, preferably of the clear clip: in haze everything looks alike.
        previous: The frame before, same shape, each side of 16 samples at least.

    Returns:
        `(flow, valid)`: (H, W, 2) float32 in pixels (x, y) from the present frame to the one before, and (H, W) bool.
    """
    now, before = (np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8) for picture in (current, previous))
    there, back = _flow(now, before), _flow(before, now)
    returned = warp_backward(back, there)
    astray = np.square(there + returned).sum(axis=2)
    lengths = np.square(there).sum(axis=2) + np.square(returned).sum(axis=2)
    height, width = now.shape
    x = there[..., 0] + np.arange(width, dtype=np.float32)
    y = there[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return there, np.asarray((astray < 0.01 * lengths + 0.5) & inside)


def _flow(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    # A fresh estimator each time: it would start from the last flow it found.
    estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(estimator.calc(first, second, np.zeros((*first.shape, 2), np.float32)), np.float32)
