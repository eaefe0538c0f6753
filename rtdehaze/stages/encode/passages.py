"""How one stream passes by: as its packets are, or decoded and encoded again where the container demands it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import av
from av.bitstream import BitStreamFilterContext
from av.subtitles.subtitle import SubtitleSet

from rtdehaze.stages.encode.copying import Fate, StreamPlan, add_copied_stream, copied_metadata

__all__ = ["Passage", "add_passage"]

_log = logging.getLogger("rtdehaze.encode")

_BITS_PER_CHANNEL = 80_000
"""Bits per second and channel of converted audio: transparent for AAC, MP3 and Opus in listening tests."""

_USUAL_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


class Passage(Protocol):
    """A stream of the output and the way of its packets."""

    output: Any

    def convert(self, packet: Any) -> Sequence[Any]:
        """Returns what is written for a packet of the input."""

    def flush(self) -> Sequence[Any]:
        """Returns what is still held back."""


def add_passage(container: Any, plan: StreamPlan) -> Passage:
    """Adds a stream to the output as planned."""
    if plan.fate is Fate.COPY:
        return _Copy(container, plan)
    return _Audio(container, plan) if plan.stream.kind == "audio" else _Text(container, plan)


class _Copy:
    def __init__(self, container: Any, plan: StreamPlan) -> None:
        self.output = add_copied_stream(container, plan.stream)
        native: Any = plan.stream.native
        # AAC as in transport streams repeats its parameters in every packet; MP4 wants them once. The muxer strips
        # them by itself, but not while it delays its index.
        repeats = plan.stream.codec == "aac" and not native.codec_context.extradata
        in_mp4 = container.format.name in {"mp4", "mov"}
        self._filter = BitStreamFilterContext("aac_adtstoasc", native) if repeats and in_mp4 else None

    def convert(self, packet: Any) -> Sequence[Any]:
        packets = [packet] if self._filter is None else self._filter.filter(packet)
        for made in packets:
            made.stream = self.output
        return packets

    def flush(self) -> Sequence[Any]:
        return []


class _Audio:
    """Decodes and encodes; PyAV's encoder resamples and re-frames by itself."""

    def __init__(self, container: Any, plan: StreamPlan) -> None:
        native: Any = plan.stream.native
        self._decoder = native.codec_context
        rate = 48_000 if plan.target == "libopus" else self._decoder.sample_rate
        said = self._decoder.layout
        # PCM in AVI and WAV counts its channels without naming them.
        wanted = _USUAL_LAYOUTS.get(said.nb_channels, said.name) if "channels" in said.name else said.name
        layout = _layout(plan.target, rate, wanted)
        self.output = container.add_stream(plan.target, rate=rate, layout=layout)
        self.output.bit_rate = _BITS_PER_CHANNEL * self.output.codec_context.channels
        self.output.metadata.update(copied_metadata(native.metadata))
        self.output.disposition = native.disposition
        self._broken = False

    def convert(self, packet: Any) -> Sequence[Any]:
        try:
            frames = self._decoder.decode(packet)
        except av.error.InvalidDataError:
            if not self._broken:
                _log.warning("a packet of converted audio cannot be decoded; its time stays silent")
            self._broken = True
            return []
        return [made for frame in frames for made in self.output.encode(frame)]

    def flush(self) -> Sequence[Any]:
        frames = self._decoder.decode(None)
        return [made for frame in [*frames, None] for made in self.output.encode(frame)]


class _Text:
    """Decodes each subtitle to ASS, FFmpeg's common form, and encodes that."""

    def __init__(self, container: Any, plan: StreamPlan) -> None:
        native: Any = plan.stream.native
        self._decoder = native.codec_context
        self._decoder.open(strict=False)
        self.output = container.add_stream(plan.target)
        self._encoder = self.output.codec_context
        self._encoder.subtitle_header = self._decoder.subtitle_header
        self._encoder.time_base = native.time_base
        self.output.metadata.update(copied_metadata(native.metadata))
        self.output.disposition = native.disposition

    def convert(self, packet: Any) -> Sequence[Any]:
        subtitle: SubtitleSet | None = self._decoder.decode2(packet)
        if subtitle is None or not len(subtitle):
            return []
        made = self._encoder.encode_subtitle(subtitle)
        made.time_base = packet.time_base
        made.pts = made.dts = packet.pts
        made.duration = packet.duration
        made.stream = self.output
        return [made]

    def flush(self) -> Sequence[Any]:
        return []


def _layout(encoder: str, rate: int, wanted: str) -> str:
    """Returns the wanted channel layout where the encoder takes it, stereo otherwise."""
    context: Any = av.CodecContext.create(encoder, "w")
    context.sample_rate, context.layout = rate, wanted
    formats = context.codec.audio_formats or []
    if formats:
        context.format = formats[0]
    try:
        context.open()
    except (av.FFmpegError, ValueError):
        _log.warning("%s does not take the channels %s: mixed to stereo", encoder, wanted)
        return "stereo"
    return wanted
