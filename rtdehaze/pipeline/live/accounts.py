"""The books of a live run: every frame that came in has gone out, was dropped for a reason, or is under way."""

from __future__ import annotations

import threading
import time
from enum import StrEnum

from rtdehaze.core.timing import Durations
from rtdehaze.core.watch import LiveStatus

__all__ = ["STAGES", "Accounts", "Drop"]

STAGES = ("estimate", "recompose", "encode")
"""The stages whose work is timed; capture waits for the camera, which says nothing."""

_PERCENTS = (50, 95, 99)


class Drop(StrEnum):
    """Why a frame that came in did not go out."""

    QUEUE = "queue"
    """A newer one was there before the next stage was free."""
    LATE = "late"
    """It was older than `max_latency`."""
    ADAPT = "adapt"
    """It came while the outputs were being prepared."""
    ORDER = "order"
    """The outputs had passed its timestamp while the source was away."""
    STOPPED = "stopped"
    """The run ended."""


class Accounts:
    """Counts and times of a live run; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begin = time.monotonic()
        self._in = 0
        self._out = 0
        self._fillers = 0
        self._packets = 0
        self._dropped: dict[str, int] = {}
        self._first_in: float | None = None
        self._last_out = self._begin
        self._connected = False
        self._reconnects = 0
        self._density: float | None = None
        self._density_sum = 0.0
        self._densities = 0
        self.age = Durations()
        """Arrival to encoded; added to by the encoding thread."""
        self.added = Durations()
        """Decoded to handed to the encoder, likewise."""
        self.stages = {stage: Durations() for stage in STAGES}

    def came(self) -> int:
        """Counts a frame that came in, and returns its number."""
        with self._lock:
            self._in += 1
            if self._first_in is None:
                self._first_in = time.monotonic()
            return self._in - 1

    def went(self, now: float) -> None:
        """Counts a frame that went out."""
        with self._lock:
            self._out += 1
            self._last_out = now

    def drop(self, reason: Drop) -> None:
        """Counts a frame that will not go out."""
        with self._lock:
            self._dropped[reason.value] = self._dropped.get(reason.value, 0) + 1

    def filled(self) -> None:
        """Counts a frame that fills a gap."""
        with self._lock:
            self._fillers += 1

    def copied(self) -> None:
        """Counts a packet of a copied stream."""
        with self._lock:
            self._packets += 1

    def joined(self, reconnects: int) -> None:
        """Notes that the source is there."""
        with self._lock:
            self._connected, self._reconnects = True, reconnects

    def lost(self) -> None:
        """Notes that the source has gone."""
        with self._lock:
            self._connected = False

    def hazy(self, density: float) -> None:
        """Notes the haze of a frame."""
        with self._lock:
            self._density = density
            self._density_sum += density
            self._densities += 1

    @property
    def running(self) -> float:
        """Seconds since the first frame came in; 0 before."""
        return 0.0 if self._first_in is None else time.monotonic() - self._first_in

    @property
    def packets(self) -> int:
        """Packets of copied streams that went out."""
        return self._packets

    @property
    def mean_density(self) -> float | None:
        """Mean haze density of the frames; None where nothing was estimated."""
        with self._lock:
            return self._density_sum / self._densities if self._densities else None

    def dropped_for(self, reason: Drop) -> int:
        """Returns how many frames were dropped for a reason."""
        return self._dropped.get(reason.value, 0)

    def status(self, *, every: int = 1, profile: str | None = None) -> LiveStatus:
        """Says how the run stands; outlets are for the caller to add."""
        now = time.monotonic()
        with self._lock:
            dropped = dict(self._dropped)
            return LiveStatus(
                seconds=now - self._begin,
                connected=self._connected,
                reconnects=self._reconnects,
                frames_in=self._in,
                frames_out=self._out,
                fillers=self._fillers,
                dropped=dropped,
                under_way=self._in - self._out - sum(dropped.values()),
                every=every,
                profile=profile,
                density=self._density,
                silent=now - self._last_out,
                age_ms=_percentiles(self.age),
                added_ms=_percentiles(self.added),
                stages={name: _stage(times) for name, times in self.stages.items()},
            )


def _percentiles(times: Durations) -> dict[str, float]:
    return {f"p{percent}": round(times.percentile(percent) * 1e3, 3) for percent in _PERCENTS}


def _stage(times: Durations) -> dict[str, float]:
    percentiles = {f"{name}_ms": value for name, value in _percentiles(times).items()}
    return {**percentiles, "total_s": round(times.total, 3), "count": times.count}
