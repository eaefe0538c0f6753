"""A thread with a bounded queue: whoever hands it work never waits, and what it cannot take is counted."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["Worker"]

_log = logging.getLogger("rtdehaze.watch")

Item = TypeVar("Item")


class Worker(Generic[Item]):
    """Hands items to a function in a thread of its own; when its queue is full the oldest item is dropped.

    Args:
        name: For the thread, the log and the metrics.
        handle: Takes what has gathered since its last call, oldest first. What it raises is said once, until it has
            succeeded again, and ends nothing.
        room: Items that may wait.
        tick: Seconds after which `handle` is called with nothing if nothing has come; None waits for items.
        finish: Called in the thread when it ends.
    """

    def __init__(
        self,
        name: str,
        handle: Callable[[Sequence[Item]], None],
        *,
        room: int,
        tick: float | None = None,
        finish: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.closing = threading.Event()
        """Set when the worker is to come to its end: waits within `handle` should then be cut short."""
        self.dropped = 0
        """Items that nobody handled."""
        self._handle, self._finish, self._tick = handle, finish, tick
        self._items: deque[Item] = deque()
        self._room = room
        self._changed = threading.Condition()
        self._failing = False
        # A daemon: a peer that hangs must not keep the program from ending.
        self._thread = threading.Thread(target=self._work, name=f"watch-{name}", daemon=True)

    def start(self) -> None:
        """Begins to handle items; those that came before are handled first."""
        self._thread.start()

    def put(self, item: Item) -> None:
        """Hands an item over; never waits and never raises. Items after `close` are ignored."""
        with self._changed:
            if self.closing.is_set():
                return
            if len(self._items) >= self._room:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            self._changed.notify()

    def close(self) -> None:
        """Asks the thread to handle what is waiting and to end; returns at once; safe to call twice."""
        self.closing.set()
        with self._changed:
            self._changed.notify()

    def join(self, deadline: float) -> bool:
        """Waits for the thread until `deadline` on the monotonic clock; returns whether it has ended."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._items and not self.closing.is_set():
                    self._changed.wait(self._tick)
                items = list(self._items)
                self._items.clear()
                ending = self.closing.is_set()
            if items or not ending:
                self._guarded(lambda: self._handle(items))  # noqa: B023 - called at once
            else:
                self._guarded(self._finish or (lambda: None))
                return

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - the boundary: what watches a run must never end it
            if not self._failing:
                _log.warning("%s failed and goes on: %s: %s", self.name, type(error).__name__, error)
            self._failing = True
        else:
            self._failing = False
