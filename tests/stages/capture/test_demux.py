"""Reading on after errors of the demuxer, and stopping where it cannot."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import av
import pytest

from rtdehaze.stages.capture.cut import Cut
from rtdehaze.stages.capture.demux import Demuxer
from rtdehaze.stages.capture.problems import Notices
from tests.media import write_video


class Failing:
    """A container whose demuxer raises after some packets: once, or from then on."""

    def __init__(self, container: Any, error: Exception, *, after: int, once: bool) -> None:
        self._container = container
        self._packets = container.demux()
        self._error = error
        self._after = after
        self._once = once

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def demux(self) -> Iterator[Any]:
        yield from islice(self._packets, self._after)
        if self._after or not self._once:
            self._after = 0
            raise self._error
        yield from self._packets


def read(path: Path, error: Exception, *, once: bool) -> int:
    with av.open(str(path)) as container:
        failing: Any = Failing(container, error, after=7, once=once)
        demuxer = Demuxer(failing, container.streams.video[0], Cut(), (), Notices("clip"))
        return sum(1 for _ in demuxer.packets(threading.Lock(), lambda: None))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.ts", frames=20)


def test_one_unreadable_packet_does_not_end_the_input(clip: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read(clip, av.error.InvalidDataError(1, "damaged"), once=True) == 20
    assert not caplog.records


def test_a_demuxer_that_never_recovers_is_given_up(clip: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read(clip, av.error.InvalidDataError(1, "damaged"), once=False) == 7
    assert ["reading stopped at 0.2" in record.message for record in caplog.records] == [True]


def test_a_failing_disk_ends_the_input_with_what_was_read(clip: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read(clip, OSError(5, "Input/output error"), once=False) == 7
    assert ["Input/output error" in record.message for record in caplog.records] == [True]
