"""Decoding times as muxers want them: there, and always later than the last."""

from __future__ import annotations

from typing import Any

__all__ = ["TimeOrder"]


class TimeOrder:
    """Keeps the decoding times of each stream of one container in order."""

    def __init__(self) -> None:
        self._last: dict[int, int] = {}

    def repair(self, packet: Any, output: Any) -> None:
        """Gives a packet for the stream `output` a decoding time where it has none, or one that is not later."""
        if packet.dts is None:
            packet.dts = packet.pts
        if packet.dts is None or output.type == "subtitle":
            return
        last = self._last.get(output.index)
        if last is not None and packet.dts <= last:
            packet.dts = last + 1
            if packet.pts is not None:
                packet.pts = max(packet.pts, packet.dts)
        self._last[output.index] = packet.dts
