"""Files that are cut by time: nothing is lost at a cut, each plays by itself, and old ones go."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from rtdehaze.core.live import LiveOptions
from rtdehaze.core.options import Options
from rtdehaze.stages.encode.live import open_live_outputs
from rtdehaze.stages.encode.live.names import free_names, is_pattern, matcher
from rtdehaze.stages.encode.live.retention import Retention
from tests.media import packets
from tests.stages.encode.live.drive import RATE, Drive, run
from tests.stages.encode.live.peers import seen

pytestmark = pytest.mark.usefixtures("_unhurried")

PATTERN = "cam-%Y%m%d-%H%M%S"


def cut(
    folder: Path,
    *,
    suffix: str = ".mp4",
    seconds: float = 1.0,
    frames: int = 100,
    sound: str | None = "aac",
    lag: int = 0,
    **live: float,
) -> list[Path]:
    outputs = open_live_outputs(
        [str(folder / f"{PATTERN}{suffix}")], Options(preset=None), LiveOptions(segment=seconds, **live)
    )
    run(outputs, Drive(sound=sound, lag=lag), frames)
    outputs.close()
    assert outputs.statuses()[0].frames == frames
    return in_order(folder)


def in_order(folder: Path) -> list[Path]:
    """The files of a folder as they were begun. Their times do not tell: two can be written within one tick."""
    return sorted(folder.iterdir(), key=lambda path: [int(word) for word in re.findall(r"\d+", path.stem)])


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_no_frame_is_lost_or_doubled_at_a_cut(suffix: str, tmp_path: Path) -> None:
    frames = 90
    parts = [seen(path) for path in cut(tmp_path, suffix=suffix, frames=frames)]
    greys = [round((grey - 40) / 12) for part in parts for grey in part.greys]
    assert len(greys) == frames
    # White begins a second, the others say their number within eight.
    assert all(grey == index % 8 for index, grey in enumerate(greys) if index % RATE)
    assert [len(part.times) for part in parts] == [RATE, RATE, RATE, frames - 3 * RATE]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_each_file_plays_by_itself_from_zero(suffix: str, tmp_path: Path) -> None:
    for path in cut(tmp_path, suffix=suffix):
        part = seen(path)
        assert part.times[0] == pytest.approx(0.0, abs=0.001)
        assert all(after > before for before, after in pairwise(part.times))


@pytest.mark.parametrize("lag", [0, 8])
def test_sound_is_neither_lost_nor_moved_by_a_cut_though_it_comes_late(lag: int, tmp_path: Path) -> None:
    sent = [bytes(packet) for packet in Drive(sound="aac")._packets]
    paths = cut(tmp_path, suffix=".mkv", seconds=0.9, lag=lag)
    stored = [data for path in paths for _, _, data in packets(path)[1]]
    # What comes before the first frame is left out, and the last may be cut off.
    assert stored[:150] == sent[sent.index(stored[0]) :][:150]
    for path in paths:
        part = seen(path)
        for flash in part.flashes[1:]:
            assert not part.beeps or min(abs(flash - beep) for beep in part.beeps) <= 1 / RATE


def test_each_cut_is_a_keyframe_that_was_made_for_it(tmp_path: Path) -> None:
    lengths = [len(seen(path, sound=False).times) for path in cut(tmp_path, seconds=0.6, gop=100.0, sound=None)]
    assert lengths == [15, 15, 15, 15, 15, 15, 10]


def test_files_that_begin_in_the_same_second_do_not_overwrite_each_other(tmp_path: Path) -> None:
    paths = cut(tmp_path, seconds=0.2, frames=50, sound=None)
    assert len(paths) == 10
    assert sum(len(seen(path, sound=False).times) for path in paths) == 50
    assert all(re.fullmatch(r"cam-\d{8}-\d{6}(-\d+)?\.mp4", path.name) for path in paths)


def test_a_pattern_may_hold_folders(tmp_path: Path) -> None:
    outputs = open_live_outputs([f"{tmp_path}/%Y/%m-%d/%H%M%S.mkv"], Options(), LiveOptions(segment=1.0))
    run(outputs, Drive(), 30)
    outputs.close()
    assert list(tmp_path.glob(time.strftime("%Y/*/*.mkv")))


_KILLED = """
import sys, os, signal, time
from rtdehaze.core.live import LiveOptions
from rtdehaze.core.options import Options
from rtdehaze.stages.encode.live import open_live_outputs
from tests.stages.encode.live.drive import Drive, run
outputs = open_live_outputs([sys.argv[1]], Options(), LiveOptions(segment=1.0))
run(outputs, Drive(sound="aac"), 120)
while outputs.statuses()[0].frames < 120:
    time.sleep(0.02)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_finished_files_survive_a_kill_whole_and_the_last_one_plays(tmp_path: Path) -> None:
    pattern = f"{tmp_path}/{PATTERN}.mp4"
    ended = subprocess.run([sys.executable, "-c", _KILLED, pattern], cwd=Path(__file__).parents[4], check=False)
    assert ended.returncode == -signal.SIGKILL
    lengths = [len(seen(path).times) for path in in_order(tmp_path)]
    assert lengths[:4] == [RATE] * 4
    # What the last fragment of half a second held is lost.
    assert len(lengths) == 5
    assert lengths[4] >= 20 - 0.5 * RATE - 1


def old(path: Path, *, seconds: float, size: int = 1000) -> Path:
    path.write_bytes(b"x" * size)
    os.utime(path, (time.time() - seconds, time.time() - seconds))
    return path


def test_what_is_older_than_is_kept_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    gone = [old(tmp_path / name, seconds=90) for name in ("cam-20260101-120000.mp4", "cam-20260101-120000-2.mp4")]
    young = old(tmp_path / "cam-20260101-130000.mp4", seconds=10)
    others = [
        old(tmp_path / name, seconds=9e6)
        for name in (
            "cam-2026.mp4",
            "cam-20260101-120000.mkv",
            "other-20260101-120000.mp4",
            "cam-20260101-120000-x.mp4",
        )
    ]
    Retention(f"{tmp_path}/{PATTERN}.mp4", seconds=60, size=None).apply([])
    assert [path for path in gone if path.exists()] == []
    assert [path for path in [young, *others] if not path.exists()] == []


def test_the_oldest_go_when_all_are_too_large(tmp_path: Path) -> None:
    files = [old(tmp_path / f"cam-20260101-12000{index}.mp4", seconds=100 - index) for index in range(5)]
    Retention(f"{tmp_path}/{PATTERN}.mp4", seconds=None, size=2500).apply([])
    assert [path.exists() for path in files] == [False, False, False, True, True]


def test_what_is_being_written_is_never_deleted(tmp_path: Path) -> None:
    current = old(tmp_path / "cam-20260101-120000.mp4", seconds=100)
    Retention(f"{tmp_path}/{PATTERN}.mp4", seconds=1, size=1).apply([current])
    assert current.exists()


def test_a_run_keeps_only_what_it_may(tmp_path: Path) -> None:
    left = cut(tmp_path, seconds=0.4, frames=100, sound=None, keep_bytes=8_000)
    # Those that were being written when the limits were looked at last have grown since.
    assert sum(path.stat().st_size for path in left[:-2]) <= 8_000
    assert 2 <= len(left) < 10


@pytest.mark.parametrize(
    ("pattern", "name", "made"),
    [
        ("cam-%H.mp4", "cam-07.mp4", True),
        ("cam-%H.mp4", "cam-07-2.mp4", True),
        ("cam-%H.mp4", "cam-7x.mp4", False),
        ("cam[1]-%H.mp4", "cam[1]-07.mp4", True),
        ("cam[1]-%H.mp4", "cam1-07.mp4", False),
        ("%F_%T.ts", "2026-01-02_03:04:05.ts", True),
        ("100%%-%j.ts", "100%-123.ts", True),
    ],
)
def test_a_name_is_told_from_those_that_others_made(pattern: str, name: str, made: bool) -> None:
    assert bool(matcher(pattern).fullmatch(name)) is made


def test_names_that_time_does_not_change_are_no_patterns() -> None:
    assert is_pattern("cam-%Y.mp4")
    assert not is_pattern("cam-100%.mp4")
    assert not is_pattern("cam.mp4")


def test_a_taken_name_is_numbered() -> None:
    names = free_names("a/cam.mp4")
    assert [str(next(names)) for _ in range(3)] == ["a/cam.mp4", "a/cam-2.mp4", "a/cam-3.mp4"]
