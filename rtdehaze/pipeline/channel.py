"""A bounded queue between two stages that can be closed by its producer and cancelled by anyone."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

__all__ = ["Cancelled", "Channel"]

Item = TypeVar("Item")


class Cancelled(Exception):  # noqa: N818 - not an error: how a worker learns that it shall stop
    """The channel was cancelled: the run is over, whatever was under way."""


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

    def __iter__(self) -> Iterator[Item]:
        """Yields items until the channel is closed and empty.

        Raises:
            Cancelled: The run is over.
        """
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._cancelled or self._closed or bool(self._items))
                if self._cancelled:
                    raise Cancelled
                if not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
            del item  # a frame must not outlive its turn while this waits for the next
