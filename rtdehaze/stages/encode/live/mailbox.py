"""The bounded queue before an outlet: an outlet that is slow or away loses frames, it never holds up the others."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from rtdehaze.stages.encode.live.feed import Feed, Parcel

__all__ = ["Mailbox"]


class Mailbox:
    """Holds parcels for one outlet; what follows a loss begins at a keyframe.

    Args:
        frames: How many may wait.
        size: How many bytes may wait.
        lossless: Full, it lets the sender wait instead of discarding what it holds.
        on_loss: Called where a keyframe would help, from any thread.
    """

    def __init__(self, frames: int, size: int, *, lossless: bool, on_loss: Callable[[], None]) -> None:
        self._capacity, self._capacity_bytes = frames, size
        self._lossless = lossless
        self._on_loss = on_loss
        self._items: deque[tuple[Feed, Parcel]] = deque()
        self._frames = self._bytes = 0
        self._changed = threading.Condition()
        self._feed: Feed | None = None
        self._admits = True
        self._awaits_key = not lossless
        self._over = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Frames that were sent and will not be taken."""
        return self._dropped

    def change(self, feed: Feed | None) -> None:
        """From now on parcels are of this feed; None takes none."""
        with self._changed:
            self._feed = feed
            self._awaits_key = not self._lossless
            self._changed.notify_all()

    def put(self, parcel: Parcel) -> None:
        """Takes a parcel, or drops it and counts its frame."""
        with self._changed:
            taken = self._put(parcel)
            lost = not taken and parcel.video
            self._dropped += lost
        if lost:
            self._on_loss()

    def _put(self, parcel: Parcel) -> bool:
        while self._lossless and self._full and self._admits and not self._over:
            self._changed.wait()
        if self._feed is None or not self._admits or self._over:
            return False
        if self._full:
            self._discard()
            self._awaits_key = True
        if self._awaits_key and not (parcel.video and parcel.key):
            return False
        self._awaits_key = False
        self._items.append((self._feed, parcel))
        self._frames += parcel.video
        self._bytes += parcel.native.size
        self._changed.notify_all()
        return True

    @property
    def _full(self) -> bool:
        return self._frames >= self._capacity or self._bytes >= self._capacity_bytes

    def _discard(self) -> None:
        self._dropped += self._frames
        self._items.clear()
        self._frames = self._bytes = 0
        self._changed.notify_all()

    def wait_for_feed(self) -> Feed | None:
        """Returns the feed of what comes next as soon as there is one; None when it is over."""
        with self._changed:
            while self._feed is None and not self._over:
                self._changed.wait()
            if self._items:
                return self._items[0][0]
            return None if self._over else self._feed

    def take(self, feed: Feed) -> Parcel | None:
        """Returns the next parcel of a feed as soon as there is one; None when it is over or the feed has changed."""
        with self._changed:
            while not self._items:
                if self._over or self._feed is not feed:
                    return None
                self._changed.wait()
            if self._items[0][0] is not feed:
                return None
            parcel = self._items.popleft()[1]
            self._frames -= parcel.video
            self._bytes -= parcel.native.size
            self._changed.notify_all()
            return parcel

    def refuse(self) -> None:
        """Drops and counts what waits and what comes, until `admit`."""
        with self._changed:
            self._admits = False
            self._discard()

    def admit(self) -> None:
        """Takes parcels again, from the next keyframe on."""
        with self._changed:
            if self._admits:
                return
            self._admits = True
            self._awaits_key = True
        self._on_loss()

    def lose(self, frames: int) -> None:
        """Counts frames that were taken and could not be written."""
        with self._changed:
            self._dropped += frames

    def end(self) -> None:
        """Nothing more will be put; what waits can still be taken."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
