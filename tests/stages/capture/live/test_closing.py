"""A source is closed at any moment: between attempts, while connecting, while its server is away or hangs."""

from __future__ import annotations

import threading
import time

import pytest

from rtdehaze.core.live import LiveOptions
from rtdehaze.stages.capture.live import open_live_source
from tests.live.servers import HostileServer, RtspServer, free_port, silence, wait_for
from tests.stages.capture.live.watching import PATIENCE, Watcher, descriptors


def never_listening() -> str:
    return f"rtsp://127.0.0.1:{free_port()}/eye"


def test_closing_ends_it_within_a_second_between_attempts() -> None:
    source = open_live_source(never_listening(), LiveOptions(retry_cap=60.0))
    with Watcher(source) as watcher:
        time.sleep(1.0)
        before = time.monotonic()
        source.close()
        watcher.join(1.0)
        assert time.monotonic() - before < 1.0
    assert watcher.error is None
    assert watcher.order == []


@pytest.mark.parametrize("scheme", ["rtsp", "rtmp", "http", "tcp", "udp"])
def test_closing_ends_it_within_a_second_while_connecting(scheme: str) -> None:
    files = descriptors()
    with HostileServer(silence) as server:
        threads = threading.active_count()
        source = open_live_source(server.url(scheme), LiveOptions(open_timeout=0.8))
        with Watcher(source) as watcher:
            wait_for(lambda: server.connections > 0 or scheme == "udp", PATIENCE, "a connection")
            time.sleep(0.2)
            before = time.monotonic()
            source.close()
            watcher.join(1.0)
            assert time.monotonic() - before < 1.0
        assert watcher.error is None
        wait_for(lambda: threading.active_count() <= threads, PATIENCE, "the reader has gone")
    wait_for(lambda: descriptors() <= files, PATIENCE, "the sockets have gone")


def test_closing_ends_it_within_a_second_while_the_server_is_away(rtsp_server: RtspServer) -> None:
    source = open_live_source(rtsp_server.play_url, LiveOptions(retry_cap=60.0))
    with Watcher(source) as watcher:
        watcher.await_frames(3)
        rtsp_server.kill()
        wait_for(lambda: bool(watcher.lost), PATIENCE, "Lost")
        time.sleep(1.0)
        before = time.monotonic()
        source.close()
        watcher.join(1.0)
        assert time.monotonic() - before < 1.0
    assert watcher.error is None


def test_closing_ends_it_within_a_second_while_a_server_hangs(rtsp_server: RtspServer) -> None:
    source = open_live_source(rtsp_server.play_url, LiveOptions(read_timeout=1.5))
    with Watcher(source) as watcher:
        watcher.await_frames(3)
        rtsp_server.freeze()
        time.sleep(0.3)
        before = time.monotonic()
        source.close()
        watcher.join(1.0)
        assert time.monotonic() - before < 1.0
    assert watcher.error is None
