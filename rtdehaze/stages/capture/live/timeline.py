"""The one clock of a live run: timestamps of all connections put in one row, near to when their packets arrived."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.packet import Packet

    from rtdehaze.stages.capture.problems import Notices

__all__ = ["VIDEO_BASE", "Timeline"]

VIDEO_BASE = Fraction(1, 90_000)
"""Time base of all frames of a live run: that of RTP and MPEG-TS, and a multiple of all common frame rates."""

_BACK = 0.1
"""Seconds by which a stream's clock may run back before it is a jump; less is an error of single packets."""

_BACK_REORDERED = 0.5
"""The same where only presentation times are known, which run back and forth with B-frames."""

_AHEAD = 1.0
"""Seconds by which a stream's clock may run on faster than time before it is a jump."""

_WINDOW = 5.0
"""Seconds over which the smallest delay is taken for the stream's own: what is above it is the network's jitter."""

_FIRST_WINDOW = 1.0
"""The same right after connecting, when packets that were read ahead have put the clock wrong."""

_SLEW = 0.01
"""How much faster or slower than time the run's clock may go to make up for a drift: less than is seen or heard.
A camera's quartz is off by about 0.00005."""

_STEADY = 0.002
"""Seconds of drift that are left alone."""

_ASTRAY = 2.0
"""Seconds of drift past which the clock is set instead of being led back."""

_BEHIND = 0.3
"""Seconds by which what is read at its own pace may be late before the clock is set: it will not catch up."""

_OVERLAP = Fraction(1, 20)
"""Seconds by which a packet may lie before the one it follows and be moved; one that lies further back is left out."""

_STEP = 0.001
"""Seconds between two frames, and between the end of one connection and the beginning of the next, at least: some
containers count in milliseconds."""

_STEP_TICKS = round(_STEP / VIDEO_BASE)


@dataclass(slots=True)
class _Track:
    """What is known of one stream of the connection."""

    stamp: float
    """Seconds of its last packet on its own clock."""
    place: float
    """Seconds of its last packet on the run's clock, drift left out."""
    seen: float
    """Seconds of the run at which it arrived."""
    offset: float


class Timeline:
    """Gives packets and frames their times; used by one thread."""

    def __init__(self, begin: float, notices: Notices) -> None:
        """Starts at 0.

        Args:
            begin: `time.monotonic()` at which the run's clock is 0.
            notices: Where jumps are told.
        """
        self._begin = begin
        self._notices = notices
        self._latest = -math.inf
        """The latest time of any frame or packet that was given out."""
        self._last_frame: int | None = None
        self._last_packet: dict[int, Fraction] = {}
        self.connect(main=0, intervals={}, stamped=True, paced=False)

    def connect(self, *, main: int, intervals: Mapping[int, float], stamped: bool, paced: bool) -> None:
        """Forgets the clock of the connection before.

        Args:
            main: Index of the video stream; the distance of its times from arrival is kept small.
            intervals: Seconds from packet to packet of a stream, where that is known.
            stamped: Whether packets carry timestamps that mean something; otherwise they are placed by arrival.
            paced: Whether packets are let through at their own pace, so that one which is late has come to stay so.
        """
        self._main = main
        self._intervals = intervals
        self._stamped = stamped
        self._paced = paced
        self._window = _FIRST_WINDOW
        self._tracks: dict[int, _Track] = {}
        self._offset: float | None = None
        self._drift = 0.0
        self._debt = 0.0
        self._window_began: float | None = None
        self._delay = math.inf
        self._slewed: float | None = None

    def place(self, packet: Packet[Any], arrival: float, *, leads: bool) -> None:
        """Moves a packet's timestamps to the run's clock, in its own time base.

        Args:
            packet: Changed in place; one without timestamps is given its arrival.
            arrival: By `time.monotonic()`.
            leads: Whether its stream's clock counts, as that of video and audio does; others only follow.
        """
        base = float(packet.time_base)
        now = arrival - self._begin
        self._slew(now)
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is None or not self._stamped:
            packet.pts = packet.dts = round(self._unstamped(packet.stream_index, now) / base)
            return
        offset = self._offset_of(packet, stamp * base, now, leads=leads) + self._drift
        by = round(offset / base)
        packet.pts = None if packet.pts is None else packet.pts + by
        packet.dts = None if packet.dts is None else packet.dts + by
        if packet.stream_index == self._main:
            self._watch(now, stamp * base + offset)

    def stamp_frame(self, pts: int | None, base: Fraction, arrival: float) -> int:
        """Returns the time of a frame in units of `VIDEO_BASE`, a millisecond or more after every frame before.

        Args:
            pts: After `place`; None takes the arrival.
            base: Its units, in seconds.
            arrival: By `time.monotonic()`.
        """
        seconds = Fraction(arrival - self._begin) if pts is None else pts * base
        ticks = max(0, round(seconds / VIDEO_BASE))
        if self._last_frame is not None:
            ticks = max(ticks, self._last_frame + _STEP_TICKS)
        self._last_frame = ticks
        self._latest = max(self._latest, float(ticks * VIDEO_BASE))
        return ticks

    def stamp_packet(self, packet: Packet[Any]) -> bool:
        """Makes a copied packet's decoding time later than that of every packet of its stream before.

        Returns:
            Whether it can be used: it lies neither before the beginning of the run nor in what was given out already,
            as the first packets of a new connection may.
        """
        if packet.dts is None:
            packet.dts = packet.pts
        if packet.dts is None or packet.dts < 0:
            return False
        index, last = packet.stream_index, self._last_packet.get(packet.stream_index)
        if last is not None:
            if packet.dts * packet.time_base < last - _OVERLAP:
                return False
            # Exact, since the time base may be another one than before.
            packet.dts = max(packet.dts, math.floor(last / packet.time_base) + 1)
        if packet.pts is None or packet.pts < packet.dts:
            packet.pts = packet.dts
        self._last_packet[index] = packet.dts * packet.time_base
        self._latest = max(self._latest, float(self._last_packet[index]))
        return True

    def _unstamped(self, index: int, now: float) -> float:
        """Returns the time of a packet that does not tell it: after the one before it, or when it arrived."""
        interval, track = self._intervals.get(index, 0.0), self._tracks.get(index)
        if track is not None and interval:
            track.stamp += interval
            track.place += interval
            track.seen = now
            return track.place + self._drift
        # By RTSP the first frame comes without a time, and the second often at the same moment.
        early = interval if self._stamped else 0.0
        return max(now - early, self._after(_STEP))

    def _after(self, step: float) -> float:
        return 0.0 if self._latest == -math.inf else self._latest + step

    def _offset_of(self, packet: Packet[Any], stamp: float, now: float, *, leads: bool) -> float:
        if self._offset is None:
            self._offset = now - stamp
        if not leads:
            return self._offset
        track = self._tracks.get(packet.stream_index)
        if track is None:
            track = self._tracks[packet.stream_index] = _Track(stamp, stamp + self._offset, now, self._offset)
            return track.offset
        advance, elapsed = stamp - track.stamp, now - track.seen
        back = _BACK if packet.dts is not None else _BACK_REORDERED
        if advance < -back or advance > elapsed + _AHEAD:
            track.offset = self._jumped(track, stamp, elapsed, packet)
        track.stamp, track.place, track.seen = stamp, stamp + track.offset, now
        return track.offset

    def _jumped(self, track: _Track, stamp: float, elapsed: float, packet: Packet[Any]) -> float:
        """Returns the offset after a jump: the one that another stream has found already, or a new one."""
        length = float((packet.duration or 0) * packet.time_base)
        expected = track.place + max(elapsed, length, _STEP)
        offset = self._offset if self._offset is not None else expected - stamp
        if abs(stamp + offset - expected) > _AHEAD or offset == track.offset:
            self._notices.say("jump", "the clock of the stream jumps: time is made to run on")
            offset = self._offset = expected - stamp
        return offset

    def _watch(self, now: float, place: float) -> None:
        """Notes how far the run's clock is from arrival, and what is to be made up for."""
        if self._window_began is None:
            self._window_began = now
        self._delay = min(self._delay, now - place)
        if self._paced and now - place > _BEHIND:
            self._drift += now - place
        if now - self._window_began < self._window:
            return
        self._window = _WINDOW
        if abs(self._delay) > _ASTRAY:
            self._drift += max(self._delay, self._after(_STEP) - place)
            self._debt = 0.0
        else:
            self._debt = self._delay if abs(self._delay) > _STEADY else 0.0
        self._window_began, self._delay = now, math.inf

    def _slew(self, now: float) -> None:
        if self._slewed is not None and self._debt:
            most = _SLEW * max(0.0, now - self._slewed)
            step = max(-most, min(most, self._debt))
            self._drift += step
            self._debt -= step
        self._slewed = now
