"""Frames must not wait for the cycle collector: each holds megabytes that it knows nothing of."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from rtdehaze.core.frame import Frame
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.encode.sink import open_sink
from tests.media import write_video


def frames_alive() -> int:
    # Not isinstance: it asks every object for its class, and some answer with a warning.
    return sum(type(thing) is av.VideoFrame for thing in gc.get_objects())


@pytest.fixture
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("codec", ["libx264", "libx264rgb"])
def test_frames_are_freed_without_the_cycle_collector(tmp_path: Path, codec: str) -> None:
    pixel_format = "rgb24" if codec == "libx264rgb" else "yuv420p"
    path = write_video(tmp_path / "in.mkv", frames=20, codec=codec, pixel_format=pixel_format)
    gc.collect()
    before = frames_alive()
    with open_source(str(path)) as source:
        sink = open_sink(str(tmp_path / "out.mkv"), source)
        for item in source.items():
            if isinstance(item, Frame):
                sink.write(sink.allocate(item))
        sink.finish()
    assert frames_alive() - before < 6
