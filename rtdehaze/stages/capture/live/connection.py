"""One connection to a live input: opened for low latency, and what is to be known of its streams."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
from av.stream import Discard

from rtdehaze.core.errors import SourceError
from rtdehaze.core.secrets import redacted
from rtdehaze.core.stream import CopiedStream
from rtdehaze.stages.capture.decoding import VideoDecoder
from rtdehaze.stages.capture.describe import bit_rate, sample_aspect_ratio
from rtdehaze.stages.capture.live.standard_input import StandardInput
from rtdehaze.stages.capture.live.templates import detached
from rtdehaze.stages.capture.opening import hardware_device
from rtdehaze.stages.capture.options import MAX_PIXELS
from rtdehaze.stages.capture.streams import codec_name, copied_streams, frame_rate, main_video

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

    from rtdehaze.stages.capture.live.plan import Plan
    from rtdehaze.stages.capture.problems import Notices

__all__ = ["Connection", "Facts", "connect"]

_GENERATE_PTS = 0x0001
"""AVFMT_FLAG_GENPTS, which PyAV sets: the demuxer would hold packets back to make up their timestamps."""

_UNSTAMPED = frozenset({"mpjpeg", "mjpeg", "jpeg_pipe", "h264", "hevc", "m4v", "obu"})
"""Demuxers of bare pictures: their timestamps are counted by a rate that FFmpeg assumes."""

_BURSTS = frozenset({"hls"})
"""Demuxers that deliver whole segments at once."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the video stream before its first frame; independent of the connection."""

    codec: str
    rate: Fraction | None
    sample_aspect_ratio: Fraction | None
    bit_rate: int | None
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class Connection:
    """An open input. Its container belongs to the thread that reads, the rest to whoever decodes.

    Nothing here needs the container to be open: PyAV's streams are gone when it closes, and whoever looks at one then
    crashes the program. So copied streams are described by streams of a container of their own, which writes nowhere.
    """

    container: InputContainer
    main: int
    """Index of the video stream."""
    decoder: VideoDecoder
    facts: Facts
    copied: tuple[CopiedStream, ...]
    stamped: bool
    """Whether its packets carry timestamps that mean something."""
    paced: bool
    """Whether it must be read at the pace of its timestamps."""
    ends: bool
    """Whether its end is an end and not a loss."""
    intervals: dict[int, float]
    """Seconds from packet to packet by stream, where that is known."""

    def packets(self) -> Iterator[Packet[Stream]]:
        """Yields packets of the video and the copied streams, without the empty ones that mark the end."""
        wanted = {self.main, *(stream.index for stream in self.copied)}
        for packet in self.container.demux():
            if packet.stream_index in wanted and (packet.size or packet.pts is not None):
                yield packet


def connect(
    plan: Plan,
    location: str,
    notices: Notices,
    *,
    timeouts: tuple[float, float],
    threads: int,
    hwaccel: str | None,
    stop: threading.Event,
) -> Connection:
    """Opens a live input.

    Args:
        plan: How.
        location: What messages name; without credentials.
        notices: Where it is told what is left out.
        timeouts: Seconds for opening and for each packet.
        threads: Of the decoder; 0 leaves it to the codec.
        hwaccel: A device to decode on, by FFmpeg's name.
        stop: Ends waiting for standard input.

    Raises:
        SourceError: It has no video, or pictures too large, or the device does not decode it.
        av.FFmpegError: It cannot be reached, or it is not media.
        OSError: As FFmpegError.
    """
    container = _opened(plan, location, timeouts, hwaccel, stop)
    try:
        container.flags &= ~_GENERATE_PTS
        return _described(container, plan, location, notices, threads=threads, hwaccel=hwaccel)
    except BaseException:
        container.close()
        raise


def _opened(
    plan: Plan, location: str, timeouts: tuple[float, float], hwaccel: str | None, stop: threading.Event
) -> InputContainer:
    target: Any = StandardInput(stop) if plan.target == "-" else plan.target
    try:
        container: InputContainer = av.open(
            target,
            "r",
            format=plan.format,
            options=plan.options,
            metadata_errors="replace",
            timeout=timeouts,
            hwaccel=None if hwaccel is None else hardware_device(hwaccel),
        )
        return container
    except (PermissionError, RuntimeError, NotImplementedError) as error:
        if hwaccel is None:
            raise
        raise SourceError(
            f"{location!r} cannot be decoded by hwaccel {hwaccel!r} ({redacted(str(error.args[-1]))}); "
            "choose another, or leave the option out to decode on the CPU"
        ) from None


def _described(
    container: InputContainer, plan: Plan, location: str, notices: Notices, *, threads: int, hwaccel: str | None
) -> Connection:
    stream = main_video(container, location)
    context = stream.codec_context
    if context.width * context.height > MAX_PIXELS:
        raise SourceError(f"{location!r} says its pictures are {context.width}x{context.height}: too large to decode")
    if hwaccel is not None and not context.is_hwaccel:
        raise SourceError(
            f"hwaccel {hwaccel!r} does not decode {codec_name(stream)}; leave the option out to decode on the CPU"
        )
    name = container.format.name.split(",")[0]
    copied = _copied(container, stream, notices)
    _discard_others(container, {stream.index, *(one.index for one in copied)})
    finite = container.duration is not None and container.duration > 0
    rate = frame_rate(stream)
    return Connection(
        container=container,
        main=stream.index,
        decoder=VideoDecoder(stream, location, notices, threads=threads, live=True),
        facts=Facts(
            codec=codec_name(stream),
            rate=rate if name not in _UNSTAMPED else None,
            sample_aspect_ratio=sample_aspect_ratio(stream),
            bit_rate=bit_rate(stream),
            metadata=dict(stream.metadata),
        ),
        copied=copied,
        stamped=name not in _UNSTAMPED,
        paced=plan.paced or name in _BURSTS or (finite and plan.format != "rtsp"),
        ends=plan.ends or finite,
        intervals=_intervals(container, stream),
    )


def _intervals(container: InputContainer, main: VideoStream) -> dict[int, float]:
    rate = frame_rate(main)
    intervals = {} if rate is None else {main.index: float(1 / rate)}
    for stream in container.streams.audio:
        samples = stream.codec_context.frame_size
        if samples > 0 and stream.codec_context.sample_rate:
            intervals[stream.index] = samples / stream.codec_context.sample_rate
    return intervals


def _copied(container: InputContainer, main: VideoStream, notices: Notices) -> tuple[CopiedStream, ...]:
    """Returns the streams to pass on: sound, subtitles and data; of several variants of the sound only the best."""
    found = [one for one in copied_streams(container, main, notices) if one.kind != "video"]
    best = container.streams.best("audio", related=main)
    if container.format.name in _BURSTS and best is not None:
        found = [one for one in found if one.kind != "audio" or one.index == best.index]
    return detached(found, notices)


def _discard_others(container: InputContainer, wanted: set[int]) -> None:
    """Keeps the demuxer from fetching what nobody takes, such as other variants of an HLS stream."""
    for stream in container.streams:
        if stream.index not in wanted:
            stream.discard = Discard.all
