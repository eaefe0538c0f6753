"""From a restored thumbnail to the maps that restore the full picture: a local least-squares fit.

A restorer says what the thumbnail looks like without haze. Locally that answer is close to `gain * input + bias`;
the gain and the bias are smooth where the picture is not, and they hold at full resolution (the guided filter's local
linear model: He, Sun, Tang 2013, eq. 5 and 6, applied from input to output).
"""

from __future__ import annotations

import cv2
import numpy as np

from rtdehaze.core.colour import Colour, Matrix, rgb_to_levels
from rtdehaze.core.haze import Haze, Map, Removal

__all__ = ["haze_from_picture", "removal_from_gains"]

COARSE, FINE = 1 / 3, 1 / 20
"""Radii of the windows as shares of the thumbnail's longer side."""

FLAT = 2e-4
"""Variance of [0, 1] luma in a window at which the coarser scale's gain has as much say as the window's own.
A flat window of dense haze shows some levels of 255 in it: (3.6 / 255)**2."""

FLAT_CHROMA = 5e-5
"""The same for chroma, whose range is smaller."""

GAIN_RANGE = (0.1, 10.0)
"""Gains outside are the fit's noise; 10 is the transmission floor of 0.1."""

_TO_YUV = (rgb_to_levels(Colour(Matrix.BT709, full_range=True), 8)[0] / 255.0).astype(np.float32)
_TO_RGB = np.linalg.inv(_TO_YUV.astype(np.float64)).astype(np.float32)


def removal_from_gains(luma_gain: Map, chroma_gain: Map, bias: Map, guide: Map | None) -> Removal:
    """Turns gains and bias into the form that recomposition applies.

    Args:
        luma_gain: (h, w), above 0.
        chroma_gain: (h, w), above 0.
        bias: (3, h, w), RGB in units of [0, 1]: `Y' = luma_gain * Y + bias_Y`, `C' = chroma_gain * C + bias_C`
            with Y and C of BT.709.
        guide: The thumbnail.
    """
    gains = np.stack([luma_gain, chroma_gain, chroma_gain])
    veil = -_turn(_TO_YUV, bias) / gains
    return Removal(1.0 / luma_gain, 1.0 / chroma_gain, _turn(_TO_RGB, veil), guide)


def haze_from_picture(thumbnail: Map, restored: Map) -> Haze:
    """Fits what a restorer did to a thumbnail.

    Args:
        thumbnail: (3, h, w), RGB in [0, 1].
        restored: (3, h, w), the restorer's answer, same units.

    Returns:
        Haze whose removal reproduces the restorer: exactly where it was affine. Transmission is the inverse of the
        luma gain, airlight the colour of the light taken away, density the mean of 1 - transmission.
    """
    before, after = _turn(_TO_YUV, thumbnail), _turn(_TO_YUV, restored)
    luma_gain, luma_bias = _fit(before[:1], after[:1], FLAT)
    chroma_gain, chroma_bias = _fit(before[1:], after[1:], FLAT_CHROMA)
    bias = _turn(_TO_RGB, np.concatenate([luma_bias, chroma_bias]))
    removal = removal_from_gains(luma_gain, chroma_gain, bias, thumbnail)
    transmission = np.clip(removal.luma, 0.05, 1.0)
    taken = 1.0 - transmission
    weight = float(np.sum(taken * taken))
    airlight = np.sum(removal.veil * taken, axis=(1, 2)) / weight if weight > 1e-3 else thumbnail.max(axis=(1, 2))
    return Haze(transmission, np.clip(airlight, 0.0, 1.0).astype(np.float32), float(taken.mean()), removal)


def _fit(before: Map, after: Map, flat: float) -> tuple[Map, Map]:
    """One gain for all given components and a bias for each: (h, w) and (c, h, w).

    Coarse to fine: where a window holds too little contrast to tell a gain, the next coarser one's stands in; above
    all stands the whole picture's, and 1 only for a picture of one colour.
    """
    longer = max(before.shape[1:])
    gain: Map | float = _gain(before, after, None, 1.0, 1e-7)
    gain = _gain(before, after, max(1, round(longer * COARSE)), gain, flat)
    radius = max(1, round(longer * FINE))
    gain = _gain(before, after, radius, gain, flat)
    bias = np.stack([_mean(b, radius) for b in after]) - gain * np.stack([_mean(a, radius) for a in before])
    return _mean(gain, radius), np.stack([_mean(plane, radius) for plane in bias])


def _gain(before: Map, after: Map, radius: int | None, coarser: Map | float, flat: float) -> Map:
    """Least squares over the window, pulled to the coarser gain by `flat` of variance."""
    covariance = variance = np.zeros(before.shape[1:], np.float32)
    for a, b in zip(before, after, strict=True):
        mean_a, mean_b = _mean(a, radius), _mean(b, radius)
        covariance = covariance + _mean((a - mean_a) * (b - mean_b), radius)
        variance = variance + _mean((a - mean_a) ** 2, radius)
    gain: Map = np.clip((covariance + flat * coarser) / (variance + flat), *GAIN_RANGE).astype(np.float32)
    return gain


def _mean(plane: Map, radius: int | None) -> Map:
    """The mean in a square window, or of the whole plane."""
    if radius is None:
        return np.full_like(plane, plane.mean(dtype=np.float64))
    side = 2 * radius + 1
    return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32)


def _turn(matrix: Map, planes: Map) -> Map:
    """A 3 x 3 colour matrix on (3, h, w)."""
    turned: Map = np.tensordot(matrix, planes, axes=1)
    return turned
