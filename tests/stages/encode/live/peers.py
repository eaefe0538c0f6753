"""Those who take what live outputs send: real files, real ffmpeg, the real RTSP server, readers of pipes."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.live.servers import PATIENCE, RtspServer, free_port, wait_for


@dataclass
class Peer:
    """One who takes an output: where to send, how to begin, how to end, and what was received."""

    name: str
    location: str
    received: Callable[[], list[Path]]
    begin: Callable[[], None] = lambda: None
    end: Callable[[], None] = lambda: None


@dataclass
class Seen:
    """What a viewer of a recording sees and hears."""

    times: list[float] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    flashes: list[float] = field(default_factory=list)
    """Times of the white frames."""
    greys: list[int] = field(default_factory=list)
    beeps: list[float] = field(default_factory=list)
    """Times at which the sound becomes loud."""
    codecs: list[str] = field(default_factory=list)


def seen(path: Path, *, sound: bool = True) -> Seen:
    """Decodes all of a recording."""
    result = Seen()
    with av.open(str(path)) as container:
        result.codecs = [stream.codec_context.name for stream in container.streams if stream.codec_context]
        for frame in container.decode(video=0):
            grey = int(np.frombuffer(frame.planes[0], np.uint8)[: frame.width].mean())
            result.times.append(frame.time)
            result.sizes.append((frame.width, frame.height))
            result.greys.append(grey)
            if grey > 200:
                result.flashes.append(frame.time)
    if sound:
        with av.open(str(path)) as container:
            result.beeps = _beeps(container) if container.streams.audio else []
    return result


def _beeps(container: Any) -> list[float]:
    found: list[float] = []
    quiet_since = -1.0
    for frame in container.decode(audio=0):
        samples = frame.to_ndarray().astype(np.float64).reshape(-1)
        if frame.format.name.startswith("s16"):
            samples /= 32768
        loud = np.flatnonzero(np.abs(samples) > 0.15)
        if not len(loud):
            continue
        first = frame.time + loud[0] / frame.sample_rate
        if first - quiet_since > 0.5:
            found.append(first)
        quiet_since = frame.time + loud[-1] / frame.sample_rate
    return found


def file_peer(folder: Path, name: str) -> Peer:
    path = folder / name
    return Peer(name, str(path), lambda: [path])


def folder_peer(folder: Path, name: str, pattern: str, suffix: str) -> Peer:
    """Files cut by time."""
    (folder / name).mkdir()
    return Peer(name, f"{folder / name}/{pattern}", lambda: sorted((folder / name).glob(f"*{suffix}")))


def playlist_peer(folder: Path) -> Peer:
    path = folder / "hls" / "cam.m3u8"
    return Peer("hls", str(path), lambda: [path])


def server_peer(server: RtspServer) -> Peer:
    return Peer("server", server.record_av_url, server.recordings)


def ffmpeg_peer(name: str, ffmpeg: str, folder: Path, location: str, *arguments: str) -> Peer:
    """Real ffmpeg that receives and records."""
    path = folder / f"{name}.mkv"
    process: list[subprocess.Popen[bytes]] = []

    def begin() -> None:
        process.append(recording(ffmpeg, path, *arguments))
        # Who comes before it listens would be refused.
        wait_for(lambda: listens(int(location.split(":")[2].split("/")[0])), PATIENCE, f"ffmpeg listens for {name}")

    return Peer(name, location, lambda: [path], begin, lambda: ended(process[0]))


def recording(ffmpeg: str, path: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [ffmpeg, "-nostdin", "-y", *arguments, "-map", "0", "-c", "copy", "-copyts", str(path)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, bufsize=0
    )


def ended(process: subprocess.Popen[bytes]) -> None:
    """Waits until it has recorded all."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    """Whether somebody on this machine listens at a port of loopback, by TCP."""
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if int(local.rpartition(":")[2], 16) == port and state == "0A":
                return True
    return False


def udp_peer(ffmpeg: str, folder: Path) -> Peer:
    """Hands what comes by UDP to ffmpeg, whose own reader of it knows of no end but a time without anything."""
    path, over = folder / "udp.mkv", threading.Event()
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(0.05)
    process: list[subprocess.Popen[bytes]] = []

    def receive() -> None:
        assert process[0].stdin is not None
        while True:
            last = over.is_set()
            try:
                process[0].stdin.write(receiver.recv(1 << 16))
            except TimeoutError:
                if last:
                    return

    thread = threading.Thread(target=receive, daemon=True)

    def begin() -> None:
        process.append(recording(ffmpeg, path, "-f", "mpegts", "-i", "-"))
        thread.start()

    def end() -> None:
        over.set()
        thread.join(PATIENCE)
        receiver.close()
        ended(process[0])

    return Peer("udp", f"udp://127.0.0.1:{receiver.getsockname()[1]}", lambda: [path], begin, end)


def tcp_peer(ffmpeg: str, folder: Path) -> Peer:
    address = f"tcp://127.0.0.1:{free_port()}"
    return ffmpeg_peer("tcp", ffmpeg, folder, address, "-i", f"{address}?listen")


def rtsp_peer(ffmpeg: str, folder: Path) -> Peer:
    address = f"rtsp://127.0.0.1:{free_port()}/live"
    return ffmpeg_peer("rtsp", ffmpeg, folder, address, "-rtsp_flags", "listen", "-i", address)


def rtmp_peer(ffmpeg: str, folder: Path) -> Peer:
    address = f"rtmp://127.0.0.1:{free_port()}/live/cam"
    return ffmpeg_peer("rtmp", ffmpeg, folder, address, "-f", "flv", "-listen", "1", "-i", address)


def fifo_peer(folder: Path) -> Peer:
    """A named pipe and one who reads it into a file."""
    pipe, copy = folder / "pipe.ts", folder / "read.ts"
    os.mkfifo(pipe)

    def read() -> None:
        with pipe.open("rb", 0) as source, copy.open("wb") as file:
            while data := source.read(1 << 16):
                file.write(data)

    thread = threading.Thread(target=read, daemon=True)
    return Peer("fifo", str(pipe), lambda: [copy], thread.start, lambda: thread.join(PATIENCE))
