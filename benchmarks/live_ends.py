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
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from rtdehaze.apps.drive import drive_frames
from tests.live.servers import SYSTEM_PYTHON, free_port

__all__ = ["RATE", "compare_ends", "write_clip"]

RATE = 30
GOP = 30
CAMERA = Path(__file__).with_name("live_camera.py")
BITS = 14
BLOCK = 32
"""Pixels of a bit's side: four macroblocks, which survive any coding."""
BLACK, WHITE, MIDDLE = 16, 235, 125

LISTEN_S = 40
"""How long a viewer waits for a push."""
SETTLING_S = 4.0
"""After the start of a program until its frames count."""

ENCODER = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", str(2 * RATE), "-bf", "0")


def compare_ends(seconds: float, turns: int, size: tuple[int, int]) -> dict[str, Any]:
    """Measures how much later a frame is seen behind each program than directly, in alternation.

    A clip is served by RTSP at its own pace to all who ask. The program under test reads it there and pushes to a
    viewer; a second viewer reads it directly. Both decode alike and note when they see which number.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = write_clip(folder / "clip.mkv", round((seconds + SETTLING_S + 10.0) * RATE), size)
        delays: dict[str, list[float]] = {"ffmpeg": [], "rtdehaze": []}
        medians: dict[str, list[float]] = {"ffmpeg": [], "rtdehaze": []}
        for _ in range(turns):
            for program in delays:
                found = _delays(program, clip, seconds)
                delays[program] += found
                medians[program].append(statistics.median(found) if found else float("nan"))
                print(f"{program}: {len(found)} frames, median {medians[program][-1] * 1e3:.1f} ms", flush=True)
    return {"video": f"{size[0]}x{size[1]}, {RATE} fps, h264, RTSP in and out", **_summary(delays, medians, turns)}


def _summary(delays: dict[str, list[float]], medians: dict[str, list[float]], turns: int) -> dict[str, Any]:
    figures: dict[str, Any] = {"turns": turns}
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


def _delays(program: str, clip: Path, seconds: float) -> list[float]:
    camera, display = (f"rtsp://127.0.0.1:{free_port()}/{name}" for name in ("camera", "display"))
    with ExitStack() as running:
        serving = running.enter_context(
            _running([SYSTEM_PYTHON, str(CAMERA), camera.split(":")[2].split("/")[0], str(clip)])
        )
        serving.stdout.readline()  # type: ignore[union-attr]
        after = _Viewer(display, listen=True)
        time.sleep(1.0)  # ffmpeg does not try twice
        running.enter_context(_running(_program(program, camera, display)))
        if not after.began.wait(LISTEN_S):
            raise RuntimeError(f"{program} did not push to {display}")
        before = _Viewer(camera)
        time.sleep(SETTLING_S + seconds)
        first, second = before.end(), after.end()
    begin = min(first.values(), default=0.0) + SETTLING_S
    return [second[number] - moment for number, moment in first.items() if moment >= begin and number in second]


def _program(program: str, source: str, target: str) -> list[str]:
    if program == "rtdehaze":
        run = [sys.executable, "-m", "rtdehaze", "run", source, "-o", target]
        return [*run, "--mode", "manual", "--encoder", "libx264", "--preset", "ultrafast", "--quiet"]
    prompt = ["-fflags", "nobuffer", "-flags", "low_delay", "-probesize", "32", "-thread_type", "slice"]
    command = ["ffmpeg", "-v", "error", *prompt, "-rtsp_transport", "tcp", "-i", source, *ENCODER]
    return [*command, "-flush_packets", "1", "-rtsp_transport", "tcp", "-f", "rtsp", target]


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


class _Viewer:
    """Decodes a stream in a thread and notes when it saw which number.

    Args:
        url: Of the stream.
        listen: Wait for a push there, instead of asking for it.
    """

    def __init__(self, url: str, *, listen: bool = False) -> None:
        self._url = url
        listening = {"rtsp_flags": "listen", "listen_timeout": str(LISTEN_S)} if listen else {}
        self._options = {"rtsp_transport": "tcp", "probesize": "32", **listening}
        self._timeout = None if listen else (10, 5)
        self._seen: dict[int, float] = {}
        self._over = threading.Event()
        self.began = threading.Event()
        """Set by the first frame."""
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        try:
            with av.open(self._url, options=self._options, timeout=self._timeout) as container:
                container.streams.video[0].thread_type = "SLICE"
                for frame in container.decode(video=0):
                    self._seen.setdefault(_number_in(frame), time.monotonic())
                    self.began.set()
                    if self._over.is_set():
                        return
        except (av.FFmpegError, OSError):
            return

    def end(self) -> dict[int, float]:
        """Stops, and returns the moment of each number."""
        self._over.set()
        self._thread.join(10)
        return self._seen


def _number_in(frame: av.VideoFrame) -> int:
    plane = frame.planes[0]
    lines = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[call-overload]
    middle = lines[BLOCK // 4 : 3 * BLOCK // 4, : BITS * BLOCK]
    levels = middle.reshape(len(middle), BITS, BLOCK)[:, :, BLOCK // 4 : 3 * BLOCK // 4].mean(axis=(0, 2))
    return sum(int(level > MIDDLE) << bit for bit, level in enumerate(levels))


def write_clip(path: Path, count: int, size: tuple[int, int]) -> Path:
    """Writes a foggy drive with its frames' numbers burnt in, coded as a camera does."""
    width, height = size
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
