"""The output's time: every frame's own timestamp, or, where only a rate can be kept, the number next to it."""

from __future__ import annotations

import logging
from fractions import Fraction
from typing import Any

from rtdehaze.core.frame import Frame
from rtdehaze.stages.encode.encoders import EncoderPlan

__all__ = ["OutputClock"]

_log = logging.getLogger("rtdehaze.encode")

_NOTICEABLE = 0.25
"""By what share of a frame interval a frame is moved before it is worth a word."""


class OutputClock:
    """Gives frames the encoder's timestamps and tells when copied packets are due."""

    def __init__(self, plan: EncoderPlan, *, from_zero: bool) -> None:
        """Sets the encoder's time base; `from_zero` for containers that count frames from their first."""
        self._base = plan.time_base
        self._by_rate = plan.by_rate
        self._from_zero = from_zero
        self._origin = Fraction(0)
        self._last: int | None = None
        self._written: Fraction | None = None
        self._told = False

    def stamp(self, native: Any, frame: Frame) -> None:
        """Sets pts, duration and time base of the encoder's frame, strictly increasing."""
        if self._last is None and self._from_zero:
            self._origin = frame.pts * frame.time_base
        pts = frame.pts
        if frame.time_base != self._base or self._origin:
            exact = (frame.pts * frame.time_base - self._origin) / self._base
            pts = round(exact)
            native.duration = round(native.duration * frame.time_base / self._base)
            self._tell(float(abs(exact - pts)))
        if self._last is not None and pts <= self._last:
            pts = self._last + 1
        self._last = native.pts = pts
        native.time_base = self._base

    def _tell(self, moved: float) -> None:
        if self._by_rate and moved > _NOTICEABLE and not self._told:
            self._told = True
            _log.warning(
                "the frame rate varies, but this codec or container knows only one (%.3f): frames are moved to the "
                "nearest of its times; h264 in mp4 or mkv keeps them",
                float(1 / self._base),
            )

    def video_written(self, packet: Any) -> None:
        """Notes how far the video has come in the file."""
        if packet.dts is not None:
            self._written = packet.dts * packet.time_base

    def is_due(self, packet: Any) -> bool:
        """Whether the video has come as far as a copied packet."""
        time = packet.dts if packet.dts is not None else packet.pts
        if time is None:
            return True
        return self._written is not None and time * packet.time_base - self._origin <= self._written

    def shift(self, packet: Any) -> bool:
        """Moves a copied packet as the frames were moved; False where that puts it before the beginning."""
        if not self._origin:
            return True
        offset = round(self._origin / packet.time_base)
        for name in ("pts", "dts"):
            if getattr(packet, name) is not None:
                setattr(packet, name, getattr(packet, name) - offset)
        return packet.pts is None or packet.pts >= 0
