"""A thread with a bounded queue: whoever hands it work never waits long, and what it cannot take is counted."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from rtdehaze.core.timing import remaining

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
        patience: Seconds for which `put` waits for room before it drops an item; once that was in vain it does not
            wait again until there is room. 0 never waits.
    """

    def __init__(
        self,
        name: str,
        handle: Callable[[Sequence[Item]], None],
        *,
        room: int,
        tick: float | None = None,
        finish: Callable[[], None] | None = None,
        patience: float = 0.0,
    ) -> None:
        self.name = name
        self.closing = threading.Event()
        """Set when the worker is to come to its end: waits within `handle` should then be cut short."""
        self.closed_at: float | None = None
        """When that was, by `time.monotonic()`: what is granted at the end of a run counts from there."""
        self.dropped = 0
        """Items that nobody handled."""
        self._handle, self._finish, self._tick = handle, finish, tick
        self._items: deque[Item] = deque()
        self._room, self._patience = room, patience
        self._in_vain = False
        self._changed = threading.Condition()
        self._failing = False
        # A daemon: a peer that hangs must not keep the program from ending.
        self._thread = threading.Thread(target=self._work, name=f"watch-{name}", daemon=True)

    def start(self) -> None:
        """Begins to handle items; those that came before are handled first."""
        self._thread.start()

    def put(self, item: Item) -> None:
        """Hands an item over; never raises. Items after `close` are ignored."""
        with self._changed:
            if self.closing.is_set():
                return
            if not self._makes_room():
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            self._changed.notify_all()

    def _makes_room(self) -> bool:
        patience = 0.0 if self._in_vain else self._patience
        room = self._changed.wait_for(lambda: len(self._items) < self._room or self.closing.is_set(), patience)
        if not room and not self.dropped:
            _log.warning("%s cannot keep up; the oldest that waits is dropped and counted", self.name)
        self._in_vain = not room
        return room

    def close(self) -> None:
        """Asks the thread to handle what is waiting and to end; returns at once; safe to call twice."""
        with self._changed:
            if self.closed_at is None:
                self.closed_at = time.monotonic()
            self.closing.set()
            self._changed.notify_all()

    def join(self, deadline: float) -> bool:
        """Waits for the thread until `deadline` on the monotonic clock; returns whether it has ended."""
        if self._thread.ident is not None:
            self._thread.join(remaining(deadline))
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._items and not self.closing.is_set():
                    self._changed.wait(self._tick)
                items = list(self._items)
                self._items.clear()
                self._changed.notify_all()
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
