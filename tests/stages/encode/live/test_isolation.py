"""One output that fails, hangs or is slow never stops or slows the others, and comes back by itself."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import av
import pytest

from rtdehaze.core.errors import SinkError
from rtdehaze.core.live import LiveOptions, LiveOutputs, OutletState, OutletStatus
from rtdehaze.core.options import Options
from rtdehaze.stages.encode.containers import CONTAINERS
from rtdehaze.stages.encode.live import open_live_outputs
from rtdehaze.stages.encode.live.feed import Feed, Tags
from rtdehaze.stages.encode.live.outlet import Outlet, Target
from rtdehaze.stages.encode.live.outputs import Outputs, Way
from rtdehaze.stages.encode.live.push import PushOpener
from rtdehaze.stages.encode.planning import EncoderRequest
from tests.live.servers import PATIENCE, HostileServer, RtspServer, free_port, garbage, silence, wait_for
from tests.stages.encode.live.drive import RATE, Drive, run
from tests.stages.encode.live.peers import seen


def children() -> list[str]:
    """Process ids of our children."""
    return [child for task in Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()]


def held() -> tuple[int, int, int]:
    """Threads, descriptors and children of this process."""
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir())), len(children())


LIVE = LiveOptions(open_timeout=1.0, read_timeout=1.0, retry_cap=0.3, gop=1.0)


@pytest.fixture
def mute() -> Iterator[str]:
    with HostileServer(silence) as server:
        yield server.url("rtsp")


@pytest.fixture
def babble() -> Iterator[str]:
    with HostileServer(garbage) as server:
        yield server.url("rtmp", "live/x")


@pytest.fixture
def never_reads() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def refusing() -> str:
    return f"rtmp://user:secret@127.0.0.1:{free_port()}/live/x"


@pytest.fixture
def unread_pipe(tmp_path: Path) -> str:
    os.mkfifo(tmp_path / "unread.ts")
    return str(tmp_path / "unread.ts")


@pytest.fixture
def stuck_pipe(tmp_path: Path) -> Iterator[str]:
    """Somebody has opened it and does not read."""
    os.mkfifo(tmp_path / "stuck.ts")
    reader = os.open(tmp_path / "stuck.ts", os.O_RDONLY | os.O_NONBLOCK)
    yield str(tmp_path / "stuck.ts")
    os.close(reader)


@pytest.fixture
def full_disk(tmp_path: Path) -> str:
    (tmp_path / "full.mkv").symlink_to("/dev/full")
    return str(tmp_path / "full.mkv")


BAD = ["mute", "babble", "never_reads", "refusing", "unread_pipe", "stuck_pipe", "full_disk"]
FRAMES = 3 * RATE
HANGS = 300.0
"""Seconds for which a peer may say and take nothing: whoever waited for one would wait longer than a test may."""


@pytest.mark.slow
def test_the_others_get_every_frame_at_once_and_closing_is_quick(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    good = tmp_path / "good.mkv"
    bad = [request.getfixturevalue(name) for name in BAD]
    patient = replace(LIVE, open_timeout=HANGS, read_timeout=HANGS)
    outputs = open_live_outputs([*bad, str(good)], Options(overwrite=True), patient)
    begin = time.monotonic()
    run(outputs, Drive(320, 240, noise=True), FRAMES, pace=2.0)
    wait_for(lambda: outputs.statuses()[-1].frames == FRAMES, PATIENCE, "all frames in the good output")
    outputs.close()
    assert time.monotonic() - begin < HANGS / 2
    wait_for(lambda: not working() and not children(), PATIENCE, "all threads and processes have gone")
    assert outputs.statuses()[-1] == OutletStatus(str(good), OutletState.CLOSED, FRAMES, 0, 0, None)
    assert len(seen(good).times) == FRAMES
    for name, status in zip(BAD, outputs.statuses(), strict=False):
        assert (name, status.frames + status.dropped) == (name, FRAMES)
        # The system's own buffers hold much of what a peer never reads.
        assert status.dropped > 0 or name == "never_reads", name
        assert "secret" not in status.location


class Stuck:
    """An opener that never comes back, whatever it is told."""

    prompt = False

    def __init__(self, release: threading.Event) -> None:
        self._release = release

    def open(self, feed: Feed, stop: threading.Event) -> Target:
        self._release.wait(HANGS)
        raise SinkError("released")

    def end(self) -> None:
        pass


def test_many_that_hang_end_by_one_deadline() -> None:
    release = threading.Event()
    stuck = [
        Outlet(name, Stuck(release), frames=9, size=1 << 20, patience=9.0, retry_cap=9.0, lossless=False)
        for name in map(str, range(60))
    ]
    outputs = Outputs(
        [Way(CONTAINERS["mkv"], outlet) for outlet in stuck],
        EncoderRequest(prompt=True),
        size_of=lambda width, height: (width, height),
        segment=None,
        tags=Tags({}),
        lossless=False,
    )
    run(outputs, Drive(), 2)
    begin = time.monotonic()
    outputs.close(begin)
    # A fifth of a second for each, one after the other, would be 12 s.
    assert time.monotonic() - begin < 6.0
    release.set()
    wait_for(lambda: not working(), PATIENCE, "all threads have gone")


def working() -> list[str]:
    """Names of the program's threads."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("rtdehaze")]


def test_each_that_fails_or_hangs_says_so(request: pytest.FixtureRequest) -> None:
    # The system's own buffers hold much of what a peer never reads.
    bad = [request.getfixturevalue(name) for name in BAD if name != "never_reads"]
    outputs = open_live_outputs(bad, Options(overwrite=True), LIVE)
    run(outputs, Drive(320, 240, noise=True), 2000, pace=1.0, until=lambda: all(errors(outputs)))
    assert all(errors(outputs)), outputs.statuses()
    outputs.close()


def errors(outputs: LiveOutputs) -> list[str | None]:
    return [status.error for status in outputs.statuses()]


def test_a_failure_is_said_once_and_without_credentials(
    refusing: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[OutletState] = []
    attempt = PushOpener.open

    def noted(self: PushOpener, feed: Feed, stop: threading.Event) -> object:
        states.append(outputs.statuses()[0].state)
        return attempt(self, feed, stop)

    monkeypatch.setattr(PushOpener, "open", noted)
    with caplog.at_level(logging.INFO, "rtdehaze"):
        patient = replace(LIVE, open_timeout=HANGS, read_timeout=HANGS)
        outputs = open_live_outputs([refusing], Options(), patient)
        run(outputs, Drive(), 2000, pace=1.0, until=lambda: len(states) >= 4)
        status = outputs.statuses()[0]
        outputs.close()
    assert states == [OutletState.OPENING] + 3 * [OutletState.WAITING]
    assert status.error == "Connection refused"
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert "secret" not in str(said)
    assert "Connection refused" in said[0]


def test_credentials_are_not_in_any_command_line(refusing: str) -> None:
    outputs = open_live_outputs([refusing], Options(), LIVE)
    lines: list[str] = []

    def look() -> bool:
        for child in children():
            with suppress(OSError):
                lines.append(Path(f"/proc/{child}/cmdline").read_text())
        return any("pusher" in line for line in lines)

    run(outputs, Drive(), 2000, pace=1.0, until=look)
    outputs.close()
    assert lines
    assert "secret" not in str(lines)


@pytest.mark.slow
def test_a_push_comes_back_after_each_restart_of_its_server_and_nothing_piles_up(
    rtsp_server: RtspServer, tmp_path: Path
) -> None:
    live = replace(LIVE, open_timeout=PATIENCE, read_timeout=PATIENCE)
    outputs = open_live_outputs([rtsp_server.record_url, str(tmp_path / "all.mkv")], Options(), live)
    over = threading.Event()
    feeder = threading.Thread(target=lambda: run(outputs, Drive(), 10_000, pace=1.0, until=over.is_set))
    feeder.start()
    try:
        wait_for(lambda: recorded(rtsp_server, 1), PATIENCE, "frames flow")
        before = held()
        for number in range(3):
            rtsp_server.kill()
            wait_for(lambda: outputs.statuses()[0].state is OutletState.WAITING, PATIENCE, "the loss is seen")
            rtsp_server.start()
            wait_for(lambda number=number: recorded(rtsp_server, number + 2), PATIENCE, "frames flow again")
        wait_for(lambda: held() == before, PATIENCE, f"as many threads, descriptors and children as before: {before}")
    finally:
        over.set()
        feeder.join()
        outputs.close()
    wait_for(lambda: not working(), PATIENCE, "all threads have gone")
    pushed, kept = outputs.statuses()
    assert pushed.restarts == 3
    assert kept.dropped == 0
    assert kept.frames == pushed.frames + pushed.dropped


def recorded(server: RtspServer, pushes: int) -> bool:
    """Whether so many pushes have come, each of which can be decoded: it begins with a keyframe, then."""
    try:
        return [len(seen(path).times) > 3 for path in server.recordings()] == pushes * [True]
    except av.FFmpegError:
        return False


def test_when_standard_output_has_lost_its_reader_and_nothing_else_is_left_the_run_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.setattr(sys, "stdout", os.fdopen(writer, "w"))
    outputs = open_live_outputs(["-"], Options(), LIVE)
    with pytest.raises(SinkError, match="no output is left: its reader has gone"):
        run(outputs, Drive(), 2000, pace=2.0)
    outputs.close()
    sys.stdout.close()


def test_a_pipe_is_written_again_when_a_new_reader_comes(unread_pipe: str) -> None:
    outputs = open_live_outputs([unread_pipe], Options(), LIVE)
    over = threading.Event()
    feeder = threading.Thread(target=lambda: run(outputs, Drive(), 10_000, pace=1.0, until=over.is_set))
    feeder.start()
    try:
        for _ in range(2):
            with Path(unread_pipe).open("rb") as reader:
                assert len(reader.read(5000)) == 5000
            wait_for(lambda: outputs.statuses()[0].state is OutletState.WAITING, PATIENCE, "the loss is seen")
    finally:
        over.set()
        feeder.join()
        outputs.close()
