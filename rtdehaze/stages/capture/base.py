"""What every source has: its facts, one pass over its items, and a close that is safe from any thread."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rtdehaze.core.errors import SourceError
from rtdehaze.core.frame import Frame
from rtdehaze.core.secrets import redacted
from rtdehaze.core.stream import Chapter, CopiedStream, Packet, VideoInfo
from rtdehaze.stages.capture.problems import Notices

__all__ = ["BaseSource"]


class BaseSource(ABC):
    """A `rtdehaze.core.stream.Source` that is also a context manager.

    Whoever touches the codec library holds `_lock`, and looks at `_closed` after taking it; so `close` waits for at
    most one packet's decoding and never frees what another thread still reads.
    """

    def __init__(self, location: str) -> None:
        self._location = location
        self._notices = Notices(location)
        self._lock = threading.Lock()
        self._closed = False

    @property
    def location(self) -> str:
        """What the user named, credentials taken out."""
        return redacted(self._location)

    @property
    @abstractmethod
    def video(self) -> VideoInfo:
        """The video stream that is dehazed."""

    @property
    def copied(self) -> tuple[CopiedStream, ...]:
        """The streams whose packets are passed on."""
        return ()

    @property
    def chapters(self) -> tuple[Chapter, ...]:
        """The chapter marks of the part that is read."""
        return ()

    @property
    def metadata(self) -> dict[str, str]:
        """The container's own tags."""
        return {}

    @abstractmethod
    def items(self) -> Iterator[Frame | Packet]:
        """Yields frames in presentation order and packets in the order of the file, once, until the end.

        Raises:
            SourceError: The source is closed, or the input broke in a way that decoding cannot survive.
        """

    def close(self) -> None:
        """Releases everything; safe to call twice and from another thread."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._release()

    @abstractmethod
    def _release(self) -> None:
        """Frees what the codec library holds."""

    def _assert_open(self) -> None:
        if self._closed:
            raise SourceError(f"{self.location!r} is closed and cannot be read any more")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
