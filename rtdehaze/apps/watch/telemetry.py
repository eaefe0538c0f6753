"""The haze of a run as JSON lines, appended to a file or written to standard output."""

from __future__ import annotations

import errno
import json
import logging
import math
import os
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rtdehaze.apps.watch.visibility import quantities
from rtdehaze.apps.watch.worker import Worker
from rtdehaze.core.errors import SinkError
from rtdehaze.core.watch import Observation

__all__ = ["Telemetry", "timestamp"]

_log = logging.getLogger("rtdehaze.watch")

_ROOM = 2048
"""Lines that may wait for a slow disk: a minute of them at 30 frames a second."""

_DIGITS = 4


def timestamp(seconds: float) -> str:
    """Writes seconds since the epoch as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Telemetry:
    """An observer that writes one JSON object a line.

    A file is appended to. Where it cannot be written for a while (a full disk) that is said once, lines are lost and
    counted, and it goes on when it can; a closed pipe ends the telemetry and nothing else.

    Args:
        location: A file, or `-` for standard output.
        distance: As of `quantities`.
        interval: Least seconds between two lines on the run's clock; 0 writes one for every frame.
        profile: Says the name of the present profile.
        patience: As of `Worker`.

    Raises:
        SinkError: The file cannot be opened.
    """

    def __init__(
        self,
        location: str,
        *,
        distance: float | None = None,
        interval: float = 0.0,
        profile: Callable[[], str | None] = lambda: None,
        patience: float = 0.0,
    ) -> None:
        self._name = "standard output" if location == "-" else location
        self._made = None if location == "-" or Path(location).exists() else Path(location)
        self._descriptor = _standard_output() if location == "-" else _open(location)
        self._distance, self._interval, self._profile = distance, interval, profile
        self._due = -math.inf
        self._torn = _is_torn(self._descriptor)
        self._lost = 0
        """Lines since the output last took one."""
        self._broken = False
        self.worker: Worker[Observation] = Worker(
            "telemetry", self._write, room=_ROOM, finish=self._finish, patience=patience
        )
        self.worker.start()

    def see(self, observation: Observation) -> None:
        """Queues a line."""
        # A hair early counts: timestamps of 25 frames a second do not add up to whole seconds exactly.
        if observation.pts >= self._due - 1e-3:
            self._due = observation.pts + self._interval
            self.worker.put(observation)

    def close(self) -> None:
        """Writes what is waiting and closes the file, soon after."""
        self.worker.close()

    def _write(self, observations: Sequence[Observation]) -> None:
        if self._broken:
            self.worker.dropped += len(observations)
            return
        text = "".join(self._line(observation) for observation in observations)
        try:
            _write_all(self._descriptor, ("\n" if self._torn else "") + text)
        except OSError as error:
            self._torn = True
            self._fail(error, len(observations))
            return
        self._torn = False
        if self._lost:
            _log.warning("telemetry: %s takes lines again; about %d were lost", self._name, self._lost)
            self._lost = 0

    def _fail(self, error: OSError, lines: int) -> None:
        self._broken = error.errno == errno.EPIPE
        if not self._lost:
            rest = "nothing more is written" if self._broken else "lines are lost until it can be written"
            _log.warning("telemetry: %s: %s; %s", self._name, error.strerror, rest)
        self._lost += lines
        self.worker.dropped += lines

    def _line(self, observation: Observation) -> str:
        record: dict[str, Any] = {
            "time": timestamp(observation.time),
            "pts": _rounded(observation.pts),
            "frame": observation.frame,
            **_all_rounded(quantities(observation, self._distance)),
            "airlight": [_rounded(part) for part in observation.airlight],
            "weight": _rounded(observation.weight),
            "profile": self._profile(),
        }
        return json.dumps(record) + "\n"

    def _finish(self) -> None:
        if self._made is not None and not os.fstat(self._descriptor).st_size:
            # The run failed before its first frame; nobody wants what it would leave behind.
            self._made.unlink(missing_ok=True)
        os.close(self._descriptor)


def _rounded(number: float) -> float | None:
    """JSON knows no NaN; a reading that is none is null."""
    return round(number, _DIGITS) if math.isfinite(number) else None


def _all_rounded(numbers: Mapping[str, float]) -> dict[str, float | None]:
    return {name: _rounded(number) for name, number in numbers.items()}


def _standard_output() -> int:
    # The bare descriptor, of our own: a reader that stalls would hold Python's buffered writer locked until exit.
    try:
        sys.stdout.flush()
        return os.dup(1)
    except (OSError, AttributeError) as error:
        raise SinkError(f"telemetry cannot be written to standard output: {error}") from None


def _open(location: str) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        if os.path.exists(location) and not stat.S_ISREG(os.stat(location).st_mode):  # noqa: PTH110, PTH116
            # A named pipe without a reader would otherwise wait for one.
            descriptor = os.open(location, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.set_blocking(descriptor, True)
            return descriptor
        return os.open(location, flags, 0o644)
    except OSError as error:
        why = "nobody reads from this pipe" if error.errno == errno.ENXIO else error.strerror
        raise SinkError(f"telemetry cannot be written to {location}: {why}") from None


def _is_torn(descriptor: int) -> bool:
    """Says whether a file ends in the middle of a line: what wrote it was killed."""
    status = os.fstat(descriptor)
    regular = stat.S_ISREG(status.st_mode) and status.st_size > 0
    try:
        return regular and os.pread(descriptor, 1, status.st_size - 1) != b"\n"
    except OSError:
        return False  # standard output sent to a file cannot be read


def _write_all(descriptor: int, text: str) -> None:
    left = memoryview(text.encode())
    while left:
        left = left[os.write(descriptor, left) :]
