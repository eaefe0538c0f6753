"""Whole pictures out of packets: some senders repeat their parameter sets before every slice of a keyframe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from av.packet import Packet

__all__ = ["whole_pictures"]


def whole_pictures(packets: Iterable[Packet[Any]], main: int) -> Iterator[Packet[Any]]:
    """Joins the packets of the video stream that are slices of one keyframe.

    FFmpeg's parser takes a parameter set for the beginning of a picture. Where one stands before every slice, a
    keyframe falls into several packets with one timestamp, and a decoder makes a broken picture of each. The first
    keyframe is held back until the next packet shows whether it was whole; from then on it is known how many there
    are, and nothing waits longer than for the last of them.

    Args:
        packets: Of a live input.
        main: Index of the video stream.
    """
    held: Packet[Any] | None = None
    count, usual, last = 0, 0, None
    for packet in packets:
        if packet.stream_index != main:
            yield packet
            continue
        if held is not None:
            if _go_together(held, packet):
                held, count = _joined(held, packet), count + 1
            else:
                yield held
                held, usual = None, count
        if held is None:
            another = packet.pts is not None and packet.pts == last
            usual += another
            if another or not packet.is_keyframe:
                yield packet
                continue
            held, count = packet, 1
        if count == usual:
            yield held
            last, held = held.pts, None
    if held is not None:
        yield held


def _go_together(held: Packet[Any], packet: Packet[Any]) -> bool:
    """Says whether both are of one picture; the first of a connection may have no timestamp yet."""
    timed = packet.pts is not None and held.pts in {None, packet.pts}
    return timed and packet.is_keyframe and _is_bare(held)


def _is_bare(packet: Packet[Any]) -> bool:
    """Says whether it holds NAL units as they are sent (Annex B), which may be put one after the other."""
    return bytes(memoryview(packet)[:4]).lstrip(b"\0")[:1] == b"\1"


def _joined(first: Packet[Any], second: Packet[Any]) -> Packet[Any]:
    whole: Packet[Any] = Packet(bytes(first) + bytes(second))
    whole.stream = first.stream
    whole.time_base = first.time_base
    whole.pts, whole.dts, whole.duration = second.pts, second.dts, second.duration
    whole.is_keyframe = True
    return whole
