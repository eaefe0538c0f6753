"""What can be read faster than it plays, let through at its own times."""

from __future__ import annotations

import threading
import time

__all__ = ["Pacer"]

_LATE = 0.25
"""Seconds of delay past which the pace is taken up anew from now on, rather than made up for in a rush."""

_AHEAD = 10.0
"""Seconds to wait at most for one packet; a clock that runs ahead by more has jumped."""


class Pacer:
    """Waits until a time of the stream is due."""

    def __init__(self, stop: threading.Event, earliest: float = 0.0) -> None:
        """Begins with the first wait.

        Args:
            stop: Ends every wait.
            earliest: By `time.monotonic()`; nothing is due before.
        """
        self._stop = stop
        self._earliest = earliest
        self._origin: float | None = None

    def wait(self, seconds: float) -> bool:
        """Waits until it is time for `seconds` of the stream.

        Returns:
            Whether to go on: False once it was told to stop.
        """
        now = time.monotonic()
        if self._origin is None:
            self._origin = max(now, self._earliest) - seconds
        due = self._origin + seconds
        if due - now > _AHEAD or now - due > _LATE:
            self._origin = now - seconds
        elif due > now:
            return not self._stop.wait(due - now)
        return not self._stop.is_set()

    def place(self, seconds: float) -> float:
        """Returns when `seconds` of the stream are due, by `time.monotonic()`."""
        origin = max(time.monotonic(), self._earliest) if self._origin is None else self._origin
        return origin + seconds
