"""Whole live runs against a real RTSP server on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest

from rtdehaze.core.live import LossPolicy, OutletState
from rtdehaze.core.watch import LiveStatus, Profile
from rtdehaze.pipeline.live import runner
from rtdehaze.pipeline.live.report import LiveReport
from tests.live.machine import Witness, descriptors, patience, python_threads, resident_mib, threads
from tests.live.runs import Watching
from tests.live.servers import PATIENCE, HostileServer, RtspServer, silence, wait_for


def times_of(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


def assert_all_accounted_for(report: LiveReport) -> None:
    assert report.frames_in == report.frames_out + sum(report.dropped.values())


def test_720p30_goes_to_a_file_and_to_a_push_at_once(
    make_rtsp_server: Callable[..., RtspServer], tmp_path: Path
) -> None:
    server = make_rtsp_server(size=(1280, 720), rate=30).start()
    file = tmp_path / "clear.mp4"
    with Watching(server.play_url, str(file), server.record_url) as watching:
        watching.wait_for(lambda status: all(outlet.frames >= 60 for outlet in status.outlets))
        report = watching.end()
    assert_all_accounted_for(report)
    assert [outlet.state for outlet in report.outputs] == [OutletState.CLOSED] * 2
    assert [outlet.restarts for outlet in report.outputs] == [0, 0]
    times = times_of(file)
    assert len(times) == report.outputs[0].frames >= 60
    assert times == sorted(set(times))
    wait_for(lambda: bool(server.recordings()), PATIENCE, "a recording")
    server.stop()
    with av.open(str(server.recordings()[-1])) as recording:
        frames = [(frame.width, frame.height) for frame in recording.decode(video=0)]
    assert len(frames) >= 30
    assert set(frames) == {(1280, 720)}


def test_a_camera_that_comes_back_with_another_picture_gets_a_slate_between_and_times_that_go_on(
    rtsp_server: RtspServer, tmp_path: Path
) -> None:
    file = tmp_path / "clear.mkv"
    with Watching(rtsp_server.play_url, str(file), read_timeout=2.0) as watching:
        watching.wait_for(lambda status: status.frames_out >= 10)
        rtsp_server.kill()
        watching.wait_for(lambda status: not status.connected)
        watching.wait_for(lambda status: status.fillers >= 5)
        rtsp_server.size = (160, 96)
        rtsp_server.start()
        before = watching.status.frames_out
        watching.wait_for(lambda status: status.connected and status.frames_out >= before + 10)
        report = watching.end()
    assert report.reconnects >= 1
    assert_all_accounted_for(report)
    files = sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime)
    with av.open(str(files[0])) as first, av.open(str(files[-1])) as last:
        assert (first.streams.video[0].width, last.streams.video[0].width) == (320, 160)
    # The slate is in the first file, after the pictures.
    with av.open(str(files[0])) as first:
        slate = list(first.decode(video=0))[-1].to_ndarray(format="gray")
    assert 0.005 < (slate > 200).mean() < 0.3
    for path in files:
        times = times_of(path)
        assert times == sorted(set(times))


@pytest.mark.slow
def test_a_server_killed_ten_times_is_followed_within_three_seconds_and_nothing_piles_up(
    rtsp_server: RtspServer, tmp_path: Path
) -> None:
    returns: list[tuple[float, float, float]] = []
    most = (0, 0)
    memory: list[float] = []
    with Witness() as witness, Watching(rtsp_server.play_url, str(tmp_path / "clear.ts"), "null") as watching:
        watching.wait_for(lambda status: status.frames_out >= 10)
        for number in range(10):
            rtsp_server.kill()
            watching.wait_for(lambda status: not status.connected)
            rtsp_server.start()
            before, returned = watching.status.frames_out, time.monotonic()
            watching.wait_for(lambda status, before=before: status.frames_out > before, "frames again")
            returns.append((returned, time.monotonic(), patience(3.0)))
            watching.wait_for(lambda status, before=before: status.frames_out > before + 10)
            if number < 2:
                most = max(most[0], threads()), max(most[1], descriptors())
            memory.append(resident_mib())
        # The reader of a connection that was lost goes when FFmpeg lets it.
        wait_for(lambda: threads() <= most[0], PATIENCE, f"no more than {most[0]} threads")
        wait_for(lambda: descriptors() <= most[1], PATIENCE, f"no more than {most[1]} files")
        report = watching.end()
    assert [each for each in returns if witness.awake(*each[:2]) >= each[2]] == []
    assert report.reconnects == 10
    assert_all_accounted_for(report)
    assert memory[-1] < memory[2] * 1.05, memory
    wait_for(lambda: not [name for name in python_threads() if name.startswith("rtdehaze")], PATIENCE, "no thread left")


def test_an_output_that_never_answers_holds_nobody_up(rtsp_server: RtspServer, tmp_path: Path) -> None:
    file = tmp_path / "clear.mp4"
    with HostileServer(silence) as stuck, Watching(rtsp_server.play_url, str(file), stuck.url("rtsp")) as watching:
        watching.wait_for(lambda status: status.outlets[0].frames >= 30)
        report = watching.end()
    assert report.outputs[1].frames == 0
    assert report.outputs[1].dropped > 0
    assert len(times_of(file)) == report.outputs[0].frames >= 30
    assert_all_accounted_for(report)


def test_with_stop_nothing_is_made_up(rtsp_server: RtspServer) -> None:
    with Watching(rtsp_server.play_url, "null", on_loss=LossPolicy.STOP) as watching:
        watching.wait_for(lambda status: status.frames_out >= 5)
        rtsp_server.kill()
        watching.wait_for(lambda status: not status.connected)
        rtsp_server.start()
        watching.wait_for(lambda status: status.connected)
        assert watching.end().fillers == 0


def test_a_profile_changes_what_is_done_while_the_run_goes_on(rtsp_server: RtspServer) -> None:
    with Watching(rtsp_server.play_url, "null") as watching:
        watching.wait_for(lambda status: status.frames_out >= 5)
        assert watching.run is not None
        watching.run.change(Profile("night", strength=40.0, smoothing=0.8))
        before: LiveStatus = watching.status
        assert before.profile == "night"
        watching.wait_for(lambda status: status.frames_out >= before.frames_out + 5)
        assert watching.end().profile == "night"


@pytest.fixture
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits when the run ends is completed, however slow this machine is."""
    monkeypatch.setattr(runner, "_STOPPING_S", PATIENCE)
    monkeypatch.setattr(runner, "_DRAINING_S", PATIENCE)
    monkeypatch.setattr(runner, "_LEAVING_S", PATIENCE)


@pytest.mark.usefixtures("_unhurried")
def test_sound_comes_along_before_and_after_a_reconnect(
    make_rtsp_server: Callable[..., RtspServer], tmp_path: Path
) -> None:
    server, file = make_rtsp_server(audio=True).start(), tmp_path / "clear.mkv"
    with Watching(server.play_url, str(file)) as watching:
        watching.wait_for(lambda status: status.frames_out >= 40)
        server.kill()
        watching.wait_for(lambda status: not status.connected)
        server.start()
        before = watching.status.frames_out
        watching.wait_for(lambda status: status.frames_out >= before + 40)
        report = watching.end()
    assert report.packets_copied > 40
    with av.open(str(file)) as container:
        assert container.streams.audio
        times: dict[str, list[float]] = {"video": [], "audio": []}
        for packet in container.demux():
            if packet.pts is not None:
                times[packet.stream.type].append(float(packet.pts * packet.time_base))
    assert times["audio"] == sorted(times["audio"])
    gap = max(later - earlier for earlier, later in pairwise(times["audio"]))
    back = next(later for earlier, later in pairwise(times["audio"]) if later - earlier == gap)
    # How near they are is shown where capture and encode are tested: here frames may be dropped on a busy machine.
    for side in ([moment for moment in times[kind] if moment < back] for kind in times):
        assert len(side) > 20
    for side in ([moment for moment in times[kind] if moment >= back] for kind in times):
        assert len(side) > 20
