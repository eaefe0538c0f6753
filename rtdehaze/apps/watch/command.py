"""Events given to a program of the user's, without a shell."""

from __future__ import annotations

import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import IO

from rtdehaze.apps.watch.events import FIELDS, Event
from rtdehaze.apps.watch.worker import Worker
from rtdehaze.core.errors import UsageError

__all__ = ["Command"]

_log = logging.getLogger("rtdehaze.watch")

_ROOM = 64
_TIMEOUT_S = 30.0
"""A command that takes longer is ended: the next event is waiting."""

_GRACE_S = 0.5
"""Given to all commands together when the run ends: then none is under way, and none is begun."""

_POLL_S = 0.05
_LAST_WORDS = 500
"""Bytes of what a failing command said that are looked at."""

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class Command:
    """Runs a program for each event, one after the other, in a thread of its own.

    `{event}`, `{density}` and the like in its arguments are replaced, each staying the one argument it is; the same
    values are in its environment as `RTDEHAZE_EVENT`, `RTDEHAZE_DENSITY` and so on; what is not known is empty. Other
    variables that begin with `RTDEHAZE_` are not passed on: they may hold passwords.

    Args:
        words: The program and its arguments, quoted as for a shell, but none takes part.
        timeout: Seconds after which the program is ended.
        patience: Seconds that commands are given when the run ends, beyond the usual grace.

    Raises:
        UsageError: No such program, unbalanced quotes, or an unknown placeholder.
    """

    def __init__(self, words: str, *, timeout: float = _TIMEOUT_S, patience: float = 0.0) -> None:
        try:
            self._arguments = shlex.split(words)
        except ValueError as error:
            raise UsageError(f"on-haze-command: {error}") from None
        if not self._arguments:
            raise UsageError("on-haze-command must name a program")
        program = shutil.which(self._arguments[0])
        if program is None:
            raise UsageError(f"on-haze-command: there is no program {self._arguments[0]!r} that can be run")
        unknown = sorted(set(_PLACEHOLDER.findall(words)) - set(FIELDS))
        if unknown:
            raise UsageError(f"on-haze-command: unknown {{{unknown[0]}}}; there are: {', '.join(FIELDS)}")
        self._program, self._timeout, self._grace = program, timeout, _GRACE_S + patience
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._over = False
        self.worker: Worker[Event] = Worker("command", self._run_all, room=_ROOM)

    def abandon(self) -> None:
        """Ends what is under way and begins nothing more: nobody waits for it, and it must not outlive the run."""
        with self._starting:
            self._over = True
            if self._process is not None and self._process.poll() is None:
                _kill(self._process)

    def _run_all(self, events: Sequence[Event]) -> None:
        for number, event in enumerate(events):
            if self._is_over():
                left = len(events) - number
                self.worker.dropped += left
                _log.warning("on-haze-command %s: not run for %d more: the run ended", self._arguments[0], left)
                return
            problem = self._run(event)
            if problem is not None:
                self.worker.dropped += 1
                _log.warning("on-haze-command %s: event %r: %s", self._arguments[0], event.event, problem)

    def _is_over(self) -> bool:
        closed = self.worker.closed_at
        return self._over or (closed is not None and time.monotonic() > closed + self._grace)

    def _run(self, event: Event) -> str | None:
        """Runs the program once; returns what went wrong."""
        values = {name: "" if value is None else str(value) for name, value in asdict(event).items()}
        arguments = [_PLACEHOLDER.sub(lambda found: values[found[1]], argument) for argument in self._arguments]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RTDEHAZE_")}
        environment |= {f"RTDEHAZE_{name.upper()}": value for name, value in values.items()}
        with tempfile.TemporaryFile() as said:
            try:
                process = self._start(arguments, environment, said)
            except (OSError, ValueError) as error:
                return str(error)
            if process is None:
                return "ended with the run"
            problem = self._wait(process)
            if problem is None and process.returncode != 0:
                problem = _ending(process.returncode) + _last_line(said)
            return problem

    def _start(
        self, arguments: Sequence[str], environment: Mapping[str, str], said: IO[bytes]
    ) -> subprocess.Popen[bytes] | None:
        with self._starting:
            if self._over:
                return None
            # A session of its own: Ctrl-C at the terminal is for us, and all that it starts can be ended.
            self._process = subprocess.Popen(  # noqa: S603 - no shell; the user's own command
                arguments, executable=self._program, env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=said, start_new_session=True,
            )  # fmt: skip
            return self._process

    def _wait(self, process: subprocess.Popen[bytes]) -> str | None:
        """Waits for the end, cut short by the timeout and by the end of the run; returns which it was."""
        deadline = time.monotonic() + self._timeout
        problem = None
        while process.poll() is None:
            if self._is_over():
                problem = "ended with the run"
            elif time.monotonic() > deadline:
                problem = f"took longer than {self._timeout:g} s and was ended"
            if problem is not None:
                _kill(process)
                process.wait()
                break
            time.sleep(_POLL_S)
        return problem


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _ending(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"exit code {code}"


def _last_line(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - _LAST_WORDS))
    lines = said.read().decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {last}" if last else ""
