"""Dehazing alone: milliseconds a frame with frames in memory and no codecs, by size, and memory over a long run.

python benchmarks/pipeline.py --sizes 1280x720,1920x1080,3840x2160 --frames 300 --runs 5
python benchmarks/pipeline.py --memory
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

from arguments import listed, model_word, pixels_word, run_script, whole
from results import add_out, save, settings_of

import rtdehaze
from rtdehaze.apps.demo import write_frames
from rtdehaze.apps.drive import drive_frames
from rtdehaze.core.options import Mode
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.report import Progress
from rtdehaze.pipeline.runner import Runner
from rtdehaze.pipeline.threads import opencv_threads
from rtdehaze.stages.capture.memory import MemorySource
from rtdehaze.stages.encode.null import NullSink


def steady(size: str, frames: int, runs: int, model: str | None) -> dict[str, Any]:
    """Measures one size; the first run warms up."""
    width, height = map(int, size.split("x"))
    clip = drive_frames(width=width, height=height, count=12)
    taken, stages = [], {}
    for run in range(runs + 1):
        dehazer = Dehazer.load(model, mode=Mode.MANUAL)
        source = MemorySource(clip, count=frames, rate=Fraction(25))
        tally = Runner(source, dehazer, NullSink(source.video)).run()
        if run:
            taken.append(tally.seconds / frames * 1e3)
            stages = {name: round(times.percentile(50) * 1e3, 3) for name, times in tally.stages.items()}
    return {
        "size": size,
        "ms_per_frame": round(statistics.median(taken), 3),
        "ms_per_frame_runs": [round(ms, 3) for ms in taken],
        "stages_p50_ms": stages,
    }


def resident_mib() -> float:
    """Returns this process's resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def memory(model: str | None, frames: int) -> dict[str, Any]:
    """Watches the resident memory from frame 500 on of a whole run, codecs and all, at 640x360."""
    seen: dict[int, float] = {}

    def watch(progress: Progress) -> None:
        seen[progress.frames] = resident_mib()

    with tempfile.TemporaryDirectory() as name:
        clip, clear = Path(name) / "long.mp4", Path(name) / "clear.mp4"
        write_frames(clip, drive_frames(width=640, height=360, count=24), frames)
        rtdehaze.transcode(clip, clear, model=model, mode="manual", preset="veryfast", on_progress=watch)
    early = min(frame for frame in seen if frame >= 500)
    late = max(seen)
    peak = max(rss for frame, rss in seen.items() if frame >= early)
    return {
        "frames": [early, late],
        "rss_mib": [round(seen[early], 1), round(seen[late], 1)],
        "peak_rss_mib": round(peak, 1),
        "growth_percent": round(100 * (seen[late] / seen[early] - 1), 2),
    }


def main() -> None:
    """Measures, prints and saves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=listed(pixels_word), default="1280x720,1920x1080,3840x2160")
    parser.add_argument("--frames", type=whole(1), default=300)
    parser.add_argument("--runs", type=whole(1), default=5)
    parser.add_argument("--model", type=model_word, default=None)
    parser.add_argument("--memory", action="store_true", help="watch the memory instead")
    add_out(parser)
    given = parser.parse_args()
    with opencv_threads(1):
        if given.memory:
            figures: Any = memory(given.model, 5000)
            print(figures)
        else:
            figures = []
            for size in given.sizes:
                figures.append(steady(size, given.frames, given.runs, given.model))
                print(figures[-1])
    print("saved", save("memory" if given.memory else "pipeline", figures, given.out, settings_of(given)).name)


if __name__ == "__main__":
    run_script(main)
