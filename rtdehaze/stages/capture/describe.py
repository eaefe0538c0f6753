"""The facts of a video stream, told by its container and its first frame."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from rtdehaze.core.stream import VideoInfo
from rtdehaze.stages.capture.convert import Converter
from rtdehaze.stages.capture.streams import codec_name, frame_rate, stream_seconds

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from rtdehaze.stages.capture.options import CaptureOptions

__all__ = ["bit_rate", "describe_video", "sample_aspect_ratio"]


def describe_video(
    container: InputContainer, stream: VideoStream, converter: Converter, first: Any, options: CaptureOptions
) -> VideoInfo:
    """Returns what is known of the frames to come.

    Args:
        container: The open input.
        stream: The stream that is decoded.
        converter: After its first frame.
        first: The first frame of the codec library.
        options: What part is read.
    """
    shape, rate = converter.shape, frame_rate(stream)
    seconds = stream_seconds(container, stream)
    whole = options.start is None and options.duration is None
    if seconds is not None:
        seconds = max(Fraction(0), seconds - (options.start or 0))
        if options.duration is not None:
            seconds = min(seconds, options.duration)
    frames = stream.frames if whole and stream.frames > 0 else None
    if frames is None and seconds is not None and rate is not None:
        frames = round(seconds * rate)
    return VideoInfo(
        width=shape.width,
        height=shape.height,
        format=shape.format,
        colour=shape.colour,
        time_base=first.time_base,
        codec=codec_name(stream),
        native_format=converter.native_format,
        rate=rate,
        duration=None if seconds is None else float(seconds),
        frames=frames,
        sample_aspect_ratio=sample_aspect_ratio(stream),
        rotation=first.rotation,
        bit_rate=bit_rate(stream),
        interlaced=first.interlaced_frame,
        still=container.format.name.endswith("_pipe"),
        metadata=dict(stream.metadata),
        disposition=int(stream.disposition),
        native=stream,
    )


def sample_aspect_ratio(stream: VideoStream) -> Fraction | None:
    """Returns the shape of a pixel, None where the input does not say."""
    ratio = stream.sample_aspect_ratio
    return ratio if ratio is not None and ratio > 0 else None


def bit_rate(stream: VideoStream) -> int | None:
    """Returns bits per second, by the stream's word or by the statistics that Matroska muxers write."""
    if stream.bit_rate:
        return stream.bit_rate
    stated = next((value for key, value in stream.metadata.items() if key.upper().split("-")[0] == "BPS"), "")
    return int(stated) if stated.isdecimal() else None
