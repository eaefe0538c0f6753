"""Queues between two stages that can be closed by their producer and cancelled by anyone."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

__all__ = ["Cancelled", "Channel", "Ended"]

Item = TypeVar("Item")


class Cancelled(Exception):  # noqa: N818 - not an error: how a worker learns that it shall stop
    """The channel was cancelled: the run is over, whatever was under way."""


class Ended(Exception):  # noqa: N818 - not an error: how a consumer learns that nothing more will come
    """The channel was closed, and what waited was taken."""


class Channel(Generic[Item]):
    """A bounded first-in first-out queue; a full one blocks its producers, so nothing is ever lost.

    Args:
        capacity: Items that wait at most.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[Item] = deque()
        self._closed = False
        self._cancelled = False
        self._changed = threading.Condition()

    def put(self, item: Item) -> None:
        """Appends an item, waiting for room.

        Raises:
            Cancelled: The run is over.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._cancelled or len(self._items) < self._capacity)
            if self._cancelled:
                raise Cancelled
            self._items.append(item)
            self._changed.notify_all()

    def close(self) -> None:
        """Says that nothing more will come; what waits is still delivered."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def cancel(self) -> None:
        """Drops what waits and wakes everyone with `Cancelled`."""
        with self._changed:
            self._cancelled = True
            self._items.clear()
            self._changed.notify_all()

    def take(self, timeout: float | None = None) -> Item | None:
        """Takes the oldest item, waiting for one.

        Args:
            timeout: Seconds to wait at most; None waits for ever.

        Returns:
            The item; None where none came in time.

        Raises:
            Ended: The channel is closed and empty.
            Cancelled: The run is over.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._cancelled or self._closed or bool(self._items), timeout)
            if self._cancelled:
                raise Cancelled
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
            if self._closed:
                raise Ended
            return None

    def __iter__(self) -> Iterator[Item]:
        """Yields items until the channel is closed and empty.

        Raises:
            Cancelled: The run is over.
        """
        while True:
            try:
                item = self.take()
            except Ended:
                return
            if item is not None:
                yield item
            del item  # a frame must not outlive its turn while this waits for the next
