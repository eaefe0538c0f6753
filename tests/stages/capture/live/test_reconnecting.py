"""Sources that go away, come back as others, or were never what they claim to be."""

from __future__ import annotations

import io
import itertools
import logging
import os
import random
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from rtdehaze.core.errors import SourceError, UnsupportedVideoError
from rtdehaze.core.live import LiveOptions, Lost
from rtdehaze.stages.capture import convert
from rtdehaze.stages.capture.live import open_live_source
from rtdehaze.stages.capture.live import source as source_module
from tests.live.machine import Witness
from tests.live.servers import (
    Behaviour,
    HostileServer,
    RtspServer,
    garbage,
    running,
    sends,
    served,
    silence,
    wait_for,
)
from tests.stages.capture.live.flashes import SECONDS, marked
from tests.stages.capture.live.watching import PATIENCE, Watcher, descriptors, strictly_increasing

BACK = 3.0
"""Seconds within which frames must flow after a server's return; more on a machine that others use, too. Those in
which the machine stands still do not count."""


def transport_stream(begin: int = 0, frames: int = 25, size: tuple[int, int] = (64, 48)) -> bytes:
    """Returns MPEG-TS of 25 frames a second, whose clock begins so many seconds after 0."""
    width, height = size
    target = io.BytesIO()
    with av.open(target, "w", format="mpegts", container_options={"muxdelay": "0", "muxpreload": "0"}) as container:
        options = {"preset": "ultrafast", "tune": "zerolatency", "g": "5"}
        stream: Any = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            frame = av.VideoFrame(width, height, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([10 * number % 256]) * plane.buffer_size)
            frame.pts, frame.time_base = begin * 25 + number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


@pytest.mark.slow
def test_frames_flow_again_within_3_s_each_of_10_times_the_server_is_killed_and_nothing_piles_up(
    make_rtsp_server: Callable[..., RtspServer],
) -> None:
    server = make_rtsp_server(audio=True, gop=25).start()
    returns: list[tuple[float, float]] = []
    threads, files = 0, 0
    with Witness() as witness, Watcher(open_live_source(server.play_url, LiveOptions())) as watcher:
        watcher.await_frames(5)
        for number in range(10):
            server.kill()
            wait_for(lambda number=number: len(watcher.lost) == number + 1, PATIENCE, "Lost")  # type: ignore[misc]
            server.start()
            returned = time.monotonic()
            watcher.await_frames(1)
            returns.append((returned, watcher.last_frame))
            watcher.await_frames(3)
            if number < 5:
                threads, files = max(threads, threading.active_count()), max(files, descriptors())
        # The reader of a connection that was lost goes when FFmpeg lets it.
        wait_for(lambda: threading.active_count() <= threads, PATIENCE, "no more threads than in the beginning")
        wait_for(lambda: descriptors() <= files, PATIENCE, "no more files than in the beginning")
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    took = [witness.awake(*each) for each in returns]
    assert max(took) < BACK * max(1.0, busy), took
    assert watcher.error is None
    assert [joined.reconnects for joined in watcher.joined] == list(range(11))
    assert all(joined.away > 0 for joined in watcher.joined)
    assert strictly_increasing(watcher.times)
    assert strictly_increasing(watcher.sound)


def test_losses_and_returns_are_logged_but_not_all_of_one_that_comes_and_goes(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long four losses take here.
    monkeypatch.setattr(source_module, "_QUIET", 600.0)
    caplog.set_level(logging.WARNING, "rtdehaze.capture")
    with (
        HostileServer(sends(transport_stream())) as server,
        Watcher(open_live_source(server.url("tcp", ""), LiveOptions())) as watcher,
    ):
        wait_for(lambda: len(watcher.lost) >= 4, PATIENCE, "Lost")
    told = [record.getMessage() for record in caplog.records]
    assert sum("lost: the stream has ended" in line for line in told) == 1
    assert sum("back after" in line for line in told) == 1


def test_what_comes_back_may_be_of_another_size_rate_and_codec(make_rtsp_server: Callable[..., RtspServer]) -> None:
    server = make_rtsp_server(size=(320, 240), rate=25, audio=True).start()
    with Watcher(open_live_source(server.play_url, LiveOptions())) as watcher:
        watcher.await_frames(5)
        server.kill()
        server.size, server.rate, server.codec, server.audio = (160, 96), 10, "mjpeg", False
        server.start()
        wait_for(lambda: len(watcher.joined) == 2, PATIENCE, "Joined again")
        watcher.await_frames(3)
    first, second = (joined.video for joined in watcher.joined)
    assert (first.codec, first.width, first.height) == ("h264", 320, 240)
    assert (second.codec, second.width, second.height) == ("mjpeg", 160, 96)
    assert first.time_base == second.time_base
    assert watcher.joined[1].copied == ()
    assert watcher.sizes[-1] == (160, 96)
    assert strictly_increasing(watcher.times)


def test_a_server_that_hangs_is_given_up_and_taken_again(rtsp_server: RtspServer) -> None:
    options = LiveOptions(read_timeout=1.0, open_timeout=2.0)
    with Watcher(open_live_source(rtsp_server.play_url, options)) as watcher:
        watcher.await_frames(5)
        rtsp_server.freeze()
        wait_for(lambda: bool(watcher.lost), PATIENCE, "Lost")
        rtsp_server.thaw()
        wait_for(lambda: len(watcher.joined) >= 2, PATIENCE, "Joined again")
        watcher.await_frames(5)
    assert "1 s" in watcher.lost[0].reason
    assert strictly_increasing(watcher.times)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
@pytest.mark.parametrize(
    "behaviour",
    [
        silence,
        garbage,
        sends(b""),
        sends(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 100000\r\n\r\nv=0", hold=True),
    ],
    ids=["silent", "garbage", "closing", "truncated"],
)
def test_a_hostile_server_is_given_up_in_one_line_after_the_retries(behaviour: Behaviour, scheme: str) -> None:
    threads, files = threading.active_count(), descriptors()
    with HostileServer(behaviour) as server:
        source = open_live_source(server.url(scheme), LiveOptions(open_timeout=0.3, read_timeout=0.3, retries=1))
        with pytest.raises(SourceError) as caught:
            list(source.items())
        wait_for(lambda: server.connections >= 2, PATIENCE, "a second attempt")
    message = str(caught.value)
    assert "\n" not in message
    assert "2 attempts" in message
    assert f"{server.port}" in message
    wait_for(lambda: threading.active_count() <= threads, PATIENCE, "the readers have gone")
    wait_for(lambda: descriptors() <= files, PATIENCE, "the sockets have gone")


def test_a_stream_that_is_cut_off_is_lost_and_tried_again() -> None:
    payload = transport_stream()
    with (
        HostileServer(sends(payload[: len(payload) * 2 // 3])) as server,
        Watcher(open_live_source(server.url("tcp", ""), LiveOptions())) as watcher,
    ):
        wait_for(lambda: len(watcher.joined) >= 2, PATIENCE, "Joined again")
    assert "cut" in watcher.lost[0].reason
    assert strictly_increasing(watcher.times)


def test_sound_alone_does_not_count_as_a_picture() -> None:
    whole = marked(100)
    packets = [whole[start : start + 188] for start in range(0, len(whole), 188)]
    # PID 0x100 is the video's: it stops after a half.
    heard = [packet for packet in packets[len(packets) // 2 :] if packet[1] & 0x1F != 1 or packet[2] != 0]
    payload = b"".join(packets[: len(packets) // 2] + heard)
    with HostileServer(sends(payload, rate=len(whole) / SECONDS / 4)) as server:
        source = open_live_source(server.url("tcp", ""), LiveOptions(read_timeout=0.4, retries=0))
        with pytest.raises(SourceError, match=r"no picture for 0\.4 s"):
            list(source.items())


@pytest.mark.parametrize("later", [7200, 100], ids=["forth", "back"])
def test_a_jump_of_the_streams_clock_is_neither_a_loss_nor_a_gap(later: int) -> None:
    parts = [transport_stream(begin) for begin in (3600, later)]
    with (
        HostileServer(sends(b"".join(parts), rate=len(parts[0]), hold=True)) as server,
        Watcher(open_live_source(server.url("tcp", ""), LiveOptions(read_timeout=10.0))) as watcher,
    ):
        watcher.await_frames(45)
    assert watcher.lost == []
    assert strictly_increasing(watcher.times)
    assert watcher.times[-1] - watcher.times[0] < 30
    assert max(after - before for before, after in itertools.pairwise(watcher.times)) < 5


def test_pictures_that_change_their_size_are_announced_without_a_loss() -> None:
    parts = transport_stream(10, 25) + transport_stream(11, 25, (96, 80))
    with (
        HostileServer(sends(parts, rate=len(parts) / 2, hold=True)) as server,
        Watcher(open_live_source(server.url("tcp", ""), LiveOptions(read_timeout=10.0))) as watcher,
    ):
        watcher.await_frames(40)
    assert watcher.lost == []
    assert [(joined.video.width, joined.video.height) for joined in watcher.joined] == [(64, 48), (96, 80)]
    assert [joined.reconnects for joined in watcher.joined] == [0, 0]
    assert set(watcher.sizes) == {(64, 48), (96, 80)}


def test_hdr_is_refused_at_once_and_let_through_if_asked_for() -> None:
    graph = "lavfi:testsrc=size=64x48:rate=25:duration=0.2,format=yuv420p,setparams=color_trc=smpte2084"
    with pytest.raises(UnsupportedVideoError, match="PQ"):
        list(open_live_source(graph, LiveOptions()).items())
    with Watcher(open_live_source(graph, LiveOptions(), hdr="passthrough")) as watcher:
        watcher.join()
    assert watcher.frames == 5


def test_a_picture_that_cannot_be_taken_is_a_loss_once_there_were_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "MAX_PIXELS", 64 * 48)
    parts = transport_stream(10, 25) + transport_stream(11, 25, (96, 80))
    with (
        HostileServer(sends(parts, rate=len(parts) / 2)) as server,
        Watcher(open_live_source(server.url("tcp", ""), LiveOptions())) as watcher,
    ):
        wait_for(lambda: len(watcher.joined) >= 2, PATIENCE, "Joined again")
    assert "too large" in watcher.lost[0].reason


def test_packets_that_are_lost_on_the_way_cost_pictures_and_nothing_else() -> None:
    whole = transport_stream(10, 100, (320, 240))
    chance = random.Random(7)
    packets = [whole[start : start + 188] for start in range(0, len(whole), 188)]
    parts = b"".join(packet for packet in packets if chance.random() > 0.03)
    with (
        HostileServer(sends(parts, rate=len(parts) / 2, hold=True)) as server,
        Watcher(open_live_source(server.url("tcp", ""), LiveOptions(read_timeout=10.0))) as watcher,
    ):
        watcher.await_frames(50)
    assert watcher.lost == []
    assert strictly_increasing(watcher.times)


def test_segments_that_come_one_at_a_time_are_no_loss(ffmpeg: str, tmp_path: Path) -> None:
    playlist = tmp_path / "eye.m3u8"
    made = [ffmpeg, "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=25,format=yuv420p"]
    encoder = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-g",
        "25",
        "-f",
        "hls",
        "-hls_time",
        "1",
        "-hls_list_size",
        "3",
    ]
    with running([*made, *encoder, str(playlist)]), served(tmp_path) as address:
        wait_for(playlist.exists, PATIENCE, "a playlist")
        with Watcher(open_live_source(f"{address}/eye.m3u8", LiveOptions(read_timeout=0.2))) as watcher:
            watcher.await_frames(60)
    assert watcher.lost == []
    assert strictly_increasing(watcher.times)


def test_retries_count_from_the_last_picture(make_rtsp_server: Callable[..., RtspServer]) -> None:
    server = make_rtsp_server().start()
    with Watcher(open_live_source(server.play_url, LiveOptions(retries=2))) as watcher:
        watcher.await_frames(3)
        server.kill()
        watcher.join()
    assert isinstance(watcher.error, SourceError)
    assert "3 attempts" in str(watcher.error)
    assert isinstance(watcher.lost[0], Lost)
