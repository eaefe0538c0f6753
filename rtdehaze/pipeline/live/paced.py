"""A file played as a camera would send it: for network outputs, which take frames at the pace of a clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

from rtdehaze.core.frame import Frame
from rtdehaze.core.live import Joined, LiveItem
from rtdehaze.core.stream import Source

__all__ = ["PacedSource"]


class PacedSource:
    """Yields a source's frames when their time has come, once.

    Args:
        source: Closed with this.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._closed = threading.Event()

    @property
    def location(self) -> str:
        """What the user named."""
        return self._source.location

    def items(self) -> Iterator[LiveItem]:
        """Yields `Joined`, then the frames at their times and the packets between them, to the source's end.

        Raises:
            SourceError: The input broke in a way that decoding cannot survive.
        """
        yield Joined(self._source.video, self._source.copied, reconnects=0, away=0.0)
        origin: float | None = None
        for item in self._source.items():
            if self._closed.is_set():
                return
            if not isinstance(item, Frame):
                yield item
                continue
            now = time.monotonic()
            if origin is None:
                origin = now - item.time
            if self._closed.wait(max(0.0, origin + item.time - now)):
                return
            yield replace(item, arrival=time.monotonic())

    def close(self) -> None:
        """Ends the iteration, at the next frame at the latest."""
        self._closed.set()
        self._source.close()
