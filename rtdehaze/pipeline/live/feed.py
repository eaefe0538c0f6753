"""Observers of a run, fed by a thread of their own: whatever they do, no frame waits for it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rtdehaze.core.haze import Haze
from rtdehaze.core.watch import Observation, Observer
from rtdehaze.pipeline.crew import Crew
from rtdehaze.pipeline.live.channel import LatestChannel

__all__ = ["Feed", "Reading"]

_WAITING = 256
"""Readings that wait at most: some seconds of a slow disk."""

_CLOSING_S = 0.5
"""For observers to take what waits when the run ends."""

_log = logging.getLogger("rtdehaze.pipeline")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the estimating thread knows of a frame; the rest is worked out by the observers' thread."""

    time: float
    pts: float
    frame: int
    haze: Haze
    brightness: float
    weight: float

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


class Feed:
    """Hands readings to observers in order; when they are too slow the oldest are left out and counted.

    An observer that fails is named once and left out from then on: a run does not end for one that watches.

    Args:
        observers: Closed by `close`.
    """

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)
        self._seeing = list(observers)
        self._readings: LatestChannel[Reading] = LatestChannel(_WAITING, lambda _: True)
        self._crew = Crew({"observe": self._work}, daemon=True)
        self.missed = 0
        """Readings that no observer saw."""
        if observers:
            self._crew.start()

    def give(self, reading: Reading) -> None:
        """Takes a reading; never waits."""
        if self._observers and self._readings.offer(reading) is not None:
            self.missed += 1

    def close(self) -> None:
        """Ends the thread and closes the observers; never raises."""
        self._readings.close()
        if self._crew.join(_CLOSING_S):
            self.missed += len(self._readings.discard())
        if self.missed:
            _log.warning("%d readings of haze were not noted: an observer was too slow", self.missed)
        for observer in self._observers:
            try:
                observer.close()
            except Exception as error:  # noqa: BLE001 - it may be anyone's code
                _log.warning("%s failed to close: %s", type(observer).__name__, error)

    def _work(self) -> None:
        for reading in self._readings:
            observation = reading.observation()
            for observer in tuple(self._seeing):
                try:
                    observer.see(observation)
                except Exception as error:  # noqa: BLE001 - it may be anyone's code
                    _log.warning("%s failed and sees no more: %s", type(observer).__name__, error)
                    self._seeing.remove(observer)
