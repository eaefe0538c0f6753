"""Live runs for tests: within this process, with an eye on their state; or as the command in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from rtdehaze.core.live import LiveOptions
from rtdehaze.core.options import Options
from rtdehaze.core.watch import LiveStatus
from rtdehaze.pipeline.live.report import LiveReport
from rtdehaze.pipeline.live.watch import LiveRun, watch
from tests.live.servers import PATIENCE

__all__ = ["Command", "Watching", "fast"]


def fast(**changes: Any) -> Options:
    """Options for speed."""
    return Options(preset="ultrafast", provider="cpu", **changes)  # type: ignore[arg-type]


class Watching:
    """`watch` in a thread, stopped when its block ends."""

    def __init__(self, source: str, *outputs: str, options: Options | None = None, **live: Any) -> None:
        self._arguments = (source, outputs, options or fast(), LiveOptions(**live))
        self._stop = threading.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="the test's run")
        self.run: LiveRun | None = None
        self.report: LiveReport | None = None
        self.failure: BaseException | None = None

    def _watch(self) -> None:
        try:
            self.report = watch(*self._arguments, stop=self._stop, on_start=self._begin)
        except BaseException as error:  # noqa: BLE001
            self.failure = error

    def _begin(self, run: LiveRun) -> None:
        self.run = run
        self._started.set()

    @property
    def status(self) -> LiveStatus:
        assert self.run is not None
        return self.run.status()

    def wait_for(self, condition: Callable[[LiveStatus], bool], what: str = "") -> None:
        """Waits until the status is so."""
        begin = time.monotonic()
        while not (self._started.is_set() and condition(self.status)):
            assert self._thread.is_alive(), f"the run is over: {self.failure or self.report}"
            assert time.monotonic() - begin < PATIENCE, f"not within {PATIENCE:g} s: {what or condition}: {self.status}"
            time.sleep(0.01)

    def end(self) -> LiveReport:
        """Stops it and returns its report."""
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "it did not stop"
        if self.failure is not None:
            raise self.failure
        assert self.report is not None
        return self.report

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)


class Command:
    """`rtdehaze run ...` as a user starts it."""

    def __init__(self, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rtdehaze", "run", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self._process.poll() is None, self._process.communicate()
            assert time.monotonic() < deadline, what
            time.sleep(0.05)

    def send(self, number: int) -> tuple[int, str, str]:
        """Sends a signal and waits for the end; returns the exit code and both outputs."""
        self._process.send_signal(number)
        out, err = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, out, err

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
