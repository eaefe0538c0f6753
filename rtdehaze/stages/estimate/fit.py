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

COARSE, FINE = 1 / 6, 1 / 64
"""Radii of the windows as shares of the thumbnail's longer side. A restorer that knew the truth came out at 26.3 dB on
26 made pairs with 1 / 20 for the fine one, at 29.1 with 1 / 64."""

FLAT = 1e-4
"""Variance of [0, 1] luma in a window at which the coarser scale's gain has as much say as the window's own.
A flat window of dense haze shows some levels of 255 in it: (2.5 / 255)**2."""

FLAT_CHROMA = 2.5e-5
"""The same for chroma, whose range is smaller."""

SHRINK = 2
"""How much smaller the fit is made than the thumbnail."""

SMALL = 32
"""Samples of the shorter side below which nothing is shrunk."""

GAIN_RANGE = (0.1, 10.0)
"""Gains outside are the fit's noise; 10 is the transmission floor of 0.1."""

_NOTHING = 1e-7
_TO_YUV = (rgb_to_levels(Colour(Matrix.BT709, full_range=True), 8)[0] / 255.0).astype(np.float32)
_TO_RGB = np.linalg.inv(_TO_YUV.astype(np.float64)).astype(np.float32)


def removal_from_gains(luma_gain: Map, chroma_gain: Map, bias: Map) -> Removal:
    """Turns gains and bias into the form that recomposition applies.

    Args:
        luma_gain: (h, w), above 0.
        chroma_gain: (h, w), above 0.
        bias: (3, h, w), RGB in units of [0, 1]: `Y' = luma_gain * Y + bias_Y`, `C' = chroma_gain * C + bias_C`
            with Y and C of BT.709.
    """
    gains = np.stack([luma_gain, chroma_gain, chroma_gain])
    veil = -_turn(_TO_YUV, bias) / gains
    return Removal(1.0 / luma_gain, 1.0 / chroma_gain, _turn(_TO_RGB, veil))


def haze_from_picture(thumbnail: Map, restored: Map) -> Haze:
    """Fits what a restorer did to a thumbnail.

    Args:
        thumbnail: (3, h, w), RGB in [0, 1].
        restored: (3, h, w), the restorer's answer, same units.

    Returns:
        Haze whose removal reproduces the restorer: exactly where it was affine. Transmission is the inverse of the
        luma gain, airlight the colour of the light taken away, density the mean of 1 - transmission.
    """
    luma_gain, chroma_gain, bias = _fit(_turn(_TO_YUV, thumbnail), _turn(_TO_YUV, restored))
    removal = removal_from_gains(luma_gain, chroma_gain, _turn(_TO_RGB, bias))
    transmission = np.clip(removal.luma, 0.05, 1.0)
    taken = 1.0 - transmission
    weight = float(np.sum(taken * taken))
    airlight = np.sum(removal.veil * taken, axis=(1, 2)) / weight if weight > 1e-3 else thumbnail.max(axis=(1, 2))
    return Haze(transmission, np.clip(airlight, 0.0, 1.0).astype(np.float32), float(taken.mean()), removal)


def _fit(before: Map, after: Map) -> tuple[Map, Map, Map]:
    """Gains of luma and chroma, (h, w), and biases, (3, h, w), of YUV planes.

    Coarse to fine: where a window holds too little contrast to tell a gain, the next coarser one's stands in; above
    all stands the whole picture's, and 1 only for a picture of one colour.
    """
    height, width = before.shape[1:]
    # About their means, or squares of float32 would drown the variance of flat windows.
    centre_before, centre_after = _centre(before), _centre(after)
    moments = _moments(before - centre_before, after - centre_after)
    # A window of a few samples needs no more than half of the size; a quarter costs 0.5 dB.
    size = (-(-width // SHRINK), -(-height // SHRINK)) if min(width, height) >= SMALL else (width, height)
    moments = np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in moments])
    longer = max(size)
    gains = _gains(_centre(moments), np.ones((2, 1, 1), np.float32), (_NOTHING, _NOTHING))
    gains = _gains(_blurred(moments, longer * COARSE), gains, (FLAT, FLAT_CHROMA))
    means = _blurred(moments, longer * FINE)
    gains = _gains(means, gains, (FLAT, FLAT_CHROMA))
    bias = means[3:6] - gains[[0, 1, 1]] * means[0:3]
    lines = _blurred(np.concatenate([gains, bias]), longer * FINE)
    lines = np.stack([cv2.resize(line, (width, height), interpolation=cv2.INTER_LINEAR) for line in lines])
    return lines[0], lines[1], lines[2:] + centre_after - lines[[0, 1, 1]] * centre_before


def _centre(planes: Map) -> Map:
    """The mean of each plane, (c, 1, 1)."""
    return np.asarray(planes.mean(axis=(1, 2), dtype=np.float64, keepdims=True), np.float32)


def _moments(before: Map, after: Map) -> Map:
    """(10, h, w): the three planes before, the three after, their products and squares for luma and for chroma."""
    products, squares = before * after, before * before
    return np.stack([*before, *after, products[0], products[1] + products[2], squares[0], squares[1] + squares[2]])


def _gains(means: Map, coarser: Map, flat: tuple[float, float]) -> Map:
    """(2, h, w): least squares over the window for luma and for chroma, pulled to the coarser gain by `flat`."""
    gains = []
    for index, planes in enumerate(((0,), (1, 2))):
        covariance, variance = means[6 + index], means[8 + index]
        for plane in planes:
            covariance = covariance - means[plane] * means[3 + plane]
            variance = variance - means[plane] * means[plane]
        gain = (covariance + flat[index] * coarser[index]) / (np.maximum(variance, 0) + flat[index])
        gains.append(np.clip(gain, *GAIN_RANGE))
    return np.stack(gains).astype(np.float32)


def _blurred(planes: Map, radius: float) -> Map:
    """The mean in a square window, for each plane of (c, h, w)."""
    side = 2 * max(1, round(radius)) + 1
    return np.stack([cv2.blur(plane, (side, side), borderType=cv2.BORDER_REPLICATE) for plane in planes])


def _turn(matrix: Map, planes: Map) -> Map:
    """A 3 x 3 colour matrix on (3, h, w)."""
    turned: Map = np.asarray(matrix @ planes.reshape(3, -1), np.float32).reshape(planes.shape)
    return turned
