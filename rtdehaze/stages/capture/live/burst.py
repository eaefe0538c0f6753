"""What comes all at once right after connecting: read ahead by FFmpeg, or kept by the server for new viewers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.packet import Packet

__all__ = ["dated"]

_WAITED = 0.005
"""Seconds that a read takes at least if it had to wait for the network: the burst is over."""

_MOST_PACKETS = 2000
"""A burst that is longer is none: the input comes faster than it plays."""


def dated(packets: Iterator[Packet[Any]], ready: float) -> Iterator[tuple[Packet[Any], float]]:
    """Yields packets with when they came, by `time.monotonic()`; those of the burst with when they would have come.

    The newest of a stream in the burst came when the connection was ready; the others before, as their timestamps say.
    Without this the run's clock would be set by a packet that is old already, and be ahead of all that follow.

    Args:
        packets: Of a new connection.
        ready: When it was ready, by `time.monotonic()`.
    """
    burst: list[Packet[Any]] = []
    awaited: list[tuple[Packet[Any], float]] = []
    while len(burst) < _MOST_PACKETS and not awaited:
        asked = time.monotonic()
        packet = next(packets, None)
        if packet is None:
            break
        came = time.monotonic()
        if came - asked > _WAITED:
            awaited.append((packet, came))
        else:
            burst.append(packet)
    first, newest = _span(burst)
    for packet in burst:
        index, stamp = packet.stream_index, _seconds(packet)
        known = first.get(index) if stamp is None else stamp
        yield packet, ready if known is None else ready - (newest[index] - known)
    yield from awaited
    for packet in packets:
        yield packet, time.monotonic()


def _span(burst: list[Packet[Any]]) -> tuple[dict[int, float], dict[int, float]]:
    """Returns the first and the newest time of each stream."""
    first: dict[int, float] = {}
    newest: dict[int, float] = {}
    for packet in burst:
        stamp = _seconds(packet)
        if stamp is not None:
            first.setdefault(packet.stream_index, stamp)
            newest[packet.stream_index] = max(stamp, newest.get(packet.stream_index, stamp))
    return first, newest


def _seconds(packet: Packet[Any]) -> float | None:
    stamp = packet.dts if packet.dts is not None else packet.pts
    return None if stamp is None else float(stamp * packet.time_base)
