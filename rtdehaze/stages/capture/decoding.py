"""Packets of one video stream to frames; what cannot be decoded is skipped and counted."""

from __future__ import annotations

from typing import Any

import av
from av.codec.context import Flags
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from rtdehaze.stages.capture.options import MAX_PIXELS
from rtdehaze.stages.capture.problems import Notices, source_error

__all__ = ["VideoDecoder"]


_SMALL = 2560 * 1440
"""Pixels of a picture that one core decodes in time."""


def _conceals(context: VideoCodecContext) -> bool:
    """Says whether one thread is better: FFmpeg's H.264 decoder leaves what is lost green where it has several."""
    return context.name == "h264" and context.width * context.height <= _SMALL


class VideoDecoder:
    """A decoder that survives damaged packets."""

    def __init__(
        self, stream: VideoStream, location: str, notices: Notices, *, threads: int, live: bool = False
    ) -> None:
        """Prepares the stream's codec; it goes on decoding when the container is closed.

        Args:
            stream: Of an open container.
            location: What messages name.
            notices: Where damage is told.
            threads: Of the codec; 0 leaves it to the codec.
            live: No frame is held back for the sake of speed.
        """
        self._context = stream.codec_context
        self._location = location
        self._notices = notices
        self._damaged = 0
        self._first_damage: float | None = None
        context = self._context
        # Frame threads hold frames back, which a file does not mind; a hardware decoder gains nothing from them.
        context.thread_type = "SLICE" if live else "AUTO"
        if live:
            context.flags |= Flags.low_delay
        context.thread_count = 1 if context.is_hwaccel or (live and _conceals(context)) else threads
        context.options = {**context.options, "max_pixels": str(MAX_PIXELS)}

    @property
    def damaged(self) -> int:
        """How many packets could not be decoded so far."""
        return self._damaged

    def skip_unreferenced(self, skip: bool) -> None:
        """Leaves out frames from here on that no other frame needs, or decodes all again."""
        self._context.skip_frame = "NONREF" if skip else "DEFAULT"

    def decode(self, packet: Packet[Any] | None) -> list[VideoFrame]:
        """Returns the frames that are ready after this packet; after None, all that were held back.

        Raises:
            SourceError: There is not enough memory for the pictures.
        """
        if packet is not None and not packet.size:
            # To the decoder an empty packet means the end; in AVI it is a picture that was dropped.
            return []
        try:
            return self._context.decode(packet)
        except MemoryError as error:
            raise source_error(self._location, error) from error
        except av.FFmpegError:
            if packet is not None:
                self._damaged += 1
                if self._first_damage is None and packet.pts is not None:
                    self._first_damage = float(packet.pts * packet.time_base)
            return []

    def report(self) -> None:
        """Tells how many packets were skipped."""
        if self._damaged:
            where = "" if self._first_damage is None else f", the first at {self._first_damage:.2f} s"
            noun = "packet" if self._damaged == 1 else "packets"
            self._notices.say("damaged", f"{self._damaged} damaged {noun} could not be decoded and were skipped{where}")
