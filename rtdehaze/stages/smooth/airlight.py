"""The colour of the air over time: slow, and deaf to headlights."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

__all__ = ["AirlightSmoother"]

Array = NDArray[np.float32]


class AirlightSmoother:
    """A running median of the newest estimates, then an exponential mean; both in seconds.

    The median drops what lasts less than half its window (a headlight, a flash), the mean steadies the rest.

    Args:
        median_seconds: Window of the median.
        mean_seconds: Time constant of the mean.
    """

    _MOST = 64
    """Estimates that the median looks at; a high frame rate shortens its window instead of costing time."""

    def __init__(self, median_seconds: float, mean_seconds: float) -> None:
        self._median_seconds = median_seconds
        self._mean_seconds = mean_seconds
        self._recent: deque[tuple[float, Array]] = deque(maxlen=self._MOST)
        self._frames = 0.0
        self._mean: Array | None = None

    def pace(self, median_seconds: float, mean_seconds: float) -> None:
        """Changes the two times, and keeps what is known."""
        self._median_seconds, self._mean_seconds = median_seconds, mean_seconds

    def reset(self) -> None:
        """Forgets everything."""
        self._recent.clear()
        self._frames = 0.0
        self._mean = None

    def update(self, airlight: Array, clock: float, step: float) -> Array:
        """Takes the estimate of one frame.

        Args:
            airlight: (3,), RGB in [0, 1].
            clock: Seconds; never goes back.
            step: Seconds since the frame before.

        Returns:
            The smoothed airlight, (3,) float32.
        """
        self._recent.append((clock, airlight))
        while clock - self._recent[0][0] > self._median_seconds:
            self._recent.popleft()
        ordered = np.sort(np.array([estimate for _, estimate in self._recent], dtype=np.float32), axis=0)
        median = np.float32(0.5) * (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2])
        self._frames = self._frames * float(np.exp(-step / self._mean_seconds)) + 1.0
        if self._mean is None:
            self._mean = median
        else:
            self._mean = self._mean + (median - self._mean) / np.float32(self._frames)
        return self._mean
