"""Passes a whole input through a sink, as the pipeline would, with every sample copied; and reads what came out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av

from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import Packet, Sink, Source
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.encode.sink import open_sink
from tests.media import packets


def copied(sink: Sink, item: Frame | Packet) -> Frame | Packet:
    """The item as recomposition would hand it on: a frame of the sink's own memory, or the packet itself."""
    if isinstance(item, Packet):
        return item
    made = sink.allocate(item)
    for target, origin in zip(made.planes, item.planes, strict=True):
        target.samples[:] = origin.samples
    return made


def feed(sink: Sink, source: Source, frames: int | None = None) -> int:
    """Writes a source's items, up to a number of frames, and returns how many frames there were."""
    count = 0
    for item in source.items():
        if isinstance(item, Frame):
            if count == frames:
                break
            count += 1
        sink.write(copied(sink, item))
    return count


def transcode(origin: Path | str, output: Path | str, **options: Any) -> None:
    """A transcode of everything, without any dehazing."""
    with open_source(str(origin)) as source:
        sink = open_sink(str(output), source, **options)
        feed(sink, source)
        sink.finish()


def payloads(path: Path, kind: str) -> list[list[bytes]]:
    """The packets' bytes of every stream of a kind."""
    with av.open(str(path)) as container:
        indices = [stream.index for stream in container.streams if stream.type == kind]
    found = packets(path)
    return [[data for _, _, data in found.get(index, [])] for index in indices]


def times(path: Path, kind: str) -> list[float]:
    """Presentation times of the first stream of a kind."""
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [float(packet.pts * packet.time_base) for packet in container.demux(stream) if packet.size]


def described(path: Path) -> list[tuple[str, str | None, int]]:
    """Kind, language and disposition of what is seen, heard and read."""
    with av.open(str(path)) as container:
        return [
            (stream.type, stream.language, int(stream.disposition))
            for stream in container.streams
            if stream.type in {"video", "audio", "subtitle"}
        ]
