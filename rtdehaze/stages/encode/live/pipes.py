"""Standard output and named pipes as outlets."""

from __future__ import annotations

import os
import sys
import threading
from fractions import Fraction

from rtdehaze.core.errors import SinkError
from rtdehaze.stages.encode.live.bytes_out import PipeBytes
from rtdehaze.stages.encode.live.feed import Feed, Parcel
from rtdehaze.stages.encode.live.outlet import OutletEndedError
from rtdehaze.stages.encode.live.writing import Writing

__all__ = ["PipeOpener"]


class _Pipe:
    def __init__(self, data: PipeBytes, feed: Feed, opener: PipeOpener) -> None:
        self._bytes, self._opener = data, opener
        self._writing = Writing(data, feed, opener.origin)

    def write(self, parcel: Parcel) -> None:
        try:
            self._writing.write(parcel)
        except BrokenPipeError as error:
            raise self._opener.gone() from error
        self._opener.origin = self._writing.origin

    def close(self) -> None:
        try:
            self._writing.close()
        except BrokenPipeError as error:
            raise self._opener.gone() from error
        self._bytes.shut()

    def abandon(self) -> None:
        try:
            self._writing.abandon()
        finally:
            self._bytes.shut()


class PipeOpener:
    """Opens a named pipe when somebody reads it; standard output is open and ends with its reader.

    Args:
        path: The pipe; None is standard output.
        patience: Seconds that a reader may take nothing.
    """

    prompt = False

    def __init__(self, path: str | None, *, patience: float) -> None:
        self._path = path
        self._patience = patience
        self.origin: Fraction | None = None
        """Stays for the whole run: to a reader it is one stream."""

    def open(self, feed: Feed, stop: threading.Event) -> _Pipe:
        """Opens it.

        Raises:
            SinkError: Nobody reads the pipe.
        """
        lent = self._path is None
        descriptor = sys.stdout.fileno() if self._path is None else self._descriptor(self._path)
        return _Pipe(PipeBytes(descriptor, patience=self._patience, stop=stop, lent=lent), feed, self)

    def end(self) -> None:
        """Nothing is left to do."""

    def _descriptor(self, path: str) -> int:
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            raise SinkError(f"nobody reads the pipe ({error.strerror})") from error

    def gone(self) -> SinkError:
        """Returns what it means that the reader has gone."""
        if self._path is None:
            return OutletEndedError("its reader has gone")
        return SinkError("its reader has gone")
