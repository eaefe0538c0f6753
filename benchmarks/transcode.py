"""End to end: fps of `rtdehaze run` against a plain transcode of the same clip with the same settings.

Three things take turns: the plain PyAV transcode of the hazy clip, ours, and the plain transcode of the clip that ours
made: a clearer picture costs the encoder more, and that share is not ours. The plain encoder is threaded by frames;
PyAV's default, by slices, is slower. Medians of the runs, ratios run by run.

    python benchmarks/transcode.py --size 1920x1080 --frames 600 --presets veryfast,ultrafast --runs 5
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
from arguments import X264_PRESETS, listed, model_word, one_of, pixels_word, run_script, whole
from results import add_out, save, settings_of
from turns import in_turn

import rtdehaze
from rtdehaze.apps.demo import write_frames
from rtdehaze.apps.drive import drive_frames

RENDERED = 100
"""Frames that are rendered; the clip drives them there and back until it is long enough."""


def plain(source: Path, target: Path, preset: str) -> float:
    """Transcodes with PyAV alone; returns seconds."""
    begin = time.perf_counter()
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        coming = reader.streams.video[0]
        coming.thread_type = "AUTO"
        going = writer.add_stream("libx264", rate=coming.guessed_rate, options={"preset": preset, "crf": "20"})
        going.width, going.height, going.pix_fmt = coming.width, coming.height, "yuv420p"
        going.codec_context.thread_type = "FRAME"
        going.codec_context.time_base = coming.time_base
        for frame in reader.decode(coming):
            frame.pict_type = 0
            writer.mux(going.encode(frame))
        writer.mux(going.encode(None))
    return time.perf_counter() - begin


def ours(source: Path, target: Path, preset: str, model: str | None) -> tuple[float, rtdehaze.Report]:
    """Transcodes with rtdehaze; returns seconds, opening and closing included, and the report."""
    begin = time.perf_counter()
    report = rtdehaze.transcode(
        source, target, model=model, mode="manual", codec="h264", preset=preset, crf=20, overwrite=True
    )
    return time.perf_counter() - begin, report


def compare(clip: Path, preset: str, runs: int, frames: int, model: str | None, folder: Path) -> dict[str, Any]:
    """Lets the three take turns; returns fps and ratios."""
    clear = folder / f"clear-{preset}.mp4"
    ours(clip, clear, preset, model)
    reports = []

    def dehazed() -> float:
        taken, report = ours(clip, folder / "ours.mp4", preset, model)
        reports.append(report)
        return taken

    ways: dict[str, Callable[[], float]] = {
        "plain": lambda: plain(clip, folder / "plain.mp4", preset),
        "rtdehaze": dehazed,
        "plain_of_dehazed": lambda: plain(clear, folder / "plain.mp4", preset),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(runs):
        for name in in_turn(ways, number):
            seconds[name].append(ways[name]())
    ratios = [a / b for a, b in zip(seconds["plain"], seconds["rtdehaze"], strict=True)]
    content = [a / b for a, b in zip(seconds["plain_of_dehazed"], seconds["rtdehaze"], strict=True)]
    return {
        "preset": preset,
        "model": reports[-1].model,
        "fps": {name: round(frames / statistics.median(taken), 1) for name, taken in seconds.items()},
        "ratio_to_plain": round(statistics.median(ratios), 3),
        "ratio_to_plain_runs": [round(ratio, 3) for ratio in ratios],
        "ratio_to_plain_of_dehazed": round(statistics.median(content), 3),
        "stages_ms": {name: times.p50_ms for name, times in reports[-1].stages.items()},
    }


def main() -> None:
    """Renders the clip, measures, prints and saves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=pixels_word, default="1920x1080")
    parser.add_argument("--frames", type=whole(1), default=600)
    parser.add_argument("--presets", type=listed(one_of(X264_PRESETS)), default="veryfast,ultrafast")
    parser.add_argument("--runs", type=whole(1), default=5)
    parser.add_argument("--model", type=model_word, default=None)
    parser.add_argument("--clip", type=Path, help="a hazy clip of your own instead of the generated drive")
    add_out(parser)
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = given.clip or folder / "hazy.mp4"
        if given.clip is None:
            there = drive_frames(width=width, height=height, count=RENDERED, noise=0.006, seed=10)
            write_frames(clip, there + there[-2:0:-1], given.frames)
        figures = []
        for preset in given.presets:
            row = compare(clip, preset, given.runs, given.frames, given.model, folder)
            print(row, flush=True)
            figures.append(row)
            found = {"size": given.size, "frames": given.frames, "runs": figures}
            save("transcode", found, given.out, settings_of(given))
    print("saved transcode.json")


if __name__ == "__main__":
    run_script(main)
