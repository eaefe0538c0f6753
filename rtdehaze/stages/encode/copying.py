"""What becomes of the streams that pass by: copied bit for bit, converted, or left out and said so."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import av
from av.stream import Disposition, Stream

from rtdehaze.core.errors import UsageError
from rtdehaze.core.stream import CopiedStream
from rtdehaze.stages.encode.containers import ContainerKind

__all__ = ["COVER_TYPES", "Fate", "StreamPlan", "add_copied_stream", "copied_metadata", "plan_streams"]

_log = logging.getLogger("rtdehaze.encode")

_TEXT_CODECS = frozenset({"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"})
"""Subtitles made of characters: these can become one another."""

COVER_TYPES = {"png": "image/png", "mjpeg": "image/jpeg", "gif": "image/gif", "bmp": "image/bmp", "webp": "image/webp"}
"""Codecs of cover art and how attachments name them."""

_STALE_TAGS = frozenset({"DURATION", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES", "BPS", "encoder", "ENCODER"})
"""Statistics that Matroska writers leave on a stream; they describe the old file."""


class Fate(Enum):
    """What becomes of a stream."""

    COPY = "copy"
    CONVERT = "convert"
    ATTACH = "attach"
    """Cover art, which Matroska holds as an attachment."""
    CARRIED = "carried"
    """Nothing to do: the container writes it from the metadata."""
    LEAVE_OUT = "leave out"


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What becomes of one stream, and why."""

    stream: CopiedStream
    fate: Fate
    target: str = ""
    """The encoder that converts it."""


def plan_streams(copied: Sequence[CopiedStream], container: ContainerKind, *, strict: bool) -> list[StreamPlan]:
    """Decides for each stream, and says once what will not be bit for bit.

    Raises:
        UsageError: `strict`, and a stream cannot be copied.
    """
    plans = []
    for stream in copied:
        plan = _plan(stream, container)
        if plan.fate in (Fate.CONVERT, Fate.LEAVE_OUT):
            done = f"converted to {plan.target}" if plan.fate is Fate.CONVERT else "left out"
            language = f" ({stream.language})" if stream.language else ""
            kind = "cover art" if _is_cover(stream) else stream.kind
            what = f"{kind} stream {stream.index}{language}: {container.name} cannot hold {stream.codec or 'it'}"
            if strict:
                message = f"{what}; write mkv, or leave --strict out and it will be {done}"
                raise UsageError(message)
            _log.warning("%s; %s", what, done)
        plans.append(plan)
    return plans


def _plan(stream: CopiedStream, container: ContainerKind) -> StreamPlan:
    native: Any = stream.native
    if not isinstance(native, Stream):
        return StreamPlan(stream, Fate.LEAVE_OUT)
    if stream.kind == "data" and "timecode" in native.metadata:
        # A timecode track; the demuxer has put its start into the video's metadata, and muxers make it from there.
        return StreamPlan(stream, Fate.CARRIED)
    if _is_cover(stream):
        # The muxer of fragmented MP4 adds an empty track for each cover.
        attached = container.format == "matroska" and stream.codec in COVER_TYPES
        return StreamPlan(stream, Fate.ATTACH if attached else Fate.LEAVE_OUT)
    if _can_hold(stream, container):
        return StreamPlan(stream, Fate.COPY)
    decodable = native.codec_context is not None
    if stream.kind == "audio" and decodable and container.audio:
        return StreamPlan(stream, Fate.CONVERT, container.audio)
    if stream.kind == "subtitle" and decodable and stream.codec in _TEXT_CODECS and container.text:
        return StreamPlan(stream, Fate.CONVERT, container.text)
    return StreamPlan(stream, Fate.LEAVE_OUT)


def _is_cover(stream: CopiedStream) -> bool:
    return isinstance(stream.native, Stream) and bool(stream.native.disposition & Disposition.attached_pic)


def _can_hold(stream: CopiedStream, container: ContainerKind) -> bool:
    """Whether the muxer takes the stream: it is asked by writing a header into memory."""
    if container.holds is not None and stream.codec not in container.holds:
        return False
    if container.remote:
        return _describes_itself(stream)
    if stream.kind == "attachment":
        return container.format == "matroska"
    try:
        with av.open(io.BytesIO(), "w", format=container.format) as trial:
            add_copied_stream(trial, stream)
            trial.start_encoding()
    except (av.FFmpegError, ValueError, OSError):
        return False
    return True


def _describes_itself(stream: CopiedStream) -> bool:
    """Whether a peer can be told beforehand how to decode the stream: AAC as in transport streams says it inside."""
    context = getattr(stream.native, "codec_context", None)
    return stream.codec != "aac" or bool(context is not None and context.extradata)


def add_copied_stream(container: Any, stream: CopiedStream) -> Any:
    """Adds the stream to an output container with its metadata and disposition, and returns the output's stream."""
    native: Any = stream.native
    if stream.kind == "attachment":
        name = native.metadata.get("filename", f"attachment-{stream.index}")
        mimetype = native.metadata.get("mimetype", "application/octet-stream")
        added = container.add_attachment(name, mimetype, bytes(native.data))
    else:
        added = container.add_stream_from_template(native, opaque=True)
        added.disposition = native.disposition
    added.metadata.update(copied_metadata(native.metadata))
    return added


def copied_metadata(metadata: dict[str, str]) -> dict[str, str]:
    """Returns a stream's tags without those that describe the file they came from."""
    return {
        key: value
        for key, value in metadata.items()
        if key not in _STALE_TAGS and not key.startswith(("_STATISTICS", "DURATION-", "BPS-", "NUMBER_OF_"))
    }
