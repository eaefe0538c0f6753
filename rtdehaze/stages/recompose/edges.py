"""Depth edges that are finer than the map: how far transmission follows the picture between the map's samples.

A map's sample is the mean over some ten or two hundred pixels, so a pole before the sky is smeared over its
neighbourhood and comes out with a halo. Where two things at different distances meet, picture and map mix in the same
shares, so over a few samples one is a linear function of the other (the local linear model of He, Sun, Tang 2013,
"Guided image filtering", eq. 5). Unlike the guided filter's, the map itself is kept: only what the picture shows
beyond its own thumbnail moves transmission,

    t(x) = t0(x) + slope(x) * (Y(x) - Y0(x))

with t0, Y0 and slope enlarged bilinearly, and the veil likewise. So a correct map stays correct on average, also where
the linear model does not hold, and the slopes are trusted only as far as the veil, which is all haze, fits the model
and varies at all. `benchmarks/edges.py` measures it against the alternatives.
"""

from __future__ import annotations

import cv2
import numpy as np

from rtdehaze.core.haze import Map

__all__ = ["edge_slopes", "share_of_veil"]

_PICTURE_VARIANCE = 1e-4
"""Variance of luma, in [0, 1], at which the fit is damped by half: texture and noise of 0.01, some 2.5 levels of 8
bits."""
_VEIL_VARIANCE = 3e-4
"""Variance of the veil, in [0, 1], at which the slopes are trusted by half: a step of 0.02 is no depth edge."""
_LEAST = 1e-12
"""Keeps 0 / 0 out of flat areas."""


def edge_slopes(transmission: Map, veil: Map, luma: Map, pixels: int) -> tuple[Map, Map]:
    """How much transmission and veil change per unit of luma about every sample of the map.

    Args:
        transmission: (h, w).
        veil: (h, w), the veil's luma, in units of white.
        luma: (h, w), the picture's luma at the map's size, in units of white.
        pixels: Pixels of the picture that the map will be enlarged to.

    Returns:
        The slopes of transmission and of veil, (h, w); 0 where nothing is to be gained, and everywhere when the map
        has the picture's own size.
    """
    mean_y, mean_v = _mean(luma), _mean(veil)
    of_y = np.maximum(_mean(luma * luma) - mean_y * mean_y, 0.0)
    of_v = np.maximum(_mean(veil * veil) - mean_v * mean_v, 0.0)
    with_v = _mean(veil * luma) - mean_v * mean_y
    with_t = _mean(transmission * luma) - _mean(transmission) * mean_y
    fit = np.minimum(with_v * with_v / (of_y * of_v + _LEAST), 1.0)
    trust = fit * (of_v / (of_v + _VEIL_VARIANCE)) * max(0.0, 1.0 - transmission.size / pixels)
    trust /= of_y + _PICTURE_VARIANCE
    return (with_t * trust).astype(np.float32), (with_v * trust).astype(np.float32)


def share_of_veil(part: Map, veil: Map) -> float:
    """How much a component of the veil changes with the veil's luma, by least squares over the whole map.

    Args:
        part: (h, w), for example the veil's U.
        veil: (h, w), its luma.
    """
    from_mean = (veil - veil.mean()).ravel()
    squares = float(from_mean @ from_mean)
    return float(part.ravel() @ from_mean) / squares if squares > _LEAST * veil.size else 0.0


def _mean(values: Map) -> Map:
    """The mean over 3 x 3 samples."""
    mean: Map = cv2.blur(values, (3, 3), borderType=cv2.BORDER_REPLICATE).astype(np.float32, copy=False)
    return mean
