"""Observers of a live run, told by a thread of their own: whatever they do, no frame waits for it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from rtdehaze.core.watch import Observer
from rtdehaze.pipeline.crew import Crew
from rtdehaze.pipeline.live.channel import LatestChannel
from rtdehaze.pipeline.readings import Onlookers, Reading

__all__ = ["Feed"]

_WAITING = 256
"""Readings that wait at most: some seconds of a slow disk."""

_CLOSING_S = 0.5
"""For observers to take what waits when the run ends."""

_log = logging.getLogger("rtdehaze.pipeline")


class Feed:
    """Hands readings to observers in order; when they are too slow the oldest are left out and counted.

    Args:
        observers: Closed by `close`.
    """

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._onlookers = Onlookers(observers)
        self._readings: LatestChannel[Reading] = LatestChannel(_WAITING, lambda _: True)
        self._crew = Crew({"observe": self._work}, daemon=True)
        self.missed = 0
        """Readings that no observer saw."""
        if observers:
            self._crew.start()

    def give(self, reading: Reading) -> None:
        """Takes a reading; never waits."""
        if self._onlookers and self._readings.offer(reading) is not None:
            self.missed += 1

    def close(self) -> None:
        """Ends the thread and closes the observers; never raises."""
        self._readings.close()
        if self._crew.join(_CLOSING_S):
            self.missed += len(self._readings.discard())
        if self.missed:
            _log.warning("%d readings of haze were not noted: an observer was too slow", self.missed)
        self._onlookers.close()

    def _work(self) -> None:
        for reading in self._readings:
            self._onlookers.tell(reading)
