"""What travels from the encoders to the outlets: packets, and what a container must know to take them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import av
from av.stream import Stream

from rtdehaze.core.live import Joined
from rtdehaze.core.stream import Chapter, CopiedStream, VideoInfo
from rtdehaze.stages.encode.containers import ContainerKind
from rtdehaze.stages.encode.copying import StreamPlan
from rtdehaze.stages.encode.encoders import EncoderPlan

__all__ = ["Feed", "Make", "Parcel", "Tags", "duplicate", "kept_streams"]


@dataclass(frozen=True, slots=True)
class Make:
    """What the frames and copied streams of a connection are like; equal makes go on in the same containers."""

    video: VideoInfo
    size: tuple[int, int]
    sounds: tuple[tuple[object, ...], ...]
    """What containers know of each copied stream."""

    @staticmethod
    def of(joined: Joined, size: tuple[int, int]) -> Make:
        """Looks at a connection's streams, which are alive now."""
        # Neither its length nor its tags nor its bit rate change how a camera's video is encoded.
        video = replace(joined.video, duration=None, frames=None, bit_rate=None, metadata={}, native=None)
        # A rate that was measured differs a little each time, and square samples are said or not as it happens.
        rate = None if video.rate is None else Fraction(round(video.rate))
        video = replace(video, rate=rate, sample_aspect_ratio=video.sample_aspect_ratio or Fraction(1))
        return Make(video, size, tuple(_described(stream) for stream in joined.copied))


def _described(stream: CopiedStream) -> tuple[object, ...]:
    context: Any = getattr(stream.native, "codec_context", None)
    words: tuple[object, ...] = (stream.index, stream.kind, stream.codec, stream.language)
    if context is None:
        return words
    sound = (context.sample_rate, context.layout.name) if stream.kind == "audio" else ()
    return (*words, bytes(context.extradata or b""), *sound)


def kept_streams(copied: Sequence[CopiedStream]) -> tuple[CopiedStream, ...]:
    """Returns the streams with natives that live on when their container is closed, each with a decoder of its own."""
    keeper: Any = av.open(io.BytesIO(), "w", format="null")
    return tuple(replace(stream, native=_kept(keeper, stream)) for stream in copied)


def _kept(keeper: Any, stream: CopiedStream) -> Any:
    native: Any = stream.native
    if not isinstance(native, Stream):
        return None
    if stream.kind == "attachment":
        name, mimetype = native.metadata.get("filename", ""), native.metadata.get("mimetype", "")
        return keeper.add_attachment(name, mimetype, bytes(native.data))  # type: ignore[attr-defined]
    if native.codec_context is None and stream.kind != "data":
        return None
    kept = keeper.add_stream_from_template(native, opaque=True)
    kept.disposition = native.disposition
    kept.metadata.update(native.metadata)
    return kept


@dataclass(frozen=True, slots=True)
class Tags:
    """What containers say of their content."""

    metadata: dict[str, str] = field(default_factory=dict)
    chapters: Sequence[Chapter] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """What one outlet is given between two changes of the make."""

    kind: ContainerKind
    plan: EncoderPlan
    template: Any
    """The encoder's stream, open: containers copy its parameters."""
    streams: Sequence[StreamPlan]
    tags: Tags

    def own_streams(self) -> list[StreamPlan]:
        """Returns the copied streams' plans with decoders that nobody shares."""
        kept = kept_streams([plan.stream for plan in self.streams])
        return [replace(plan, stream=stream) for plan, stream in zip(self.streams, kept, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """A packet on its way to several outlets; they duplicate it, for muxers change what they are given."""

    native: Any
    time: Fraction
    """Presentation time in seconds on the run's clock."""
    stream: int | None = None
    """Index of the copied stream; None is the video."""
    key: bool = False
    segment: int = 0
    """Which of the files that are cut by time it belongs to; it grows at keyframes."""

    @property
    def video(self) -> bool:
        """Whether it holds a frame."""
        return self.stream is None


def duplicate(native: Any) -> Any:
    """Returns a packet of its own memory with the same data, times and side data."""
    made: Any = av.Packet(native.size)
    made.update(native)
    made.pts, made.dts, made.duration, made.time_base = native.pts, native.dts, native.duration, native.time_base
    made.is_keyframe = native.is_keyframe
    for data in native.iter_sidedata():
        if data.data_type != "quality_stats":
            made.set_sidedata(data)
    return made
