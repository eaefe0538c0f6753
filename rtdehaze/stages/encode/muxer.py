"""One output container at work: the encoder's packets and the copied ones, in order of time."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.video.format import VideoFormat

from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import Chapter, Packet, VideoInfo
from rtdehaze.stages.encode.clock import OutputClock
from rtdehaze.stages.encode.containers import ContainerKind
from rtdehaze.stages.encode.copying import Fate, StreamPlan, copied_metadata
from rtdehaze.stages.encode.encoders import EncoderPlan, apply_plan
from rtdehaze.stages.encode.frames import FrameConverter
from rtdehaze.stages.encode.passages import Passage, add_passage
from rtdehaze.stages.encode.side_data import hdr_options, lost_side_data

__all__ = ["FilePlan", "Muxer"]

_log = logging.getLogger("rtdehaze.encode")

MAX_WAITING = 8192
"""Copied packets that may wait for the video to catch up (minutes of audio); past that they are written at once."""

_UNSPECIFIED = 2
"""ITU-T H.273: what a colour tag holds that says nothing."""


@dataclass(frozen=True, slots=True)
class FilePlan:
    """What a file will hold."""

    container: ContainerKind
    encoder: EncoderPlan
    video: VideoInfo
    streams: Sequence[StreamPlan]
    chapters: Sequence[Chapter]
    metadata: dict[str, str]


class Muxer:
    """Writes one file from its first frame on; PyAV's exceptions pass through."""

    def __init__(self, plan: FilePlan) -> None:
        """Takes the plan; nothing is opened yet."""
        self._plan = plan
        encoder = plan.encoder
        self._converter = FrameConverter(encoder.width, encoder.height, encoder.pixel_format)
        self._container: Any = None
        self._encoder: Any = None
        self._passages: dict[int, Passage] = {}
        self._waiting: deque[Packet] = deque()
        self._last_dts: dict[int, int] = {}
        self._clock = OutputClock(encoder, from_zero=plan.container.fixed_rate)
        self._flushed = False
        self._told: set[str] = set()

    @property
    def opened(self) -> bool:
        """Whether a first frame came and there is a file."""
        return self._container is not None

    def open(self, path: Path, first: Frame) -> None:
        """Creates the file and adds its streams in the input's order."""
        plan = self._plan
        options = dict(plan.container.options)
        self._container = av.open(str(path), "w", format=plan.container.format, container_options=options)
        self._container.metadata.update(plan.metadata)
        own = getattr(plan.video.native, "index", -1)
        before = [entry for entry in plan.streams if entry.stream.index < own]
        after = [entry for entry in plan.streams if entry.stream.index >= own]
        self._add_streams(before)
        self._add_video(first)
        self._add_streams(after)
        if plan.chapters:
            self._container.set_chapters([_as_chapter(chapter) for chapter in plan.chapters])
        self._container.start_encoding()

    def _add_streams(self, plans: Sequence[StreamPlan]) -> None:
        for plan in plans:
            if plan.fate in (Fate.COPY, Fate.CONVERT):
                self._passages[plan.stream.index] = add_passage(self._container, plan)

    def _add_video(self, first: Frame) -> None:
        plan, video = self._plan.encoder, self._plan.video
        self._encoder = self._container.add_stream(plan.encoder, rate=plan.rate)
        apply_plan(self._encoder.codec_context, plan)
        self._encoder.codec_context.options = hdr_options(plan.encoder, plan.options, first)
        _apply_colour(self._encoder.codec_context, video, plan.pixel_format)
        if video.sample_aspect_ratio:
            self._encoder.codec_context.sample_aspect_ratio = video.sample_aspect_ratio
        if video.rotation:
            self._encoder.set_display_rotation(video.rotation)
        if plan.codec == "hevc" and self._plan.container.format in {"mp4", "mov"}:
            # Apple's players take HEVC only under this tag.
            self._encoder.codec_context.codec_tag = "hvc1"
        self._encoder.time_base = plan.time_base
        self._encoder.disposition = video.disposition
        self._encoder.metadata.update(copied_metadata(video.metadata))

    def encode(self, frame: Frame) -> None:
        """Encodes a frame and writes what has become ready."""
        self._tell_losses(frame)
        native = self._converter.native(frame)
        self._clock.stamp(native, frame)
        self._mux_video(self._encoder.encode(native))

    def _tell_losses(self, frame: Frame) -> None:
        for words in lost_side_data(self._plan.encoder.encoder, frame):
            if words not in self._told:
                self._told.add(words)
                _log.warning("%s cannot write %s: left out", self._plan.encoder.encoder, words)

    def copy(self, packet: Packet) -> None:
        """Writes a copied packet as soon as the video has come as far."""
        if self.opened and packet.stream.index not in self._passages:
            return
        self._waiting.append(packet)
        if self.opened and len(self._waiting) > MAX_WAITING:
            self._mux_copied(self._waiting.popleft())

    def flush(self) -> None:
        """Writes all that the encoder still holds and all packets that wait."""
        if not self._flushed:
            self._flushed = True
            self._mux_video(self._encoder.encode(None))
            while self._waiting:
                self._mux_copied(self._waiting.popleft())
            for passage in self._passages.values():
                self._mux_in_order(passage.flush(), passage.output)

    def close(self) -> None:
        """Writes the trailer and closes the file; safe to call twice."""
        if self._container is not None:
            self._container.close()

    def _mux_video(self, packets: Sequence[Any]) -> None:
        for packet in packets:
            self._container.mux(packet)
            self._clock.video_written(packet)
            while self._waiting and self._clock.is_due(self._waiting[0].native):
                self._mux_copied(self._waiting.popleft())

    def _mux_copied(self, packet: Packet) -> None:
        passage = self._passages.get(packet.stream.index)
        native: Any = packet.native
        # The demuxer's empty packets mark the end; they are no data.
        if passage is not None and native.size and self._clock.shift(native):
            self._mux_in_order(passage.convert(native), passage.output)

    def _mux_in_order(self, packets: Sequence[Any], output: Any) -> None:
        for native in packets:
            self._repair(native, output.index)
            self._container.mux(native)

    def _repair(self, native: Any, index: int) -> None:
        """Muxers refuse decoding times that are missing or go backwards."""
        if native.dts is None:
            native.dts = native.pts
        last = self._last_dts.get(index)
        if native.dts is not None:
            if last is not None and native.dts < last:
                native.dts = last
            self._last_dts[index] = native.dts


def _apply_colour(context: Any, video: VideoInfo, pixel_format: str) -> None:
    tags = video.colour.tags
    if pixel_format.startswith("yuvj") or video.format.full_range:
        context.color_range = 2
    elif tags.range:
        context.color_range = tags.range
    if VideoFormat(pixel_format).is_rgb:
        return  # the matrix has been undone
    for name, value in (("colorspace", tags.space), ("color_primaries", tags.primaries), ("color_trc", tags.transfer)):
        if value != _UNSPECIFIED:
            setattr(context, name, value)


def _as_chapter(chapter: Chapter) -> dict[str, Any]:
    return {
        "id": chapter.id,
        "start": chapter.start,
        "end": chapter.end,
        "time_base": chapter.time_base,
        "metadata": dict(chapter.metadata),
    }
