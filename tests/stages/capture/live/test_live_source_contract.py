"""What every live source does, whatever it is of: one suite over all that can be tried without devices."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rtdehaze.core.frame import PIXEL_FORMATS
from rtdehaze.core.live import LiveOptions
from rtdehaze.stages.capture.live import open_live_source
from rtdehaze.stages.capture.live.timeline import VIDEO_BASE
from tests.live.machine import Witness
from tests.live.servers import RtspServer, free_port, need_ffmpeg, need_rtsp_server, running, served, wait_for
from tests.media import write_video
from tests.stages.capture.live.watching import PATIENCE, Watcher, descriptors, strictly_increasing

SIZE = (192, 128)
PICTURE = f"testsrc=size={SIZE[0]}x{SIZE[1]}:rate=25,format=yuv420p"
ENCODED = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10", "-c:a", "aac"]

Opened = tuple[str, dict[str, Any]]


def pushed(target: str, *output: str) -> list[str]:
    """ffmpeg's arguments for a picture with a tone, in real time."""
    made = ["-v", "error", "-re", "-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", "sine"]
    return [need_ffmpeg(), *made, *ENCODED, *output, target]


def rtsp(stack: ExitStack, folder: Path, transport: str = "tcp") -> Opened:
    need_rtsp_server()
    server = stack.enter_context(RtspServer(folder, size=SIZE, audio=True))
    return server.play_url, {"rtsp_transport": transport}


def udp(stack: ExitStack, folder: Path) -> Opened:
    url = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    stack.enter_context(running(pushed(url + "?pkt_size=1316", "-f", "mpegts")))
    return url, {}


def rtp(stack: ExitStack, folder: Path) -> Opened:
    url = f"rtp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    stack.enter_context(running(pushed(url, "-f", "rtp_mpegts")))
    return url, {}


def tcp(stack: ExitStack, folder: Path) -> Opened:
    url = f"tcp://127.0.0.1:{free_port()}"
    stack.enter_context(running(pushed(url + "?listen=1", "-f", "mpegts")))
    return url, {}


def rtmp(stack: ExitStack, folder: Path) -> Opened:
    url = f"rtmp://127.0.0.1:{free_port()}/live/eye"
    stack.enter_context(running(pushed(url, "-f", "flv", "-listen", "1")))
    return url, {}


def mjpeg(stack: ExitStack, folder: Path) -> Opened:
    url = f"http://127.0.0.1:{free_port()}/eye.mjpg"
    output = ["-an", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-f", "mpjpeg", "-listen", "1"]
    stack.enter_context(running(pushed(url, *output)))
    return url, {}


def hls(stack: ExitStack, folder: Path) -> Opened:
    playlist = folder / "eye.m3u8"
    stack.enter_context(running(pushed(str(playlist), "-f", "hls", "-hls_time", "1", "-hls_list_size", "5")))
    wait_for(lambda: playlist.exists() and len(list(folder.glob("*.ts"))) > 2, PATIENCE, "a playlist")
    return f"{stack.enter_context(served(folder))}/eye.m3u8", {}


def piped(stack: ExitStack, folder: Path) -> Opened:
    path = folder / "pipe"
    os.mkfifo(path)
    stack.enter_context(running(pushed(str(path), "-y", "-f", "mpegts")))
    kept = os.dup(0)
    stack.callback(os.close, kept)
    stack.callback(os.dup2, kept, 0)
    reading = os.open(path, os.O_RDONLY)
    os.dup2(reading, 0)
    os.close(reading)
    return "-", {}


def filters(stack: ExitStack, folder: Path) -> Opened:
    return f"lavfi:{PICTURE}", {}


def file(stack: ExitStack, folder: Path) -> Opened:
    path = folder / "long.mp4"
    write_video(path, width=SIZE[0], height=SIZE[1], frames=100)
    return str(path), {}


SOURCES: dict[str, Callable[[ExitStack, Path], Opened]] = {
    "rtsp": rtsp,
    "rtsp over udp": lambda stack, folder: rtsp(stack, folder, "udp"),
    "rtmp": rtmp,
    "mjpeg": mjpeg,
    "hls": hls,
    "udp": udp,
    "rtp": rtp,
    "tcp": tcp,
    "stdin": piped,
    "lavfi": filters,
    "file": file,
}
WITH_SOUND = {"rtsp", "rtsp over udp", "rtmp", "hls", "udp", "rtp", "tcp", "stdin"}


@dataclass(frozen=True)
class Run:
    """A source that was watched for 25 frames and closed then."""

    kind: str
    watcher: Watcher
    stood_still: float
    """Seconds in which the machine did nothing."""
    gone: bool
    """Whether its threads, files and sockets were gone afterwards."""


@pytest.fixture(scope="module", params=SOURCES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with ExitStack() as stack:
        location, words = SOURCES[request.param](stack, tmp_path_factory.mktemp("live"))
        threads, files = threading.active_count(), descriptors()
        source = open_live_source(location, LiveOptions(**words))
        with Witness() as witness, Watcher(source) as watcher:
            watcher.await_frames(25)
            source.close()
            watcher.join()
            source.close()
        deadline = time.monotonic() + PATIENCE
        while not (gone := threading.active_count() <= threads and descriptors() <= files):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        yield Run(request.param, watcher, witness.stood_still, gone)


def test_the_first_item_says_what_the_frames_are_like(run: Run) -> None:
    assert run.watcher.error is None
    assert run.watcher.order[0] == "Joined"
    [joined] = run.watcher.joined
    assert joined.reconnects == 0
    assert (joined.video.width, joined.video.height) == SIZE
    assert joined.video.time_base == VIDEO_BASE
    assert joined.video.format.name in PIXEL_FORMATS
    assert set(run.watcher.sizes) == {SIZE}


def test_times_run_on_from_the_beginning_of_the_run_and_keep_near_to_arrival(run: Run) -> None:
    assert strictly_increasing(run.watcher.times)
    assert run.watcher.times[0] >= 0
    # A busy machine delays single frames, hence the median.
    assert abs(sorted(run.watcher.deviations)[12]) < 0.5 + run.stood_still
    assert sorted(run.watcher.ages)[12] < 0.5 + run.stood_still


def test_sound_comes_along_on_the_same_clock(run: Run) -> None:
    if run.kind not in WITH_SOUND:
        assert run.watcher.joined[0].copied == ()
        return
    assert [stream.kind for stream in run.watcher.joined[0].copied] == ["audio"]
    assert strictly_increasing(run.watcher.sound)
    # MPEG-TS interleaves by up to 0.7 s.
    assert abs(run.watcher.sound[-1] - run.watcher.times[-1]) < 1.5 + run.stood_still


def test_closing_leaves_nothing(run: Run) -> None:
    assert run.gone


def test_a_frame_and_the_description_of_sound_outlive_their_connection(run: Run) -> None:
    assert run.watcher.first is not None
    assert int(run.watcher.first.planes[0].samples.sum()) > 0
    for stream in run.watcher.joined[0].copied:
        native: Any = stream.native
        assert native.codec_context.sample_rate > 0
        assert native.time_base > 0


@pytest.mark.parametrize(
    "location",
    ["rtsp://127.0.0.1:9/1", "udp://127.0.0.1:9", "http://127.0.0.1:9", "lavfi:testsrc", "-", "/dev/video0"],
)
def test_a_source_that_was_closed_before_connects_to_nothing(location: str) -> None:
    source = open_live_source(location, LiveOptions())
    source.close()
    assert list(source.items()) == []
    assert source.skipped == {}
    assert source.location == location
