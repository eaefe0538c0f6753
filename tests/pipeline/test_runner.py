"""The threads: nothing lost, nothing left behind, whatever fails and whenever."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from rtdehaze.core.colour import Colour
from rtdehaze.core.errors import RtdehazeError, SinkError, SourceError
from rtdehaze.core.frame import PIXEL_FORMATS, Frame, Plane
from rtdehaze.core.haze import Haze
from rtdehaze.core.stream import CopiedStream, Packet
from rtdehaze.core.watch import Observation
from rtdehaze.pipeline.decision import Decision
from rtdehaze.pipeline.report import Progress
from rtdehaze.pipeline.runner import STAGES, Runner
from rtdehaze.stages.capture.memory import MemorySource
from rtdehaze.stages.encode.null import NullSink

AUDIO = CopiedStream(1, "audio", "aac")


def gray_frame(level: int = 100) -> Frame:
    plane = Plane(np.full((18, 64), level, np.uint8), 32)
    return Frame((plane,), PIXEL_FORMATS["gray"], 32, 18, Colour(), 0, Fraction(1, 25))


class Copying:
    """Passes every frame on as it is."""

    def decide(self, frame: Frame) -> Decision:
        return Decision(None, None)

    def apply(self, frame: Frame, decision: Decision, out: Frame) -> None:
        out.planes[0].samples[:] = frame.planes[0].samples


class RecordingSink(NullSink):
    """Notes what it was given."""

    def __init__(self) -> None:
        super().__init__(MemorySource([gray_frame()]).video)
        self.pts: list[int] = []

    def write(self, item: Frame | Packet) -> None:
        super().write(item)
        if isinstance(item, Frame):
            self.pts.append(item.pts)


class SourceWithAudio(MemorySource):
    """Ten packets of sound after every frame."""

    def items(self) -> Iterator[Frame | Packet]:
        for item in super().items():
            yield item
            yield from [Packet(AUDIO, None)] * 10


def our_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("rtdehaze-")}


def test_every_frame_comes_out_once_in_order_with_its_timestamp_and_every_packet_too() -> None:
    sink = RecordingSink()
    tally = Runner(SourceWithAudio([gray_frame()], count=200), Copying(), sink).run()
    assert sink.pts == list(range(200))
    assert (tally.frames_in, tally.frames_out, tally.packets, sink.packets) == (200, 200, 2000, 2000)
    assert sink.finished
    assert not our_threads()


class Breaking(Copying, RecordingSink):
    """A dehazer and a sink that fail on the sixth call of one stage."""

    def __init__(self, stage: str, error: BaseException) -> None:
        RecordingSink.__init__(self)
        self._stage = stage
        self._error = error
        self._calls = 0

    def _reached(self, stage: str) -> None:
        if stage == self._stage:
            self._calls += 1
            if self._calls > 5:
                raise self._error

    def decide(self, frame: Frame) -> Decision:
        self._reached("estimate")
        return super().decide(frame)

    def apply(self, frame: Frame, decision: Decision, out: Frame) -> None:
        self._reached("recompose")
        super().apply(frame, decision, out)

    def write(self, item: Frame | Packet) -> None:
        self._reached("encode")
        super().write(item)

    def finish(self) -> None:
        if self._stage == "finish":
            raise self._error
        super().finish()


class BreakingSource(MemorySource):
    def items(self) -> Iterator[Frame | Packet]:
        for number, item in enumerate(super().items()):
            if number == 5:
                raise SourceError("broken")
            yield item


@pytest.mark.parametrize("stage", [*STAGES, "finish"])
def test_a_failure_in_any_stage_reaches_the_caller_and_stops_all_threads(stage: str) -> None:
    broken = Breaking(stage, SinkError("broken"))
    source_type = BreakingSource if stage == "capture" else MemorySource
    begin = time.monotonic()
    with pytest.raises(RtdehazeError, match="broken"):
        Runner(source_type([gray_frame()], count=10_000 if stage != "finish" else 10), broken, broken).run()
    assert time.monotonic() - begin < 20
    assert not broken.finished
    assert not our_threads()


@pytest.mark.parametrize("stage", ["estimate", "recompose", "encode"])
def test_an_unforeseen_exception_is_not_swallowed(stage: str) -> None:
    broken = Breaking(stage, ZeroDivisionError("bug"))
    with pytest.raises(ZeroDivisionError):
        Runner(MemorySource([gray_frame()], count=1000), broken, broken).run()
    assert not our_threads()


class Slow(Copying):
    def __init__(self) -> None:
        self.begun = threading.Event()

    def decide(self, frame: Frame) -> Decision:
        self.begun.set()
        time.sleep(0.005)
        return super().decide(frame)


def test_a_request_to_stop_ends_the_run_early_and_says_so() -> None:
    stop = threading.Event()
    slow = Slow()
    sink = RecordingSink()
    runner = Runner(MemorySource([gray_frame()], count=100_000), slow, sink)
    threading.Thread(target=lambda: (slow.begun.wait(10), stop.set())).start()
    tally = runner.run(stop=stop)
    assert tally.interrupted
    assert tally.frames_out < 100_000
    assert not sink.finished
    assert not our_threads()


def test_an_interrupt_in_the_calling_thread_stops_all_threads_and_goes_on_to_the_caller() -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Runner(MemorySource([gray_frame()], count=100_000), Slow(), RecordingSink()).run(on_progress=interrupt)
    assert not our_threads()


class Noting:
    def __init__(self) -> None:
        self.seen: list[Observation] = []

    def see(self, observation: Observation) -> None:
        self.seen.append(observation)

    def close(self) -> None:
        raise AssertionError("it is the caller's to close")


class Failing(Noting):
    def see(self, observation: Observation) -> None:
        raise ValueError("no disk")


class Measuring(Copying):
    """Finds half a picture of haze in every second frame."""

    def __init__(self) -> None:
        self.looked = 0

    def decide(self, frame: Frame) -> Decision:
        self.looked += 1
        if self.looked % 2 == 0:
            return Decision(None, None)
        haze = Haze(np.full((2, 2), 0.5, np.float32), np.full(3, 0.8, np.float32), density=self.looked / 100)
        return Decision(haze, None, brightness=0.25)


def test_observers_are_told_of_every_frame_whose_haze_is_known(caplog: pytest.LogCaptureFixture) -> None:
    failing, noting = Failing(), Noting()
    source = MemorySource([gray_frame()], count=10, rate=Fraction(25))
    Runner(source, Measuring(), RecordingSink(), observers=[failing, noting]).run()
    told = [(seen.frame, seen.pts, seen.density, seen.transmission, seen.brightness) for seen in noting.seen]
    assert told == [(number, number / 25, (number + 1) / 100, 0.5, 0.25) for number in (0, 2, 4, 6, 8)]
    assert caplog.text.count("Failing failed") == 1


def test_progress_ends_with_the_last_frame() -> None:
    seen: list[Progress] = []
    Runner(MemorySource([gray_frame()], count=7), Copying(), RecordingSink()).run(on_progress=seen.append)
    assert seen[-1].frames == 7
    assert seen[-1].expected == 7
