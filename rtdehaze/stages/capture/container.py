"""Any container that FFmpeg demuxes: the main video decoded, everything else passed on as it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from rtdehaze.core.errors import SourceError
from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import Chapter, CopiedStream, Packet, VideoInfo
from rtdehaze.stages.capture.base import BaseSource
from rtdehaze.stages.capture.clock import Clock
from rtdehaze.stages.capture.colour import refuse_hdr
from rtdehaze.stages.capture.convert import Converter
from rtdehaze.stages.capture.cut import Cut
from rtdehaze.stages.capture.decoding import VideoDecoder
from rtdehaze.stages.capture.deinterlace import Deinterlacer
from rtdehaze.stages.capture.demux import Demuxer
from rtdehaze.stages.capture.describe import describe_video
from rtdehaze.stages.capture.opening import open_container
from rtdehaze.stages.capture.options import MAX_PIXELS, CaptureOptions
from rtdehaze.stages.capture.streams import (
    chapter_marks,
    codec_name,
    copied_streams,
    frame_rate,
    main_video,
)

if TYPE_CHECKING:
    from av.packet import Packet as NativePacket
    from av.stream import Stream
    from av.video.frame import VideoFrame

__all__ = ["ContainerSource"]

_INTERLACED_ORDERS = frozenset({2, 3, 4, 5})
"""AVFieldOrder: top or bottom field first, in any combination of coding and display order."""


class ContainerSource(BaseSource):
    """A file with video in it."""

    def __init__(self, location: str, options: CaptureOptions) -> None:
        """Opens the file and decodes up to the first frame of the part that is read.

        Raises:
            SourceError: The file cannot be read, has no video, or not one frame can be decoded.
            UnsupportedVideoError: PQ or HLG video, unless it is let through.
        """
        super().__init__(location)
        self._options = options
        self._ahead: deque[Frame | Packet] = deque()
        self._container = open_container(location, hwaccel=options.hwaccel)
        try:
            self._prepare()
            self._read_ahead()
        except BaseException:
            self.close()
            raise

    @property
    def video(self) -> VideoInfo:
        """The video stream that is dehazed."""
        return self._video

    @property
    def copied(self) -> tuple[CopiedStream, ...]:
        """The streams whose packets are passed on."""
        return self._copied

    @property
    def chapters(self) -> tuple[Chapter, ...]:
        """The chapter marks of the part that is read."""
        return self._chapters

    @property
    def metadata(self) -> dict[str, str]:
        """The container's own tags."""
        return self._metadata

    def items(self) -> Iterator[Frame | Packet]:
        """Yields frames in presentation order and packets in the order of the file, once, until the end."""
        self._assert_open()
        ahead = self._ahead
        while ahead:
            yield ahead.popleft()
            self._assert_open()
        yield from self._stream

    def _release(self) -> None:
        self._ahead = deque()
        self._container.close()

    def _prepare(self) -> None:
        container, options = self._container, self._options
        stream = main_video(container, self.location)
        context = stream.codec_context
        if context.width * context.height > MAX_PIXELS:
            raise SourceError(
                f"{self.location!r} says its pictures are {context.width}x{context.height}: "
                f"more than {MAX_PIXELS} pixels are not decoded"
            )
        if options.hwaccel is not None and not context.is_hwaccel:
            raise SourceError(
                f"hwaccel {options.hwaccel!r} does not decode {codec_name(stream)}; leave the option out to decode on "
                "the CPU"
            )
        self._main = stream
        self._time_base = stream.time_base or Fraction(1, 90_000)
        refuse_hdr(self.location, context.color_trc, options)
        rate = frame_rate(stream)
        self._decoder = VideoDecoder(stream, self.location, self._notices, threads=options.threads)
        self._clock = Clock(self._notices, 1 if rate is None else round(1 / (rate * self._time_base)))
        self._converter = Converter(self._notices, codec=codec_name(stream), picture=False)
        origin = Fraction((stream.start_time or 0) * self._time_base)
        self._cut = Cut.of(origin, options.start, options.duration)
        self._first, self._stop = self._cut.first(self._time_base), self._cut.stop(self._time_base)
        self._copied = copied_streams(container, stream, self._notices)
        self._chapters = self._cut.chapters(chapter_marks(container))
        self._metadata = dict(container.metadata)
        self._flagged = context.field_order in _INTERLACED_ORDERS
        self._deinterlacer: Deinterlacer | None = None
        self._demuxer = Demuxer(container, stream, self._cut, self._copied, self._notices)

    def _read_ahead(self) -> None:
        """Decodes up to the first frame, which alone tells the pixel format, the rotation and the tags for certain."""
        self._stream = self._read()
        for item in self._stream:
            self._ahead.append(item)
            if isinstance(item, Frame):
                native: Any = item.native
                refuse_hdr(self.location, native.color_trc, self._options)
                self._video = describe_video(self._container, self._main, self._converter, native, self._options)
                return
        raise SourceError(self._no_frames())

    def _no_frames(self) -> str:
        if self._decoder.damaged:
            by = "" if self._options.hwaccel is None else f" by hwaccel {self._options.hwaccel!r}"
            return (
                f"{self.location!r}: not one frame of its {codec_name(self._main)} video could be decoded{by}; "
                "the file is damaged or uses a feature that the decoder lacks"
            )
        if self._options.start is not None:
            return f"{self.location!r} has no frame from {float(self._options.start):g} s on; choose an earlier start"
        return f"{self.location!r} has a video track without a single frame; the recording was never finished"

    def _read(self) -> Iterator[Frame | Packet]:
        packets = self._demuxer.packets(self._lock, self._assert_open)
        by_index = {stream.index: stream for stream in self._copied}
        for packet in packets:
            if packet.stream_index == self._main.index:
                yield from self._frames(packet)
            elif packet.stream_index in by_index:
                yield Packet(by_index[packet.stream_index], packet)
        yield from self._frames(None)
        self._clock.report()
        self._decoder.report()

    def _frames(self, packet: NativePacket[Stream] | None) -> Iterator[Frame]:
        with self._lock:
            self._assert_open()
            decoded = [] if self._demuxer.video_done else self._decoder.decode(packet)
            for frame in decoded:
                frame.pts = self._clock.stamp(frame.pts, frame.duration)
                frame.time_base = self._time_base
                del frame
            decoded = self._progressive(decoded, end=packet is None)
        decoded.reverse()
        while decoded:
            # Yielded out of the list, never from a variable: no frame is kept here while the caller works on it.
            if self._inside(_pts(decoded[-1])):
                yield self._framed(decoded.pop())
            else:
                decoded.pop()

    def _progressive(self, decoded: list[VideoFrame], *, end: bool) -> list[VideoFrame]:
        """Returns the frames deinterlaced if that was asked for; otherwise tells once that they are interlaced."""
        if not self._options.deinterlace:
            if any(frame.interlaced_frame for frame in decoded):
                self._notices.say(
                    "interlaced",
                    "the video is interlaced and will be dehazed as it is; --deinterlace makes it progressive",
                )
            return decoded
        ready = []
        for frame in decoded:
            if self._deinterlacer is None:
                flagged = self._flagged or frame.interlaced_frame
                self._deinterlacer = Deinterlacer(self._notices, self._time_base, flagged=flagged)
            ready.extend(self._deinterlacer.feed(frame))
        if end and self._deinterlacer is not None:
            ready.extend(self._deinterlacer.flush())
        return ready

    def _inside(self, pts: int) -> bool:
        if self._stop is not None and pts >= self._stop:
            self._demuxer.video_done = True
            return False
        return self._first is None or pts >= self._first

    def _framed(self, decoded: VideoFrame) -> Frame:
        return self._converter.frame(decoded, _pts(decoded) - (self._first or 0), self._time_base)


def _pts(stamped: VideoFrame) -> int:
    return 0 if stamped.pts is None else stamped.pts
