"""Disks that are full, slow, or hang: what is there plays, and the other outputs go on."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rtdehaze.core.live import LiveOptions, OutletState
from rtdehaze.core.options import Options
from rtdehaze.stages.encode.live import open_live_outputs
from rtdehaze.stages.encode.live.bytes_out import FileBytes
from tests.live.servers import PATIENCE, wait_for
from tests.stages.encode.live.drive import Drive, run
from tests.stages.encode.live.peers import seen

LIVE = LiveOptions(open_timeout=1.0, read_timeout=0.5, retry_cap=0.3, gop=1.0)


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


def test_a_slow_disk_loses_frames_of_its_own_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, drive, writes, over = FileBytes.write, Drive(), itertools.count(), threading.Event()

    def slowly(self: FileBytes, data: bytes) -> int:
        if "slow" in self.path.name:
            number = next(writes)
            # A tenth of what comes, however fast this machine is.
            while drive.index < 10 * number and not over.is_set():
                time.sleep(0.001)
        return write(self, data)

    def waits_for_the_good_one() -> bool:
        wait_for(lambda: drive.index - outputs.statuses()[1].frames < 100, PATIENCE, "the good file goes on")
        return False

    monkeypatch.setattr(FileBytes, "write", slowly)
    outputs = open_live_outputs([str(tmp_path / "slow.ts"), str(tmp_path / "good.ts")], Options(), LIVE)
    run(outputs, drive, 500, until=waits_for_the_good_one)
    over.set()
    outputs.close()
    wait_for(lambda: {each.state for each in outputs.statuses()} == {OutletState.CLOSED}, PATIENCE, "both are complete")
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
    run(outputs, Drive(), 40, pace=4.0)
    wait_for(lambda: outputs.statuses()[0].state is OutletState.WAITING, PATIENCE, "that it hangs is seen")
    assert "it has taken nothing for" in str(outputs.statuses()[0].error)
    # Whoever waited for the disk would wait for ever.
    outputs.close()
    wait_for(lambda: outputs.statuses()[1].frames == 40, PATIENCE, "all frames in the good file")
    released.set()
    wait_for(lambda: outputs.statuses()[0].state is OutletState.CLOSED, PATIENCE, "the thread ends with the disk back")
