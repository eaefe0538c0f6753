"""Haze as a sensor's reading, and those who are told of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rtdehaze.core.frame import Frame
from rtdehaze.core.haze import Haze
from rtdehaze.core.watch import Observation, Observer
from rtdehaze.pipeline.decision import Decision

__all__ = ["Onlookers", "Reading"]

_log = logging.getLogger("rtdehaze.pipeline")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the estimating thread knows of a frame; the rest is worked out only where somebody is told."""

    time: float
    pts: float
    frame: int
    haze: Haze
    brightness: float
    weight: float

    @staticmethod
    def of(frame: Frame, decision: Decision, number: int, arrived: float) -> Reading | None:
        """Takes the reading of a frame.

        Args:
            frame: The frame.
            decision: What was found in it.
            number: Of the frame, among those that came in.
            arrived: Seconds since the epoch.

        Returns:
            None where nothing was estimated.
        """
        if decision.haze is None or decision.brightness is None:
            return None
        return Reading(arrived, frame.time, number, decision.haze, decision.brightness, decision.weight)

    def observation(self) -> Observation:
        """Works out what observers are told."""
        red, green, blue = (float(value) for value in self.haze.airlight)
        return Observation(
            time=self.time,
            pts=self.pts,
            frame=self.frame,
            density=self.haze.density,
            transmission=float(np.median(self.haze.transmission)),
            airlight=(red, green, blue),
            brightness=self.brightness,
            weight=self.weight,
        )


class Onlookers:
    """Observers of a run. One that fails is named once and left out from then on: a run does not end for it.

    Args:
        observers: Told in this order.
    """

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)
        self._seeing = list(observers)

    def __bool__(self) -> bool:
        return bool(self._observers)

    def tell(self, reading: Reading) -> None:
        """Tells all; never raises."""
        if not self._seeing:
            return
        observation = reading.observation()
        for observer in tuple(self._seeing):
            try:
                observer.see(observation)
            except Exception as error:  # noqa: BLE001 - it may be anyone's code
                _log.warning("%s failed and sees no more: %s", type(observer).__name__, error)
                self._seeing.remove(observer)

    def close(self) -> None:
        """Closes all; never raises."""
        for observer in self._observers:
            try:
                observer.close()
            except Exception as error:  # noqa: BLE001 - it may be anyone's code
                _log.warning("%s failed to close: %s", type(observer).__name__, error)
