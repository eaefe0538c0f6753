"""What is shown while a run goes on: a bar on a terminal, plain lines elsewhere, and every warning once."""

from __future__ import annotations

import logging
import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from rtdehaze.pipeline.report import Progress as RunProgress

__all__ = ["Counting", "Display"]

_LINE_INTERVAL_S = 5.0
"""Between plain lines where the output is not a terminal: enough to see life in a log, not to fill it."""


class Display:
    """Shows progress and the log's messages on standard error while its block runs.

    Args:
        quiet: Warnings only.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        """Where all goes; whoever shows something else meanwhile shares it."""
        self._quiet = quiet
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[frames]} frames  {task.fields[fps]:.1f} fps"),
            TextColumn("haze {task.fields[haze]}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )
        self._task = self._bar.add_task("dehazing", total=None, frames="0", fps=0.0, haze="-")
        self._handler = _ConsoleHandler(self.console, logging.WARNING if quiet else logging.INFO)
        self._last_line = time.monotonic()

    def __enter__(self) -> Display:
        logger = logging.getLogger("rtdehaze")
        logger.setLevel(logging.INFO)
        logger.addHandler(self._handler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar.live.is_started:
            self._bar.stop()
        logging.getLogger("rtdehaze").removeHandler(self._handler)

    def update(self, progress: RunProgress) -> None:
        """Shows how far the run has come."""
        if self._quiet:
            return
        haze = "-" if progress.density is None else f"{progress.density:.2f}"
        if self.console.is_terminal:
            self._bar.start()
            frames = f"{progress.frames}/{progress.expected}" if progress.expected else str(progress.frames)
            self._bar.update(
                self._task,
                total=progress.expected,
                completed=progress.frames,
                frames=frames,
                fps=progress.fps,
                haze=haze,
            )
        elif time.monotonic() - self._last_line >= _LINE_INTERVAL_S:
            self._last_line = time.monotonic()
            self.console.print(_line(progress, haze), markup=False)


class Counting:
    """Shows how much of some work is done, and the log's messages, on standard error while its block runs.

    Args:
        quiet: Warnings only.
        messages: Show messages that are no warnings, too, unless `quiet`.
    """

    def __init__(self, *, quiet: bool = False, messages: bool = False) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
        # A bar is for those who watch; where the output is not a terminal nobody does.
        self._bar = Progress(*columns, console=self._console, transient=True, disable=quiet)
        self._tasks: dict[str, TaskID] = {}
        self._level = logging.INFO if messages and not quiet else logging.WARNING
        self._handler = _ConsoleHandler(self._console, self._level)

    def __enter__(self) -> Counting:
        logger = logging.getLogger("rtdehaze")
        if self._level == logging.INFO:
            logger.setLevel(logging.INFO)
        logger.addHandler(self._handler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar.live.is_started:
            self._bar.stop()
        logging.getLogger("rtdehaze").removeHandler(self._handler)

    def update(self, name: str, done: int, total: int) -> None:
        """Shows how far the work of that name has come."""
        if not self._console.is_terminal:
            return
        self._bar.start()
        if name not in self._tasks:
            # What was done before is not this run's speed.
            self._tasks[name] = self._bar.add_task(name, completed=done, total=total)
        self._bar.update(self._tasks[name], completed=done, total=total)


def _line(progress: RunProgress, haze: str) -> str:
    of = f" of about {progress.expected}" if progress.expected else ""
    left = "" if progress.remaining is None else f", {progress.remaining:.0f} s to go"
    return f"{progress.frames}{of} frames, {progress.fps:.1f} fps, haze {haze}{left}"


class _ConsoleHandler(logging.Handler):
    """Prints log messages above the bar, one line each."""

    def __init__(self, console: Console, level: int) -> None:
        super().__init__(level)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        kind = "warning: " if record.levelno >= logging.WARNING else ""
        self._console.print(f"rtdehaze: {kind}{record.getMessage()}", markup=False)
