"""A live source and outputs that do what a test says, at the moment it says so."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from rtdehaze.core.colour import Colour
from rtdehaze.core.frame import PIXEL_FORMATS, Frame, Plane
from rtdehaze.core.live import Joined, LiveItem, LossPolicy, Lost, OutletStatus
from rtdehaze.core.stream import CopiedStream, Packet, VideoInfo
from rtdehaze.pipeline.decision import Decision
from rtdehaze.pipeline.live.feed import Feed
from rtdehaze.pipeline.live.fillers import Fillers
from rtdehaze.pipeline.live.pace import Pace
from rtdehaze.pipeline.live.runner import LiveRunner
from rtdehaze.stages.capture.memory import MemorySource
from rtdehaze.stages.encode.null import NullSink
from tests.live.servers import PATIENCE

TIME_BASE = Fraction(1, 90_000)
AUDIO = CopiedStream(1, "audio", "aac")


def frame(number: int = 0, *, width: int = 64, height: int = 36, rate: int = 25, name: str = "gray") -> Frame:
    """The frame of that number, one level all over."""
    form = PIXEL_FORMATS[name]
    chroma = form.chroma_size(width, height)
    sizes = [(width, height)] if name == "gray" else [(width, height), chroma, chroma]
    planes = tuple(Plane(np.full((h, w), 60 + number % 100, form.dtype), w) for w, h in sizes)
    pts = number * 90_000 // rate
    return Frame(planes, form, width, height, Colour(), pts, TIME_BASE, arrival=time.monotonic())


def joined(like: Frame, *, rate: int = 25, reconnects: int = 0) -> Joined:
    """What a source says before frames like this one."""
    video = replace(MemorySource([like], rate=Fraction(rate)).video, time_base=TIME_BASE, duration=None, frames=None)
    return Joined(video, (AUDIO,), reconnects, 0.0)


class ScriptedSource:
    """Yields what the test puts in."""

    location = "rtsp://camera.example/entrance"

    def __init__(self, *items: LiveItem) -> None:
        self._items: queue.SimpleQueue[LiveItem | BaseException | None] = queue.SimpleQueue()
        self.put(*items)
        self.closed = threading.Event()
        self.skipped: dict[str, int] = {}

    def put(self, *items: LiveItem | BaseException) -> None:
        for item in items:
            self._items.put(item)

    def end(self) -> None:
        self._items.put(None)

    def items(self) -> Iterator[LiveItem]:
        while not self.closed.is_set():
            item = self._items.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield replace(item, arrival=time.monotonic()) if isinstance(item, Frame) else item

    def close(self) -> None:
        self.closed.set()
        self.end()


class RecordingOutputs:
    """Notes all that it is given."""

    def __init__(self) -> None:
        self.makes: list[VideoInfo] = []
        self.written: list[Frame | Packet] = []
        self.closed = 0
        self.deadline: float | None = None
        self.before_write: Callable[[Frame | Packet], None] = lambda _: None
        self.before_adapt: Callable[[], None] = lambda: None
        self._sink: NullSink | None = None

    def adapt(self, joined: Joined) -> None:
        self.before_adapt()
        self.makes.append(joined.video)
        self._sink = NullSink(joined.video)

    def allocate(self, like: Frame) -> Frame:
        assert self._sink is not None, "nothing was adapted yet"
        return self._sink.allocate(like)

    def write(self, item: Frame | Packet) -> None:
        self.before_write(item)
        self.written.append(item)

    def statuses(self) -> tuple[OutletStatus, ...]:
        return ()

    def close(self, deadline: float | None = None) -> None:
        self.closed += 1
        self.deadline = deadline

    @property
    def frames(self) -> list[Frame]:
        return [item for item in self.written if isinstance(item, Frame)]

    @property
    def packets(self) -> list[Packet]:
        return [item for item in self.written if isinstance(item, Packet)]


class CopyingDehazer:
    """Passes every frame on as it is; `turns`, where given, holds each decision back until the test releases it."""

    def __init__(self, turns: threading.Semaphore | None = None) -> None:
        self.every = 1
        self.events: list[str] = []
        self.deciding = threading.Event()
        self._turns = turns

    def warm_up(self) -> None:
        self.events.append("warm up")

    def begin(self, video: VideoInfo) -> None:
        self.events.append(f"begin {video.width}x{video.height}")

    def reset(self) -> None:
        self.events.append("reset")

    def decide(self, frame: Frame) -> Decision:
        self.deciding.set()
        if self._turns is not None:
            assert self._turns.acquire(timeout=PATIENCE)
        return Decision(None, None)

    def apply(self, frame: Frame, decision: Decision, out: Frame) -> None:
        for plane, written in zip(frame.planes, out.planes, strict=True):
            written.samples[:] = plane.samples


class Running:
    """A live run in a thread of its own, for a test that acts while it goes on."""

    def __init__(
        self,
        source: ScriptedSource,
        outputs: RecordingOutputs,
        dehazer: CopyingDehazer | None = None,
        *,
        on_loss: LossPolicy = LossPolicy.STOP,
        max_latency: float | None = None,
        duration: float | None = None,
    ) -> None:
        self._duration = duration
        self.stop = threading.Event()
        self.failure: BaseException | None = None
        self.runner = LiveRunner(
            source,
            dehazer or CopyingDehazer(),
            outputs,
            fillers=Fillers(on_loss, source.location, outputs),
            feed=Feed(()),
            pace=Pace(),
            max_latency=max_latency,
        )
        # A daemon: a test that fails must not keep its process from ending.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.runner.run(stop=self.stop, duration=self._duration)
        except BaseException as error:  # noqa: BLE001
            self.failure = error

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the run did not end"

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self._thread.is_alive(), f"the run is over: {self.failure}"
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.002)


def lost(reason: str = "the network is down") -> Lost:
    return Lost(reason)
