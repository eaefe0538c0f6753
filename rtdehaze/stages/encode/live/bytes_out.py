"""Where containers put their bytes: files and pipes that refuse all that comes after a failure."""

from __future__ import annotations

import os
import select
import stat
import threading
import time
from contextlib import suppress
from io import FileIO
from pathlib import Path

from rtdehaze.core.errors import SinkError

__all__ = ["FileBytes", "PipeBytes"]

_LOOK = 0.1
"""Seconds between looks at whether it is time to stop."""


class FileBytes:
    """A file that is written whole or not at all: after a failure a muxer's trailer must not spoil what is there."""

    def __init__(self, path: Path, *, new: bool) -> None:
        """Creates the file; an OSError passes through, FileExistsError where `new` and it is there."""
        self.path = path
        self._file = FileIO(path, "xb" if new else "wb")
        self._broken: OSError | None = None

    def write(self, data: bytes) -> int:
        """Writes all of it."""
        if self._broken is not None:
            raise self._broken
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError as error:
            self._broken = error
            raise
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Moves within the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Says where in the file it is."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Says whether it can move."""
        return self._file.seekable()

    def shut(self) -> None:
        """Closes it. Not named `close`, which PyAV would call by itself."""
        self._file.close()


class PipeBytes:
    """A pipe or standard output whose reader may be slow, but not for ever, and never holds up the end of the run.

    Args:
        descriptor: Open for writing; closed by `shut` unless it is lent.
        patience: Seconds that the reader may take nothing.
        stop: Set when it is time to let go.
        lent: It belongs to the process (standard output).
    """

    def __init__(self, descriptor: int, *, patience: float, stop: threading.Event, lent: bool) -> None:
        self._descriptor = descriptor
        self._patience = patience
        self._stop = stop
        self._lent = lent
        mode = os.fstat(descriptor).st_mode
        self._plain = stat.S_ISREG(mode)
        self._room = select.poll()
        self._room.register(descriptor, select.POLLOUT)
        self._broken: Exception | None = None

    def write(self, data: bytes) -> int:
        """Writes all of it as the reader takes it.

        Raises:
            SinkError: The reader took nothing for too long, or it is time to stop.
            OSError: The reader has gone.
        """
        if self._broken is not None:
            raise self._broken
        view = memoryview(data)
        try:
            while view:
                self._wait_for_room()
                # A pipe that has room takes so much without blocking, and need not be made non-blocking for all
                # processes that share it.
                view = view[os.write(self._descriptor, view[: select.PIPE_BUF]) :]
        except (OSError, SinkError) as error:
            self._broken = error
            raise
        return len(data)

    def _wait_for_room(self) -> None:
        if self._plain:
            return
        deadline = time.monotonic() + self._patience
        while not self._room.poll(1000 * _LOOK):
            if self._stop.is_set():
                raise SinkError("its reader did not take the rest in time")
            if time.monotonic() > deadline:
                raise SinkError(f"its reader has taken nothing for {self._patience:g} s")

    def shut(self) -> None:
        """Closes it."""
        if not self._lent:
            with suppress(OSError):
                os.close(self._descriptor)
