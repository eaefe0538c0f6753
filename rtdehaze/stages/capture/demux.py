"""Packets in the order of the file: from the keyframe before the part that is read until its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from rtdehaze.core.stream import CopiedStream
from rtdehaze.stages.capture.continuity import Continuity
from rtdehaze.stages.capture.cut import Cut
from rtdehaze.stages.capture.problems import Notices
from rtdehaze.stages.capture.streams import is_picture_track

__all__ = ["Demuxer"]

_SEEK_BACK = (0, 1, 10, 60)
"""Seconds before the start to try, one after the other, where a container without an index lands too late."""

_LEAD = Fraction(10)
"""Seconds by which a subtitle that is still shown, or sound that is interleaved ahead, may lie before the keyframe."""

_READ_ON = Fraction(5)
"""Seconds that packets of copied streams may lag behind the end of the part in the file."""

_RETRIES = 100
"""Errors in a row after which an input is given up; a demuxer that resynchronises needs a few."""

_EARLY = Fraction(1, 2)
"""Seconds that may be missing at the end before it is told: last durations are often rounded or wrong."""

_STATES_DURATION = ("mov", "matroska", "avi")
"""Containers whose header holds the duration; for others FFmpeg estimates it."""


class Demuxer:
    """Reads a container once."""

    def __init__(
        self,
        container: InputContainer,
        main: VideoStream,
        cut: Cut,
        copied: tuple[CopiedStream, ...],
        notices: Notices,
    ) -> None:
        """Seeks to the keyframe before the start of the part."""
        self._container = container
        self._main = main
        self._cut = cut
        self._notices = notices
        self._clamped = frozenset(stream.index for stream in copied if stream.kind == "subtitle")
        self._covers = frozenset(stream.index for stream in container.streams.video if is_picture_track(stream))
        self._await_key = {stream.index for stream in copied if stream.kind == "video"} - self._covers
        self._continuity = Continuity(container, notices)
        self._reached: Fraction | None = None
        self.video_done = False
        """Set by whoever decodes, once a frame after the end of the part has come."""
        self._copied = bool(copied)
        self._skip_before: int | None = None
        if cut.start is not None:
            self._seek(cut.start)

    def packets(self, lock: threading.Lock, assert_open: Callable[[], None]) -> Iterator[Packet[Stream]]:
        """Yields packets of the main video as they are, and those of other streams cut and moved.

        Args:
            lock: Held while the container is read.
            assert_open: Raises if the container was closed meanwhile.
        """
        failures = 0
        packets = self._container.demux()
        while True:
            with lock:
                assert_open()
                try:
                    packet = next(packets)
                except StopIteration:
                    break
                except (av.FFmpegError, OSError) as error:
                    failures += 1
                    if failures > _RETRIES or not isinstance(error, av.error.InvalidDataError):
                        self._notices.say("ends early", f"reading stopped{self._position()}: {error}")
                        return
                    packets = self._container.demux()
                    continue
                failures = 0
                if self._is_flush(packet):
                    continue
                self._continuity.apply(packet)
                if self._past_end(packet):
                    return
                if not self._wanted(packet):
                    continue
            yield packet
        self._tell_early_end()

    @staticmethod
    def _is_flush(packet: Packet[Stream]) -> bool:
        return not packet.size and packet.pts is None and packet.dts is None

    def _wanted(self, packet: Packet[Stream]) -> bool:
        index = packet.stream_index
        if index == self._main.index:
            if self._skip_before is not None and packet.dts is not None and packet.dts < self._skip_before:
                return False
            self._skip_before = None
            return True
        if index in self._covers:
            return bool(packet.size)
        if not self._cut.packet(packet, packet.time_base, clamp=index in self._clamped):
            return False
        if self._cut.start is not None and index in self._await_key:
            if not packet.is_keyframe:
                return False
            self._await_key.discard(index)
        return True

    def _past_end(self, packet: Packet[Stream]) -> bool:
        """Notes how far the input has been read and says whether nothing of the part can follow."""
        time = packet.dts if packet.dts is not None else packet.pts
        if time is None:
            return False
        begins = Fraction(time * packet.time_base)
        ends = begins + Fraction((packet.duration or 0) * packet.time_base)
        self._reached = ends if self._reached is None else max(self._reached, ends)
        return self.video_done and self._cut.end is not None and begins > self._cut.end + _READ_ON

    def _seek(self, start: Fraction) -> None:
        time_base = self._main.time_base or Fraction(1, 90_000)
        for back in _SEEK_BACK:
            target = round((start - back) / time_base)
            if not self._seek_to(target):
                break
            key = self._next_keyframe()
            if key is not None and key[0] <= round(start / time_base):
                # Tracks that pass by may lie earlier in the file than the picture they belong to.
                self._skip_before = key[1] if self._copied else None
                if self._seek_to(target - (round(_LEAD / time_base) if self._copied else 0)):
                    return
        self._skip_before = None
        self._seek_to(self._main.start_time or 0)

    def _seek_to(self, timestamp: int) -> bool:
        try:
            self._container.seek(timestamp, stream=self._main)
        except (av.FFmpegError, OSError):
            return False
        return True

    def _next_keyframe(self) -> tuple[int, int] | None:
        """Returns the presentation and decoding time of the next keyframe, None if there is none with a time."""
        try:
            for packet in self._container.demux(self._main):
                if packet.size and packet.is_keyframe:
                    pts = packet.pts if packet.pts is not None else packet.dts
                    return None if pts is None or packet.dts is None else (pts, packet.dts)
        except (av.FFmpegError, OSError):
            return None
        return None

    def _tell_early_end(self) -> None:
        duration = self._container.duration
        if duration is None or self._reached is None or not self._container.format.name.startswith(_STATES_DURATION):
            return
        expected = Fraction((self._container.start_time or 0) + duration, 1_000_000)
        if expected - self._reached > _EARLY:
            self._notices.say(
                "ends early",
                f"the input ends early, at {float(self._reached):.2f} s of {float(expected):.2f} s; "
                "everything before is kept",
            )

    def _position(self) -> str:
        return "" if self._reached is None else f" at {float(self._reached):.2f} s"
