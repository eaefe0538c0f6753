"""Passes a whole input through a sink, as the pipeline would, with every sample copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import Packet, Sink, Source
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.encode.sink import open_sink

FAST = {"preset": "ultrafast"}
"""For libx264 and libx265 where the test is not about them."""


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
