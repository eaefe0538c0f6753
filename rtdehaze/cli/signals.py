"""Ctrl-C and SIGTERM as a flag: a run that is told to stop finishes its output instead of dying in the middle."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["StopRequest", "leave", "stop_on_signals"]


class StopRequest(threading.Event):
    """Set by the first signal; remembers which."""

    signal: int | None = None

    @property
    def exit_code(self) -> int:
        """What shells expect of a program that a signal ended: 128 + its number."""
        return 128 + (self.signal or signal.SIGINT)


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turns SIGINT and SIGTERM into a request to stop while the block runs."""
    request = StopRequest()

    def ask(number: int, _: FrameType | None) -> None:
        request.signal = request.signal or number
        request.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(code: int) -> NoReturn:
    """Ends the process, at once if one of the run's threads is stuck in a library's call.

    Everything is closed by then; the interpreter would wait for that thread, or crash when it comes back.
    """
    if any(thread.daemon and thread.name.startswith("rtdehaze-") for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
