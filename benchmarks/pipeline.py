"""Dehazing alone: milliseconds a frame with frames in memory and no codecs, by size, and memory over a long run.

python benchmarks/pipeline.py --sizes 1280x720,1920x1080,3840x2160 --frames 300 --runs 5
python benchmarks/pipeline.py --memory
"""

from __future__ import annotations

import argparse
import statistics
from fractions import Fraction
from pathlib import Path
from typing import Any

from results import save

from rtdehaze.apps.demo import drive_frames
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


def memory(model: str | None) -> dict[str, Any]:
    """Watches the resident memory between frame 500 and frame 5,000 of a 720p run."""
    seen: dict[int, float] = {}

    def watch(progress: Progress) -> None:
        seen[progress.frames] = resident_mib()

    source = MemorySource(drive_frames(width=1280, height=720, count=12), count=5000)
    Runner(source, Dehazer.load(model, mode=Mode.MANUAL), NullSink(source.video)).run(on_progress=watch)
    early = max((frame for frame in seen if frame <= 500), default=min(seen))
    late = max(seen)
    return {"frames": [early, late], "rss_mib": [round(seen[early], 1), round(seen[late], 1)]}


def main() -> None:
    """Measures, prints and saves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1280x720,1920x1080,3840x2160")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--model", default=None)
    parser.add_argument("--memory", action="store_true", help="watch the memory instead")
    given = parser.parse_args()
    with opencv_threads(1):
        if given.memory:
            figures: Any = memory(given.model)
            print(figures)
        else:
            figures = []
            for size in given.sizes.split(","):
                figures.append(steady(size, given.frames, given.runs, given.model))
                print(figures[-1])
    print("saved", save("memory" if given.memory else "pipeline", figures).name)


if __name__ == "__main__":
    main()
