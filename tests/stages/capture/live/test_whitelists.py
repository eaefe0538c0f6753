"""What comes from outside cannot make the program open local files or speak to other services."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rtdehaze.core.errors import SourceError
from rtdehaze.core.live import LiveOptions
from rtdehaze.stages.capture.live import open_live_source
from tests.live.servers import HostileServer, sends, silence
from tests.media import write_video
from tests.stages.capture.live.watching import Watcher

ONCE = LiveOptions(open_timeout=3.0, read_timeout=1.0, retries=0)

Reply = Callable[[str, int], bytes]
"""What a hostile server answers, given the path of a video on this machine and the port of another service."""


def page(kind: str, body: str) -> bytes:
    return f"HTTP/1.0 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def playlist(segment: str) -> bytes:
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:10", "#EXTINF:10,", segment, "#EXT-X-ENDLIST", ""]
    return page("application/vnd.apple.mpegurl", "\n".join(lines))


def moved(target: str) -> bytes:
    return f"HTTP/1.0 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()


def script(path: str) -> bytes:
    return page("text/plain", f"ffconcat version 1.0\nfile '{path}'\n")


def description(port: int) -> bytes:
    lines = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=x", "c=IN IP4 127.0.0.1", "t=0 0", f"m=video {port} RTP/AVP 96"]
    return page("application/sdp", "\r\n".join([*lines, "a=rtpmap:96 H264/90000", ""]))


LOCAL: dict[str, Reply] = {
    "a segment that is a file": lambda path, _: playlist(f"file://{path}"),
    "a segment that is a path": lambda path, _: playlist(path),
    "a segment by concat": lambda path, _: playlist(f"concat:{path}"),
    "a segment by subfile": lambda path, _: playlist(f"subfile,,start,0,end,0,,:{path}"),
    "a segment by crypto": lambda path, _: playlist(f"crypto+file://{path}"),
    "a redirection to a file": lambda path, _: moved(f"file://{path}"),
    "a script of files": lambda path, _: script(path),
    "a playlist for the password file": lambda path, _: playlist("file:///etc/passwd"),
}
OTHERS: dict[str, Reply] = {
    "a segment by rtsp": lambda _, port: playlist(f"rtsp://127.0.0.1:{port}/1"),
    "a segment by tcp": lambda _, port: playlist(f"tcp://127.0.0.1:{port}"),
    "a segment by rtmp": lambda _, port: playlist(f"rtmp://127.0.0.1:{port}/1/2"),
    "a segment by gopher": lambda _, port: playlist(f"gopher://127.0.0.1:{port}/1"),
    "a redirection to rtsp": lambda _, port: moved(f"rtsp://127.0.0.1:{port}/1"),
    "a redirection to tcp": lambda _, port: moved(f"tcp://127.0.0.1:{port}"),
    "a session description": lambda _, port: description(port),
}


@pytest.fixture
def video(tmp_path: Path) -> str:
    return str(write_video(tmp_path / "private.ts", width=64, height=48, frames=10))


@pytest.mark.parametrize("reply", LOCAL.values(), ids=LOCAL)
def test_a_server_cannot_have_a_local_file_read(video: str, reply: Reply) -> None:
    with HostileServer(sends(reply(video, 0))) as server:
        with Watcher(open_live_source(server.url("http", "live.m3u8"), ONCE)) as watcher:
            watcher.join()
        assert server.connections > 0
    assert isinstance(watcher.error, SourceError)
    assert watcher.order == []


@pytest.mark.parametrize("reply", OTHERS.values(), ids=OTHERS)
def test_a_server_cannot_have_another_service_spoken_to(video: str, reply: Reply) -> None:
    with HostileServer(silence) as victim, HostileServer(sends(reply(video, victim.port))) as server:
        with Watcher(open_live_source(server.url("http", "live.m3u8"), ONCE)) as watcher:
            watcher.join()
        assert server.connections > 0
        assert victim.connections == 0
    assert isinstance(watcher.error, SourceError)


@pytest.mark.parametrize("reply", [playlist("file://{path}"), script("{path}")], ids=["playlist", "script"])
def test_bytes_by_plain_tcp_are_media_or_nothing(video: str, reply: bytes) -> None:
    body = reply.partition(b"\r\n\r\n")[2].replace(b"{path}", video.encode())
    with HostileServer(sends(body)) as server, Watcher(open_live_source(server.url("tcp", ""), ONCE)) as watcher:
        watcher.join()
    assert isinstance(watcher.error, SourceError)
    assert watcher.order == []


def test_the_same_playlist_plays_what_the_server_itself_has(tmp_path: Path, video: str) -> None:
    segment = Path(video).read_bytes()

    def answer(connection, over):  # type: ignore[no-untyped-def]
        wanted = connection.recv(4096).split()[1]
        if wanted == b"/live.m3u8":
            connection.sendall(playlist("private.ts"))
        else:
            head = f"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\nContent-Length: {len(segment)}\r\n\r\n"
            connection.sendall(head.encode() + segment)

    with (
        HostileServer(answer) as server,
        Watcher(open_live_source(server.url("http", "live.m3u8"), ONCE)) as watcher,
    ):
        watcher.join()
    assert watcher.error is None
    assert watcher.frames == 10
