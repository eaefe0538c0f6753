"""The threads of a run: capture, estimate, recompose and encode, joined by bounded channels."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import Packet, Sink, Source
from rtdehaze.core.timing import Durations
from rtdehaze.core.watch import Observer
from rtdehaze.pipeline.channel import Channel
from rtdehaze.pipeline.crew import Crew
from rtdehaze.pipeline.decision import Decision
from rtdehaze.pipeline.readings import Onlookers, Reading
from rtdehaze.pipeline.report import Progress

__all__ = ["STAGES", "FrameDehazer", "Runner", "Tally"]

STAGES = ("capture", "estimate", "recompose", "encode")
"""The stages in the order of the data; `estimate` includes shrinking and smoothing."""

_CAPACITY = 3
"""Frames that wait before a stage: enough to even out its jitter, little enough for 8K."""

_PROGRESS_INTERVAL_S = 0.1


class FrameDehazer(Protocol):
    """The arithmetic between capture and encode; each method is called by one thread, in frame order."""

    def decide(self, frame: Frame) -> Decision:
        """Looks at a frame and says what is to be done to it."""

    def apply(self, frame: Frame, decision: Decision, out: Frame) -> None:
        """Writes the frame's clear picture into `out`."""


@dataclass(slots=True)
class Tally:
    """What a run has counted so far; each number has one writer."""

    frames_in: int = 0
    frames_out: int = 0
    packets: int = 0
    density: float | None = None
    density_sum: float = 0.0
    densities: int = 0
    stages: dict[str, Durations] = field(default_factory=lambda: {stage: Durations() for stage in STAGES})
    seconds: float = 0.0
    interrupted: bool = False


class Runner:
    """Moves every frame of a source through a dehazer into a sink; lossless: full channels block.

    Args:
        source: Where frames and packets come from.
        dehazer: What is done to the frames.
        sink: Where they go; `Runner` finishes it when the source ends and leaves it alone when it fails.
        observers: Told of every frame's haze, as fast as they take it; they are the caller's to close.
    """

    def __init__(
        self, source: Source, dehazer: FrameDehazer, sink: Sink, *, observers: Sequence[Observer] = ()
    ) -> None:
        self._source = source
        self._dehazer = dehazer
        self._sink = sink
        self._onlookers = Onlookers(observers)
        self._captured: Channel[Frame] = Channel(_CAPACITY)
        self._decided: Channel[tuple[Frame, Decision]] = Channel(_CAPACITY)
        # Packets of copied streams join the frames here, so it is deeper by a burst of audio.
        self._finished: Channel[Frame | Packet] = Channel(_CAPACITY + 16)
        bodies = (self._capture, self._estimate, self._recompose, self._encode)
        self._crew = Crew(dict(zip(STAGES, bodies, strict=True)))
        self.tally = Tally()

    def run(
        self, *, on_progress: Callable[[Progress], None] | None = None, stop: threading.Event | None = None
    ) -> Tally:
        """Runs to the end of the source, or until `stop` is set, and joins every thread before it returns.

        Args:
            on_progress: Called about ten times a second from the calling thread.
            stop: Set it from a signal handler or another thread to end early; `Tally.interrupted` then says so and
                the sink still waits for `abort`.

        Returns:
            The counts and times of the run.

        Raises:
            RtdehazeError: A stage failed; the first failure counts.
            KeyboardInterrupt: Raised in the calling thread, after everything has stopped.
        """
        begin = time.perf_counter()
        crew = self._crew
        crew.start()
        try:
            while not crew.over.wait(_PROGRESS_INTERVAL_S):
                self.tally.seconds = time.perf_counter() - begin
                if on_progress:
                    on_progress(self._progress())
                if stop is not None and stop.is_set():
                    self.tally.interrupted = True
                    break
        finally:
            if self.tally.interrupted or crew.failure or not crew.over.is_set():
                self._cancel()
            crew.join()
            self.tally.seconds = time.perf_counter() - begin
        if crew.failure is not None:
            raise crew.failure
        if on_progress:
            on_progress(self._progress())
        return self.tally

    def _cancel(self) -> None:
        for channel in (self._captured, self._decided, self._finished):
            channel.cancel()

    def _capture(self) -> None:
        items = iter(self._source.items())
        durations = self.tally.stages["capture"]
        while True:
            begin = time.perf_counter()
            item = next(items, None)
            if item is None:
                break
            if isinstance(item, Packet):
                self._finished.put(item)
                continue
            durations.add(time.perf_counter() - begin)
            self.tally.frames_in += 1
            self._captured.put(item)
        self._captured.close()

    def _estimate(self) -> None:
        tally = self.tally
        for number, frame in enumerate(self._captured):
            arrived = time.time()
            with tally.stages["estimate"].measure():
                decision = self._dehazer.decide(frame)
            if decision.haze is not None:
                tally.density = decision.haze.density
                tally.density_sum += decision.haze.density
                tally.densities += 1
            self._tell(frame, decision, number, arrived)
            self._decided.put((frame, decision))
        self._decided.close()

    def _tell(self, frame: Frame, decision: Decision, number: int, arrived: float) -> None:
        reading = Reading.of(frame, decision, number, arrived) if self._onlookers else None
        if reading is not None:
            self._onlookers.tell(reading)

    def _recompose(self) -> None:
        for frame, decision in self._decided:
            with self.tally.stages["recompose"].measure():
                out = self._sink.allocate(frame)
                self._dehazer.apply(frame, decision, out)
            self._finished.put(out)
        self._finished.close()

    def _encode(self) -> None:
        for item in self._finished:
            if isinstance(item, Packet):
                self._sink.write(item)
                self.tally.packets += 1
                continue
            with self.tally.stages["encode"].measure():
                self._sink.write(item)
            self.tally.frames_out += 1
        self._sink.finish()
        self._crew.over.set()

    def _progress(self) -> Progress:
        tally = self.tally
        return Progress(tally.frames_out, self._source.video.frames, tally.seconds, tally.density)
