"""How long things take, in a histogram whose size does not grow with the run, and how long is left for them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import overload

import numpy as np

__all__ = ["Durations", "remaining"]

_SHORTEST_S = 1e-6
_BINS_PER_DECADE = 128
"""Neighbouring bins differ by 1.8 %, so a percentile is right to about 1 %."""
_DECADES = 9
"""From 1 microsecond to 1,000 seconds."""


@overload
def remaining(deadline: float) -> float: ...
@overload
def remaining(deadline: float | None) -> float | None: ...
def remaining(deadline: float | None) -> float | None:
    """Seconds until a moment by `time.monotonic()`, 0 once it is past; None, for ever, stays None."""
    return None if deadline is None else max(0.0, deadline - time.monotonic())


class Durations:
    """Durations of one stage: count, total and percentiles, in constant memory.

    One thread adds, any thread reads.
    """

    def __init__(self) -> None:
        self._bins = np.zeros(_BINS_PER_DECADE * _DECADES + 1, dtype=np.int64)
        self.count = 0
        self.total = 0.0
        """Sum in seconds."""

    def add(self, seconds: float) -> None:
        """Counts one duration."""
        place = int(np.log10(max(seconds, _SHORTEST_S) / _SHORTEST_S) * _BINS_PER_DECADE)
        self._bins[min(place, len(self._bins) - 1)] += 1
        self.count += 1
        self.total += seconds

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Counts the time that the block takes, unless it raises."""
        begin = time.perf_counter()
        yield
        self.add(time.perf_counter() - begin)

    def percentile(self, percent: float) -> float:
        """Returns the duration in seconds that `percent` of all do not exceed; 0.0 where none was counted."""
        if not self.count:
            return 0.0
        rank = np.searchsorted(np.cumsum(self._bins), percent / 100.0 * self.count)
        middle = (min(int(rank), len(self._bins) - 1) + 0.5) / _BINS_PER_DECADE
        return float(_SHORTEST_S * 10.0**middle)
