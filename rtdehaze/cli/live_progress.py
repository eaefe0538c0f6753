"""What is shown while a live run goes on: one line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.progress import Progress, SpinnerColumn, TextColumn

if TYPE_CHECKING:
    from rich.console import Console

    from rtdehaze.core.watch import LiveStatus

__all__ = ["LiveLine"]

_LINE_INTERVAL_S = 30.0
"""Between plain lines: a run of weeks must not fill its log."""
_FIRST_LINE_S = 3.0
_RATE_S = 2.0
"""Time over which the frame rate is taken."""


class LiveLine:
    """Shows a live run while its block runs.

    Args:
        console: Where; shared with the log's messages.
        quiet: Shows nothing.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console, self._quiet = console, quiet
        self._line = Progress(
            SpinnerColumn(), TextColumn("{task.description}", markup=False), console=self._console, transient=True
        )
        self._task = self._line.add_task("connecting", total=None)
        self._before: list[tuple[float, int]] = []
        self._due = time.monotonic() + _FIRST_LINE_S

    def __enter__(self) -> LiveLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line.live.is_started:
            self._line.stop()

    def update(self, status: LiveStatus) -> None:
        """Shows how the run stands."""
        if self._quiet:
            return
        rate = self._rate(status)
        if self._console.is_terminal:
            self._line.start()
            self._line.update(self._task, description=_line(status, rate))
        elif time.monotonic() >= self._due:
            self._due = time.monotonic() + _LINE_INTERVAL_S
            self._console.print(_line(status, rate), markup=False)

    def _rate(self, status: LiveStatus) -> float:
        """Frames that go out per second, of late."""
        self._before.append((status.seconds, status.frames_out))
        while len(self._before) > 2 and status.seconds - self._before[1][0] > _RATE_S:
            del self._before[0]
        seconds, frames = self._before[0]
        return (status.frames_out - frames) / (status.seconds - seconds) if status.seconds > seconds else 0.0


def _line(status: LiveStatus, rate: float) -> str:
    if not status.connected:
        state = "connecting" if not status.frames_in else f"no signal for {status.silent:.0f} s, connecting again"
        return f"{state}; {status.frames_out} frames so far"
    words = [f"{rate:.1f} fps", f"age {status.age_ms.get('p50', 0.0):.0f} ms"]
    if status.density is not None:
        words.append(f"haze {status.density:.2f}")
    words.append(f"dropped {sum(status.dropped.values())} of {status.frames_in}")
    if status.every > 1:
        words.append(f"haze of every {status.every} frames")
    if status.profile is not None:
        words.append(status.profile)
    words += [
        f"{outlet.location}: {outlet.state.value}" for outlet in status.outlets if outlet.state.value != "running"
    ]
    return ", ".join(words)
