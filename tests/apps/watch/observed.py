"""Frames as observers see them, and waiting for threads."""

from __future__ import annotations

import time
from collections.abc import Callable

from rtdehaze.core.watch import Observation

NOON = 1_780_000_000.0


def frame(number: int, *, rate: float = 25.0, pts: float | None = None, **readings: float) -> Observation:
    at = number / rate if pts is None else pts
    values = {"density": 0.3, "transmission": 0.6, "brightness": 0.5, "weight": 1.0, **readings}
    return Observation(time=NOON + at, pts=at, frame=number, airlight=(0.8, 0.82, 0.85), **values)


def eventually(condition: Callable[[], object], seconds: float = 60.0) -> bool:
    """Waits until something in another thread has come about."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
