"""Which stream of a container is dehazed, which are passed on, and what is said of them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from av.container import InputContainer
from av.stream import AttachmentStream, Discard, Disposition, Stream
from av.video.stream import VideoStream

from rtdehaze.core.errors import SourceError
from rtdehaze.core.stream import Chapter, CopiedStream
from rtdehaze.stages.capture.problems import Notices

__all__ = [
    "chapter_marks",
    "codec_name",
    "copied_streams",
    "frame_rate",
    "is_picture_track",
    "main_video",
    "stream_seconds",
]

_PICTURE_TRACK = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.dependent
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)$")
"""What Matroska muxers write into the tag DURATION of each stream."""

_KINDS = frozenset({"audio", "subtitle", "data", "attachment", "video"})


def is_picture_track(stream: Stream) -> bool:
    """Whether a video stream is cover art, thumbnails or a tile of a picture rather than the film."""
    return bool(stream.disposition & _PICTURE_TRACK)


def main_video(container: InputContainer, location: str) -> VideoStream:
    """Returns the stream that is dehazed: the best by FFmpeg's measure, never cover art.

    Raises:
        SourceError: There is none, or no decoder for it.
    """
    candidates = [stream for stream in container.streams.video if not is_picture_track(stream)]
    if not candidates:
        kinds = sorted({stream.type for stream in container.streams if stream.type != "video"})
        cover = " and cover art" if container.streams.video else ""
        raise SourceError(f"{location!r} has no video: it holds {', '.join(kinds) or 'nothing'}{cover}")
    best = container.streams.best("video")
    stream = next((one for one in candidates if best is not None and one.index == best.index), candidates[0])
    if stream.codec_context is None:
        raise SourceError(f"{location!r}: there is no decoder for its video codec; convert it to another one first")
    return stream


def chapter_marks(container: InputContainer) -> list[Chapter]:
    """Returns the chapters of a container, on its own clock."""
    return [
        Chapter(mark["id"], mark["start"], mark["end"], mark["time_base"], mark["metadata"])
        for mark in container.chapters()
        if mark["time_base"] is not None
    ]


def copied_streams(container: InputContainer, main: VideoStream, notices: Notices) -> tuple[CopiedStream, ...]:
    """Returns all other streams that can be passed on.

    Tracks that the demuxer already turned into something else (chapter titles) are not among them.
    """
    found = []
    for stream in container.streams:
        if stream.index == main.index or stream.discard == Discard.all:
            continue
        if stream.type not in _KINDS:
            notices.say(f"stream {stream.index}", f"stream {stream.index} is of an unknown kind and is left out")
            continue
        found.append(CopiedStream(stream.index, stream.type, codec_name(stream), language(stream), stream))
    return tuple(found)


def codec_name(stream: Stream) -> str:
    """Returns FFmpeg's name of the codec, not of the decoder; `none` where it has none."""
    if stream.codec_context is not None:
        return str(stream.codec_context.codec.canonical_name)
    if isinstance(stream, AttachmentStream):
        # PyAV gives the attached file's name where other streams have their codec's.
        return stream.mimetype or "none"
    return stream.name or "none"


def language(stream: Stream) -> str | None:
    """Returns the language of a stream; None where it is not said or undetermined."""
    return None if stream.language in {None, "", "und"} else stream.language


def frame_rate(stream: VideoStream) -> Fraction | None:
    """Returns the nominal frames per second."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate is not None and rate > 0:
            return rate
    return None


def stream_seconds(container: InputContainer, stream: Any) -> Fraction | None:
    """Returns how long a stream lasts, in seconds, by its own word or its container's."""
    if stream.duration is not None and stream.duration > 0 and stream.time_base is not None:
        return Fraction(stream.duration * stream.time_base)
    stated = _CLOCK.match(stream.metadata.get("DURATION", ""))
    if stated is not None:
        return 3600 * Fraction(stated[1]) + 60 * Fraction(stated[2]) + Fraction(stated[3])
    if container.duration is not None and container.duration > 0:
        return Fraction(container.duration, 1_000_000)
    return None
