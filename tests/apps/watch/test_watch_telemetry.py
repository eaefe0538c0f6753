"""Telemetry: lines that can be read, a file that is never lost, a run that never waits for it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rtdehaze.apps.watch.telemetry import Telemetry
from rtdehaze.core.errors import SinkError
from tests.apps.watch.observed import eventually, frame


def finished(telemetry: Telemetry) -> None:
    telemetry.close()
    assert telemetry.worker.join(time.monotonic() + 60)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_frame_is_a_line_with_its_time_and_readings(tmp_path: Path) -> None:
    path = tmp_path / "haze.jsonl"
    telemetry = Telemetry(str(path), distance=100.0, profile=lambda: "day")
    for number in range(50):
        telemetry.see(frame(number, density=0.25, transmission=0.5))
    finished(telemetry)
    records = lines(path)
    assert [record["frame"] for record in records] == list(range(50))
    assert records[10] == {
        "time": "2026-05-28T20:26:40.400Z",
        "pts": 0.4,
        "frame": 10,
        "density": 0.25,
        "visibility": 0.3599,
        "transmission": 0.5,
        "brightness": 0.5,
        "visibility_m": 432.1928,
        "airlight": [0.8, 0.82, 0.85],
        "weight": 1.0,
        "profile": "day",
    }


def test_lines_are_there_while_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "haze.jsonl"
    telemetry = Telemetry(str(path))
    telemetry.see(frame(0))
    assert eventually(lambda: path.read_text().endswith("\n"))
    finished(telemetry)


def test_a_file_is_appended_to_and_a_torn_last_line_stays_alone(tmp_path: Path) -> None:
    path = tmp_path / "haze.jsonl"
    path.write_text('{"frame": 7}\n{"fra')
    telemetry = Telemetry(str(path))
    telemetry.see(frame(8))
    finished(telemetry)
    first, torn, mine = path.read_text().splitlines()
    assert (first, torn) == ('{"frame": 7}', '{"fra')
    assert json.loads(mine)["frame"] == 8


def test_an_interval_thins_the_lines_out(tmp_path: Path) -> None:
    path = tmp_path / "haze.jsonl"
    telemetry = Telemetry(str(path), interval=1.0)
    for number in range(100):
        telemetry.see(frame(number, rate=30))
    finished(telemetry)
    assert [record["frame"] for record in lines(path)] == [0, 30, 60, 90]


def test_what_is_no_number_is_null(tmp_path: Path) -> None:
    path = tmp_path / "haze.jsonl"
    telemetry = Telemetry(str(path))
    telemetry.see(frame(0, density=float("nan")))
    finished(telemetry)
    assert lines(path)[0]["density"] is None


def test_a_full_disk_is_said_once_and_costs_lines_only(caplog: pytest.LogCaptureFixture) -> None:
    telemetry = Telemetry("/dev/full")
    with caplog.at_level(logging.WARNING, "rtdehaze"):
        for number in range(3):
            telemetry.see(frame(number))
            assert eventually(lambda number=number: telemetry.worker.dropped == number + 1)
        finished(telemetry)
    assert telemetry.worker.dropped == 3
    assert len(caplog.messages) == 1
    assert "No space left" in caplog.messages[0]


def test_when_the_disk_has_room_again_lines_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "haze.jsonl"
    telemetry = Telemetry(str(path))
    write, full = os.write, threading.Event()

    def short_of_room(descriptor: int, data: bytes) -> int:
        if full.is_set() and len(data) > 10:
            return write(descriptor, data[:10])
        if full.is_set():
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", short_of_room)
    full.set()
    telemetry.see(frame(0))
    assert eventually(lambda: telemetry.worker.dropped)
    full.clear()
    telemetry.see(frame(1))
    finished(telemetry)
    assert json.loads(path.read_text().splitlines()[-1])["frame"] == 1
    assert "about 1 were lost" in caplog.messages[-1]


def test_a_closed_pipe_ends_the_telemetry_and_nothing_else(tmp_path: Path) -> None:
    program = (
        "import time\n"
        "from rtdehaze.apps.watch.telemetry import Telemetry\n"
        "from tests.apps.watch.observed import eventually, frame\n"
        "import logging; logging.basicConfig()\n"
        "telemetry = Telemetry('-')\n"
        "telemetry.see(frame(0))\n"
        "input()\n"
        "telemetry.see(frame(1)); telemetry.see(frame(2))\n"
        "assert eventually(lambda: telemetry.worker.dropped)\n"
        "telemetry.see(frame(3)); telemetry.close(); telemetry.worker.join(time.monotonic() + 60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    with process:
        assert json.loads(process.stdout.readline())["frame"] == 0
        process.stdout.close()
        process.stdin.write("\n")
        process.stdin.flush()
        said = process.stderr.read()
    assert process.returncode == 0, said
    assert said.count("telemetry") == 1
    assert "Broken pipe" in said


def test_a_reader_that_stalls_never_makes_the_run_wait(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    telemetry = Telemetry(str(pipe))
    # Whoever waited for the reader would wait for ever.
    for number in range(6000):
        telemetry.see(frame(number))
    assert telemetry.worker.dropped > 0
    telemetry.close()
    os.close(reader)
    assert telemetry.worker.join(time.monotonic() + 60)


@pytest.mark.parametrize(
    ("name", "why"), [("missing/haze.jsonl", "No such file"), (".", "directory"), ("pipe", "nobody")]
)
def test_a_place_that_cannot_be_written_is_said_at_once(tmp_path: Path, name: str, why: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SinkError, match=why):
        Telemetry(str(tmp_path / name))
