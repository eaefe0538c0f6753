"""How often haze is estimated when the machine cannot do it for every frame: picture rate goes before haze rate."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["LADDER", "Pace"]

LADDER = (1, 2, 3, 4, 6, 8, 12)
"""Values of `every`: haze is smooth in time, but after half a second of 25 fps a map carried by motion is a guess."""

_WINDOW_S = 1.0
"""Between two looks: long enough to average frames that are estimated with those that are not."""
_BUSY = 0.85
"""Share of the time that the estimating thread works from which on it will not keep up for long."""
_EASY = 0.6
"""Share that is foreseen with more estimates, below which they are tried; far enough below `_BUSY` not to swing."""
_LOST_SHARE = 0.04
"""Share of a window's frames that are dropped from which on the machine does not keep up; less is a hiccup."""
_PATIENCE_S = 5.0
_MOST_PATIENCE_S = 80.0
"""Seconds without trouble before more is tried; they double with every trial that failed, up to the second."""
_BLEND = 0.2
"""Weight of the newest in the running means of what a frame costs."""


class Pace:
    """Chooses `every` by what frames cost and whether they are dropped, with hysteresis.

    Args:
        least: The user's own `every`: it is never less.
        steps: The values to choose from; those below `least` do not count.
    """

    def __init__(self, least: int = 1, steps: Sequence[int] = LADDER) -> None:
        self._steps = (least, *(step for step in steps if step > least))
        self._place = 0
        self._estimating = 0.0
        self._carrying = 0.0
        self._begin = 0.0
        self._begun = False
        self._busy = 0.0
        self._frames = 0
        self._dropped = 0
        self._calm_since = 0.0
        self._patience = _PATIENCE_S
        self._lowered_at: float | None = None

    @property
    def every(self) -> int:
        """The haze of every n-th frame is to be estimated."""
        return self._steps[self._place]

    def note(self, now: float, seconds: float, *, carried: bool, interval: float, dropped: int) -> int:
        """Takes what one frame cost.

        Args:
            now: On any clock that runs forward, in seconds.
            seconds: What the frame took.
            carried: Whether its haze was moved along instead of estimated.
            interval: Seconds between two frames that come in.
            dropped: Frames of the run that have been dropped because a stage was not free.

        Returns:
            `every` from now on.
        """
        if carried:
            self._carrying = _mean(self._carrying, seconds)
        else:
            self._estimating = _mean(self._estimating, seconds)
        if not self._begun:
            self._begun = True
            self._restart(now, dropped)
            self._calm_since = now
            return self.every
        self._busy += seconds
        self._frames += 1
        if now - self._begin >= _WINDOW_S:
            self._look(now, interval, dropped)
            self._restart(now, dropped)
        return self.every

    def _restart(self, now: float, dropped: int) -> None:
        self._begin, self._busy, self._frames, self._dropped = now, 0.0, 0, dropped

    def _look(self, now: float, interval: float, dropped: int) -> None:
        lost = dropped - self._dropped
        behind = lost > 1 and lost > _LOST_SHARE * (self._frames + lost)
        if behind or self._busy > _BUSY * (now - self._begin):
            self._calm_since = now
            self._raise(now)
        elif lost:
            self._calm_since = now
        elif now - self._calm_since >= self._patience and self._place and self._foreseen(interval) < _EASY:
            self._place -= 1
            self._calm_since = self._lowered_at = now

    def _raise(self, now: float) -> None:
        if self._lowered_at is not None:
            failed = now - self._lowered_at < 2 * self._patience
            self._patience = min(2 * self._patience, _MOST_PATIENCE_S) if failed else _PATIENCE_S
            self._lowered_at = None
        self._place = min(self._place + 1, len(self._steps) - 1)

    def _foreseen(self, interval: float) -> float:
        """The share of the time that estimating would take one step down."""
        every = self._steps[self._place - 1]
        return (self._estimating + (every - 1) * self._carrying) / (every * interval)


def _mean(before: float, newest: float) -> float:
    return newest if before == 0.0 else before + _BLEND * (newest - before)
