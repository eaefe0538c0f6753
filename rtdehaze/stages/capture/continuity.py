"""Clocks that jump back in the middle of a file, as when recordings are joined, made to run on."""

from __future__ import annotations

from fractions import Fraction

from av.container import InputContainer
from av.format import Flags
from av.packet import Packet
from av.stream import Stream

from rtdehaze.stages.capture.problems import Notices

__all__ = ["Continuity"]

_JUMP = Fraction(1, 10)
"""Seconds by which decoding time may run back before it is a jump; less is an error of single packets."""


class Continuity:
    """Moves the packets after a jump so that time goes on where it was.

    All streams are moved alike, so they stay in step. Gaps are left as they are. Only for containers in which FFmpeg
    knows clocks to jump (MPEG-TS and its kin).
    """

    def __init__(self, container: InputContainer, notices: Notices) -> None:
        self._applies = bool(Flags(container.format.flags) & Flags.ts_discont)
        self._notices = notices
        self._offset = Fraction(0)
        self._before = Fraction(0)
        self._late: set[int] = set()
        """Streams of which no packet from after the last jump was seen yet: interleaving lets some lag."""
        self._next: dict[int, int] = {}
        self._last: dict[int, int] = {}

    def apply(self, packet: Packet[Stream]) -> None:
        """Moves the packet if the clock has jumped before it."""
        if not self._applies:
            return
        index, expected = packet.stream_index, self._next.get(packet.stream_index)
        if packet.dts is None or expected is None or packet.stream.type not in {"video", "audio"}:
            _move(packet, self._offset)
        else:
            _move(packet, self._offset_of(index, Fraction((expected - packet.dts) * packet.time_base)))
            if Fraction((self._last[index] - packet.dts) * packet.time_base) > _JUMP:
                back = Fraction((expected - packet.dts) * packet.time_base)
                _move(packet, back)
                self._jump(index, back, float(packet.dts * packet.time_base))
        if packet.dts is not None:
            length = packet.duration or packet.dts - self._last.get(index, packet.dts)
            self._last[index], self._next[index] = packet.dts, packet.dts + max(0, length)

    def _offset_of(self, index: int, wanted: Fraction) -> Fraction:
        """Returns the offset that brings a packet nearest to where its stream goes on."""
        if index in self._late:
            if abs(self._before - wanted) < abs(self._offset - wanted):
                return self._before
            self._late.discard(index)
        return self._offset

    def _jump(self, index: int, back: Fraction, at: float) -> None:
        self._before, self._offset = self._offset, self._offset + back
        self._late = set(self._next) - {index}
        self._notices.say("jump", f"the clock of the input jumps back at {at:.2f} s: time is made to run on")


def _move(packet: Packet[Stream], seconds: Fraction) -> None:
    by = round(seconds / packet.time_base)
    if by:
        packet.pts = None if packet.pts is None else packet.pts + by
        packet.dts = None if packet.dts is None else packet.dts + by
