"""Servers on loopback for live tests: a real RTSP server that can be killed and restarted, and hostile ones."""

from __future__ import annotations

import functools
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.live.hostile import Behaviour, HostileServer, dripping, garbage, sends, silence

__all__ = [
    "PATIENCE",
    "Behaviour",
    "HostileServer",
    "RtspServer",
    "dripping",
    "free_port",
    "garbage",
    "need_ffmpeg",
    "need_rtsp_server",
    "running",
    "sends",
    "served",
    "silence",
    "wait_for",
]

SYSTEM_PYTHON = "/usr/bin/python3"
_SCRIPT = Path(__file__).parent / "gst_rtsp.py"
PATIENCE = 60.0
"""Seconds to wait for what has no deadline of its own: a machine that runs tests may stand still for some."""

_NEEDED = """
import gi
for name, version in (("Gst", "1.0"), ("GstRtsp", "1.0"), ("GstRtspServer", "1.0")):
    gi.require_version(name, version)
from gi.repository import Gst, GstRtspServer
Gst.init(None)
missing = [name for name in ("x264enc", "rtph264pay", "voaacenc", "matroskamux") if not Gst.ElementFactory.find(name)]
assert not missing, "no " + ", ".join(missing)
"""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Asks the system for a port of loopback that nobody uses."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits until the condition holds; fails with `what` after that many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


def need_ffmpeg() -> str:
    """Returns the path of ffmpeg; without one the test is skipped, in CI failed."""
    path = shutil.which("ffmpeg")
    if path is None:
        _lacking("ffmpeg is not installed")
    return str(path)


def need_rtsp_server() -> None:
    """Skips the test, in CI fails it, where GStreamer's RTSP server is not installed."""
    trouble = _rtsp_trouble()
    if trouble:
        _lacking(f"GStreamer's RTSP server cannot be used: {trouble}")


@cache
def _rtsp_trouble() -> str:
    if not Path(SYSTEM_PYTHON).exists():
        return f"there is no {SYSTEM_PYTHON}"
    tried = subprocess.run([SYSTEM_PYTHON, "-c", _NEEDED], capture_output=True, text=True, timeout=60, check=False)
    return tried.stderr.strip().splitlines()[-1] if tried.returncode else ""


def _lacking(reason: str) -> None:
    if os.environ.get("RTDEHAZE_CI"):
        pytest.fail(f"{reason}; .ci/run must install it")
    pytest.skip(reason)


class RtspServer:
    """A real RTSP server in a process of its own, on one port for its whole life.

    Mounts: `play_url`; `record_url` (H.264) and `record_av_url` (H.264 and AAC) take pushes, which are written to
    `recordings()` and served again, video only, at `replay_url` while the push lasts.
    """

    def __init__(
        self,
        folder: Path,
        *,
        size: tuple[int, int] = (320, 240),
        rate: int = 25,
        gop: int = 10,
        bitrate: int = 2000,
        codec: str = "h264",
        pattern: str = "ball",
        audio: bool = False,
        user: str | None = None,
        password: str | None = None,
        auth: str = "basic",
    ) -> None:
        """Chooses a port; `start` starts it.

        Args:
            folder: Where pushes are written.
            size: Width and height of `/play`.
            rate: Its frames per second.
            gop: Frames from keyframe to keyframe.
            bitrate: kbit/s.
            codec: `h264` or `mjpeg`.
            pattern: Of videotestsrc.
            audio: Whether `/play` has sound, too.
            user: With `password`: what clients must know, for all mounts.
            password: See `user`.
            auth: `basic` or `digest`.
        """
        self.folder = folder
        self.size, self.rate, self.gop, self.bitrate = size, rate, gop, bitrate
        self.codec, self.pattern, self.audio = codec, pattern, audio
        self.user, self.password, self.auth = user, password, auth
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None
        self._runs = 0

    @property
    def play_url(self) -> str:
        return self.url("play")

    @property
    def record_url(self) -> str:
        return self.url("record")

    @property
    def record_av_url(self) -> str:
        return self.url("record-av")

    @property
    def replay_url(self) -> str:
        return self.url("replay")

    def url(self, mount: str, user: str | None = None, password: str | None = None) -> str:
        """Returns a mount's address, with credentials if they are given (percent-encode them first)."""
        who = "" if user is None else f"{user}:{password}@"
        return f"rtsp://{who}127.0.0.1:{self.port}/{mount}"

    def recordings(self) -> list[Path]:
        """Returns what was pushed so far, oldest first."""
        return sorted(self.folder.glob("run*/push*.mkv"), key=lambda path: path.stat().st_mtime)

    def start(self) -> Self:
        """Starts it with the attributes as they are now; returns once it listens."""
        assert self._process is None, "it is running"
        recordings = self.folder / f"run{self._runs}"
        recordings.mkdir(parents=True)
        self._runs += 1
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(_SCRIPT), *self._arguments(recordings)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        line = self._process.stdout.readline() if ready else ""
        if not line.startswith("ready"):
            self.kill()
            raise RuntimeError(f"the RTSP server did not start on port {self.port}: {line!r}")
        return self

    def _arguments(self, recordings: Path) -> list[str]:
        given = {
            "port": self.port,
            "size": "{}x{}".format(*self.size),
            "rate": self.rate,
            "gop": self.gop,
            "bitrate": self.bitrate,
            "codec": self.codec,
            "pattern": self.pattern,
            "recordings": recordings,
            "user": self.user,
            "password": self.password,
            "auth": self.auth,
        }
        words = [f"--{name}={value}" for name, value in given.items() if value is not None]
        return [*words, "--audio"] if self.audio else words

    def kill(self) -> None:
        """Ends it at once, as a power cut would; connections are reset. Harmless where it does not run."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it as an operator would."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Stops it from doing anything, connections stay open: a camera that hangs."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "it is not running"
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serves a folder by HTTP until the block ends, and gives its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a peer such as ffmpeg until the block ends."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
