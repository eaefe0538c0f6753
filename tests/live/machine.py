"""How slow this machine is right now: deadlines of the requirements hold for one that has nothing else to do."""

from __future__ import annotations

import threading
import time
from pathlib import Path

__all__ = ["descriptors", "patience", "python_threads", "resident_mib", "threads"]


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
