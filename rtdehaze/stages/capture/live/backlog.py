"""Packets on their way from the thread that reads to the one that decodes; video that comes too late is left out."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.packet import Packet

__all__ = ["Arrival", "Backlog"]

_MOST_BYTES = 64 << 20
"""Packets that may wait, in bytes: some seconds of 4K. More come only if nobody takes any."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A packet and when it came."""

    packet: Packet[Any]
    time: float
    """By `time.monotonic()`."""
    video: bool
    key: bool


class Backlog:
    """A queue of packets and whatever else a reader has to say; used by a reader and one who takes."""

    def __init__(self) -> None:
        self._items: deque[object] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        self._await_key = False
        self.dropped = 0
        """Video packets that were left out because they were too many."""

    @property
    def closed(self) -> bool:
        """Whether nothing will come any more."""
        return self._closed

    def put(self, item: object) -> bool:
        """Appends a packet or anything else; never waits.

        Returns:
            Whether anybody will take it.
        """
        with self._changed:
            if self._closed:
                return False
            if isinstance(item, Arrival) and not self._room(item):
                return True
            self._items.append(item)
            self._changed.notify()
            return True

    def take(self, timeout: float) -> object | None:
        """Returns the oldest item; None if there is none after `timeout` seconds, or the queue was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout)
            if self._closed or not self._items:
                return None
            item = self._items.popleft()
            if isinstance(item, Arrival):
                self._bytes -= item.packet.size
            return item

    def skip_to_newest_keyframe(self) -> int | None:
        """Takes out all video packets before the newest keyframe that waits.

        Returns:
            How many were taken out; None if no keyframe waits.
        """
        with self._changed:
            keys = [at for at, item in enumerate(self._items) if isinstance(item, Arrival) and item.key]
            return self._take_out(keys[-1]) if keys else None

    def close(self) -> None:
        """Empties the queue and wakes whoever waits; safe to call twice and from any thread."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()

    def _room(self, arrival: Arrival) -> bool:
        """Counts a packet in, and makes room for it; False if it is to be left out itself."""
        if self._bytes + arrival.packet.size > _MOST_BYTES:
            self.dropped += self._take_out(len(self._items))
            self._await_key = True
        if arrival.video and self._await_key:
            if not arrival.key:
                self.dropped += 1
                return False
            self._await_key = False
        if self._bytes + arrival.packet.size > _MOST_BYTES:
            self._items = deque(item for item in self._items if not isinstance(item, Arrival))
            self._bytes = 0
        self._bytes += arrival.packet.size
        return True

    def _take_out(self, end: int) -> int:
        kept: deque[object] = deque()
        gone = 0
        for at, item in enumerate(self._items):
            if at < end and isinstance(item, Arrival) and item.video:
                self._bytes -= item.packet.size
                gone += 1
            else:
                kept.append(item)
        self._items = kept
        return gone
