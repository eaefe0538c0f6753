"""`rtdehaze run` of a live source with all that watches it, as an operator starts it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.apps.watch.observed import eventually
from tests.live.servers import HostileServer, dripping

SOURCE = "lavfi:color=c=0xb0b8c0:size=320x180:rate=25"


@contextmanager
def start(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Runs it until the block ends, however that is."""
    command = [sys.executable, "-m", "rtdehaze", "run", *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def metrics_address(process: subprocess.Popen[str]) -> str:
    assert process.stderr
    for line in process.stderr:
        found = re.search(r"metrics at (http://\S+)/metrics", line)
        if found:
            return found[1]
    raise AssertionError(f"no metrics; exit code {process.wait()}")


def answer(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as got:
            return got.status, got.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.slow
def test_a_run_by_a_file_is_measured_told_and_acted_on(tmp_path: Path) -> None:
    (tmp_path / "camera.toml").write_text(f"""
        input = "{SOURCE}"
        output = "null"
        [watch]
        telemetry = "{tmp_path}/haze.jsonl"
        on-haze = ["brightness>0.3 for 1s"]
        on-haze-command = "sh -c 'echo $0 $RTDEHAZE_QUANTITY >> {tmp_path}/events' {{event}}"
        metrics = "127.0.0.1:0"
        profile-brightness = "dim<0.9"
        [[profile]]
        name = "dim"
        strength = 40
    """)
    with start("--config", tmp_path / "camera.toml", "--duration", "600") as process:
        address = metrics_address(process)
        assert eventually(lambda: answer(f"{address}/healthz")[0] == 200, 60)
        assert eventually((tmp_path / "events").exists, 60)
        code, text = answer(f"{address}/metrics")
        process.send_signal(signal.SIGTERM)
        # Long before the ten minutes are over.
        process.communicate(timeout=60)
    assert process.returncode == 143
    assert code == 200
    assert 'rtdehaze_profile{profile="dim"} 1.0' in text
    assert 'rtdehaze_outlet_up{location="null",outlet="0"} 1.0' in text
    records = [json.loads(line) for line in (tmp_path / "haze.jsonl").read_text().splitlines()]
    assert len(records) >= 5
    assert all(earlier["pts"] < later["pts"] for earlier, later in pairwise(records))
    assert abs(records[-1]["brightness"] - 0.72) < 0.03
    assert (tmp_path / "events").read_text() == "began brightness\n"


@pytest.mark.slow
def test_a_webhook_that_hangs_does_not_keep_the_program_from_ending(tmp_path: Path) -> None:
    with HostileServer(dripping) as server:
        url = server.url("http", "T0KEN")
        with start(
            SOURCE, "-o", "null", "--metrics", "0", "--on-haze", "brightness>0.3", "--on-haze-webhook", url
        ) as process:
            metrics_address(process)
            assert eventually(lambda: server.connections)
            process.send_signal(signal.SIGINT)
            # Whoever waited for the answer would wait for ever.
            _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "T0KEN" not in said


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--on-haze", "density>0.5 fro 10s"], 2, "'fro' (character 13)"),
        (["--on-haze", "density>0.5", "--on-haze-command", "no-such-program"], 2, "no-such-program"),
        (["--metrics", "web"], 2, "PORT"),
        (["--telemetry", "missing/haze.jsonl"], 1, "missing/haze.jsonl"),
        (["--profile", "night:mode=off"], 2, "profile-schedule"),
        (["--health-after", "0"], 2, "health-after"),
    ],
)
def test_what_cannot_be_watched_is_one_line_before_anything_runs(
    rtdehaze: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = rtdehaze("run", SOURCE, "-o", "null", *arguments)
    assert result.code == code
    assert len(result.err.splitlines()) == 1, result.err
    assert says in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_one_line(rtdehaze: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = rtdehaze("run", SOURCE, "-o", "null", "--metrics", port)
    assert result.code == 1
    (line,) = result.err.splitlines()
    assert f"127.0.0.1:{port}: Address already in use" in line
