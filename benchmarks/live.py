"""Live runs: added latency and drops, end to end beside plain ffmpeg, and a soak at many times real speed.

python benchmarks/live.py latency --seconds 60
python benchmarks/live.py ends --seconds 20 --turns 3
python benchmarks/live.py soak --frames 200000

Needs ffmpeg; `ends` needs GStreamer's RTSP server, too. Each part is saved beside the others in live.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from arguments import duration, model_word, pixels_word, run_script, whole
from live_ends import RATE, compare_ends, write_clip
from results import add_out, save

from rtdehaze.apps.bench.stolen import StolenTime
from rtdehaze.apps.drive import drive_frames
from rtdehaze.core.live import Joined, LiveItem, LiveOptions, Lost
from rtdehaze.core.options import Mode, Options
from rtdehaze.core.watch import LiveStatus
from rtdehaze.pipeline.live.report import LiveReport
from rtdehaze.pipeline.live.watch import LiveRun, watch, watch_source
from rtdehaze.stages.capture.memory import MemorySource

LATENCY = (("1280x720", "file.ts"), ("1920x1080", "null"))
"""Size of the input and where the output goes."""
HEAD_START_S = 5.0
"""For the run to be ready before the first frame is sent."""


def latency(seconds: float) -> list[dict[str, Any]]:
    """Measures 30 frames a second of h264, sent by ffmpeg as MPEG-TS over UDP without encoding anew."""
    figures = []
    for size, output in LATENCY:
        width, height = map(int, size.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            clip = write_clip(Path(folder) / "clip.mkv", round((seconds + 5.0) * RATE), (width, height))
            where = "null" if output == "null" else str(Path(folder) / output)
            stolen = StolenTime()
            report = _measure(clip, where, seconds)
        what = {"input": f"{size}, h264, {RATE} fps", "output": output, "stolen": stolen.share()}
        figures.append(what | _summary(report))
        print(json.dumps(figures[-1]))
    return figures


def _measure(clip: Path, output: str, seconds: float) -> LiveReport:
    address = f"udp://127.0.0.1:{_free_port()}"
    command = ["ffmpeg", "-v", "error", "-re", "-i", str(clip), "-c", "copy", "-f", "mpegts"]
    senders: list[subprocess.Popen[bytes]] = []

    def send() -> None:
        senders.append(subprocess.Popen([*command, f"{address}?pkt_size=1316"], stdin=subprocess.DEVNULL))

    # The receiver listens by then, so that the first keyframe is not missed.
    timer = threading.Timer(HEAD_START_S, send)
    options = Options(mode=Mode.MANUAL, preset="ultrafast", provider="cpu", duration=seconds)  # type: ignore[arg-type]
    live = LiveOptions(open_timeout=4 * HEAD_START_S, read_timeout=10.0)
    try:
        return watch(address, [output], options, live, on_start=lambda _: timer.start())
    finally:
        timer.cancel()
        for sender in senders:
            sender.kill()
            sender.wait()


def _summary(report: LiveReport) -> dict[str, Any]:
    return {
        "frames_in": report.frames_in,
        "frames_out": report.frames_out,
        "dropped": report.dropped,
        "added_ms": report.added_ms,
        "age_ms": report.age_ms,
        "stages": report.stages,
        "every": report.every,
        "model": report.model,
    }


class Endless:
    """A live source in memory: as many frames as it is asked for, as fast as they are taken.

    Now and then frames come in a burst, and the source is lost and comes back with another size.
    """

    location = "memory"

    def __init__(self, count: int) -> None:
        self._count = count
        self._closed = threading.Event()
        self.run: LiveRun | None = None
        self.skipped: dict[str, int] = {}
        self._makes = [drive_frames(width=width, height=height, count=24) for width, height in ((160, 96), (128, 96))]

    def items(self) -> Iterator[LiveItem]:
        """Yields the frames; their planes are shared, not copied."""
        for number in range(self._count):
            if self._closed.is_set():
                return
            clip = self._makes[number // 10_000 % 2]
            if number % 5_000 == 0:
                if number:
                    yield Lost("for the soak")
                video = replace(MemorySource(clip, rate=Fraction(25)).video, duration=None, frames=None)
                yield Joined(video, (), number // 5_000, 0.0)
            if number % 500 >= 20:
                self._wait()
            frame = clip[number % len(clip)]
            yield replace(frame, pts=number, time_base=Fraction(1, 25), arrival=time.monotonic())

    def _wait(self) -> None:
        """Until no queue can be full, even where every thread waits for its turn."""
        while self.run is not None and self.run.status().under_way > 1 and not self._closed.is_set():
            time.sleep(0.0005)

    def close(self) -> None:
        """Ends it."""
        self._closed.set()


def soak(count: int, model: str | None) -> dict[str, Any]:
    """Watches memory, descriptors and threads over a run with real encoders, segments and reconnecting."""
    source = Endless(count)
    seen: list[tuple[int, float, int, int]] = []

    def look(status: LiveStatus) -> None:
        seen.append((status.frames_in, _resident_mib(), _entries("fd"), _entries("task")))

    def begin(run: LiveRun) -> None:
        source.run = run

    with tempfile.TemporaryDirectory() as folder:
        outputs = ["null", f"{folder}/%Y%m%d-%H%M%S.ts"]
        live = LiveOptions(segment=60.0, keep_bytes=20_000_000)
        options = Options(model=model, mode=Mode.MANUAL, preset="ultrafast", provider="cpu")  # type: ignore[arg-type]
        report = watch_source(source, outputs, options, live, on_progress=look, on_start=begin)
    # The last look is taken when all has been closed.
    warm = [sample for sample in seen[:-1] if sample[0] >= count * 0.1]
    tenth = max(1, len(warm) // 10)
    first, last = (statistics.median(sample[1] for sample in part) for part in (warm[:tenth], warm[-tenth:]))
    return {
        "frames_in": report.frames_in,
        "frames_out": report.frames_out,
        "fillers": report.fillers,
        "model": report.model,
        "dropped": report.dropped,
        "unaccounted": report.frames_in - report.frames_out - sum(report.dropped.values()),
        "reconnects": report.reconnects,
        "seconds": report.seconds,
        "times_real_speed": round(report.frames_in / 25 / report.seconds, 1),
        "rss_mib": [round(first, 1), round(last, 1)],
        "rss_growth_percent": round(100 * (last / first - 1), 2),
        "descriptors": _course([sample[2] for sample in warm]),
        "threads": _course([sample[3] for sample in warm]),
    }


def _course(counts: list[int]) -> dict[str, int]:
    return {"first": counts[0], "most": max(counts), "last": counts[-1]}


def _resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _entries(what: str) -> int:
    return sum(1 for _ in Path(f"/proc/self/{what}").iterdir())


def _free_port() -> int:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Measures one part, prints it and saves it beside the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("latency", "ends", "soak"))
    parser.add_argument("--seconds", type=duration, default=60.0, help="of each measurement")
    parser.add_argument("--turns", type=whole(1), default=3, help="of each program, in alternation")
    parser.add_argument(
        "--size", type=pixels_word, default="1280x720", help="of the picture of `ends`, at least 448 wide"
    )
    parser.add_argument("--frames", type=whole(10), default=200_000, help="of the soak")
    parser.add_argument(
        "--model", type=model_word, help="of the soak; a light one makes it faster  [default: the default model]"
    )
    add_out(parser)
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    parts: dict[str, Callable[[], Any]] = {
        "latency": lambda: {"rows": latency(given.seconds)},
        "ends": lambda: compare_ends(given.seconds, given.turns, (width, height)),
        "soak": lambda: soak(given.frames, given.model),
    }
    stolen = StolenTime()
    figures = parts[given.part]()
    # Parts are taken on days and in hours of their own.
    figures = {"date": datetime.now(UTC).date().isoformat(), "stolen": stolen.share(), **figures}
    print(json.dumps(figures, indent=2))
    path = given.out / "live.json"
    before = json.loads(path.read_text())["figures"] if path.exists() else {}
    print("saved", save("live", {**before, given.part: figures}, given.out).name)


if __name__ == "__main__":
    run_script(main)
