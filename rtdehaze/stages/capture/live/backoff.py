"""How long to wait between attempts to connect."""

from __future__ import annotations

import random
import time

__all__ = ["Backoff"]

_FIRST = 0.1
"""Seconds before the second attempt."""

_FLAPPING = 2
"""Doublings to begin with after a connection that did not last."""


class Backoff:
    """Waits that double from 0.1 s to a cap, each shortened by chance by up to a half.

    Chance keeps many programs from coming back to one recorder at the same moment ("equal jitter", Brooker 2015,
    "Exponential Backoff And Jitter").
    """

    def __init__(self, cap: float) -> None:
        self._cap = cap
        self._doublings = 0
        self._joined: float | None = None
        self.attempts = 0
        """Failures in a row."""

    def join(self) -> None:
        """A connection was made and works."""
        self.attempts = 0
        if self._joined is None:
            self._joined = time.monotonic()

    def fail(self) -> float:
        """Counts the end of a connection, or that none was made, and returns the seconds to wait."""
        if self._joined is not None:
            # One that breaks right after it was made must not be made ten times a second.
            self._doublings = 0 if time.monotonic() - self._joined >= self._cap else _FLAPPING
        self._joined = None
        self.attempts += 1
        longest = min(self._cap, _FIRST * 2.0 ** min(self._doublings, 32))
        self._doublings += 1
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret depends on it
