"""The latest policy: a queue that never blocks its producer, and drops its oldest frame instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rtdehaze.pipeline.channel import Channel

__all__ = ["LatestChannel"]

Item = TypeVar("Item")


class LatestChannel(Channel[Item]):
    """A first-in first-out queue that holds the newest frames; whatever else passes keeps its place and is never lost.

    Args:
        capacity: Frames that wait at most.
        droppable: Says what is a frame.
    """

    def __init__(self, capacity: int, droppable: Callable[[Item], bool]) -> None:
        super().__init__(capacity)
        self._droppable = droppable
        self._frames = 0

    def offer(self, item: Item) -> Item | None:
        """Appends an item at once.

        Returns:
            The item that went for it, which is the oldest frame; `item` itself where the channel is closed; or None.
        """
        with self._changed:
            if self._closed:
                return item
            dropped = None
            if self._droppable(item):
                if self._frames == self._capacity:
                    dropped = next(waiting for waiting in self._items if self._droppable(waiting))
                    self._items.remove(dropped)
                else:
                    self._frames += 1
            self._items.append(item)
            self._changed.notify_all()
            return dropped

    def take(self, timeout: float | None = None) -> Item | None:
        """Takes the oldest item, as `Channel.take` does."""
        with self._changed:
            item = super().take(timeout)
            if item is not None and self._droppable(item):
                self._frames -= 1
            return item

    def discard(self) -> list[Item]:
        """Closes the channel and returns what waits instead of delivering it."""
        with self._changed:
            self._closed = True
            left = list(self._items)
            self._items.clear()
            self._frames = 0
            self._changed.notify_all()
            return left
