"""A source is closed at any moment: between attempts, while connecting, while its server is away or hangs."""

from __future__ import annotations

import threading

import pytest

from rtdehaze.core.live import LiveOptions
from rtdehaze.stages.capture.live import backoff, open_live_source
from rtdehaze.stages.capture.live.backoff import Backoff
from tests.live.servers import HostileServer, RtspServer, free_port, silence, wait_for
from tests.stages.capture.live.watching import PATIENCE, Watcher, descriptors

LONG = 600.0
"""Seconds of what closing must not wait for: far more than any machine stands still, and than a test waits."""


def test_closing_ends_it_at_once_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "_FIRST", LONG)
    pausing = threading.Event()
    fail = Backoff.fail
    monkeypatch.setattr(Backoff, "fail", lambda self: (fail(self), pausing.set())[0])
    source = open_live_source(f"rtsp://127.0.0.1:{free_port()}/eye", LiveOptions(retry_cap=LONG))
    with Watcher(source) as watcher:
        assert pausing.wait(PATIENCE)
        source.close()
        watcher.join()
    assert watcher.error is None
    assert watcher.order == []


@pytest.mark.parametrize("scheme", ["rtsp", "rtmp", "http", "tcp", "udp"])
def test_closing_ends_it_at_once_while_connecting(scheme: str) -> None:
    # Nothing but its timeout ends FFmpeg's wait for a datagram, and the thread that waits is to be seen to go.
    timeout = 1.0 if scheme == "udp" else LONG
    files = descriptors()
    threads = threading.active_count()
    with HostileServer(silence) as server:
        source = open_live_source(server.url(scheme), LiveOptions(open_timeout=timeout))
        with Watcher(source) as watcher:
            wait_for(lambda: server.connections > 0 or scheme == "udp", PATIENCE, "a connection")
            source.close()
            watcher.join()
        assert watcher.error is None
    # With their server the others go.
    wait_for(lambda: threading.active_count() <= threads, PATIENCE, "the reader has gone")
    wait_for(lambda: descriptors() <= files, PATIENCE, "the sockets have gone")


def test_closing_ends_it_at_once_while_the_server_is_away(
    rtsp_server: RtspServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "_FIRST", LONG)
    source = open_live_source(rtsp_server.play_url, LiveOptions(retry_cap=LONG))
    with Watcher(source) as watcher:
        watcher.await_frames(3)
        rtsp_server.kill()
        wait_for(lambda: bool(watcher.lost), PATIENCE, "Lost")
        source.close()
        watcher.join()
    assert watcher.error is None


def test_closing_ends_it_at_once_while_a_server_hangs(rtsp_server: RtspServer) -> None:
    source = open_live_source(rtsp_server.play_url, LiveOptions(read_timeout=LONG))
    with Watcher(source) as watcher:
        watcher.await_frames(3)
        rtsp_server.freeze()
        source.close()
        watcher.join()
    assert watcher.error is None
