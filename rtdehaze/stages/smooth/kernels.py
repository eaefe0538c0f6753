"""Compiled loops of the smoother: comparing two pictures, carrying maps along the motion, taking in a new estimate."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["advance", "agree", "blend", "confide", "even_out", "half_luma", "locate", "sharpen", "unlikeness"]

Array = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_FAST = {"contract", "arcp", "nsz", "reassoc"}  # NaN and infinity keep their meaning
_compiled = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
_inlined = numba.njit(inline="always", error_model="numpy", fastmath=_FAST)

# Literals of type float would turn the arithmetic into float64.
_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_THREE, _FIVE, _MID, _BYTE = np.float32(3.0), np.float32(5.0), np.float32(128.5), np.float32(255.0)


@_inlined
def _within(place: np.float32, last: np.float32) -> np.float32:
    """Keeps a coordinate inside the map, a NaN too: it becomes an index."""
    if not place > _ZERO:
        return _ZERO
    return place if place < last else last


@_inlined
def _cubic(a: np.float32) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Weights of the four samples around a place `a` in [0, 1] after the second (Keys 1981, a = -1/2)."""
    b = _ONE - a
    return (
        -_HALF * a * b * b,
        _ONE - _HALF * a * a * (_FIVE - _THREE * a),
        _ONE - _HALF * b * b * (_FIVE - _THREE * b),
        -_HALF * b * a * a,
    )


@_compiled
def _sharply(plane: Array, sx: np.float32, sy: np.float32) -> np.float32:
    """Returns a plane's value at (sx, sy) by Catmull-Rom, overshoot clipped to the four samples around."""
    height, width = plane.shape
    sx, sy = _within(sx, np.float32(width - 1)), _within(sy, np.float32(height - 1))
    x1, y1 = int(sx), int(sy)
    x0, x2, x3 = max(x1 - 1, 0), min(x1 + 1, width - 1), min(x1 + 2, width - 1)
    y0, y2, y3 = max(y1 - 1, 0), min(y1 + 1, height - 1), min(y1 + 2, height - 1)
    u0, u1, u2, u3 = _cubic(sx - np.float32(x1))
    v0, v1, v2, v3 = _cubic(sy - np.float32(y1))
    top, over, under, low = plane[y0], plane[y1], plane[y2], plane[y3]
    p, q, r, s = over[x1], over[x2], under[x1], under[x2]
    value = v0 * (u0 * top[x0] + u1 * top[x1] + u2 * top[x2] + u3 * top[x3])
    value += v1 * (u0 * over[x0] + u1 * p + u2 * q + u3 * over[x3])
    value += v2 * (u0 * under[x0] + u1 * r + u2 * s + u3 * under[x3])
    value += v3 * (u0 * low[x0] + u1 * low[x1] + u2 * low[x2] + u3 * low[x3])
    return min(max(value, min(min(p, q), min(r, s))), max(max(p, q), max(r, s)))


@_compiled
def locate(flow: Array, across: float, down: float, places: Array) -> None:
    """Turns flow, (h, w, 2), multiplied by `across` and `down`, into absolute places (x, y) in samples."""
    height, width = flow.shape[:2]
    u, v = np.float32(across), np.float32(down)
    for y in range(height):
        for x in range(width):
            places[y, x, 0] = np.float32(x) + u * flow[y, x, 0]
            places[y, x, 1] = np.float32(y) + v * flow[y, x, 1]


@_compiled
def sharpen(plane: Array, places: Array, edge: float, carried: Array) -> None:
    """Carries a plane's edges along the motion again, by Catmull-Rom interpolation.

    Bilinear interpolation, repeated every frame, melts edges away within a second; it does no harm elsewhere.

    Args:
        plane: (h, w), before the motion.
        places: (h, w, 2), absolute (x, y) in samples.
        edge: Difference over two samples from which on there is an edge.
        carried: (h, w), the plane carried along bilinearly; its edges are overwritten.
    """
    height, width = plane.shape
    least = np.float32(edge)
    # A loop without a branch finds the edges several samples at once.
    found = np.zeros(width, np.uint8)
    for y in range(height):
        row, above, below = carried[y], carried[max(y - 1, 0)], carried[min(y + 1, height - 1)]
        for x in range(1, width - 1):
            found[x] = max(abs(row[x + 1] - row[x - 1]), abs(below[x] - above[x])) > least
        for x in (0, width - 1):
            across = abs(row[min(x + 1, width - 1)] - row[max(x - 1, 0)])
            found[x] = max(across, abs(below[x] - above[x])) > least
        for x in range(width):
            if found[x]:
                row[x] = _sharply(plane, places[y, x, 0], places[y, x, 1])


@_compiled
def advance(plane: Array, trend: Array, step: float, low: float, high: float) -> None:
    """Moves a (h, w) plane on by its trend, (h, w) per second, over `step` seconds, in place, within [low, high]."""
    height, width = plane.shape
    seconds, least, most = np.float32(step), np.float32(low), np.float32(high)
    for y in range(height):
        for x in range(width):
            plane[y, x] = min(max(plane[y, x] + seconds * trend[y, x], least), most)


@_compiled
def half_luma(picture: Array, luma: Array) -> None:
    """Writes BT.601 luma of a (3, h, w) RGB picture, averaged two by two, to `luma`, (h / 2, w / 2) rounded up."""
    height, width = picture.shape[1:]
    red, green, blue = np.float32(0.299 / 4), np.float32(0.587 / 4), np.float32(0.114 / 4)
    for i in range(luma.shape[0]):
        y, z = 2 * i, min(2 * i + 1, height - 1)
        for j in range(width // 2):
            x = 2 * j
            luma[i, j] = (
                red * (picture[0, y, x] + picture[0, y, x + 1] + picture[0, z, x] + picture[0, z, x + 1])
                + green * (picture[1, y, x] + picture[1, y, x + 1] + picture[1, z, x] + picture[1, z, x + 1])
                + blue * (picture[2, y, x] + picture[2, y, x + 1] + picture[2, z, x] + picture[2, z, x + 1])
            )
        if width % 2:
            x, two = width - 1, np.float32(2.0)
            luma[i, width // 2] = two * (
                red * (picture[0, y, x] + picture[0, z, x])
                + green * (picture[1, y, x] + picture[1, z, x])
                + blue * (picture[2, y, x] + picture[2, z, x])
            )


@_compiled
def even_out(residue: Array, variance: Array, noise: float, floor: float, evened: Array, texture: Bytes) -> None:
    """Divides what is left of a picture without its local mean by its local contrast.

    Args:
        residue: (h, w), picture less local mean.
        variance: (h, w), the local mean of its square; becomes the squared contrast: noise taken out, floor added.
        noise: Standard deviation of the picture's noise.
        floor: Least contrast.
        evened: (h, w), written: `residue` over contrast.
        texture: (h, w) uint8, written: `evened` about 128, a contrast being 40 levels.
    """
    height, width = residue.shape
    taken, least = np.float32(noise * noise), np.float32(floor * floor + 4.0 * noise * noise)
    scale = np.float32(40.0)
    for y in range(height):
        for x in range(width):
            squared = max(variance[y, x] - taken, _ZERO) + least
            variance[y, x] = squared
            value = residue[y, x] / np.sqrt(squared)
            evened[y, x] = value
            texture[y, x] = np.uint8(min(max(value * scale + _MID, _ZERO), _BYTE))


@_compiled
def unlikeness(difference: Array, evened: Array, carried: Array, squared: Array, out: Array) -> float:
    """Squared difference of structure and of brightness, in units of the squared local contrast.

    Args:
        difference: (h, w), luma now less luma before, carried along.
        evened: (h, w), evened luma now.
        carried: (h, w), evened luma before, carried along.
        squared: (h, w), squared local contrast.
        out: (h, w), written.

    Returns:
        The mean of 1 / `squared`.
    """
    height, width = difference.shape
    inverse = 0.0
    for y in range(height):
        row = _ZERO
        for x in range(width):
            structure, scale = evened[y, x] - carried[y, x], _ONE / squared[y, x]
            out[y, x] = structure * structure + difference[y, x] * difference[y, x] * scale
            row += scale
        inverse += float(row)
    return float(inverse / (height * width))


@_compiled
def agree(unlike: Array, squared: Array, flow: Array, noise: float, full: float, none: float) -> None:
    """Turns unlikeness into agreement, in place: 1 up to `full`, 0 from `none` on and for what comes from outside.

    Args:
        unlike: (h, w), see `unlikeness`, averaged over a small window; becomes the agreement in [0, 1].
        squared: (h, w), squared local contrast.
        flow: (h, w, 2), (u, v) in samples.
        noise: Standard deviation of the pictures' noise, which explains part of the unlikeness.
        full: Unlikeness that is still full agreement.
        none: Unlikeness that is none.
    """
    height, width = unlike.shape
    # Two differences, structure and brightness, each of two noisy samples.
    expected, slope, most = np.float32(4.0 * noise * noise), np.float32(1.0 / (none - full)), np.float32(none)
    right, bottom = np.float32(width) - _HALF, np.float32(height) - _HALF
    for y in range(height):
        for x in range(width):
            value = (most - (unlike[y, x] - expected / squared[y, x])) * slope
            sx, sy = np.float32(x) + flow[y, x, 0], np.float32(y) + flow[y, x, 1]
            inside = sx > -_HALF and sy > -_HALF and sx < right and sy < bottom
            unlike[y, x] = min(max(value, _ZERO), _ONE) if inside else _ZERO


@_compiled
def confide(
    innovation: Array, common: float, agreement: Array, scale: float, support: float, permit: float, trust: Array
) -> None:
    """Joins what the pictures and the maps say about the carried maps.

    Args:
        innovation: (h, w), estimate less carried map.
        common: What all of the picture has in common of it, and is not judged.
        agreement: (h, w), in [0, 1], of the pictures.
        scale: The usual size of an innovation.
        support: Innovation in units of `scale` up to which flat maps are kept where the pictures do not agree;
            fades out until twice that.
        permit: The same for maps that are kept because the pictures agree.
        trust: (h, w): on entry 1 where the map is flat, 0 where not; overwritten with the trust in [0, 1].
    """
    height, width = innovation.shape
    shared = np.float32(common)
    narrow, wide, two = np.float32(1.0 / (support * scale)), np.float32(1.0 / (permit * scale)), np.float32(2.0)
    for y in range(height):
        for x in range(width):
            size = abs(innovation[y, x] - shared)
            supported = min(max(two - size * narrow, _ZERO), _ONE) * trust[y, x]
            permitted = min(max(two - size * wide, _ZERO), _ONE) * agreement[y, x]
            trust[y, x] = max(supported, permitted)


@_compiled
def blend(maps: Array, evidence: Array, trust: Array, decay: float, limit: float, estimate: Array) -> None:
    """Takes a new estimate into the carried maps: a running mean whose memory fades and can be revoked.

    The evidence is the number of frames that a sample's value rests on. It decays with time, is cut down where
    it is not to be trusted, and grows by one; the new estimate weighs one part in it.

    Args:
        maps: (c, h, w), the carried maps, updated in place.
        evidence: (h, w), frames, updated in place.
        trust: (h, w), in [0, 1]; 0 forgets.
        decay: In [0, 1]: what time leaves of the evidence.
        limit: The most frames that a value may rest on.
        estimate: (c, h, w), the frame's own maps.
    """
    count, height, width = maps.shape
    decay32, limit32 = np.float32(decay), np.float32(limit)
    for y in range(height):
        for x in range(width):
            evidence[y, x] = min(evidence[y, x] * decay32 * trust[y, x] + _ONE, limit32)
    for c in range(count):
        for y in range(height):
            for x in range(width):
                maps[c, y, x] += (estimate[c, y, x] - maps[c, y, x]) / evidence[y, x]
