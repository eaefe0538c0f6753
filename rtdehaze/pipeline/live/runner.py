"""The threads of a live run: capture, estimate, recompose and encode, joined by channels that drop what is old."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from rtdehaze.core.frame import Frame
from rtdehaze.core.live import Joined, LiveItem, LiveOutputs, LiveSource, Lost
from rtdehaze.core.stream import Packet
from rtdehaze.core.timing import remaining
from rtdehaze.core.watch import LiveStatus
from rtdehaze.pipeline.channel import Ended
from rtdehaze.pipeline.crew import Crew
from rtdehaze.pipeline.live.accounts import Accounts, Drop
from rtdehaze.pipeline.live.channel import LatestChannel
from rtdehaze.pipeline.live.deciding import Deciding, LiveDehazer
from rtdehaze.pipeline.live.delivery import Delivery
from rtdehaze.pipeline.live.feed import Feed
from rtdehaze.pipeline.live.fillers import Fillers
from rtdehaze.pipeline.live.pace import Pace
from rtdehaze.pipeline.live.passage import Item, Passage, is_frame

__all__ = ["LiveRunner"]

_CAPACITY = 2
"""Frames that wait before a stage, one more is in its hands: with less, a network's jitter already drops frames."""

_TICK_S = 0.05
"""Between two looks at the request to stop."""
_PROGRESS_INTERVAL_S = 0.25

_STOPPING_S = 1.4
"""For all of the winding up together, from when the run is told to stop: the interpreter takes half a second to leave,
and two seconds after the request the process is to have gone."""
_DRAINING_S = 0.4
"""Of these, for the frames that are under way."""
_LEAVING_S = 0.4
"""Of these, for stages to come back from what they were doing, once nothing is left for them to do."""

_log = logging.getLogger("rtdehaze.pipeline")


class LiveRunner:
    """Moves the newest frames of a live source through a dehazer to its outputs; drops what is late, and says so.

    What is no frame (packets, that the source was lost or is back) passes the same way and keeps its place.

    Args:
        source: Closed when the run ends.
        dehazer: What is done to the frames.
        outputs: Closed when the run ends.
        fillers: What the outputs get while the source is away.
        feed: Who is told about the haze; closed when the run ends.
        pace: Chooses how often haze is estimated.
        max_latency: Seconds from arrival past which a frame is dropped; None drops by the queues alone.
    """

    def __init__(
        self,
        source: LiveSource,
        dehazer: LiveDehazer,
        outputs: LiveOutputs,
        *,
        fillers: Fillers,
        feed: Feed,
        pace: Pace,
        max_latency: float | None = None,
    ) -> None:
        self._source, self._dehazer, self._outputs, self._feed = source, dehazer, outputs, feed
        self._max_latency = max_latency
        self.accounts = Accounts()
        self._deciding = Deciding(dehazer, self.accounts, feed, pace)
        self._delivery = Delivery(outputs, self.accounts, fillers)
        self._captured: LatestChannel[Item] = LatestChannel(_CAPACITY, is_frame)
        self._decided: LatestChannel[Item] = LatestChannel(_CAPACITY, is_frame)
        self._finished: LatestChannel[Item] = LatestChannel(_CAPACITY, is_frame)
        self._ready = threading.Event()
        self._adapted = threading.Event()
        self._reading = Crew({"capture": self._capture}, daemon=True)
        stages = {"estimate": self._estimate, "recompose": self._recompose, "encode": self._encode}
        self._working = Crew(stages, daemon=True)
        self.profile: str | None = None
        """The name of the profile in use; whoever changes it sets it."""
        self.interrupted = False
        """Whether the run was told to stop."""

    def status(self) -> LiveStatus:
        """Says how the run stands; from any thread."""
        skipped = self._source.skipped
        status = self.accounts.status(every=self._dehazer.every, profile=self.profile)
        return replace(
            status,
            frames_in=status.frames_in + sum(skipped.values()),
            dropped={**skipped, **status.dropped},
            outlets=self._outputs.statuses(),
        )

    def run(
        self,
        *,
        on_progress: Callable[[LiveStatus], None] | None = None,
        stop: threading.Event | None = None,
        duration: float | None = None,
    ) -> None:
        """Runs until the source ends, `stop` is set or the time is over; source and outputs are closed then.

        Args:
            on_progress: Called about four times a second from the calling thread.
            stop: Set it from a signal handler or another thread to end within two seconds.
            duration: Seconds from the first frame on; None runs for ever.

        Raises:
            RtdehazeError: A stage failed, or the source gave up; the first failure counts.
            KeyboardInterrupt: Raised in the calling thread, after everything has stopped.
        """
        shown = time.monotonic()
        try:
            if stop is None or not stop.is_set():
                self._working.start()
                self._reading.start()
            while not self._working.over.wait(_TICK_S):
                if on_progress and time.monotonic() - shown >= _PROGRESS_INTERVAL_S:
                    shown = time.monotonic()
                    on_progress(self.status())
                if stop is not None and stop.is_set():
                    self.interrupted = True
                    break
                if duration is not None and self.accounts.running >= duration:
                    break
        finally:
            self._wind_up()
        failure = self._working.failure or self._reading.failure
        if failure is not None:
            raise failure
        if on_progress:
            on_progress(self.status())

    def _wind_up(self) -> None:
        """Ends everything in the order of the data, each part by one deadline: limits of their own would add up."""
        deadline = time.monotonic() + _STOPPING_S
        closing = Crew({"close": self._source.close}, daemon=True)
        closing.start()
        self._ready.set()
        self._captured.close()
        if self._working.failure is not None or self._working.join(_DRAINING_S):
            for channel in (self._captured, self._decided, self._finished):
                for item in channel.discard():
                    self._drop(item, Drop.STOPPED)
            self._adapted.set()
        left = self._working.join(_LEAVING_S)
        self._feed.close()
        self._outputs.close(deadline)
        left += self._reading.join(remaining(deadline)) + closing.join(remaining(deadline))
        gc.unfreeze()
        if left:
            # Whoever presses Ctrl-C while the model warms up gets here, and can do nothing about it.
            _log.debug("%s did not come back in time and was left behind", ", ".join(left))

    def _capture(self) -> None:
        try:
            # Frames that come before the loops are compiled would only be dropped.
            self._ready.wait()
            for item in self._source.items():
                self._pass_on(self._captured, self._received(item))
        finally:
            self._captured.close()

    def _received(self, item: LiveItem) -> Item:
        if isinstance(item, Frame):
            now = time.monotonic()
            return Passage(item, self.accounts.came(), now, now if item.arrival is None else item.arrival)
        if isinstance(item, Joined):
            self.accounts.joined(item.reconnects)
        elif isinstance(item, Lost):
            self.accounts.lost()
        return item

    def _estimate(self) -> None:
        try:
            self._dehazer.warm_up()
            # A full collection walks over all that was loaded, for the time of two frames; but what is loaded stays.
            gc.collect()
            gc.freeze()
            self._ready.set()
            for item in self._captured:
                if isinstance(item, Passage):
                    with self._accounted(item):
                        if self._is_late(item):
                            continue
                        self._deciding.decide(item)
                elif isinstance(item, Joined):
                    self._deciding.join(item)
                elif isinstance(item, Lost):
                    self._deciding.lose(item)
                self._pass_on(self._decided, item)
                del item  # a frame must not outlive its turn while this waits for the next
        finally:
            self._decided.close()

    def _recompose(self) -> None:
        try:
            for item in self._decided:
                if isinstance(item, Joined):
                    self._adapted.clear()
                if isinstance(item, Passage):
                    with self._accounted(item):
                        if self._is_late(item):
                            continue
                        self._apply(item)
                self._pass_on(self._finished, item)
                if isinstance(item, Joined):
                    # Frames to write into are of the outputs' make.
                    self._adapted.wait()
                del item
        finally:
            self._finished.close()

    def _apply(self, passage: Passage) -> None:
        with self.accounts.stages["recompose"].measure():
            out = self._outputs.allocate(passage.frame)
            self._dehazer.apply(passage.frame, passage.decision, out)
        passage.frame = out

    def _encode(self) -> None:
        delivery = self._delivery
        while True:
            try:
                item = self._finished.take(delivery.wait())
            except Ended:
                break
            if item is None:
                delivery.idle()
            elif isinstance(item, Passage):
                with self._accounted(item):
                    if not self._is_late(item):
                        delivery.write(item)
            elif isinstance(item, Packet):
                delivery.copy(item)
            elif isinstance(item, Lost):
                delivery.lose(item)
            else:
                delivery.join(item)
                self._adapted.set()
            del item
        self._working.over.set()

    def _pass_on(self, channel: LatestChannel[Item], item: Item) -> None:
        dropped = channel.offer(item)
        if dropped is item:
            self._drop(item, Drop.STOPPED)
        elif dropped is not None:
            self._drop(dropped, Drop.QUEUE if self._adapted.is_set() else Drop.ADAPT)

    def _drop(self, item: Item, reason: Drop) -> None:
        if isinstance(item, Passage):
            self.accounts.drop(reason)

    @contextmanager
    def _accounted(self, passage: Passage) -> Iterator[None]:
        """Counts a frame that a stage failed on."""
        try:
            yield
        except BaseException:
            self._drop(passage, Drop.STOPPED)
            raise

    def _is_late(self, passage: Passage) -> bool:
        late = self._max_latency is not None and time.monotonic() - passage.arrival > self._max_latency
        if late:
            self._drop(passage, Drop.LATE)
        return late
