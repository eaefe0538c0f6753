"""One output that fails, hangs or is slow never stops or slows the others, and comes back by itself."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from rtdehaze.core.errors import SinkError
from rtdehaze.core.live import LiveOptions, OutletState, OutletStatus
from rtdehaze.core.options import Options
from rtdehaze.stages.encode.live import open_live_outputs
from rtdehaze.stages.encode.live.bytes_out import FileBytes
from tests.live.servers import HostileServer, RtspServer, free_port, garbage, silence, wait_for
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


@pytest.mark.slow
def test_the_others_get_every_frame_at_once_and_closing_is_quick(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    good = tmp_path / "good.mkv"
    bad = [request.getfixturevalue(name) for name in BAD]
    outputs = open_live_outputs([*bad, str(good)], Options(overwrite=True), replace(LIVE, open_timeout=10.0))
    late: list[float] = []
    _run_watched(outputs, Drive(320, 240, noise=True), late)
    wait_for(lambda: outputs.statuses()[-1].frames == FRAMES, 5, "all frames in the good output")
    begin = time.monotonic()
    outputs.close()
    assert time.monotonic() - begin < 2.0
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("rtdehaze")] == []
    assert children() == []
    assert max(late) < 1.0
    assert outputs.statuses()[-1] == OutletStatus(str(good), OutletState.CLOSED, FRAMES, 0, 0, None)
    assert len(seen(good).times) == FRAMES
    for name, status in zip(BAD, outputs.statuses(), strict=False):
        # The system's own buffers hold much of what a peer never reads, and one that is mute is being waited for.
        assert status.error or name in {"never_reads", "mute"}, name
        assert (name, status.frames + status.dropped) == (name, FRAMES)
        assert status.dropped > 0 or name == "never_reads", name
        assert "secret" not in status.location


def _run_watched(outputs, drive: Drive, late: list[float]) -> None:  # type: ignore[no-untyped-def]
    """Runs at real speed and notes how long each frame was held up."""
    write = outputs.write

    def timed(item) -> None:  # type: ignore[no-untyped-def]
        begin = time.monotonic()
        write(item)
        late.append(time.monotonic() - begin)

    outputs.write = timed
    run(outputs, drive, FRAMES, pace=1.0)


def test_a_failure_is_said_once_and_without_credentials(refusing: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "rtdehaze"):
        outputs = open_live_outputs([refusing], Options(), LIVE)
        run(outputs, Drive(), 2 * RATE, pace=1.0)
        status = outputs.statuses()[0]
        outputs.close()
    assert status.state is OutletState.WAITING
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
        return False

    run(outputs, Drive(), RATE, pace=1.0, until=look)
    outputs.close()
    assert lines
    assert "secret" not in str(lines)


@pytest.mark.slow
@pytest.mark.parametrize("room", [200, 200_000])
def test_a_full_disk_is_said_once_and_leaves_no_litter(room: int, tmp_path: Path) -> None:
    limit = f"import resource, signal; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room})); "
    limit += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    script = limit + _LIMITED
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "cam.mkv")],
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr.count("the file would be larger than is allowed here") == 1
    left = sorted(tmp_path.iterdir())
    assert bool(left) is (room > 1000)
    # Whatever is left plays.
    assert all(seen(path).times for path in left)


_LIMITED = """
import logging, sys
from rtdehaze.core.live import LiveOptions
from rtdehaze.core.options import Options
from rtdehaze.stages.encode.live import open_live_outputs
from rtdehaze.stages.encode.live.bytes_out import FileBytes
from tests.stages.encode.live.drive import Drive, run
logging.basicConfig()
outputs = open_live_outputs([sys.argv[1]], Options(crf=5), LiveOptions(gop=0.5, retry_cap=0.2))
run(outputs, Drive(320, 240, noise=True), 50, pace=2.0)
outputs.close()
"""


@pytest.mark.slow
def test_a_push_comes_back_after_each_restart_of_its_server_and_nothing_piles_up(
    rtsp_server: RtspServer, tmp_path: Path
) -> None:
    outputs = open_live_outputs([rtsp_server.record_url, str(tmp_path / "all.mkv")], Options(), LIVE)
    over = threading.Event()
    feeder = threading.Thread(target=lambda: run(outputs, Drive(), 10_000, pace=1.0, until=over.is_set))
    feeder.start()
    try:
        _await_frames(outputs)
        before = held()
        for _ in range(3):
            rtsp_server.kill()
            wait_for(lambda: outputs.statuses()[0].state is OutletState.WAITING, 5, "the loss is seen")
            rtsp_server.start()
            _await_frames(outputs)
        assert held() == before
    finally:
        over.set()
        feeder.join()
        outputs.close()
    pushed, kept = outputs.statuses()
    assert pushed.restarts == 3
    assert kept.dropped == 0
    assert kept.frames == pushed.frames + pushed.dropped
    # Each recording of the server begins with a keyframe, or it could not be decoded from its start.
    assert all(len(seen(path).times) > 3 for path in rtsp_server.recordings())


def _await_frames(outputs) -> None:  # type: ignore[no-untyped-def]
    before = outputs.statuses()[0].frames
    wait_for(lambda: outputs.statuses()[0].frames > before + 5, 6, "frames flow again")


def test_when_standard_output_has_lost_its_reader_and_nothing_else_is_left_the_run_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.setattr(sys, "stdout", os.fdopen(writer, "w"))
    outputs = open_live_outputs(["-"], Options(), LIVE)
    with pytest.raises(SinkError, match="no output is left: its reader has gone"):
        run(outputs, Drive(), 3 * RATE, pace=2.0)
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
            wait_for(lambda: outputs.statuses()[0].state is OutletState.WAITING, 5, "the loss is seen")
    finally:
        over.set()
        feeder.join()
        outputs.close()


def test_a_slow_disk_loses_frames_of_its_own_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = FileBytes.write

    def slowly(self: FileBytes, data: bytes) -> int:
        if "slow" in self.path.name:
            time.sleep(0.02)
        return write(self, data)

    monkeypatch.setattr(FileBytes, "write", slowly)
    outputs = open_live_outputs([str(tmp_path / "slow.ts"), str(tmp_path / "good.ts")], Options(), LIVE)
    run(outputs, Drive(), 500, pace=10.0)
    outputs.close()
    slow, good = outputs.statuses()
    assert (good.frames, good.dropped) == (500, 0)
    assert slow.dropped > 0
    # After the gap it goes on with a keyframe, so all that is there can be decoded.
    assert len(seen(tmp_path / "slow.ts").times) > 30


def test_a_disk_that_hangs_holds_up_nobody_and_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    write = FileBytes.write

    def never(self: FileBytes, data: bytes) -> int:
        if "hung" in self.path.name:
            released.wait()
        return write(self, data)

    monkeypatch.setattr(FileBytes, "write", never)
    outputs = open_live_outputs([str(tmp_path / "hung.mkv"), str(tmp_path / "good.mkv")], Options(), LIVE)
    run(outputs, Drive(), 40, pace=1.0)
    hung = outputs.statuses()[0]
    assert hung.state is OutletState.WAITING
    assert "it has taken nothing for" in str(hung.error)
    begin = time.monotonic()
    outputs.close()
    assert time.monotonic() - begin < 2.0
    assert outputs.statuses()[1].frames == 40
    released.set()
    wait_for(lambda: outputs.statuses()[0].state is OutletState.CLOSED, 5, "the thread ends when the disk is back")
