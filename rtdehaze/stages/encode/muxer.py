"""One output container at work: the encoder's packets and the copied ones, in order of time."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.frame import VideoFrame

from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import Chapter, Packet, VideoInfo
from rtdehaze.stages.encode.containers import ContainerKind
from rtdehaze.stages.encode.copying import Fate, StreamPlan, add_copied_stream, copied_metadata
from rtdehaze.stages.encode.encoders import EncoderPlan, apply_plan
from rtdehaze.stages.encode.frames import FrameConverter

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
        self._outputs: dict[int, Any] = {}
        self._waiting: deque[Packet] = deque()
        self._last_dts: dict[int, int] = {}
        self._last_pts: int | None = None
        self._video_time: Fraction | None = None
        self._flushed = False

    @property
    def opened(self) -> bool:
        """Whether a first frame came and there is a file."""
        return self._container is not None

    def open(self, path: Path) -> None:
        """Creates the file and adds its streams in the input's order."""
        plan = self._plan
        options = dict(plan.container.options)
        self._container = av.open(str(path), "w", format=plan.container.format, container_options=options)
        self._container.metadata.update(plan.metadata)
        own = getattr(plan.video.native, "index", -1)
        before = [entry for entry in plan.streams if entry.stream.index < own]
        after = [entry for entry in plan.streams if entry.stream.index >= own]
        self._add_streams(before)
        self._add_video()
        self._add_streams(after)
        if plan.chapters:
            self._container.set_chapters([_as_chapter(chapter) for chapter in plan.chapters])
        self._container.start_encoding()

    def _add_streams(self, plans: Sequence[StreamPlan]) -> None:
        for plan in plans:
            if plan.fate is Fate.COPY:
                self._outputs[plan.stream.index] = add_copied_stream(self._container, plan.stream)

    def _add_video(self) -> None:
        plan, video = self._plan.encoder, self._plan.video
        self._encoder = self._container.add_stream(plan.encoder, rate=plan.rate)
        apply_plan(self._encoder.codec_context, plan)
        _apply_colour(self._encoder.codec_context, video)
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
        native = self._converter.native(frame)
        self._stamp(native, frame)
        self._mux_video(self._encoder.encode(native))

    def _stamp(self, native: VideoFrame, frame: Frame) -> None:
        base = self._plan.encoder.time_base
        pts = frame.pts
        if frame.time_base != base:
            native.duration = round(native.duration * frame.time_base / base)
            pts = round(frame.pts * frame.time_base / base)
        if self._last_pts is not None and pts <= self._last_pts:
            pts = self._last_pts + 1
        native.pts, native.time_base = pts, base
        self._last_pts = pts

    def copy(self, packet: Packet) -> None:
        """Writes a copied packet as soon as the video has come as far."""
        if self.opened and packet.stream.index not in self._outputs:
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

    def close(self) -> None:
        """Writes the trailer and closes the file; safe to call twice."""
        if self._container is not None:
            self._container.close()

    def _mux_video(self, packets: Sequence[Any]) -> None:
        for packet in packets:
            self._container.mux(packet)
            if packet.dts is not None:
                self._video_time = packet.dts * packet.time_base
                self._release()

    def _release(self) -> None:
        while self._waiting and self._is_due(self._waiting[0].native):
            self._mux_copied(self._waiting.popleft())

    def _is_due(self, native: Any) -> bool:
        time: int | None = native.dts if native.dts is not None else native.pts
        return time is None or self._video_time is None or time * native.time_base <= self._video_time

    def _mux_copied(self, packet: Packet) -> None:
        output = self._outputs.get(packet.stream.index)
        native: Any = packet.native
        if output is None or not native.size:
            return
        if native.dts is None:
            native.dts = native.pts
        last = self._last_dts.get(output.index)
        if native.dts is not None:
            if last is not None and native.dts < last:
                native.dts = last
            self._last_dts[output.index] = native.dts
        native.stream = output
        self._container.mux(native)


def _apply_colour(context: Any, video: VideoInfo) -> None:
    tags = video.colour.tags
    if tags.range:
        context.color_range = tags.range
    elif video.format.full_range:
        context.color_range = 2
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
