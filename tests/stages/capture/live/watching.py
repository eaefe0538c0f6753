"""A live source iterated in a thread, as the pipeline does, and what came of it."""

from __future__ import annotations

import gc
import itertools
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rtdehaze.core.frame import Frame
from rtdehaze.core.live import Joined, LiveSource, Lost
from rtdehaze.core.stream import Packet
from tests.live.servers import PATIENCE, wait_for

__all__ = ["PATIENCE", "Watcher", "descriptors", "strictly_increasing"]


class Watcher:
    """Iterates a source; closes it at the end."""

    def __init__(self, source: LiveSource, *, slow: float = 0.0) -> None:
        self.source = source
        self.joined: list[Joined] = []
        self.lost: list[Lost] = []
        self.order: list[str] = []
        """Kinds of items, repetitions left out."""
        self.times: list[float] = []
        """Seconds of every frame on the run's clock."""
        self.ages: list[float] = []
        self.deviations: list[float] = []
        """How far every frame's time is from its arrival, both since the run began."""
        self.sizes: list[tuple[int, int]] = []
        self.sound: list[float] = []
        self.first: Frame | None = None
        self.last_frame = 0.0
        self.error: BaseException | None = None
        self._slow = slow
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        begin = time.monotonic()
        try:
            for item in self.source.items():
                self._note(item, begin)
        except Exception as error:  # noqa: BLE001 - for the test to judge
            self.error = error

    def _note(self, item: Any, begin: float) -> None:
        kind = type(item).__name__
        if not self.order or self.order[-1] != kind:
            self.order.append(kind)
        if isinstance(item, Frame):
            self.last_frame = time.monotonic()
            self.first = self.first or item
            assert item.arrival is not None
            self.times.append(item.time)
            self.ages.append(self.last_frame - item.arrival)
            self.deviations.append(item.time - (item.arrival - begin))
            self.sizes.append((item.width, item.height))
            time.sleep(self._slow)
        elif isinstance(item, Packet):
            native: Any = item.native
            self.sound.append(float(native.dts * native.time_base))
        elif isinstance(item, Joined):
            self.joined.append(item)
        else:
            self.lost.append(item)

    @property
    def frames(self) -> int:
        return len(self.times)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def await_frames(self, count: int) -> None:
        """Waits for so many more frames."""
        wanted = self.frames + count
        wait_for(lambda: self.frames >= wanted or not self.running, PATIENCE, f"{count} more frames")
        assert self.frames >= wanted, f"the source ended: {self.error!r}"

    def join(self) -> None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), f"the iteration has not ended within {PATIENCE:g} s"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.source.close()
        self.join()


def descriptors() -> int:
    """Returns how many files and sockets this process has open; 0 where that cannot be told."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform.startswith("linux") else 0


def strictly_increasing(times: list[float]) -> bool:
    return all(before < after for before, after in itertools.pairwise(times))
