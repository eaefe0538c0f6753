"""The threads of a live run: the newest frame wins, every frame is accounted for, nothing is left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from rtdehaze.core.errors import RtdehazeError, SinkError, SourceError
from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import Packet
from rtdehaze.core.watch import LiveStatus
from rtdehaze.pipeline.decision import Decision
from rtdehaze.pipeline.live import runner
from tests.live.servers import PATIENCE
from tests.pipeline.live.fakes import (
    AUDIO,
    CopyingDehazer,
    RecordingOutputs,
    Running,
    ScriptedSource,
    frame,
    joined,
    lost,
)


def our_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("rtdehaze-")}


@pytest.fixture
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No part of winding up is cut short because this machine is slow."""
    monkeypatch.setattr(runner, "_STOPPING_S", PATIENCE)
    monkeypatch.setattr(runner, "_DRAINING_S", PATIENCE)
    monkeypatch.setattr(runner, "_LEAVING_S", PATIENCE)


unhurried = pytest.mark.usefixtures("_unhurried")


def assert_all_accounted_for(status: LiveStatus) -> None:
    assert status.frames_in == status.frames_out + sum(status.dropped.values())
    assert status.under_way == 0


def numbers(outputs: RecordingOutputs) -> list[int]:
    return [item.pts // 3600 for item in outputs.frames]


@unhurried
def test_frames_come_out_in_order_with_their_times_and_packets_keep_their_places() -> None:
    source, outputs = ScriptedSource(joined(frame())), RecordingOutputs()
    run = Running(source, outputs)
    sound = [Packet(AUDIO, number) for number in range(5)]
    for number in range(5):
        source.put(sound[number], frame(number))
        run.wait_for(lambda number=number: len(outputs.frames) == number + 1)
    source.end()
    run.join()
    assert numbers(outputs) == [0, 1, 2, 3, 4]
    assert outputs.written[::2] == sound
    assert outputs.closed
    status = run.runner.status()
    assert (status.frames_in, status.frames_out, status.dropped) == (5, 5, {})
    assert 0 < status.added_ms["p50"] <= status.age_ms["p50"]
    assert not our_threads()


@unhurried
def test_while_a_stage_is_busy_the_oldest_frames_go_and_the_newest_comes_out() -> None:
    turns = threading.Semaphore(0)
    source, outputs, dehazer = ScriptedSource(joined(frame())), RecordingOutputs(), CopyingDehazer(turns)
    run = Running(source, outputs, dehazer)
    run.wait_for(lambda: bool(outputs.makes))
    source.put(frame(0))
    assert dehazer.deciding.wait(PATIENCE)
    source.put(*(frame(number) for number in range(1, 10)), Packet(AUDIO, None))
    run.wait_for(lambda: run.runner.status().frames_in == 10)
    run.wait_for(lambda: sum(run.runner.status().dropped.values()) == 7)
    assert run.runner.status().under_way == 3
    for count in (1, 2, 3):
        turns.release()
        run.wait_for(lambda count=count: len(outputs.frames) == count)
    source.end()
    run.join()
    assert numbers(outputs) == [0, 8, 9]
    assert len(outputs.packets) == 1
    status = run.runner.status()
    assert status.dropped == {"queue": 7}
    assert_all_accounted_for(status)


@unhurried
def test_frames_that_come_while_an_encoder_is_opened_are_counted_apart() -> None:
    opening = threading.Event()
    source, outputs = ScriptedSource(joined(frame())), RecordingOutputs()
    outputs.before_adapt = lambda: opening.wait(PATIENCE)
    run = Running(source, outputs)
    source.put(*(frame(number) for number in range(8)))
    run.wait_for(lambda: run.runner.status().frames_in == 8)
    opening.set()
    source.end()
    run.join()
    status = run.runner.status()
    assert set(status.dropped) == {"adapt"}
    assert status.frames_out
    assert numbers(outputs)[-1] == 7
    assert_all_accounted_for(status)


@unhurried
def test_a_frame_older_than_max_latency_is_dropped_as_late() -> None:
    turns = threading.Semaphore(0)
    source, outputs, dehazer = ScriptedSource(joined(frame())), RecordingOutputs(), CopyingDehazer(turns)
    run = Running(source, outputs, dehazer, max_latency=0.05)
    run.wait_for(lambda: bool(outputs.makes))
    source.put(frame(0))
    run.wait_for(lambda: run.runner.status().frames_in == 1)
    time.sleep(0.1)
    turns.release(10)
    run.wait_for(lambda: run.runner.status().dropped.get("late") == 1)
    source.end()
    run.join()
    assert not outputs.frames
    assert_all_accounted_for(run.runner.status())


@unhurried
def test_after_a_loss_the_scene_is_forgotten_and_outputs_adapt_to_another_size() -> None:
    source, outputs, dehazer = ScriptedSource(joined(frame()), frame(0)), RecordingOutputs(), CopyingDehazer()
    run = Running(source, outputs, dehazer)
    run.wait_for(lambda: len(outputs.frames) == 1)
    assert run.runner.status().connected
    source.put(lost())
    run.wait_for(lambda: not run.runner.status().connected)
    big = frame(50, width=128, height=72, name="yuv420p")
    source.put(joined(big, reconnects=1), big)
    run.wait_for(lambda: len(outputs.frames) == 2)
    source.end()
    run.join()
    assert dehazer.events == ["warm up", "begin 64x36", "reset", "begin 128x72"]
    assert [(make.width, make.format.name) for make in outputs.makes] == [(64, "gray"), (128, "yuv420p")]
    assert [(item.width, len(item.planes)) for item in outputs.frames] == [(64, 1), (128, 3)]
    assert run.runner.status().reconnects == 1


class Broken(RecordingOutputs, CopyingDehazer):
    """Fails in one place."""

    def __init__(self, place: str, error: BaseException) -> None:
        RecordingOutputs.__init__(self)
        CopyingDehazer.__init__(self)
        self._place, self._error = place, error
        self.before_adapt = lambda: self._at("adapt")
        self.before_write = lambda item: self._at("write" if isinstance(item, Frame) else "copy")

    def _at(self, place: str) -> None:
        if place == self._place:
            raise self._error

    def warm_up(self) -> None:
        self._at("warm_up")

    def decide(self, frame: Frame):  # type: ignore[no-untyped-def]
        self._at("decide")
        return super().decide(frame)

    def apply(self, frame: Frame, decision, out: Frame) -> None:  # type: ignore[no-untyped-def]
        self._at("apply")
        super().apply(frame, decision, out)


@unhurried
@pytest.mark.parametrize("error", [SinkError("broken"), ZeroDivisionError("broken")])
@pytest.mark.parametrize("place", ["source", "warm_up", "adapt", "decide", "apply", "write", "copy"])
def test_a_failure_anywhere_reaches_the_caller_closes_both_ends_and_loses_no_frame(
    place: str, error: BaseException
) -> None:
    source, broken = ScriptedSource(joined(frame())), Broken(place, error)
    for number in range(20):
        source.put(frame(number), Packet(AUDIO, None))
    source.put(error) if place == "source" else None
    run = Running(source, broken, broken)
    run.join()
    assert run.failure is error
    assert source.closed.is_set()
    assert broken.closed
    assert_all_accounted_for(run.runner.status())
    assert not our_threads()


@unhurried
def test_when_the_source_gives_up_what_came_before_still_goes_out() -> None:
    source, outputs = ScriptedSource(joined(frame()), frame(0), SourceError("gone for good")), RecordingOutputs()
    run = Running(source, outputs)
    run.join()
    assert isinstance(run.failure, RtdehazeError)
    assert numbers(outputs) == [0]


@unhurried
@pytest.mark.parametrize("stage", ["connecting", "estimate", "encode"])
def test_a_request_to_stop_ends_the_run_wherever_it_is(stage: str) -> None:
    turns = threading.Semaphore(0)
    source, outputs = ScriptedSource(), RecordingOutputs()
    dehazer = CopyingDehazer(turns if stage == "estimate" else None)
    stuck = threading.Event()
    if stage == "encode":
        outputs.before_write = lambda _: stuck.wait(0.1)
    run = Running(source, outputs, dehazer)
    if stage != "connecting":
        source.put(joined(frame()), *(frame(number) for number in range(10)))
        run.wait_for(lambda: run.runner.status().frames_in == 10)
    threading.Timer(0.1, turns.release, [100]).start()
    run.stop.set()
    run.join()
    assert run.failure is None
    assert run.runner.interrupted
    assert outputs.closed
    assert_all_accounted_for(run.runner.status())
    assert not our_threads()


def test_a_stage_that_never_comes_back_neither_keeps_the_run_nor_adds_its_time_to_that_of_the_outputs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    turns = threading.Semaphore(0)
    source, outputs, dehazer = ScriptedSource(joined(frame()), frame(0)), RecordingOutputs(), CopyingDehazer(turns)
    caplog.set_level("DEBUG", "rtdehaze")
    run = Running(source, outputs, dehazer)
    assert dehazer.deciding.wait(PATIENCE)
    run.stop.set()
    # Whoever waited for the stage would wait for ever.
    run.join()
    (said,) = [record for record in caplog.records if "rtdehaze-estimate" in record.getMessage()]
    assert said.levelname == "DEBUG"
    waited = runner._DRAINING_S + runner._LEAVING_S
    assert 0 < (outputs.deadline or 0) < time.monotonic() + runner._STOPPING_S - waited
    turns.release()


def test_a_run_may_be_limited_to_a_time_from_its_first_frame_on() -> None:
    source, outputs = ScriptedSource(), RecordingOutputs()
    run = Running(source, outputs, duration=0.1)
    time.sleep(0.3)
    assert run.alive
    source.put(joined(frame()), frame(0))
    run.join()
    assert not run.runner.interrupted
    assert numbers(outputs) == [0]


class Overloaded(CopyingDehazer):
    """Needs longer for an estimate than there is between two frames, and next to nothing to carry one along."""

    def __init__(self) -> None:
        super().__init__()
        self._carried = 0

    def decide(self, frame: Frame) -> Decision:
        carried = self._carried + 1 < self.every
        self._carried = self._carried + 1 if carried else 0
        time.sleep(0.002 if carried else 0.06)
        return Decision(None, None, carried=carried)


def play(source: ScriptedSource, enough: Callable[[float], bool]) -> None:
    """Sends 25 frames a second until so many seconds are enough."""
    begin = time.monotonic()
    while not enough(time.monotonic() - begin):
        source.put(frame(int(time.monotonic() * 25)))
        time.sleep(0.04 - time.monotonic() % 0.04)


@pytest.mark.slow
def test_an_overloaded_machine_estimates_less_often_instead_of_dropping_pictures() -> None:
    source, outputs = ScriptedSource(joined(frame())), RecordingOutputs()
    run = Running(source, outputs, Overloaded())

    def lost_share() -> float:
        before = run.runner.status()
        play(source, lambda seconds: seconds > 2.0)
        after = run.runner.status()
        lost = sum(after.dropped.values()) - sum(before.dropped.values())
        return lost / (after.frames_in - before.frames_in)

    play(source, lambda seconds: seconds > PATIENCE or run.runner.status().every >= 2)
    # A third is lost by who estimates every frame; nothing by who does not, unless the machine stands still.
    shares = [lost_share()]
    while shares[-1] > 0.2 and len(shares) < 10:
        shares.append(lost_share())
    assert shares[-1] <= 0.2, shares
    assert run.runner.status().every >= 2
    source.end()
    run.join()
    assert_all_accounted_for(run.runner.status())
