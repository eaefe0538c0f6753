"""Copied streams whose description outlives the connection that they came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import av

from rtdehaze.core.stream import CopiedStream

if TYPE_CHECKING:
    from rtdehaze.stages.capture.problems import Notices

__all__ = ["detached"]

_NOWHERE = "null"
"""A muxer that writes nothing and takes every codec."""


def detached(streams: Iterable[CopiedStream], notices: Notices) -> tuple[CopiedStream, ...]:
    """Returns the streams described by streams of a container of their own; those that cannot be are left out.

    PyAV's streams are gone when their container closes, and whoever looks at one then crashes the program; a live
    source closes a connection at any time, from another thread than the one that looks.
    """
    templates = av.open("-", "w", format=_NOWHERE)
    kept = []
    for stream in streams:
        native: Any = stream.native
        try:
            template: Any = templates.add_stream_from_template(native, opaque=True)
        except (ValueError, av.FFmpegError):
            notices.say(f"stream {stream.index}", f"{stream.kind} stream {stream.index} ({stream.codec}) is left out")
            continue
        template.metadata.update(native.metadata)
        template.disposition = native.disposition
        kept.append(replace(stream, native=template))
    return tuple(kept)
