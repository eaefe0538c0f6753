"""Standard input as a file for FFmpeg that can be interrupted while it waits."""

from __future__ import annotations

import os
import select
import sys
import threading

__all__ = ["StandardInput"]

_POLL = 0.1
"""Seconds between looks at whether to stop; FFmpeg looks as often at its own sockets."""


class StandardInput:
    """Reads file descriptor 0 without buffering; says that it has ended once `stop` is set."""

    name = "standard input"

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._descriptor = 0

    def read(self, size: int) -> bytes:
        """Returns at most `size` bytes, as soon as there are any; none at the end."""
        # Elsewhere select() knows sockets only.
        if sys.platform != "win32":
            while not select.select([self._descriptor], [], [], _POLL)[0]:
                if self._stop.is_set():
                    return b""
        return b"" if self._stop.is_set() else os.read(self._descriptor, size)
