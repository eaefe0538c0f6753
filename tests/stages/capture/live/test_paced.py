"""Files played as if they were live."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from rtdehaze.core.frame import Frame
from rtdehaze.core.live import Joined, LiveOptions
from rtdehaze.stages.capture.live import open_live_source
from tests.live.machine import Witness, patience
from tests.media import write_video
from tests.stages.capture.live.watching import Watcher, strictly_increasing

FRAMES, RATE = 20, 25


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", width=64, height=48, frames=FRAMES, audio=1)


def test_a_file_is_played_at_its_own_speed_and_ends(clip: Path) -> None:
    before = time.monotonic()
    with Witness() as witness, Watcher(open_live_source(clip, LiveOptions())) as watcher:
        watcher.join()
    assert time.monotonic() - before >= (FRAMES - 1) / RATE
    assert watcher.error is None
    assert watcher.frames == FRAMES
    # What comes late stays late.
    lasted = watcher.times[-1] - watcher.times[0]
    assert (FRAMES - 1) / RATE - 0.3 < lasted < (FRAMES - 1) / RATE + patience(0.3) + witness.stood_still
    assert len(watcher.sound) > 10


def test_a_loop_goes_on_without_a_seam(clip: Path) -> None:
    with Witness() as witness, Watcher(open_live_source(clip, LiveOptions(), loop=True)) as watcher:
        watcher.await_frames(FRAMES * 2 + 5)
    assert len(watcher.joined) == 1
    assert strictly_increasing(watcher.times)
    assert strictly_increasing(watcher.sound)
    seam = watcher.times[FRAMES] - watcher.times[FRAMES - 1]
    # The file is opened anew there, which a busy machine takes its time for.
    assert 0.5 / RATE < seam < 1 / RATE + patience(0.3) + witness.stood_still


def test_a_part_of_a_file_begins_at_the_beginning_of_the_run(clip: Path) -> None:
    with Watcher(open_live_source(clip, LiveOptions(), start=0.4, duration=0.2)) as watcher:
        watcher.join()
    assert watcher.frames == 5
    # Not 0.4 s after it came; opening the file takes a busy machine its time.
    assert watcher.deviations[0] < 0.2


def test_what_was_described_outlives_the_file(clip: Path) -> None:
    source = open_live_source(clip, LiveOptions())
    items = list(source.items())
    source.close()
    [joined] = [item for item in items if isinstance(item, Joined)]
    native: Any = joined.copied[0].native
    assert native.codec_context.sample_rate == 48_000
    assert joined.video.native is None
    assert sum(isinstance(item, Frame) for item in items) == FRAMES


def test_filters_end_where_they_are_told_to() -> None:
    before = time.monotonic()
    with Watcher(open_live_source("lavfi:testsrc=size=64x48:rate=25:duration=0.4", LiveOptions())) as watcher:
        watcher.join()
    assert time.monotonic() - before > 0.3
    assert watcher.error is None
    assert watcher.frames == 10
    assert watcher.lost == []
