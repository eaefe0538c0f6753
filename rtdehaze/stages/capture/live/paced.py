"""Files played at their own speed, as if they were live."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rtdehaze.core.frame import Frame
from rtdehaze.core.live import Joined, LiveItem
from rtdehaze.core.secrets import redacted
from rtdehaze.core.stream import Packet
from rtdehaze.stages.capture.live.pacing import Pacer
from rtdehaze.stages.capture.live.templates import detached
from rtdehaze.stages.capture.live.timeline import VIDEO_BASE, Timeline
from rtdehaze.stages.capture.problems import Notices

if TYPE_CHECKING:
    from rtdehaze.core.stream import CopiedStream
    from rtdehaze.stages.capture.base import BaseSource

__all__ = ["PacedSource"]

_INTERVAL = 0.04
"""Seconds from the last frame of one round to the first of the next where the file does not tell its rate."""


class PacedSource:
    """A `rtdehaze.core.live.LiveSource` of a file, pictures or a folder of them."""

    def __init__(self, location: str, open_file: Callable[[], BaseSource], *, loop: bool) -> None:
        """Opens the file, to tell at once if it cannot be read.

        Args:
            location: As the user named it.
            open_file: Opens it; called again for every round.
            loop: Whether to begin anew at the end, for ever.

        Raises:
            SourceError: It cannot be read.
        """
        self._location = redacted(location)
        self._notices = Notices(location)
        self._open_file = open_file
        self._loop = loop
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._source: BaseSource | None = open_file()
        rate = self._source.video.rate
        self._interval = _INTERVAL if rate is None else float(1 / rate)
        self._reached = -self._interval

    @property
    def location(self) -> str:
        """What the user named, credentials taken out."""
        return self._location

    @property
    def skipped(self) -> dict[str, int]:
        """Frames that were not decoded because they were late: none, since a file waits."""
        return {}

    def items(self) -> Iterator[LiveItem]:
        """Yields `Joined`, then frames (with `arrival`) and packets at their times; ends with the file, or if closed.

        Raises:
            SourceError: The file broke in a way that decoding cannot survive.
        """
        begin = time.monotonic()
        self._timeline = Timeline(begin, self._notices)
        again: dict[int, CopiedStream] | None = None
        while (source := self._source) is not None:
            if again is None:
                copied = detached(source.copied, self._notices)
                video = replace(source.video, time_base=VIDEO_BASE, native=None)
                yield Joined(video, copied, 0, time.monotonic() - begin)
                again = {stream.index: stream for stream in copied}
            yield from self._round(source, again, begin)
            if not self._next_round():
                return

    def _round(self, source: BaseSource, copied: dict[int, CopiedStream], begin: float) -> Iterator[LiveItem]:
        pacer = Pacer(self._stop, earliest=begin + self._reached + self._interval)
        items = source.items()
        while True:
            with self._lock:
                # Closing waits for no more than one packet's decoding.
                item = None if self._stop.is_set() else next(items, None)
            if item is None:
                return
            if isinstance(item, Frame):
                if not pacer.wait(item.time):
                    return
                yield self._placed(item, pacer.place(item.time) - begin)
            elif item.stream.index in copied and self._moved(item.native, pacer.place(0.0) - begin):
                yield Packet(copied[item.stream.index], item.native)

    def _placed(self, frame: Frame, seconds: float) -> Frame:
        arrival = time.monotonic()
        pts = self._timeline.stamp_frame(round(seconds / VIDEO_BASE), VIDEO_BASE, arrival)
        native: Any = frame.native
        if native is not None:
            native.pts, native.time_base = pts, VIDEO_BASE
        self._reached = float(pts * VIDEO_BASE)
        return replace(frame, pts=pts, time_base=VIDEO_BASE, arrival=arrival)

    def _moved(self, packet: Any, seconds: float) -> bool:
        by = round(seconds / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts + by
        packet.dts = None if packet.dts is None else packet.dts + by
        return self._timeline.stamp_packet(packet)

    def _next_round(self) -> bool:
        with self._lock:
            if self._source is not None:
                self._source.close()
                self._source = None
            if not self._loop or self._stop.is_set():
                return False
            self._source = self._open_file()
            return True

    def close(self) -> None:
        """Ends the iteration within a second wherever it waits; safe to call twice and from any thread."""
        self._stop.set()
        with self._lock:
            source, self._source = self._source, None
        if source is not None:
            source.close()
