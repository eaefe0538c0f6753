"""A live source that connects by itself, again and again."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rtdehaze.core.errors import SourceError
from rtdehaze.core.frame import Frame
from rtdehaze.core.live import Joined, LiveItem, LiveOptions, Lost
from rtdehaze.core.stream import VideoInfo
from rtdehaze.stages.capture.live.backoff import Backoff
from rtdehaze.stages.capture.live.connection import Connection, connect
from rtdehaze.stages.capture.live.losses import Gone
from rtdehaze.stages.capture.live.reader import Reader
from rtdehaze.stages.capture.live.session import Session
from rtdehaze.stages.capture.live.timeline import Timeline
from rtdehaze.stages.capture.problems import Notices

if TYPE_CHECKING:
    from rtdehaze.stages.capture.live.locations import Location
    from rtdehaze.stages.capture.live.plan import Plan
    from rtdehaze.stages.capture.options import CaptureOptions

__all__ = ["ReconnectingSource"]

_LOGGER = logging.getLogger("rtdehaze.capture")

_QUIET = 10.0
"""Seconds between two losses that are logged at least: a connection that comes and goes must not fill the disk."""

_FAREWELL = 0.3
"""Seconds that closing waits for the reading thread, so that one which is not stuck is gone afterwards."""


class ReconnectingSource:
    """A `rtdehaze.core.live.LiveSource` of a stream, a camera, a screen, filters, or standard input."""

    def __init__(self, location: Location, plan: Plan, live: LiveOptions, capture: CaptureOptions) -> None:
        """Connects to nothing yet.

        Args:
            location: As the user named it.
            plan: How it is opened.
            live: Timeouts and retries are used.
            capture: How to decode.
        """
        self._location = location.shown
        self._plan = plan
        self._live = live
        self._capture = capture
        self._notices = Notices(location.shown)
        self._skipped: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._reader: Reader | None = None
        self._telling = False
        self._told = -_QUIET

    @property
    def location(self) -> str:
        """What the user named, credentials taken out."""
        return self._location

    @property
    def skipped(self) -> dict[str, int]:
        """Frames that came but were not decoded, because they were late, by reason; from any thread."""
        return {reason: count for reason, count in self._skipped.copy().items() if count}

    def items(self) -> Iterator[LiveItem]:
        """Yields `Joined`, then frames (with `arrival`) and packets, `Lost`, `Joined` and so on.

        It ends when the source is closed, and where a source has an end.

        Raises:
            SourceError: The retries are used up, or trying again cannot help.
        """
        begin = pictured = time.monotonic()
        timeline = Timeline(begin, self._notices)
        backoff = Backoff(self._live.retry_cap)
        joins = 0
        while (reader := self._connect()) is not None:
            session = self._session(reader, timeline, was_there=joins > 0)
            there = False
            try:
                for item in session.items():
                    if isinstance(item, VideoInfo):
                        away = time.monotonic() - pictured
                        if not there:
                            joins += 1
                            self._tell_back(joins, away)
                        there = True
                        backoff.join()
                        yield Joined(item, session.copied, joins - 1, away)
                    else:
                        yield item
                        if isinstance(item, Frame):
                            pictured = time.monotonic()
                return
            except Gone as gone:
                reason, final = gone.reason, gone.final
            finally:
                reader.stop(0.0)
            if final is not None:
                raise final from None
            if there:
                self._tell_lost(reason)
                yield Lost(reason)
            self._pause(backoff, reason, there=there)

    def _connect(self) -> Reader | None:
        """Returns a reader that has begun to connect; None if the source is closed."""
        reader = Reader(self._open, "rtdehaze-reader")
        with self._lock:
            if self._closed.is_set():
                return None
            self._reader = reader
            reader.start()
        return reader

    def _open(self, stop: threading.Event) -> Connection:
        return connect(
            self._plan,
            self._location,
            self._notices,
            timeouts=(self._live.open_timeout, self._live.read_timeout + self._plan.slack),
            threads=self._capture.threads,
            hwaccel=self._capture.hwaccel,
            stop=stop,
        )

    def _session(self, reader: Reader, timeline: Timeline, *, was_there: bool) -> Session:
        return Session(
            reader,
            self._plan,
            timeline,
            self._notices,
            self._skipped,
            location=self._location,
            live=self._live,
            capture=self._capture,
            was_there=was_there,
        )

    def _pause(self, backoff: Backoff, reason: str, *, there: bool) -> None:
        """Waits before the next attempt, or until the source is closed."""
        delay, retries = backoff.fail(), self._live.retries
        if retries is not None and backoff.attempts > retries:
            times = "1 attempt" if backoff.attempts == 1 else f"{backoff.attempts} attempts"
            raise SourceError(f"cannot read {self._location!r}: {reason}; given up after {times}")
        if not there:
            self._notices.say(f"absent: {reason}", f"not there: {reason}; trying again until it is")
        self._closed.wait(delay)

    def _tell_lost(self, reason: str) -> None:
        now = time.monotonic()
        self._telling = now - self._told >= _QUIET
        if self._telling:
            self._told = now
            _LOGGER.warning("%r: lost: %s; connecting again", self._location, reason)

    def _tell_back(self, joins: int, away: float) -> None:
        if joins > 1 and self._telling:
            # As loud as the loss: whoever reads warnings only must not take it for gone.
            _LOGGER.warning("%r: back after %.1f s", self._location, away)

    def close(self) -> None:
        """Ends the iteration within a second wherever it waits; safe to call twice and from any thread."""
        with self._lock:
            self._closed.set()
            reader = self._reader
        if reader is not None:
            reader.stop(_FAREWELL)
