"""What a connection leaves behind: nothing that the next one does not free."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from av.video.codeccontext import VideoCodecContext

from rtdehaze.apps.drive import drive_frames
from rtdehaze.core.freed import give_back_freed
from rtdehaze.core.live import Joined, LiveItem, LiveOptions, Lost
from rtdehaze.core.options import Mode, Options
from rtdehaze.pipeline.live.watch import watch_source
from rtdehaze.stages.capture.memory import MemorySource

CONNECTIONS, FRAMES = 8, 6


class ComesAndGoes:
    """Comes back each time with the other of two sizes, so that outputs need another encoder."""

    location = "memory"

    def __init__(self) -> None:
        self.encoders: list[int] = []
        self.skipped: dict[str, int] = {}
        self._closed = threading.Event()

    def items(self) -> Iterator[LiveItem]:
        number = 0
        for connection in range(CONNECTIONS):
            width, height = ((96, 64), (64, 96))[connection % 2]
            clip = drive_frames(width=width, height=height, count=FRAMES)
            if connection:
                yield Lost("for the test")
            video = replace(MemorySource(clip, rate=Fraction(25)).video, duration=None, frames=None)
            yield Joined(video, (), connection, 0.0)
            for frame in clip:
                self._closed.wait(0.03)
                yield replace(frame, pts=number, time_base=Fraction(1, 25), arrival=time.monotonic())
                number += 1
            self.encoders.append(sum(isinstance(thing, VideoCodecContext) for thing in gc.get_objects()))

    def close(self) -> None:
        self._closed.set()


@pytest.fixture
def _no_collector() -> Iterator[None]:
    """As in a program that makes little garbage: nothing is collected by itself."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
def test_encoders_of_connections_that_are_over_do_not_pile_up(tmp_path: Path) -> None:
    source = ComesAndGoes()
    options = Options(mode=Mode.OFF)
    report = watch_source(source, [str(tmp_path / "%H%M%S.ts")], options, LiveOptions(segment=60.0))
    assert report.reconnects == CONNECTIONS - 1
    # The present one, and that of the connection before where its thread has not ended yet.
    assert max(source.encoders) <= 3


def test_giving_back_what_is_free_may_be_done_at_any_time() -> None:
    give_back_freed()
    give_back_freed()
