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
        """Takes what the model answered of the next frame, as `build_estimate(plan=False)` gives it, and plans."""
        self._time += _INTERVAL_S
        # Copies: the memory is the next frame's as soon as this one is on its way.
        found = {name: array[0].copy() for name, array in maps.items()}
        self._smoother.follow(found["thumbnail"], self._time)
        transmission, luma = found["transmission"][0], found["luma"][0]
        removal = Removal(luma, found["chroma"][0], found["veil"])
        haze = Haze(transmission, found["airlight"].reshape(3), float(1.0 - transmission.mean()), removal)
        plan = plan_removal(self._smoother.smooth(haze), strength=1.0, guide=found["thumbnail"])
        if plan is None:
            raise RuntimeError("full strength left the frame as it is")
        plan = self._exposure.give_back(plan, self._time)
        maps["luma"][0, 0], maps["chroma"][0, 0], maps["veil"][0] = plan.luma, plan.chroma, plan.veil
