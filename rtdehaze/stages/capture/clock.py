"""Presentation timestamps: as in the file, and strictly increasing where the file's are not."""

from __future__ import annotations

from rtdehaze.stages.capture.problems import Notices

__all__ = ["Clock"]


class Clock:
    """Gives every frame of one stream its timestamp, in units of the stream's time base."""

    def __init__(self, notices: Notices, nominal: int) -> None:
        """Starts without a past.

        Args:
            notices: Where repairs are told.
            nominal: Units that a frame lasts when it does not say so itself; at least 1.
        """
        self._notices = notices
        self._nominal = max(1, nominal)
        self._last: int | None = None
        self._lasts = self._nominal
        self._made_up = 0
        self._moved = 0

    def stamp(self, pts: int | None, duration: int) -> int:
        """Returns the timestamp of the next frame in presentation order.

        Args:
            pts: As decoded; None is made up from the frame before.
            duration: As decoded; 0 is unknown.
        """
        if pts is None:
            pts = 0 if self._last is None else self._last + self._lasts
            self._made_up += 1
        if self._last is not None and pts <= self._last:
            pts = self._last + 1
            self._moved += 1
        self._last = pts
        self._lasts = duration if duration > 0 else self._nominal
        return pts

    def report(self) -> None:
        """Tells how many timestamps were not the file's."""
        if self._made_up:
            self._notices.say("made up", f"{_frames(self._made_up)} had no timestamp: taken from the frame before")
        if self._moved:
            self._notices.say(
                "moved",
                f"{_frames(self._moved)} had a timestamp no later than the frame before: moved to just after it",
            )


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"
