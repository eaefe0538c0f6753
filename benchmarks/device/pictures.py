"""Frames to feed a graph with, and whether what comes out is the picture that it should be."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device.planes import Shot
from rtdehaze.apps.drive import drive_frames
from rtdehaze.core.errors import ProviderError
from rtdehaze.core.frame import Layout

__all__ = ["canary", "planes_of"]

Array = NDArray[Any]

_FARTHEST, _MEAN, _MEAN_HALF = 3.0, 0.05, 0.75
"""Levels of 8 bits that a GPU's picture may be away from the processor's: one sample, all on average, and on average
where the network runs in half precision."""


@lru_cache(maxsize=2)
def planes_of(shot: Shot) -> dict[str, Array]:
    """A generated foggy frame, by plane."""
    (frame,) = drive_frames(width=shot.width, height=shot.height, count=1, noise=0.006, seed=10)
    y, u, v = (plane.samples for plane in frame.planes)
    planes = {"y": y, "uv": np.stack([u, v], 2).reshape(u.shape[0], -1)}
    if shot.pixels.layout is not Layout.SEMIPLANAR:
        planes = {"y": y, "u": u, "v": v}
    up = shot.pixels.bits - 8 + shot.pixels.shift
    return {name: np.ascontiguousarray(plane.astype(shot.pixels.dtype) << up) for name, plane in planes.items()}


def canary(found: dict[str, Array], expected: dict[str, Array], shot: Shot, *, half: bool) -> dict[str, float]:
    """Holds a GPU's picture against the processor's.

    Returns:
        The greatest and the mean difference, in levels of 8 bits.

    Raises:
        ProviderError: They are too far apart.
    """
    unit = 1 << (shot.pixels.bits - 8 + shot.pixels.shift)
    apart = np.concatenate([np.abs(found[name].astype(int) - expected[name].astype(int)).ravel() for name in expected])
    farthest, mean = float(apart.max()) / unit, float(apart.mean()) / unit
    if mean > (_MEAN_HALF if half else _MEAN) or (not half and farthest > _FARTHEST):
        raise ProviderError(
            f"the picture is not the processor's: {mean:.3f} levels away on average, {farthest:.1f} at most"
        )
    return {"mean_levels": round(mean, 4), "most_levels": round(farthest, 2)}
