"""Credentials reach the server and nobody else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from rtdehaze.core.errors import SourceError
from rtdehaze.core.live import LiveOptions
from rtdehaze.core.secrets import PASSWORD, PASSWORD_FILE, USER
from rtdehaze.stages.capture.live import open_live_source
from tests.live.servers import RtspServer, wait_for
from tests.stages.capture.live.watching import PATIENCE, Watcher

NAME, SECRET = "the eye", "h0r/se:st@ple%"

MakeServer = Callable[..., RtspServer]


@pytest.mark.parametrize(
    ("way", "auth"), [("url", "basic"), ("url", "digest"), ("environment", "digest"), ("file", "basic")]
)
def test_there_are_three_ways_to_give_them(
    make_rtsp_server: MakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, auth: str, way: str
) -> None:
    server = make_rtsp_server(user=NAME, password=SECRET, auth=auth).start()
    url = server.play_url
    if way == "url":
        url = server.url("play", quote(NAME, safe=""), quote(SECRET, safe=""))
    elif way == "environment":
        monkeypatch.setenv(USER, NAME)
        monkeypatch.setenv(PASSWORD, SECRET)
    else:
        (tmp_path / "password").write_text(SECRET + "\n")
        monkeypatch.setenv(USER, NAME)
        monkeypatch.setenv(PASSWORD_FILE, str(tmp_path / "password"))
    with Watcher(open_live_source(url, LiveOptions())) as watcher:
        watcher.await_frames(2)


def test_they_are_in_no_location_message_log_or_event(
    make_rtsp_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = make_rtsp_server(user="eye", password="h0rse").start()
    source = open_live_source(server.url("play", "eye", "h0rse"), LiveOptions(retries=3))
    with Watcher(source) as watcher:
        watcher.await_frames(2)
        server.kill()
        wait_for(lambda: bool(watcher.lost), PATIENCE, "Lost")
        watcher.join()
    told = [source.location, str(watcher.error), repr(watcher.joined), repr(watcher.lost), caplog.text]
    assert isinstance(watcher.error, SourceError)
    assert watcher.error.__cause__ is None
    assert watcher.error.__context__ is None or "h0rse" not in repr(watcher.error.__context__)
    assert not [text for text in told if "h0rse" in text or "eye:" in text]
    assert "127.0.0.1" in str(watcher.error)


def test_wrong_ones_are_told_at_once_with_the_remedy(make_rtsp_server: MakeServer) -> None:
    server = make_rtsp_server(user="eye", password="h0rse", auth="digest").start()
    with pytest.raises(SourceError, match=USER) as caught:
        list(open_live_source(server.url("play", "eye", "w0lf"), LiveOptions()).items())
    assert "w0lf" not in str(caught.value)
