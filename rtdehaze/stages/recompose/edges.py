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

import numpy as np
from numpy import float32 as f32

from rtdehaze.core.haze import Map
from rtdehaze.stages.recompose.rows import compiled

__all__ = ["edge_slopes", "share_of_veil"]

_PICTURE_VARIANCE = 1e-4
"""Variance of luma, in [0, 1], at which the fit is damped by half: texture and noise of 0.01, some 2.5 levels of 8
bits."""
_VEIL_VARIANCE = 3e-4
"""Variance of the veil, in [0, 1], at which the slopes are trusted by half: a step of 0.02 is no depth edge."""
_LEAST = 1e-12
"""Keeps 0 / 0 out of flat areas."""


def edge_slopes(
    transmission: Map, veil: Map, luma: Map, pixels: int, white: float = 1.0, into: tuple[Map, Map] | None = None
) -> tuple[Map, Map]:
    """How much transmission and veil change per unit of luma about every sample of the map.

    Args:
        transmission: (h, w).
        veil: (h, w), the veil's luma.
        luma: (h, w), the picture's luma at the map's size.
        pixels: Pixels of the picture that the map will be enlarged to.
        white: White in the units of veil and luma.
        into: Where the slopes are written, (h, w) each, instead of new arrays.

    Returns:
        The slopes of transmission and of veil, (h, w); 0 where nothing is to be gained, and everywhere when the map
        has the picture's own size.
    """
    of_t, of_v = into or (np.empty_like(transmission), np.empty_like(transmission))
    share = np.float32(max(0.0, 1.0 - transmission.size / pixels))
    sums = np.empty((7, transmission.shape[1] + 2), np.float32)
    _fit(transmission, veil, luma, share, np.float32(white * white), sums, of_t, of_v)
    return of_t, of_v


@compiled
def share_of_veil(part: Map, veil: Map) -> float:
    """How much a component of the veil changes with the veil's luma, by least squares over the whole map.

    Args:
        part: (h, w), for example the veil's U.
        veil: (h, w), its luma.
    """
    mean = part_mean = 0.0
    for y in range(veil.shape[0]):
        for x in range(veil.shape[1]):
            mean += veil[y, x]
            part_mean += part[y, x]
    mean /= veil.size
    part_mean /= veil.size
    squares = products = 0.0
    for y in range(veil.shape[0]):
        for x in range(veil.shape[1]):
            squares += (veil[y, x] - mean) ** 2
            products += (veil[y, x] - mean) * (part[y, x] - part_mean)
    return products / squares if squares > _LEAST * veil.size * (1.0 + mean * mean) else 0.0


@compiled
def _fit(
    transmission: Map,
    veil: Map,
    luma: Map,
    share: np.float32,
    unit: np.float32,
    sums: Map,
    of_t: Map,
    of_v: Map,
) -> None:
    """The local linear fits over 3 x 3 samples, border samples repeated; sums of columns first, then of rows."""
    height, width = luma.shape
    ninth = f32(1.0 / 9.0)
    damping, least_veil, least = f32(_PICTURE_VARIANCE) * unit, f32(_VEIL_VARIANCE) * unit, f32(_LEAST) * unit * unit
    for row in range(height):
        over, under = max(row - 1, 0), min(row + 1, height - 1)
        for x in range(width):
            a, b, c = luma[over, x], luma[row, x], luma[under, x]
            sums[0, x + 1] = a + b + c
            sums[3, x + 1] = a * a + b * b + c * c
            d, e, f = veil[over, x], veil[row, x], veil[under, x]
            sums[1, x + 1] = d + e + f
            sums[4, x + 1] = d * d + e * e + f * f
            sums[5, x + 1] = a * d + b * e + c * f
            d, e, f = transmission[over, x], transmission[row, x], transmission[under, x]
            sums[2, x + 1] = d + e + f
            sums[6, x + 1] = a * d + b * e + c * f
        for k in range(7):
            sums[k, 0], sums[k, width + 1] = sums[k, 1], sums[k, width]
        for x in range(width):
            y = (sums[0, x] + sums[0, x + 1] + sums[0, x + 2]) * ninth
            v = (sums[1, x] + sums[1, x + 1] + sums[1, x + 2]) * ninth
            t = (sums[2, x] + sums[2, x + 1] + sums[2, x + 2]) * ninth
            of_y = max((sums[3, x] + sums[3, x + 1] + sums[3, x + 2]) * ninth - y * y, f32(0.0))
            own = max((sums[4, x] + sums[4, x + 1] + sums[4, x + 2]) * ninth - v * v, f32(0.0))
            with_v = (sums[5, x] + sums[5, x + 1] + sums[5, x + 2]) * ninth - y * v
            with_t = (sums[6, x] + sums[6, x + 1] + sums[6, x + 2]) * ninth - y * t
            fit = min(with_v * with_v / (of_y * own + least), f32(1.0))
            trust = share * fit * own / ((own + least_veil) * (of_y + damping))
            of_t[row, x] = with_t * trust
            of_v[row, x] = with_v * trust
