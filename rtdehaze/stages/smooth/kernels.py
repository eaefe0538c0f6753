"""Compiled loops of the smoother: carrying a map along the motion, and blending it with a new estimate."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["blend", "carry_evidence", "carry_maps"]

Array = NDArray[np.float32]

_compiled = numba.njit(cache=True, nogil=True, fastmath={"contract", "arcp", "nsz"})
_inlined = numba.njit(inline="always", fastmath={"contract", "arcp", "nsz"})

# Literals of type float would turn the arithmetic into float64.
_ZERO, _HALF, _ONE, _TWO = np.float32(0.0), np.float32(0.5), np.float32(1.0), np.float32(2.0)
_THREE, _FOUR, _FIVE = np.float32(3.0), np.float32(4.0), np.float32(5.0)


@_inlined
def _cubic(a: np.float32) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Weights of the four samples around a place `a` in [0, 1) after the second (Keys 1981, a = -1/2)."""
    b = _ONE - a
    return (
        -_HALF * a * b * b,
        _ONE - _HALF * a * a * (_FIVE - _THREE * a),
        _ONE - _HALF * b * b * (_FIVE - _THREE * b),
        -_HALF * b * a * a,
    )


@_inlined
def _within(place: np.float32, last: np.float32) -> np.float32:
    """Keeps a coordinate inside the map, a NaN too: it becomes an index."""
    if not place > _ZERO:
        return _ZERO
    return place if place < last else last


@_compiled
def carry_maps(maps: Array, flow: Array, out: Array) -> None:
    """Moves maps along the motion: `out[y, x] = maps[y + v, x + u]`, by Catmull-Rom interpolation.

    Bilinear sampling, repeated every frame, would melt the depth edges away within a second. What the cubic
    overshoots is clipped to the four samples around.

    Args:
        maps: (h, w, c).
        flow: (h, w, 2), (u, v) in samples of the maps.
        out: (h, w, c), written.
    """
    height, width, channels = maps.shape
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    for y in range(height):
        for x in range(width):
            sx = _within(np.float32(x) + flow[y, x, 0], right)
            sy = _within(np.float32(y) + flow[y, x, 1], bottom)
            # Unsigned, so that no index is tested for being negative.
            x1, y1 = np.uint32(sx), np.uint32(sy)
            x0, y0 = x1 - np.uint32(x1 > 0), y1 - np.uint32(y1 > 0)
            x2, y2 = min(x1 + np.uint32(1), np.uint32(width - 1)), min(y1 + np.uint32(1), np.uint32(height - 1))
            x3, y3 = min(x1 + np.uint32(2), np.uint32(width - 1)), min(y1 + np.uint32(2), np.uint32(height - 1))
            u0, u1, u2, u3 = _cubic(sx - np.float32(x1))
            v0, v1, v2, v3 = _cubic(sy - np.float32(y1))
            for c in range(channels):
                p, q, r, s = maps[y1, x1, c], maps[y1, x2, c], maps[y2, x1, c], maps[y2, x2, c]
                o, t = maps[y0, x1, c], maps[y0, x2, c]
                m, n = maps[y3, x1, c], maps[y3, x2, c]
                value = v0 * (u0 * maps[y0, x0, c] + u1 * o + u2 * t + u3 * maps[y0, x3, c])
                value += v1 * (u0 * maps[y1, x0, c] + u1 * p + u2 * q + u3 * maps[y1, x3, c])
                value += v2 * (u0 * maps[y2, x0, c] + u1 * r + u2 * s + u3 * maps[y2, x3, c])
                value += v3 * (u0 * maps[y3, x0, c] + u1 * m + u2 * n + u3 * maps[y3, x3, c])
                out[y, x, c] = min(max(value, min(min(p, q), min(r, s))), max(max(p, q), max(r, s)))


@_compiled
def carry_evidence(evidence: Array, flow: Array, out: Array) -> None:
    """Moves the evidence along the motion, bilinearly; what comes from outside the picture has none.

    Args:
        evidence: (h, w), >= 0.
        flow: (h, w, 2), (u, v) in samples.
        out: (h, w), written.
    """
    height, width = evidence.shape
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    for y in range(height):
        for x in range(width):
            sx, sy = np.float32(x) + flow[y, x, 0], np.float32(y) + flow[y, x, 1]
            outside = sx < -_HALF or sy < -_HALF or sx > right + _HALF or sy > bottom + _HALF
            sx, sy = _within(sx, right), _within(sy, bottom)
            x1, y1 = np.uint32(sx), np.uint32(sy)
            x2, y2 = min(x1 + np.uint32(1), np.uint32(width - 1)), min(y1 + np.uint32(1), np.uint32(height - 1))
            a, b = sx - np.float32(x1), sy - np.float32(y1)
            over = evidence[y1, x1] + a * (evidence[y1, x2] - evidence[y1, x1])
            under = evidence[y2, x1] + a * (evidence[y2, x2] - evidence[y2, x1])
            out[y, x] = _ZERO if outside else over + b * (under - over)


@_compiled
def blend(maps: Array, evidence: Array, agreement: Array, decay: float, limit: float, estimate: Array) -> None:
    """Takes a new estimate into the carried maps: a running mean whose memory fades and can be revoked.

    The evidence is the number of frames that a sample's value rests on. It decays with time, is cut down where
    the picture does not agree, and grows by one; the new estimate weighs one part in it.

    Args:
        maps: (h, w, c), the carried maps, updated in place.
        evidence: (h, w), frames, updated in place.
        agreement: (h, w), in [0, 1]; 0 forgets.
        decay: In [0, 1]: what time leaves of the evidence.
        limit: The most frames that a value may rest on.
        estimate: (h, w, c), the frame's own maps.
    """
    height, width, channels = maps.shape
    decay32, limit32 = np.float32(decay), np.float32(limit)
    for y in range(height):
        for x in range(width):
            frames = min(evidence[y, x] * decay32 * agreement[y, x] + _ONE, limit32)
            evidence[y, x] = frames
            share = _ONE / frames
            for c in range(channels):
                maps[y, x, c] += share * (estimate[y, x, c] - maps[y, x, c])
