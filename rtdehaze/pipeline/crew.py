"""Threads that work together: started by name, joined together, the first failure of any kept for the caller."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from rtdehaze.core.timing import remaining
from rtdehaze.pipeline.channel import Cancelled

__all__ = ["Crew"]


class Crew:
    """The threads of a run.

    Args:
        bodies: What each does, by its name; `Cancelled` ends one quietly.
        daemon: Whether the process may end while one of them is stuck in a library's call.
    """

    def __init__(self, bodies: Mapping[str, Callable[[], None]], *, daemon: bool = False) -> None:
        self._threads = [
            threading.Thread(target=partial(self._work, body), name=f"rtdehaze-{name}", daemon=daemon)
            for name, body in bodies.items()
        ]
        self._lock = threading.Lock()
        self.failure: BaseException | None = None
        """The first that ended a thread."""
        self.over = threading.Event()
        """Set by a failure, and by whichever body ends the run."""

    def start(self) -> None:
        """Starts all threads."""
        for thread in self._threads:
            thread.start()

    def join(self, seconds: float | None = None) -> list[str]:
        """Waits for the threads to end; a second Ctrl-C does not abandon one that holds the output.

        Args:
            seconds: To wait at most for all of them; None waits for ever.

        Returns:
            The names of those that have not ended.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        for thread in self._threads:
            # One that was never started is not alive either.
            while thread.is_alive() and (deadline is None or time.monotonic() < deadline):
                try:
                    thread.join(remaining(deadline))
                except KeyboardInterrupt:
                    continue
        return [thread.name for thread in self._threads if thread.is_alive()]

    def fail(self, error: BaseException) -> None:
        """Notes a failure, unless there was one before, and ends the run."""
        with self._lock:
            self.failure = self.failure or error
        self.over.set()

    def _work(self, body: Callable[[], None]) -> None:
        try:
            body()
        except Cancelled:
            pass
        except BaseException as error:  # noqa: BLE001 - handed to the caller of run
            self.fail(error)
