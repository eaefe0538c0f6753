"""Whoever takes frames too slowly gets newer ones, never ever older ones."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from statistics import median

import pytest

from rtdehaze.core.live import LiveOptions
from rtdehaze.stages.capture.live import backlog as backlog_module
from rtdehaze.stages.capture.live import open_live_source
from rtdehaze.stages.capture.live.backlog import Arrival, Backlog
from tests.live.servers import RtspServer, free_port, running
from tests.stages.capture.live.watching import Watcher, strictly_increasing


class Bytes:
    """A packet, as far as a backlog looks at one."""

    def __init__(self, size: int) -> None:
        self.size = size


def arrival(number: int, *, key: bool = False, video: bool = True, size: int = 1000) -> Arrival:
    return Arrival(Bytes(size), float(number), video, key)  # type: ignore[arg-type]


def times(backlog: Backlog) -> list[float]:
    found = []
    while isinstance(item := backlog.take(0.0), Arrival):
        found.append(item.time)
    return found


@pytest.mark.parametrize(("codec", "reason"), [("h264", "before a keyframe"), ("mjpeg", "before a keyframe")])
def test_a_slow_taker_sees_frames_of_a_bounded_age_and_the_others_are_counted(
    make_rtsp_server: Callable[..., RtspServer], codec: str, reason: str
) -> None:
    server = make_rtsp_server(codec=codec, rate=50, gop=20).start()
    source = open_live_source(server.play_url, LiveOptions())
    with Watcher(source, slow=0.08) as watcher:
        watcher.await_frames(45)
    assert source.skipped[reason] > 10  # type: ignore[attr-defined]
    # Were none left out, each frame would be 0.06 s older than the one before: these 1.8 s, on any machine. In the
    # middle of fifteen, so that a few may be old because the machine stood still.
    assert median(watcher.ages[30:45]) < median(watcher.ages[:15]) + 1.2
    assert strictly_increasing(watcher.times)


def test_frames_that_no_other_needs_are_the_first_to_be_left_out(ffmpeg: str) -> None:
    url = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    made = [ffmpeg, "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=192x128:rate=25,format=yuv420p"]
    encoder = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-b_strategy", "0", "-g", "250"]
    source = open_live_source(url, LiveOptions())
    with running([*made, *encoder, "-f", "mpegts", url]), Watcher(source, slow=0.06) as watcher:
        watcher.await_frames(40)
    assert source.skipped["unreferenced"] > 10  # type: ignore[attr-defined]
    assert strictly_increasing(watcher.times)


def test_what_waits_is_taken_in_order_and_only_the_newest_keyframe_and_sound_survive_a_skip() -> None:
    backlog = Backlog()
    for number in range(12):
        backlog.put(arrival(number, key=number in {2, 7}, video=number != 4))
    assert backlog.skip_to_newest_keyframe() == 6
    assert times(backlog) == [4.0, 7.0, 8.0, 9.0, 10.0, 11.0]


def test_nothing_is_skipped_where_no_keyframe_waits() -> None:
    backlog = Backlog()
    for number in range(3):
        backlog.put(arrival(number))
    assert backlog.skip_to_newest_keyframe() is None
    assert times(backlog) == [0.0, 1.0, 2.0]


def test_memory_is_bounded_where_nobody_takes_and_it_goes_on_with_a_keyframe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog_module, "_MOST_BYTES", 10_000)
    backlog = Backlog()
    for number in range(25):
        backlog.put(arrival(number, key=number % 10 == 0))
    kept = times(backlog)
    assert len(kept) <= 10
    assert kept[0] == 20.0
    assert backlog.dropped == 25 - len(kept)


def test_sound_that_nobody_takes_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog_module, "_MOST_BYTES", 10_000)
    backlog = Backlog()
    for number in range(1000):
        backlog.put(arrival(number, video=False))
    assert len(times(backlog)) <= 10


def test_closing_wakes_whoever_waits_and_nothing_is_taken_any_more() -> None:
    backlog = Backlog()
    backlog.put(arrival(0))
    backlog.close()
    before = time.monotonic()
    assert backlog.take(60.0) is None
    assert time.monotonic() - before < 10.0
    assert not backlog.put(arrival(1))
