"""Packets in the order of the file: from the keyframe before the part that is read until its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

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

_EARLY = 0.5
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
        # Floats: Fractions would take longer than all else that is done to a packet.
        bases = {stream.index: stream.time_base or Fraction(1, 90_000) for stream in container.streams}
        self._units = {index: float(base) for index, base in bases.items()}
        self._bounds = {} if cut.whole else {index: cut.bounds(base) for index, base in bases.items()}
        self._give_up = float("inf") if cut.end is None else float(cut.end + _READ_ON)
        self._reached = float("-inf")
        self.video_done = False
        """Set by whoever decodes, once a frame after the end of the part has come."""
        self._copied = bool(copied)
        self._await_time: int | None = None
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
            if self._await_time is not None:
                time = _time(packet)
                if not packet.is_keyframe or time is None or time < self._await_time:
                    return False
                self._await_time = None
            return True
        if index in self._covers:
            return bool(packet.size)
        if index in self._bounds and not self._bounds[index].take(packet, clamp=index in self._clamped):
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
        unit = self._units[packet.stream_index]
        self._reached = max(self._reached, (time + (packet.duration or 0)) * unit)
        return self.video_done and time * unit > self._give_up

    def _seek(self, start: Fraction) -> None:
        time_base = self._main.time_base or Fraction(1, 90_000)
        for back in _SEEK_BACK:
            target = round((start - back) / time_base)
            if not self._seek_to(target):
                break
            key = self._next_keyframe()
            if key is not None and key <= round(start / time_base):
                # Tracks that pass by may lie earlier in the file than the picture they belong to.
                self._await_time = key if self._copied else None
                if self._seek_to(target - (round(_LEAD / time_base) if self._copied else 0)):
                    return
        self._await_time = None
        self._seek_to(self._main.start_time or 0)

    def _seek_to(self, timestamp: int) -> bool:
        try:
            self._container.seek(timestamp, stream=self._main)
        except (av.FFmpegError, OSError):
            return False
        return True

    def _next_keyframe(self) -> int | None:
        """Returns the time of the next keyframe, None if there is none with a time."""
        try:
            for packet in self._container.demux(self._main):
                if packet.size and packet.is_keyframe:
                    return _time(packet)
        except (av.FFmpegError, OSError):
            return None
        return None

    def _tell_early_end(self) -> None:
        duration = self._container.duration
        if duration is None or not self._container.format.name.startswith(_STATES_DURATION):
            return
        expected = ((self._container.start_time or 0) + duration) / 1_000_000
        if self._reached > float("-inf") and expected - self._reached > _EARLY:
            self._notices.say(
                "ends early",
                f"the input ends early, at {self._reached:.2f} s of {expected:.2f} s; everything before is kept",
            )

    def _position(self) -> str:
        return f" at {self._reached:.2f} s" if self._reached > float("-inf") else ""


def _time(packet: Packet[Any]) -> int | None:
    # Right after a seek Matroska knows no decoding times.
    return packet.pts if packet.pts is not None else packet.dts
