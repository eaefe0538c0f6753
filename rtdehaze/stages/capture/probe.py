"""What is in an input, and what would become of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import Enum
from fractions import Fraction
from typing import Any

from av.stream import Disposition, Stream

from rtdehaze.core.stream import VideoInfo
from rtdehaze.stages.capture.base import BaseSource
from rtdehaze.stages.capture.colour import HLG, PQ
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.capture.streams import codec_name, language

__all__ = ["AudioFacts", "ChapterFacts", "Probe", "StreamFacts", "VideoFacts", "probe"]


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """The pictures of a video stream."""

    width: int
    height: int
    pixel_format: str
    """As in the file."""
    handled_as: str | None = None
    """The pixel format of the frame path; differs from `pixel_format` where pictures are converted."""
    rate: Fraction | None = None
    frames: int | None = None
    """An estimate where the container does not say."""
    sample_aspect_ratio: Fraction | None = None
    rotation: int = 0
    interlaced: bool = False
    hdr: str | None = None
    """`PQ`, `HLG` or None."""
    matrix: str | None = None
    """How colours are read, resolved where the stream is untagged."""
    full_range: bool | None = None
    tags: dict[str, int] = field(default_factory=dict)
    """Range, space, primaries and transfer as in the file (ITU-T H.273 code points)."""
    still: bool = False


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """The sound of an audio stream."""

    sample_rate: int
    layout: str


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """One stream of the input."""

    index: int
    kind: str
    codec: str
    fate: str
    """`dehazed`, `refused` (HDR that cannot be dehazed yet), `copied` or `left out`."""
    profile: str | None = None
    language: str | None = None
    dispositions: tuple[str, ...] = ()
    time_base: Fraction | None = None
    start: float | None = None
    """Seconds on the input's clock."""
    duration: float | None = None
    bit_rate: int | None = None
    video: VideoFacts | None = None
    audio: AudioFacts | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChapterFacts:
    """A chapter mark; times in seconds."""

    start: float
    end: float
    title: str | None


@dataclass(frozen=True, slots=True)
class Probe:
    """An input, as far as it can be told without reading all of it."""

    location: str
    container: str
    """FFmpeg's name of the container; `pictures` for a row of pictures, `picture` for one."""
    duration: float | None
    """Seconds of the video."""
    bit_rate: int | None
    streams: tuple[StreamFacts, ...]
    chapters: tuple[ChapterFacts, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Returns everything as values that JSON has; fractions become text such as `30000/1001`."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def probe(location: str) -> Probe:
    """Opens an input, decodes its first frame, and tells what is there.

    Raises:
        SourceError: The input cannot be read or has nothing to dehaze.
    """
    with open_source(location, hdr="passthrough") as source:
        native: Any = source.video.native
        container = None if native is None else native.container
        if container is None:
            return Probe(
                location=source.location,
                container="picture" if source.video.still else "pictures",
                duration=source.video.duration,
                bit_rate=None,
                streams=(_main_facts(source.video, None),),
            )
        return Probe(
            location=source.location,
            container=container.format.name,
            duration=source.video.duration,
            bit_rate=container.bit_rate or None,
            streams=tuple(_stream_facts(stream, source) for stream in container.streams),
            chapters=tuple(
                ChapterFacts(
                    float(mark.start * mark.time_base), float(mark.end * mark.time_base), mark.metadata.get("title")
                )
                for mark in source.chapters
            ),
            metadata=source.metadata,
        )


def _stream_facts(stream: Stream, source: BaseSource) -> StreamFacts:
    native: Any = source.video.native
    if stream.index == native.index:
        return _main_facts(source.video, stream)
    copied = any(other.index == stream.index for other in source.copied)
    context: Any = stream.codec_context
    video = audio = None
    if stream.type == "video" and context is not None:
        video = VideoFacts(context.width, context.height, context.pix_fmt or "unknown")
    if stream.type == "audio" and context is not None:
        audio = AudioFacts(context.sample_rate, context.layout.name)
    return StreamFacts(
        index=stream.index,
        kind=stream.type,
        codec=codec_name(stream),
        fate="copied" if copied else "left out",
        bit_rate=context.bit_rate if context is not None else None,
        video=video,
        audio=audio,
        **_common(stream),
    )


def _main_facts(video: VideoInfo, stream: Stream | None) -> StreamFacts:
    tags = video.colour.tags
    facts = VideoFacts(
        width=video.width,
        height=video.height,
        pixel_format=video.native_format,
        handled_as=video.format.name,
        rate=video.rate,
        frames=video.frames,
        sample_aspect_ratio=video.sample_aspect_ratio,
        rotation=video.rotation,
        interlaced=video.interlaced,
        hdr={PQ: "PQ", HLG: "HLG"}.get(tags.transfer),
        matrix=str(video.colour.matrix),
        full_range=video.colour.full_range,
        tags=asdict(tags),
        still=video.still,
    )
    return StreamFacts(
        index=0 if stream is None else stream.index,
        kind="video",
        codec=video.codec,
        fate="dehazed" if facts.hdr is None else "refused",
        bit_rate=video.bit_rate,
        video=facts,
        **({"time_base": video.time_base, "duration": video.duration} if stream is None else _common(stream)),
    )


def _common(stream: Stream) -> dict[str, Any]:
    base = stream.time_base
    return {
        "profile": stream.profile if stream.codec_context is not None else None,
        "language": language(stream),
        "dispositions": tuple(str(flag.name) for flag in Disposition if flag in stream.disposition),
        "time_base": base,
        "start": None if base is None or stream.start_time is None else float(stream.start_time * base),
        "duration": None if base is None or not stream.duration else float(stream.duration * base),
        "metadata": dict(stream.metadata),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Fraction) else value
