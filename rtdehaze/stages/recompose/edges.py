"""Depth edges that are finer than the map: how far transmission follows the picture between the map's samples.

A map's sample is the mean over some ten or two hundred pixels, so a pole before the sky is smeared over its
neighbourhood and comes out with a halo. Where two things at different distances meet, picture and map mix in the same
shares, so over a few samples one is a linear function of the other (the local linear model of He, Sun, Tang 2013,
"Guided image filtering", eq. 5). Unlike the guided filter's, the map itself is kept: only what the picture shows
beyond its own thumbnail moves transmission,

    t(x) = t0(x) + slope(x) * (Y(x) - Y0(x))

with t0, Y0 and slope enlarged bilinearly. So a correct map stays correct on average, also where the linear model
does not hold, and the slope is trusted only as far as the fit is good and transmission varies at all.
`benchmarks/edges.py` measures it against the alternatives.
"""

from __future__ import annotations

import cv2
import numpy as np

from rtdehaze.core.haze import Map

__all__ = ["edge_slopes", "veil_per_transmission"]

_PICTURE_VARIANCE = 1e-4
"""Variance of luma, in [0, 1], at which the fit is damped by half: texture and noise of 0.01, some 2.5 levels of 8
bits."""
_TRANSMISSION_VARIANCE = 4e-4
"""Variance of transmission at which the slope is trusted by half: 0.02 is no depth edge."""
_LEAST = 1e-12
"""Keeps 0 / 0 out of flat areas."""


def edge_slopes(transmission: Map, luma: Map, pixels: int) -> Map:
    """How much transmission changes per unit of luma about every sample of the map.

    Args:
        transmission: (h, w).
        luma: (h, w), the picture's luma at the map's size, in [0, 1].
        pixels: Pixels of the picture that the map will be enlarged to.

    Returns:
        (h, w); 0 where nothing is to be gained, and at the picture's own size everywhere.
    """
    mean_t, mean_y = _mean(transmission), _mean(luma)
    both = _mean(transmission * luma) - mean_t * mean_y
    of_y = np.maximum(_mean(luma * luma) - mean_y * mean_y, 0.0)
    of_t = np.maximum(_mean(transmission * transmission) - mean_t * mean_t, 0.0)
    fit = np.minimum(both * both / (of_y * of_t + _LEAST), 1.0)
    trust = fit * (of_t / (of_t + _TRANSMISSION_VARIANCE)) * max(0.0, 1.0 - transmission.size / pixels)
    slopes: Map = (both / (of_y + _PICTURE_VARIANCE) * trust).astype(np.float32, copy=False)
    return slopes


def veil_per_transmission(transmission: Map, veil: Map) -> Map:
    """How much less veil there is per unit of transmission: the airlight, for veil = A * (1 - t).

    Args:
        transmission: (h, w).
        veil: (n, h, w).

    Returns:
        (n,), the least-squares slope over the whole map with its sign turned.
    """
    from_mean = (transmission - transmission.mean()).ravel()
    squares = float(from_mean @ from_mean)
    if squares < _LEAST * from_mean.size:
        return np.zeros(veil.shape[0], np.float32)
    per: Map = -(veil.reshape(veil.shape[0], -1) @ from_mean) / np.float32(squares)
    return per


def _mean(values: Map) -> Map:
    """The mean over 3 x 3 samples."""
    mean: Map = cv2.blur(values, (3, 3), borderType=cv2.BORDER_REPLICATE).astype(np.float32, copy=False)
    return mean
