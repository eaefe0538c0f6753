"""The estimating thread's work on what passes: decide, keep pace, tell the observers."""

from __future__ import annotations

import time
from typing import Protocol

from rtdehaze.core.live import Joined, Lost
from rtdehaze.core.stream import VideoInfo
from rtdehaze.pipeline.live.accounts import Accounts, Drop
from rtdehaze.pipeline.live.feed import Feed
from rtdehaze.pipeline.live.pace import Pace
from rtdehaze.pipeline.live.passage import Passage
from rtdehaze.pipeline.readings import Reading
from rtdehaze.pipeline.runner import FrameDehazer

__all__ = ["Deciding", "LiveDehazer"]

_BLEND = 0.1
"""Weight of the newest in the running mean of the time between frames."""


class LiveDehazer(FrameDehazer, Protocol):
    """The arithmetic between capture and encode over all connections; `apply` is called by a thread of its own."""

    every: int

    def warm_up(self) -> None:
        """Does once what would make the first frame late."""

    def begin(self, video: VideoInfo) -> None:
        """Frames of this make follow."""

    def reset(self) -> None:
        """Forgets the scene: the source was away."""


class Deciding:
    """Decides about frames, and how often haze is estimated.

    Args:
        dehazer: Whose `decide` is called.
        accounts: Take the times and the haze.
        feed: Takes the readings.
        pace: Chooses `every`.
    """

    def __init__(self, dehazer: LiveDehazer, accounts: Accounts, feed: Feed, pace: Pace) -> None:
        self._dehazer, self._accounts, self._feed, self._pace = dehazer, accounts, feed, pace
        self._last: tuple[int, float] | None = None
        self._interval = 0.0

    def join(self, joined: Joined) -> None:
        """Prepares for a make."""
        self._dehazer.begin(joined.video)
        self._last, self._interval = None, 1.0 / float(joined.video.rate) if joined.video.rate else 0.0

    def lose(self, _: Lost) -> None:
        """Forgets the scene."""
        self._dehazer.reset()

    def decide(self, passage: Passage) -> None:
        """Adds the decision to a frame."""
        begin = time.monotonic()
        passage.decision = decision = self._dehazer.decide(passage.frame)
        now = time.monotonic()
        self._accounts.stages["estimate"].add(now - begin)
        self._keep_pace(passage, now, now - begin)
        reading = Reading.of(passage.frame, decision, passage.number, time.time() - (now - passage.arrival))
        if reading is not None:
            self._accounts.hazy(reading.haze.density)
            self._feed.give(reading)

    def _keep_pace(self, passage: Passage, now: float, seconds: float) -> None:
        number, moment = passage.number, passage.frame.time
        if self._last is not None and moment > self._last[1]:
            # Over the frames that were dropped in between, too. The nominal rate may be another than the real one.
            step = (moment - self._last[1]) / (number - self._last[0])
            self._interval = step if self._interval == 0.0 else self._interval + _BLEND * (step - self._interval)
        self._last = number, moment
        if self._interval > 0.0:
            dropped = self._accounts.dropped_for(Drop.QUEUE)
            carried = passage.decision.carried
            every = self._pace.note(now, seconds, carried=carried, interval=self._interval, dropped=dropped)
            self._dehazer.every = every
