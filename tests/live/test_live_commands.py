"""`rtdehaze run` on live inputs and outputs, as a user types it."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from tests.live.runs import Command
from tests.live.servers import PATIENCE, HostileServer, RtspServer, free_port, silence, wait_for
from tests.media import write_video

Run = Callable[..., Any]

FAST = ("--provider", "cpu", "--preset", "ultrafast")
PATIENT = ("--open-timeout", "600", "--read-timeout", "600")
"""Who waited for a peer would wait ten times as long as the test waits for the end."""


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def one_line(err: str) -> str:
    lines = [line for line in err.splitlines() if line.startswith("rtdehaze: error: ")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    assert "internal error" not in err
    return lines[0]


def test_ctrl_c_while_connecting_ends_at_once(tmp_path: Path) -> None:
    with (
        HostileServer(silence) as mute,
        Command(mute.url("rtsp"), "-o", tmp_path / "clear.mp4", *PATIENT, *FAST) as command,
    ):
        command.wait_until(lambda: mute.connections > 0, "it did not connect")
        code, _, err = command.send(signal.SIGINT)
    assert code == 130
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_running_ends_at_once_with_a_playable_file(
    rtsp_server: RtspServer, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    file = tmp_path / "clear.mkv"
    with Command(rtsp_server.play_url, "-o", file, "-o", "null", *PATIENT, *FAST) as command:
        command.wait_until(lambda: file.exists() and file.stat().st_size > 20_000, "nothing was written")
        found, out, err = command.send(number)
    assert found == code
    assert "Traceback" not in err
    assert frames_of(file) > 5
    assert str(file) in out
    assert list(tmp_path.iterdir()) == [file]


def test_ctrl_c_while_the_source_is_away_ends_at_once_with_a_playable_file(
    rtsp_server: RtspServer, tmp_path: Path
) -> None:
    file = tmp_path / "clear.mkv"
    with Command(rtsp_server.play_url, "-o", file, *PATIENT, *FAST) as command:
        command.wait_until(lambda: file.exists() and file.stat().st_size > 20_000, "nothing was written")
        rtsp_server.kill()
        port = rtsp_server.port
        # Whoever listens there now says nothing: the command is in the middle of connecting again.
        with socket.create_server(("127.0.0.1", port)) as listener:
            listener.settimeout(PATIENCE)
            connection, _ = listener.accept()
            with connection:
                code, _, err = command.send(signal.SIGINT)
    assert code == 130
    assert "Traceback" not in err
    assert frames_of(file) > 5


def test_a_live_input_may_be_limited_to_a_time_and_reports_as_json(rtdehaze: Run, tmp_path: Path) -> None:
    file = tmp_path / "clear.mp4"
    graph = "lavfi:testsrc2=size=320x180:rate=25"
    result = rtdehaze("run", graph, "-o", file, "-o", "null", "--duration", "1", "--json", "--quiet", *FAST)
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert report["frames_in"] == report["frames_out"] + sum(report["dropped"].values())
    assert [outlet["location"] for outlet in report["outputs"]] == [str(file), "null"]
    assert 0 < report["added_ms"]["p50"] <= report["age_ms"]["p99"]
    assert report["interrupted"] is False
    assert frames_of(file) == report["frames_out"]


def test_a_file_goes_to_several_files_at_full_speed_without_losing_a_frame(
    rtdehaze: Run, foggy_clip: Path, tmp_path: Path
) -> None:
    outputs = [tmp_path / "one.mp4", tmp_path / "two.mkv"]
    result = rtdehaze("run", foggy_clip, "-o", outputs[0], "-o", outputs[1], "-o", "null", "--json", *FAST)
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert (report["frames_in"], report["frames_out"]) == (24, 24)
    assert [frames_of(path) for path in outputs] == [24, 24]


def test_each_of_several_files_gets_the_films_title_and_chapters(rtdehaze: Run, tmp_path: Path) -> None:
    film = write_video(
        tmp_path / "film.mkv", frames=12, chapters=[(0.0, 0.2, "one"), (0.2, 0.4, "two")], metadata={"title": "A drive"}
    )
    outputs = [tmp_path / "one.mp4", tmp_path / "two.mkv"]
    result = rtdehaze("run", film, "-o", outputs[0], "-o", outputs[1], "--quiet", *FAST)
    assert result.code == 0, result.err
    for path in outputs:
        with av.open(str(path)) as container:
            assert {key.lower(): value for key, value in container.metadata.items()}["title"] == "A drive"
            assert [mark["metadata"]["title"] for mark in container.chapters()] == ["one", "two"]


def test_of_several_outputs_none_is_written_over_and_the_input_is_none(
    rtdehaze: Run, foggy_clip: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.mp4"
    kept.write_bytes(b"precious")
    for other in (kept, foggy_clip):
        result = rtdehaze("run", foggy_clip, "-o", tmp_path / "new.mp4", "-o", other)
        assert result.code == 2
        assert other.name in one_line(result.err)
    assert kept.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [kept]


def test_a_file_is_pushed_to_a_server_at_its_own_pace(rtdehaze: Run, rtsp_server: RtspServer, foggy_clip: Path) -> None:
    result = rtdehaze("run", foggy_clip, "-o", rtsp_server.record_url, "--json", *FAST)
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert report["seconds"] >= 23 / 25
    assert report["frames_in"] == 24
    wait_for(lambda: bool(rtsp_server.recordings()), PATIENCE, "a recording")


def test_telemetry_metrics_and_health_follow_a_live_run(rtsp_server: RtspServer, tmp_path: Path) -> None:
    telemetry, port = tmp_path / "haze.jsonl", free_port()
    watched = ("--telemetry", telemetry, "--metrics", port)
    with Command(rtsp_server.play_url, "-o", "null", *watched, *FAST) as command:
        command.wait_until(lambda: telemetry.exists() and telemetry.stat().st_size > 1000, "no telemetry")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
            metrics = answer.read().decode()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE) as answer:
            assert answer.status == 200
        code, _, err = command.send(signal.SIGINT)
    assert code == 130, err
    assert "rtdehaze_frames_in_total" in metrics
    lines = [json.loads(line) for line in telemetry.read_text().splitlines()]
    assert all(0.0 <= line["density"] <= 1.0 for line in lines)


def test_a_profile_that_is_due_is_in_the_report(rtdehaze: Run) -> None:
    profile = ("--profile", "night:mode=manual,strength=40", "--profile-schedule", "night=00:00-24:00")
    result = rtdehaze(
        "run", "lavfi:testsrc2=size=160x96:rate=25", "-o", "null", "--mode", "off", "--duration", "0.5", "--json",
        "--quiet", *profile, *FAST,
    )  # fmt: skip
    assert result.code == 0, result.err
    assert json.loads(result.out)["profile"] == "night"


LIVE = "rtsp://eye:secret@127.0.0.1:1/stream"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([LIVE], "-o"),
        ([LIVE, "-o", "null", "--start", "3"], "start"),
        ([LIVE, "-o", "null", "--read-timeout", "0"], "read-timeout"),
        ([LIVE, "-o", "null", "--retries", "-1"], "retries"),
        ([LIVE, "-o", "null", "--on-loss", "freeze"], "slate"),
        ([LIVE, "-o", "null", "--input-size", "big"], "1280x720"),
        ([LIVE, "-o", "null", "--input-option", "fast"], "KEY=VALUE"),
        ([LIVE, "-o", "null", "--keep", "48h"], "segment"),
        ([LIVE, "-o", "null", "--segment", "10min", "--keep", "lots"], "20GB"),
        ([LIVE, "-o", "null", "--segment", "10 minutes"], "10min"),
        ([LIVE, "-o", "null", "--segment", "10min", "--keep", "48h", "--keep", "7d"], "keep"),
        ([LIVE, "-o", "cam.mp4", "--segment", "10min"], "strftime"),
        ([LIVE, "-o", "null", "--max-latency", "0"], "max-latency"),
        ([LIVE, "-o", "gopher://host/x"], "gopher"),
        ([LIVE, "-o", LIVE], "input itself"),
        ([LIVE, "-o", "null", "--on-haze", "fog"], "fog"),
        ([LIVE, "-o", "-", "--json"], "--json"),
        (["gopher://host/x", "-o", "null"], "gopher"),
        (["lavfi:", "-o", "null"], "lavfi"),
    ],
)
def test_wrong_words_get_one_line_and_leave_nothing_behind(
    rtdehaze: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = rtdehaze("run", *arguments, *FAST)
    assert result.code == 2, result.err
    line = one_line(result.err)
    assert says in line
    assert "secret" not in result.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [("--metrics", "0"), ("--profile", "night:mode=off", "--profile-brightness", "night<0.1")]
)
def test_what_is_for_live_runs_alone_is_refused_for_a_file(
    rtdehaze: Run, foggy_clip: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    telemetry = ("--telemetry", tmp_path / "haze.jsonl")
    result = rtdehaze("run", foggy_clip, "-o", tmp_path / "clear.mp4", *telemetry, *words)
    assert result.code == 2
    assert f"{words[0][2:]} is for live" in one_line(result.err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_haze_of_a_file_is_told_frame_by_frame(
    rtdehaze: Run, foggy_clip: Path, tmp_path: Path, outputs: int
) -> None:
    places = [word for number in range(outputs) for word in ("-o", tmp_path / f"{number}.mp4")]
    watching = ("--telemetry", tmp_path / "haze.jsonl", "--on-haze", "density>0.05")
    result = rtdehaze("run", foggy_clip, *places, *FAST, *watching)
    assert result.code == 0
    lines = [json.loads(line) for line in (tmp_path / "haze.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(frames_of(foggy_clip)))
    with av.open(str(tmp_path / "0.mp4")) as container:
        assert [line["pts"] for line in lines] == [round(frame.time, 4) for frame in container.decode(video=0)]
    assert all(line["density"] > 0.05 for line in lines[1:])
    assert result.err.count("on-haze: began: density>0.05") == 1


def test_a_run_that_fails_before_its_first_frame_leaves_no_telemetry(rtdehaze: Run, tmp_path: Path) -> None:
    result = rtdehaze("run", tmp_path / "missing.mp4", "--telemetry", tmp_path / "haze.jsonl")
    assert result.code in {1, 2}
    assert "missing.mp4" in one_line(result.err)
    assert list(tmp_path.iterdir()) == []


def test_telemetry_and_video_do_not_share_standard_output(rtdehaze: Run, foggy_clip: Path) -> None:
    result = rtdehaze("run", foggy_clip, "-o", "-", "--telemetry", "-")
    assert result.code == 2
    assert "--telemetry" in one_line(result.err)


def test_a_source_that_is_not_there_is_given_up_after_the_retries(rtdehaze: Run, tmp_path: Path) -> None:
    address = f"rtsp://127.0.0.1:{free_port()}/stream"
    result = rtdehaze("run", address, "-o", tmp_path / "clear.mp4", "--retries", "1", "--retry-cap", "0.1", *FAST)
    assert result.code == 1
    assert "given up" in one_line(result.err)
    assert list(tmp_path.iterdir()) == []
