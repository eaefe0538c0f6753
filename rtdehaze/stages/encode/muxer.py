"""One output container at work: the encoder's packets and the copied ones, in order of time."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import Chapter, CopiedStream, Packet, VideoInfo
from rtdehaze.stages.encode.clock import OutputClock
from rtdehaze.stages.encode.containers import ContainerKind
from rtdehaze.stages.encode.copying import COVER_TYPES, Fate, StreamPlan
from rtdehaze.stages.encode.encoders import EncoderPlan
from rtdehaze.stages.encode.frames import FrameConverter
from rtdehaze.stages.encode.order import TimeOrder
from rtdehaze.stages.encode.passages import Passage, add_passage
from rtdehaze.stages.encode.side_data import hdr_options, lost_side_data
from rtdehaze.stages.encode.video_stream import add_video

__all__ = ["FilePlan", "Muxer", "as_chapter"]

_log = logging.getLogger("rtdehaze.encode")

MAX_WAITING = 8192
"""Copied packets that may wait for the video to catch up (minutes of audio); past that they are written at once."""

_LONGEST_REORDERING = 60
"""Seconds between decoding and showing a frame that can be meant: for clips of two frames x265 gives uninitialised
memory as decoding times."""

_QUICKTIME_LANGUAGES = {"deu": "ger", "ell": "gre", "isl": "ice", "nld": "dut", "swe": "sve", "zho": "chi"}
"""ISO 639-2 has two codes for some languages, and QuickTime's table the other one."""


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

    def __init__(self, plan: FilePlan, path: Path) -> None:
        """Adds the streams in the input's order; there is no file yet.

        The input's streams are looked at here and never again: PyAV's are dead once their container is closed.
        """
        self._plan = plan
        encoder = plan.encoder
        self._converter = FrameConverter(encoder.width, encoder.height, encoder.pixel_format)
        self._clock = OutputClock(encoder, from_zero=plan.container.fixed_rate)
        self._passages: dict[int, Passage] = {}
        self._waiting: deque[Packet] = deque()
        self._order = TimeOrder()
        self._told: set[str] = set()
        self._started = False
        self._flushed = False
        self._container: Any = av.open(
            str(path), "w", format=plan.container.format, container_options=_container_options(plan)
        )
        self._container.metadata.update(plan.metadata)
        own = getattr(plan.video.native, "index", -1)
        self._add_streams([entry for entry in plan.streams if entry.stream.index < own])
        self._encoder = self._add_video()
        self._add_streams([entry for entry in plan.streams if entry.stream.index >= own])
        if plan.container.format == "mov":
            _name_languages_as_quicktime(self._container)
        if plan.chapters:
            self._container.set_chapters([as_chapter(chapter) for chapter in plan.chapters])

    @property
    def started(self) -> bool:
        """Whether a first frame came and there is a file."""
        return self._started

    def start(self, first: Frame) -> None:
        """Creates the file, with what only the first frame can tell."""
        plan = self._plan.encoder
        self._started = True
        self._encoder.codec_context.options = hdr_options(plan.encoder, plan.options, first)
        for entry in self._plan.streams:
            if entry.fate is Fate.ATTACH:
                self._attach(entry.stream)
        self._container.start_encoding()

    def _add_streams(self, plans: Sequence[StreamPlan]) -> None:
        for plan in plans:
            if plan.fate in (Fate.COPY, Fate.CONVERT):
                self._passages[plan.stream.index] = add_passage(self._container, plan)

    def _attach(self, stream: CopiedStream) -> None:
        """Adds cover art, which demuxers hand out before everything else."""
        mimetype = COVER_TYPES[stream.codec]
        for packet in self._waiting:
            if packet.stream.index == stream.index:
                name = f"cover.{mimetype.partition('/')[2].replace('jpeg', 'jpg')}"
                self._container.add_attachment(name, mimetype, bytes(packet.native))  # type: ignore[call-overload]
                return

    def _add_video(self) -> Any:
        plan, video = self._plan.encoder, self._plan.video
        stream: Any = add_video(self._container, plan, video)
        if plan.codec == "hevc" and self._plan.container.format in {"mp4", "mov"}:
            # Apple's players take HEVC only under this tag.
            stream.codec_context.codec_tag = "hvc1"
        return stream

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
        if self.started and packet.stream.index not in self._passages:
            return
        self._waiting.append(packet)
        if self.started and len(self._waiting) > MAX_WAITING:
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
        self._container.close()

    def _mux_video(self, packets: Sequence[Any]) -> None:
        for packet in packets:
            if packet.dts is None or not 0 <= (packet.pts - packet.dts) * packet.time_base < _LONGEST_REORDERING:
                packet.dts = packet.pts
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
            self._order.repair(native, output)
            self._container.mux(native)


def _name_languages_as_quicktime(container: Any) -> None:
    for stream in container.streams:
        language = stream.metadata.get("language", "")
        if language in _QUICKTIME_LANGUAGES:
            stream.metadata["language"] = _QUICKTIME_LANGUAGES[language]


def _container_options(plan: FilePlan) -> dict[str, str]:
    options = dict(plan.container.options)
    if "movflags" in options and any(key.startswith("com.") for key in plan.metadata):
        # The tags of cameras and telephones (com.apple.quicktime...) go under their own names or not at all.
        options["movflags"] += "+use_metadata_tags"
    return options


def as_chapter(chapter: Chapter) -> av.container.core.Chapter:
    """Returns a chapter mark in PyAV's form."""
    return {
        "id": chapter.id,
        "start": chapter.start,
        "end": chapter.end,
        "time_base": chapter.time_base,
        "metadata": dict(chapter.metadata),
    }
