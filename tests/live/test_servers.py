"""The harness itself: what other tests rely on."""

from __future__ import annotations

from collections.abc import Callable

import av
import pytest

from tests.live.servers import PATIENCE, RtspServer, running, wait_for

TCP = {"rtsp_transport": "tcp"}


def first_frame(url: str) -> tuple[int, int]:
    with av.open(url, options=TCP, timeout=(PATIENCE, PATIENCE)) as container:
        frame = next(container.decode(video=0))
        return frame.width, frame.height


def test_the_rtsp_server_comes_back_on_its_port_with_another_picture(rtsp_server: RtspServer) -> None:
    assert first_frame(rtsp_server.play_url) == (320, 240)
    rtsp_server.kill()
    rtsp_server.size = (160, 96)
    rtsp_server.start()
    assert first_frame(rtsp_server.play_url) == (160, 96)


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_the_rtsp_server_asks_for_the_password(make_rtsp_server: Callable[..., RtspServer], auth: str) -> None:
    server = make_rtsp_server(user="eye", password="secret", auth=auth, audio=True).start()
    with pytest.raises(av.FFmpegError):
        first_frame(server.play_url)
    assert first_frame(server.url("play", "eye", "secret")) == (320, 240)


@pytest.mark.parametrize("sound", [False, True])
def test_a_push_is_written_and_served_again(rtsp_server: RtspServer, ffmpeg: str, sound: bool) -> None:
    tone = ["-f", "lavfi", "-i", "sine", "-c:a", "aac"] if sound else []
    push = [ffmpeg, "-re", "-f", "lavfi", "-i", "testsrc=size=192x128:rate=20", *tone, "-c:v", "libx264", "-preset"]
    push += ["ultrafast", "-tune", "zerolatency", "-g", "10", "-pix_fmt", "yuv420p", "-f", "rtsp"]
    target = rtsp_server.record_av_url if sound else rtsp_server.record_url
    with running([*push, "-rtsp_transport", "tcp", target]):
        wait_for(
            lambda: any(path.stat().st_size > 20_000 for path in rtsp_server.recordings()), PATIENCE, "a recording"
        )
        assert first_frame(rtsp_server.replay_url) == (192, 128)
    with av.open(str(rtsp_server.recordings()[0])) as recorded:
        kinds = [stream.type for stream in recorded.streams]
    assert kinds == (["video", "audio"] if sound else ["video"])
