"""A source of frames that are already in memory: for measuring the pipeline without codecs, and for embedding it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from rtdehaze.core.errors import SourceError, UsageError
from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import Chapter, CopiedStream, Packet, VideoInfo

__all__ = ["MemorySource"]


class MemorySource:
    """Plays given frames, over and over if asked to, with timestamps that go on.

    Args:
        frames: At least one; all of one size and format, in presentation order.
        count: How many to deliver; None plays each once.
        rate: Frames per second, for the timestamps.

    Raises:
        UsageError: There are no frames.
    """

    def __init__(self, frames: Sequence[Frame], *, count: int | None = None, rate: Fraction = Fraction(25)) -> None:
        if not frames:
            raise UsageError("frames must hold at least one frame")
        first = frames[0]
        self._frames = list(frames)
        self._count = len(frames) if count is None else count
        self._time_base = 1 / rate
        self._closed = False
        self.location = "memory"
        self.copied: tuple[CopiedStream, ...] = ()
        self.chapters: tuple[Chapter, ...] = ()
        self.metadata: dict[str, str] = {}
        self.video = VideoInfo(
            width=first.width,
            height=first.height,
            format=first.format,
            colour=first.colour,
            time_base=self._time_base,
            codec="rawvideo",
            native_format=first.format.name,
            rate=rate,
            duration=float(self._count / rate),
            frames=self._count,
        )

    def items(self) -> Iterator[Frame | Packet]:
        """Yields the frames; their planes are shared, not copied.

        Raises:
            SourceError: The source was closed.
        """
        for number in range(self._count):
            if self._closed:
                raise SourceError("the source is closed; open it again")
            yield replace(self._frames[number % len(self._frames)], pts=number, time_base=self._time_base)

    def close(self) -> None:
        """Lets the frames go."""
        self._closed = True
        self._frames = []
