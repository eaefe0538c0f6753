"""One run of the pipeline, with or without dehazing, and what it cost."""

from __future__ import annotations

import math
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

from rtdehaze.apps.bench.encoders import open_encoder
from rtdehaze.apps.bench.material import Material
from rtdehaze.apps.bench.plan import NO_CODEC, Codec
from rtdehaze.apps.frames import empty_frame
from rtdehaze.core.frame import Frame
from rtdehaze.core.options import Mode
from rtdehaze.core.stream import Packet, Sink, Source
from rtdehaze.core.timing import Durations
from rtdehaze.pipeline.decision import Decision
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.report import Progress, StageTimes
from rtdehaze.pipeline.runner import FrameDehazer, Runner
from rtdehaze.pipeline.threads import ThreadPlan
from rtdehaze.stages.capture.memory import MemorySource
from rtdehaze.stages.encode.null import NullSink
from rtdehaze.stages.estimate.estimator import Estimator

__all__ = ["Bed", "Run", "Untouched", "as_in_a_run", "frames_for", "latency", "resident_mib", "run_once"]

_LATENCY_FRAMES = 200
"""Enough for a 99th percentile."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run cost."""

    frames: int
    seconds: float
    cpu_seconds: float
    stages: dict[str, StageTimes]
    rss_mib: float
    """Peak of the resident memory while it ran."""

    @property
    def fps(self) -> float:
        """Frames a second, the emptying of the encoder included."""
        return self.frames / self.seconds

    @property
    def cores(self) -> float:
        """Cores busy on average."""
        return self.cpu_seconds / self.seconds


class Untouched:
    """The dehazer of the reference: decides nothing, writes nothing."""

    def decide(self, frame: Frame) -> Decision:  # noqa: ARG002 - the contract of a dehazer
        """Returns the decision to leave the frame as it is."""
        return Decision(None, None)

    def apply(self, frame: Frame, decision: Decision, out: Frame) -> None:
        """Does nothing: `out` is the frame itself."""


class _PassedOn:
    """A sink that is given the decoder's own frames, so that the reference is spared even the copy."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.location, self.replaces = sink.location, sink.replaces

    def allocate(self, like: Frame) -> Frame:
        """Returns the frame itself."""
        return like

    def write(self, item: Frame | Packet) -> None:
        """Encodes."""
        self._sink.write(item)

    def finish(self) -> None:
        """Empties the encoder."""
        self._sink.finish()

    def abort(self, *, keep: bool) -> bool:
        """Stops early."""
        return self._sink.abort(keep=keep)


class Bed:
    """Where runs of one size and codec begin and end.

    Args:
        material: The frames.
        codec: What they are encoded with.
        play: Opens the clip for so many frames; not needed without a codec.
        threads: Of the encoder.
    """

    def __init__(self, material: Material, codec: Codec, play: Callable[[int], Source] | None, threads: int) -> None:
        self._material, self._codec, self._play, self._threads = material, codec, play, threads

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The frames in memory."""
        return self._material.frames

    @property
    def held_mib(self) -> float:
        """Memory that these frames take."""
        return self._material.mib

    @property
    def in_memory(self) -> bool:
        """Whether no codec takes part."""
        return self._codec.name == NO_CODEC

    def source(self, count: int) -> Source:
        """Opens the source for so many frames."""
        if self._play is None:
            return MemorySource(self._material.frames, count=count)
        return self._play(count)

    def sink(self, source: Source, folder: Path, *, untouched: bool) -> Sink:
        """Opens the sink.

        Args:
            source: What it is for.
            folder: Where it may write.
            untouched: Whether frames go to it as the decoder made them.

        Raises:
            UsageError: There is no such codec or preset.
            SinkError: The encoder does not open.
        """
        if self.in_memory:
            return NullSink(source.video)
        sink = open_encoder(self._codec, source, folder, self._threads)
        return _PassedOn(sink) if untouched else sink


def as_in_a_run(estimator: Estimator, threads: ThreadPlan, *, every: int = 1) -> Dehazer:
    """Makes the dehazer that `rtdehaze run` would have, for every frame: it must be closed.

    Args:
        estimator: Estimates the haze.
        threads: Of which recomposing and motion take theirs.
        every: Estimate every n-th frame.
    """
    return Dehazer(estimator, mode=Mode.MANUAL, every=every, threads=threads.recompose, aside=threads.aside)


def run_once(bed: Bed, dehazer: FrameDehazer, count: int, stop: threading.Event | None = None) -> Run | None:
    """Moves so many frames through the pipeline.

    Args:
        bed: Where it begins and ends.
        dehazer: `Untouched` for the transcode without dehazing.
        count: Frames.
        stop: Set it to end early.

    Returns:
        What it cost; None where it was stopped.
    """
    peak = resident_mib()

    def watch(_: Progress) -> None:
        nonlocal peak
        peak = max(peak, resident_mib())

    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="rtdehaze-bench-")))
        source = held.enter_context(closing(bed.source(count)))
        sink = bed.sink(source, folder, untouched=isinstance(dehazer, Untouched))
        begin = time.process_time()
        try:
            tally = Runner(source, dehazer, sink).run(on_progress=watch, stop=stop)
        finally:
            sink.abort(keep=False)
        cpu = time.process_time() - begin
    if tally.interrupted:
        return None
    stages = {name: StageTimes.of(durations) for name, durations in tally.stages.items()}
    return Run(tally.frames_out, tally.seconds, cpu, stages, peak)


def latency(
    dehazer: FrameDehazer, frames: Sequence[Frame], seconds: float, stop: threading.Event | None = None
) -> dict[str, float]:
    """Dehazes frames one by one, with nothing else running.

    Args:
        dehazer: A new one.
        frames: Played over and over.
        seconds: How long at most.
        stop: Set it to end early, after one frame at least.

    Returns:
        p50, p95 and p99 in milliseconds from having a frame to having its clear picture.
    """
    durations = Durations()
    out = empty_frame(frames[0])
    begin = time.perf_counter()
    while not durations.count or (durations.count < _LATENCY_FRAMES and time.perf_counter() - begin < seconds):
        number = durations.count
        frame = replace(frames[number % len(frames)], pts=number)
        with durations.measure():
            dehazer.apply(frame, dehazer.decide(frame), out)
        if stop is not None and stop.is_set():
            break
    times = StageTimes.of(durations)
    return {"p50": times.p50_ms, "p95": times.p95_ms, "p99": times.p99_ms}


def frames_for(seconds: float, fps: float) -> int:
    """How many frames last about so long."""
    return max(2, math.ceil(seconds * fps))


def resident_mib() -> float:
    """This process's resident memory; where the system does not tell, its peak so far."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, ValueError):
        import resource  # not on Windows

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / (2**20 if sys.platform == "darwin" else 2**10)
