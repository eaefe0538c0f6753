"""The part of an input that is read: which timestamps lie in it, and where they are moved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from av.packet import Packet
from av.stream import Stream

from rtdehaze.core.stream import Chapter

__all__ = ["Bounds", "Cut"]


@dataclass(frozen=True, slots=True)
class Cut:
    """An interval [start, end) of the input's own clock, in seconds; None is open.

    With a start everything is moved back by it, in each stream's own time base, so that the output begins at 0 and
    tracks stay where they were to one another to within half a unit.
    """

    start: Fraction | None = None
    end: Fraction | None = None

    @staticmethod
    def of(origin: Fraction, start: Fraction | None, duration: Fraction | None) -> Cut:
        """Returns the interval that begins `start` seconds after `origin`, the first picture of the input."""
        begin = origin + (start or 0)
        return Cut(None if start is None else begin, None if duration is None else begin + duration)

    @property
    def whole(self) -> bool:
        """Whether nothing is cut off and nothing is moved."""
        return self.start is None and self.end is None

    def first(self, time_base: Fraction) -> int | None:
        """Returns the first timestamp inside, in units of `time_base`; None if there is no start."""
        return None if self.start is None else round(self.start / time_base)

    def stop(self, time_base: Fraction) -> int | None:
        """Returns the first timestamp after the end, in units of `time_base`; None if there is no end."""
        return None if self.end is None else round(self.end / time_base)

    def chapters(self, chapters: list[Chapter]) -> tuple[Chapter, ...]:
        """Returns the chapters that reach into the part, shortened to it and moved."""
        kept = []
        for chapter in chapters:
            first, stop = self.first(chapter.time_base), self.stop(chapter.time_base)
            begin = chapter.start if first is None else max(chapter.start, first)
            end = chapter.end if stop is None else min(chapter.end, stop)
            if end > begin or chapter.start == chapter.end == begin:
                moved = first or 0
                kept.append(replace(chapter, start=begin - moved, end=end - moved))
        return tuple(kept)

    def bounds(self, time_base: Fraction) -> Bounds:
        """Returns the interval for one stream, in units of its time base."""
        return Bounds(self.first(time_base), self.stop(time_base))


@dataclass(frozen=True, slots=True)
class Bounds:
    """The part that is read on the clock of one copied stream: [first, stop), None is open."""

    first: int | None
    stop: int | None

    def take(self, packet: Packet[Stream], *, clamp: bool) -> bool:
        """Moves a packet and says whether it belongs to the part.

        Args:
            packet: Its timestamps are changed.
            clamp: Whether a packet that begins before or ends after the part is shortened to it (subtitles) rather
                than judged by its beginning.
        """
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None:
            return True
        if self.stop is not None and time >= self.stop:
            return False
        length = packet.duration or 0
        begin = time
        if self.first is not None and time < self.first:
            if not clamp or time + length <= self.first:
                return False
            begin = self.first
        if clamp and length:
            end = time + length if self.stop is None else min(time + length, self.stop)
            packet.duration = end - begin
        by = begin - time - (self.first or 0)
        packet.pts = None if packet.pts is None else packet.pts + by
        packet.dts = None if packet.dts is None else packet.dts + by
        return True
