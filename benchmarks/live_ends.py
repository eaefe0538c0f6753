"""End to end on loopback: a frame counter burnt into the picture, seen before and after, beside plain ffmpeg."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from rtdehaze.apps.drive import drive_frames
from tests.live.servers import RtspServer

__all__ = ["RATE", "compare_ends", "write_clip"]

WIDTH, HEIGHT, RATE = 1280, 720, 30
GOP = 30
BITS = 14
BLOCK = 32
"""Pixels of a bit's side: four macroblocks, which survive any coding."""
BLACK, WHITE, MIDDLE = 16, 235, 125

SETTLING_S = 4.0
"""After the start of a program until its frames count."""

ENCODER = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", str(2 * RATE), "-bf", "0")


def compare_ends(seconds: float, turns: int) -> dict[str, Any]:
    """Measures how much later a frame is seen behind each program than directly, in alternation.

    A clip is sent by ffmpeg, without encoding anew, to an RTSP server that serves it to all who ask. The program under
    test reads it there and pushes to a second server. Two viewers decode both ends and note when they see which number.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = write_clip(folder / "clip.mkv", round((seconds + SETTLING_S + 6.0) * RATE))
        delays: dict[str, list[float]] = {"ffmpeg": [], "rtdehaze": []}
        medians: dict[str, list[float]] = {"ffmpeg": [], "rtdehaze": []}
        for _ in range(turns):
            for program in delays:
                found = _delays(program, clip, folder, seconds)
                delays[program] += found
                medians[program].append(statistics.median(found) if found else float("nan"))
                print(f"{program}: {len(found)} frames, median {medians[program][-1] * 1e3:.1f} ms", flush=True)
    return _summary(delays, medians, turns)


def _summary(delays: dict[str, list[float]], medians: dict[str, list[float]], turns: int) -> dict[str, Any]:
    figures: dict[str, Any] = {"video": f"{WIDTH}x{HEIGHT}, {RATE} fps, h264, RTSP in and out", "turns": turns}
    for program, found in delays.items():
        p50, p99 = np.percentile(np.array(found) * 1e3, (50, 99)) if found else (float("nan"),) * 2
        figures[program] = {
            "frames": len(found),
            "p50_ms": round(float(p50), 1),
            "p99_ms": round(float(p99), 1),
            "medians_ms": [round(value * 1e3, 1) for value in medians[program]],
        }
    more = figures["rtdehaze"]["p50_ms"] - figures["ffmpeg"]["p50_ms"]
    figures["more_frames_at_the_median"] = round(more * RATE / 1e3, 2)
    return figures


def _delays(program: str, clip: Path, folder: Path, seconds: float) -> list[float]:
    with _server(folder) as camera, _server(folder) as display, _running(_sender(clip, camera.record_url)):
        _wait_until_served(camera.replay_url)
        with _running(_program(program, camera.replay_url, display.record_url)):
            _wait_until_served(display.replay_url)
            before, after = _Viewer(camera.replay_url), _Viewer(display.replay_url)
            time.sleep(SETTLING_S + seconds)
            first, second = before.end(), after.end()
    begin = min(first.values(), default=0.0) + SETTLING_S
    return [second[number] - moment for number, moment in first.items() if moment >= begin and number in second]


@contextmanager
def _server(folder: Path) -> Iterator[RtspServer]:
    with RtspServer(Path(tempfile.mkdtemp(dir=folder)), size=(64, 48), rate=1) as server:
        yield server


def _sender(clip: Path, target: str) -> list[str]:
    return [
        "ffmpeg",
        "-v",
        "error",
        "-re",
        "-i",
        str(clip),
        "-c",
        "copy",
        "-rtsp_transport",
        "tcp",
        "-f",
        "rtsp",
        target,
    ]


def _program(program: str, source: str, target: str) -> list[str]:
    if program == "rtdehaze":
        run = [sys.executable, "-m", "rtdehaze", "run", source, "-o", target]
        return [*run, "--mode", "manual", "--encoder", "libx264", "--preset", "ultrafast", "--quiet"]
    prompt = ["-fflags", "nobuffer", "-flags", "low_delay", "-probesize", "32", "-thread_type", "slice"]
    command = ["ffmpeg", "-v", "error", *prompt, "-rtsp_transport", "tcp", "-i", source, *ENCODER]
    return [*command, "-flush_packets", "1", "-rtsp_transport", "tcp", "-f", "rtsp", target]


@contextmanager
def _running(command: list[str]) -> Iterator[None]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_served(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with av.open(url, options={"rtsp_transport": "tcp"}, timeout=(3, 3)) as container:
                next(container.demux(video=0))
                return
        except (av.FFmpegError, OSError, StopIteration):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


class _Viewer:
    """Decodes a stream in a thread and notes when it saw which number."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._seen: dict[int, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        options = {"rtsp_transport": "tcp", "fflags": "nobuffer", "probesize": "32"}
        try:
            with av.open(self._url, options=options, timeout=(5, 5)) as container:
                container.streams.video[0].thread_type = "SLICE"
                for frame in container.decode(video=0):
                    number = _number_in(frame)
                    self._seen.setdefault(number, time.monotonic())
                    if self._over.is_set():
                        return
        except (av.FFmpegError, OSError):
            return

    def end(self) -> dict[int, float]:
        self._over.set()
        self._thread.join(10)
        return self._seen


def _number_in(frame: av.VideoFrame) -> int:
    plane = frame.planes[0]
    lines = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[call-overload]
    middle = lines[BLOCK // 4 : 3 * BLOCK // 4, : BITS * BLOCK]
    levels = middle.reshape(len(middle), BITS, BLOCK)[:, :, BLOCK // 4 : 3 * BLOCK // 4].mean(axis=(0, 2))
    return sum(int(level > MIDDLE) << bit for bit, level in enumerate(levels))


def write_clip(path: Path, count: int, *, width: int = WIDTH, height: int = HEIGHT) -> Path:
    """Writes a foggy drive with its frames' numbers burnt in, coded as a camera does."""
    scene = drive_frames(width=width, height=height, count=12)
    command = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}"]
    command += ["-r", str(RATE), "-i", "-", *ENCODER, "-g", str(GOP), "-b:v", "4M", "-y", str(path)]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE)
    for number in range(count):
        frame = scene[_back_and_forth(number, len(scene))]
        planes = [np.ascontiguousarray(plane.samples) for plane in frame.planes]
        bits = [(number >> bit) & 1 for bit in range(BITS)]
        planes[0] = planes[0].copy()
        planes[0][:BLOCK, : BITS * BLOCK] = np.repeat([WHITE if bit else BLACK for bit in bits], BLOCK)
        for plane in planes[1:]:
            plane[: BLOCK // 2, : BITS * BLOCK // 2] = 128
        for plane in planes:
            writer.stdin.write(plane.tobytes())  # type: ignore[union-attr]
    writer.communicate()
    if writer.returncode:
        raise RuntimeError("ffmpeg could not write the clip")
    return path


def _back_and_forth(number: int, count: int) -> int:
    """Walks through a short scene and back, so that no cut resets what is remembered."""
    place = number % (2 * count - 2)
    return place if place < count else 2 * count - 2 - place
