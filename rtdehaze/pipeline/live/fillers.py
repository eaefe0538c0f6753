"""What the outputs get while the source is away: a slate, the last picture marked as old, or nothing."""

from __future__ import annotations

import time

from rtdehaze.core.frame import Frame
from rtdehaze.core.live import LiveOutputs, LossPolicy
from rtdehaze.core.stream import VideoInfo
from rtdehaze.stages.recompose.standby import Standby

__all__ = ["Fillers"]

_MOST_PER_SECOND = 10.0
"""A picture that stands still but for a clock needs no more; players and servers stay content."""


_SPACE = 0.1
"""Share of the time between two fillers that a frame keeps from one: some containers count in milliseconds."""


class Fillers:
    """Makes the frames of a gap, on the clock of the frames before it; used by the encoding thread.

    Args:
        policy: What is shown.
        name: Of the source, without credentials.
        outputs: Whose frames are drawn into.
    """

    def __init__(self, policy: LossPolicy, name: str, outputs: LiveOutputs) -> None:
        self._policy, self._name, self._outputs = policy, name, outputs
        self._video: VideoInfo | None = None
        self._last: Frame | None = None
        self._begin = time.monotonic()
        self._written = self._begin
        self._pts: int | None = None
        self._free: int | None = None
        self._standby: Standby | None = None
        self._due = 0.0

    def adapt(self, video: VideoInfo) -> None:
        """Takes the make of the frames that follow; the gap, if there was one, is over."""
        if self._video is not None and not _alike(self._video, video):
            self._last = None
        self._video, self._standby = video, None

    def follow(self, frame: Frame, now: float) -> None:
        """Takes the frame that was written last, at `now` by `time.monotonic()`."""
        self._written, self._pts, self._free = now, frame.pts, frame.pts + 1
        if self._policy is LossPolicy.HOLD:
            self._last = frame

    def passed(self, pts: int) -> bool:
        """Whether the outputs are past a timestamp, or so near to it that a container would take it for the same."""
        return self._free is not None and pts < self._free

    def lose(self, now: float) -> None:
        """The source has gone."""
        if self._policy is not LossPolicy.STOP and self._video is not None and self._standby is None:
            since = time.time() - (now - self._written)
            self._standby = Standby(self._name, since, self._last)
            self._due = max(now, self._written + self._interval(self._video))

    def wait(self, now: float) -> float | None:
        """Seconds until the next filler is due; None where none will be."""
        return None if self._standby is None else max(0.0, self._due - now)

    def make(self, now: float) -> Frame | None:
        """Draws the filler of this moment; None where there is none."""
        video = self._video
        if video is None or self._standby is None:
            return None
        self._due = max(self._due + self._interval(video), now)
        like = Frame((), video.format, video.width, video.height, video.colour, self._time(video, now), video.time_base)
        out = self._outputs.allocate(like)
        self._standby.draw(out, time.time())
        return out

    def fill(self, frame: Frame, now: float) -> None:
        """Takes the filler that was written last."""
        interval = 0.0 if self._video is None else _SPACE * self._interval(self._video)
        self._written, self._pts, self._free = now, frame.pts, frame.pts + round(interval / frame.time_base)

    def _interval(self, video: VideoInfo) -> float:
        return 1.0 / min(float(video.rate or _MOST_PER_SECOND), _MOST_PER_SECOND)

    def _time(self, video: VideoInfo, now: float) -> int:
        if self._pts is None or self._free is None:
            return round((now - self._begin) / video.time_base)
        return max(self._free, self._pts + round((now - self._written) / video.time_base))


def _alike(one: VideoInfo, other: VideoInfo) -> bool:
    return (one.width, one.height, one.format, one.colour) == (other.width, other.height, other.format, other.colour)
