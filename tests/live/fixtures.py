"""Fixtures for live tests; a conftest.py that wants them says `from tests.live.fixtures import *`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.live.servers import RtspServer, need_ffmpeg, need_rtsp_server

__all__ = ["ffmpeg", "make_rtsp_server", "rtsp_server"]


@pytest.fixture
def make_rtsp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RtspServer]]:
    """Makes RTSP servers by `RtspServer`'s keywords, not yet started; they are killed after the test."""
    need_rtsp_server()
    servers: list[RtspServer] = []

    def make(**keywords: Any) -> RtspServer:
        servers.append(RtspServer(tmp_path_factory.mktemp("rtsp"), **keywords))
        return servers[-1]

    yield make
    for server in servers:
        server.kill()


@pytest.fixture
def rtsp_server(make_rtsp_server: Callable[..., RtspServer]) -> RtspServer:
    """A running RTSP server: 320x240, 25 frames a second, no sound, no password."""
    return make_rtsp_server().start()


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """The path of ffmpeg, as a peer."""
    return need_ffmpeg()
