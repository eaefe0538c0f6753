"""How slow this machine is right now: deadlines of the requirements hold for one that has nothing else to do."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Witness", "descriptors", "patience", "python_threads", "resident_mib", "threads"]

_WATCH = """
import json, sys, threading, time
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
found, before = [], time.monotonic()
print("ready", flush=True)
while not over.wait(0.01):
    now = time.monotonic()
    if now - before > 0.1:
        found.append((before, now))
    before = now
print(json.dumps(found))
"""


class Witness:
    """A process that does nothing but look at the clock, and so knows when the machine stood still.

    Time in which nobody could have done anything is nobody's delay.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", _WATCH], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self._stood_still: list[tuple[float, float]] = []

    def awake(self, begin: float, end: float) -> float:
        """Seconds from one `time.monotonic()` to another in which the machine ran; once the block has been left."""
        return end - begin - sum(max(0.0, min(end, to) - max(begin, since)) for since, to in self._stood_still)

    @property
    def stood_still(self) -> float:
        """Seconds in which the machine did nothing; once the block has been left."""
        return sum(to - since for since, to in self._stood_still)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stood_still = json.loads(self._process.communicate()[0])


def patience(seconds: float) -> float:
    """Returns a deadline, lengthened by how little of a core one busy thread gets at present."""
    wall, work = time.perf_counter(), time.thread_time()
    while time.thread_time() - work < 0.03:
        pass
    return seconds * max(1.0, 1.5 * (time.perf_counter() - wall) / (time.thread_time() - work))


def descriptors() -> int:
    """Open files, sockets and pipes of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def threads() -> int:
    """Threads of this process, those of libraries included."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def python_threads() -> set[str]:
    """Names of Python's threads."""
    return {thread.name for thread in threading.enumerate()}


def resident_mib() -> float:
    """Resident memory of this process in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
