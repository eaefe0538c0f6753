"""What lies between estimate and recompose in the runtime: smoothing over time and exposure, for one video."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.haze import Haze, Removal
from rtdehaze.stages.recompose.exposure import ExposureKeeper
from rtdehaze.stages.recompose.removal import plan_removal
from rtdehaze.stages.smooth.smoother import HazeSmoother

__all__ = ["Steady"]

_INTERVAL_S = 1 / 25
_SMOOTHING_S = 0.5
_EXPOSURE_S = 1.0
"""As `Dehazer` has them."""


class Steady:
    """Smooths the maps of one video in place, as `Dehazer` does, on the processor."""

    def __init__(self) -> None:
        self._smoother = HazeSmoother(_SMOOTHING_S)
        self._exposure = ExposureKeeper(_EXPOSURE_S)
        self._time = 0.0

    def __call__(self, maps: dict[str, NDArray[np.float32]]) -> None:
        """Takes the maps of the next frame: `luma`, `chroma`, `veil`, `guide`, `thumbnail`, each with a first axis."""
        self._time += _INTERVAL_S
        thumbnail = maps["thumbnail"][0].copy()
        luma, chroma, veil = maps["luma"][0, 0].copy(), maps["chroma"][0, 0].copy(), maps["veil"][0].copy()
        self._smoother.follow(thumbnail, self._time)
        haze = Haze(luma, _airlight(luma, veil), float(1 - luma.mean()), Removal(luma, chroma, veil))
        removal = plan_removal(self._smoother.smooth(haze), strength=1.0, guide=thumbnail)
        assert removal is not None  # noqa: S101 - full strength leaves nothing as it is
        removal = self._exposure.give_back(removal, self._time)
        maps["luma"][0, 0], maps["chroma"][0, 0], maps["veil"][0] = removal.luma, removal.chroma, removal.veil


def _airlight(luma: NDArray[np.float32], veil: NDArray[np.float32]) -> NDArray[np.float32]:
    """The colour of the light taken away, by least squares."""
    taken = np.maximum(1.0 - luma, 0.0)
    weight = float(np.sum(taken * taken))
    if weight < 1e-3:
        return np.ones(3, np.float32)
    return np.clip((veil * taken).sum((1, 2)) / weight, 0.0, 1.0).astype(np.float32)
