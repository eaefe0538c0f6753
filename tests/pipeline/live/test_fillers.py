"""What the outputs get while the source is away."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from rtdehaze.core.frame import Frame
from rtdehaze.core.live import LossPolicy
from rtdehaze.pipeline.live.fillers import Fillers
from tests.pipeline.live.fakes import RecordingOutputs, Running, ScriptedSource, frame, joined, lost


def luma(picture: Frame) -> np.ndarray[Any, Any]:
    return picture.planes[0].samples.astype(int)


def fill_for_a_while(policy: LossPolicy, count: int = 4) -> tuple[RecordingOutputs, Running, ScriptedSource]:
    """Runs two frames, loses the source, and returns once that many fillers were written."""
    like = frame(0, width=320, height=180)
    source, outputs = ScriptedSource(joined(like), like), RecordingOutputs()
    run = Running(source, outputs, on_loss=policy)
    source.put(frame(1, width=320, height=180))
    run.wait_for(lambda: len(outputs.frames) == 2)
    source.put(lost())
    run.wait_for(lambda: run.runner.status().fillers >= count)
    return outputs, run, source


@pytest.mark.parametrize("policy", [LossPolicy.HOLD, LossPolicy.SLATE])
def test_a_gap_is_filled_at_a_steady_rate_on_the_clock_of_the_frames(policy: LossPolicy) -> None:
    outputs, run, source = fill_for_a_while(policy, 8)
    source.end()
    run.join()
    times = [item.time for item in outputs.frames]
    assert times == sorted(set(times))
    steps = np.diff(times[2:])
    assert np.median(steps) == pytest.approx(0.1, abs=0.05)
    status = run.runner.status()
    assert status.frames_out == 2
    assert status.fillers == len(outputs.frames) - 2


def test_a_held_picture_is_unmistakably_marked_as_old() -> None:
    outputs, run, source = fill_for_a_while(LossPolicy.HOLD)
    source.end()
    run.join()
    picture, filler = luma(outputs.frames[1]), luma(outputs.frames[-1])
    assert (np.abs(filler - picture)[:140] > 15).all()
    banner = filler[-20:]
    assert banner.max() > 200
    assert (banner > 200).mean() > 0.02


def test_a_slate_is_readable_and_neither_black_nor_the_last_picture() -> None:
    outputs, run, source = fill_for_a_while(LossPolicy.SLATE)
    source.end()
    run.join()
    slate = luma(outputs.frames[-1])
    assert np.median(slate) > 20
    assert 0.01 < (slate > 200).mean() < 0.3
    # White letters on a dark ground, in the middle of the picture.
    rows = np.flatnonzero((slate > 200).any(axis=1))
    assert rows[0] > 0.2 * 180
    assert rows[-1] < 0.8 * 180


def test_with_stop_nothing_is_written_while_the_source_is_away() -> None:
    source, outputs = ScriptedSource(joined(frame()), frame(0)), RecordingOutputs()
    run = Running(source, outputs, on_loss=LossPolicy.STOP)
    run.wait_for(lambda: len(outputs.frames) == 1)
    source.put(lost())
    run.wait_for(lambda: not run.runner.status().connected)
    source.put(joined(frame(), reconnects=1), frame(100))
    run.wait_for(lambda: len(outputs.frames) == 2)
    source.end()
    run.join()
    assert run.runner.status().fillers == 0


def test_when_the_source_is_back_fillers_end_and_times_never_go_backwards() -> None:
    outputs, run, source = fill_for_a_while(LossPolicy.SLATE)
    last = outputs.frames[-1]
    like = frame(0, width=320, height=180)
    behind, ahead = round(last.time * 25) - 2, round(last.time * 25) + 100
    source.put(joined(like, reconnects=1), frame(behind, width=320, height=180), frame(ahead, width=320, height=180))
    run.wait_for(lambda: run.runner.status().frames_out == 3)
    fillers = run.runner.status().fillers
    source.put(frame(ahead + 1, width=320, height=180))
    run.wait_for(lambda: run.runner.status().frames_out == 4)
    source.end()
    run.join()
    assert run.runner.status().fillers == fillers
    times = [item.time for item in outputs.frames]
    assert times == sorted(set(times))
    status = run.runner.status()
    assert status.dropped == {"order": 1}
    assert status.frames_in == status.frames_out + 1


def test_a_source_that_goes_before_its_first_frame_gets_a_slate_even_if_the_last_picture_was_asked_for() -> None:
    like = frame(0, width=320, height=180)
    source, outputs = ScriptedSource(joined(like), lost()), RecordingOutputs()
    run = Running(source, outputs, on_loss=LossPolicy.HOLD)
    run.wait_for(lambda: run.runner.status().fillers >= 2)
    source.end()
    run.join()
    assert np.median(luma(outputs.frames[-1])) > 20


def test_after_a_change_of_size_the_old_picture_is_not_held() -> None:
    outputs, run, source = fill_for_a_while(LossPolicy.HOLD)
    big = frame(0, width=640, height=360)
    source.put(joined(big, reconnects=1), lost())
    before = len(outputs.frames)
    run.wait_for(lambda: any(item.width == 640 for item in outputs.frames[before:]))
    source.end()
    run.join()


def test_the_clock_of_a_gap_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    from rtdehaze.stages.recompose import standby

    label = standby.label_of
    monkeypatch.setattr(standby, "label_of", lambda text, letter: (drawn.append(text), label(text, letter))[1])
    outputs = RecordingOutputs()
    like = joined(frame(0, width=320, height=180))
    outputs.adapt(like)
    fillers = Fillers(LossPolicy.SLATE, "rtsp://camera.example/door", outputs)
    fillers.adapt(like.video)
    begin = 1000.0
    wall = [1.8e9]
    monkeypatch.setattr("rtdehaze.pipeline.live.fillers.time.time", lambda: wall[0])
    fillers.follow(frame(0, width=320, height=180), begin)
    fillers.lose(begin)
    for seconds in (0.0, 0.1, 1.1, 61.5):
        wall[0] = 1.8e9 + seconds
        assert fillers.make(begin + seconds) is not None
    assert "NO SIGNAL" in drawn
    assert "rtsp://camera.example/door" in drawn
    assert [text for text in drawn if text.startswith("away for")] == [
        "away for 00:00:00",
        "away for 00:00:01",
        "away for 00:01:01",
    ]
    assert any(re.fullmatch(r"since 2027-01-15 \d\d:\d\d:\d\d [+-]\d{4}", text) for text in drawn)
