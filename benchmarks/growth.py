"""How cost grows: with the size from 360p to 8K, with streams side by side, with the model, and by estimating every n.

    python benchmarks/growth.py --seconds 4 --rounds 5
    python benchmarks/growth.py --parts sizes --sizes 4k,8k --seconds 2 --rounds 3

Without codecs: frames from memory through the pipeline's threads into nothing. What is measured takes turns; medians.
A law is fitted to each curve by least squares of the relative error and printed with the largest error that it leaves.
Curves go to benchmarks/results/growth.png, figures and laws to growth.json.
"""

from __future__ import annotations

import argparse
import io
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from arguments import duration, listed, one_of, run_script, size_word, whole
from results import add_out, save
from turns import Contestant, in_turn, take_turns

from rtdehaze.apps.bench.material import gather
from rtdehaze.apps.bench.plan import GENERATED, NO_CODEC, Codec, parse_size
from rtdehaze.apps.bench.results import write_whole
from rtdehaze.apps.bench.running import Bed, Run, as_in_a_run, frames_for, resident_mib
from rtdehaze.core.frame import Frame
from rtdehaze.core.options import Mode
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.runner import Runner
from rtdehaze.pipeline.threads import opencv_threads, plan_threads
from rtdehaze.stages.capture.memory import MemorySource
from rtdehaze.stages.encode.null import NullSink
from rtdehaze.stages.estimate import DEFAULT_MODEL
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from rtdehaze.stages.estimate.models import list_models, load_model

PARTS = ("sizes", "streams", "models", "every")
CROWDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"1 / streams": lambda at: 1 / at, "log2(streams)": np.log2}
"""More streams fill idle cores; where there are none they push each other's frames out of the caches."""


def fit(
    x: Sequence[float], y: Sequence[float], basis: Callable[[np.ndarray], np.ndarray], words: str
) -> dict[str, Any]:
    """Fits y = a + b * basis(x), the relative error least squared, neither a nor b below 0.

    Args:
        x: Where.
        y: What was measured, above 0.
        basis: Of the second term.
        words: The law, with `{a}` and `{b}`.

    Returns:
        The law in words, its numbers, and the largest relative error that it leaves.
    """
    values, at = np.asarray(y, float), basis(np.asarray(x, float))
    columns = np.stack([np.ones_like(at), at], 1)
    (a, b), *_ = np.linalg.lstsq(columns / values[:, None], np.ones_like(values), rcond=None)
    if a < 0 or b < 0:
        kept = 1 if a < 0 else 0
        column = columns[:, kept] / values
        only = float(column.sum() / (column @ column))
        a, b = (0.0, only) if kept == 1 else (only, 0.0)
    off = float(np.abs((a + b * at) / values - 1).max())
    law = words.format(a=f"{a:.3g}", b=f"{b:.3g}")
    return {"law": law, "a": round(float(a), 4), "b": round(float(b), 4), "largest_error": round(off, 3)}


def row(runs: Sequence[Run]) -> dict[str, Any]:
    """Medians of runs."""

    def stage(name: str) -> float:
        return round(statistics.median(1e3 * run.stages[name].total_s / run.frames for run in runs), 3)

    fps = statistics.median(run.fps for run in runs)
    return {
        "fps": round(fps, 1),
        "ms_per_frame": round(1e3 / fps, 3),
        "estimate_ms": stage("estimate"),
        "recompose_ms": stage("recompose"),
        "cores": round(statistics.median(run.cores for run in runs), 2),
        "rss_mib": round(max(run.rss_mib for run in runs)),
    }


def by_size(sizes: Sequence[str], seconds: float, rounds: int) -> dict[str, Any]:
    """From one size to the next; each stage has its law."""
    plan = plan_threads()
    estimator = open_estimator(DEFAULT_MODEL, provider="cpu", threads=plan.inference)
    beds = {size: Bed(gather(GENERATED, parse_size(size)), Codec(NO_CODEC), None, 1) for size in sizes}
    contestants = {size: Contestant(bed, lambda: as_in_a_run(estimator, plan)) for size, bed in beds.items()}
    rows = []
    for size, runs in take_turns(contestants, seconds, rounds).items():
        frame = beds[size].frames[0]
        pixels = frame.width * frame.height / 1e6
        rows.append({"size": size, "megapixels": round(pixels, 3)} | row(runs))
    x = [one["megapixels"] for one in rows]
    laws = {
        name: fit(x, [one[name] for one in rows], lambda at: at, "ms = {a} + {b} x megapixels")
        for name in ("ms_per_frame", "estimate_ms", "recompose_ms")
    }
    return {"rows": rows, "laws": laws}


def by_streams(counts: Sequence[int], size: str, seconds: float, rounds: int) -> dict[str, Any]:
    """Videos side by side: one model, a dehazer and a pipeline each."""
    estimator = open_estimator(DEFAULT_MODEL, provider="cpu", threads=1)
    frames = gather(GENERATED, parse_size(size)).frames
    together(estimator, frames, 1, 4)
    alone = together(estimator, frames, 1, 40)
    taken: dict[int, list[float]] = {count: [] for count in counts}
    for number in range(rounds):
        for count in in_turn(counts, number):
            each = max(4, frames_for(seconds, alone) // count)
            taken[count].append(together(estimator, frames, count, each))
    rows = [
        {
            "streams": count,
            "fps_together": round(statistics.median(rates), 1),
            "ms_per_frame": round(1e3 / statistics.median(rates), 3),
            "rss_mib": round(resident_mib()),
        }
        for count, rates in taken.items()
    ]
    times = [one["ms_per_frame"] for one in rows]
    laws = [
        fit(counts, times, basis, f"ms = {{a}} + {{b}} x {name}") | {"over": name} for name, basis in CROWDS.items()
    ]
    law = min(laws, key=lambda one: float(one["largest_error"]))
    return {"size": size, "rows": rows, "laws": {"ms_per_frame": law}}


def together(estimator: Estimator, frames: Sequence[Frame], count: int, each: int) -> float:
    """Frames a second of so many videos of so many frames."""
    sources = [MemorySource(frames, count=each, rate=Fraction(25)) for _ in range(count)]
    failures: list[BaseException] = []
    stop = threading.Event()

    def work(source: MemorySource) -> None:
        try:
            with Dehazer(estimator, mode=Mode.MANUAL) as one:
                Runner(source, one, NullSink(source.video)).run(stop=stop)
        except Exception as error:  # noqa: BLE001 - raised below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(source,)) for source in sources]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    finally:
        # Ctrl-C arrives here, in the main thread alone.
        stop.set()
    if failures:
        raise failures[0]
    return count * each / (time.perf_counter() - begin)


def by_model(size: str, seconds: float, rounds: int) -> dict[str, Any]:
    """Every shipped model."""
    bed = Bed(gather(GENERATED, parse_size(size)), Codec(NO_CODEC), None, 1)
    plan = plan_threads()
    opened = {name: open_estimator(name, provider="cpu", threads=plan.inference) for name in list_models()}
    contestants = {
        name: Contestant(bed, lambda estimator=estimator: as_in_a_run(estimator, plan))
        for name, estimator in opened.items()
    }
    return {
        "size": size,
        "rows": [
            {"model": name, "bytes": len(load_model(name).graph)} | row(runs)
            for name, runs in take_turns(contestants, seconds, rounds).items()
        ],
    }


def by_every(steps: Sequence[int], size: str, seconds: float, rounds: int) -> dict[str, Any]:
    """Estimating every n-th frame, the map moved along in between."""
    bed = Bed(gather(GENERATED, parse_size(size)), Codec(NO_CODEC), None, 1)
    plan = plan_threads()
    estimator = open_estimator(DEFAULT_MODEL, provider="cpu", threads=plan.inference)
    contestants = {str(n): Contestant(bed, lambda n=n: as_in_a_run(estimator, plan, every=n)) for n in steps}
    runs = take_turns(contestants, seconds, rounds)
    rows = [{"every": n} | row(runs[str(n)]) for n in steps]
    times = [one["estimate_ms"] for one in rows]
    law = fit(steps, times, lambda at: 1 / at, "ms = {a} + {b} / n")
    return {"size": size, "rows": rows, "laws": {"estimate_ms": law}}


def plot(found: dict[str, Any], path: Path) -> None:
    """Draws what was measured."""
    from matplotlib.figure import Figure

    drawn = [part for part in PARTS if part in found]
    figure = Figure(figsize=(6.4 * min(2, len(drawn)), 4.4 * -(-len(drawn) // 2)), layout="constrained")
    cells = figure.subplots(-(-len(drawn) // 2), min(2, len(drawn)), squeeze=False).ravel()
    for axes, part in zip(cells, drawn, strict=False):
        {"sizes": draw_sizes, "streams": draw_streams, "models": draw_models, "every": draw_every}[part](
            axes, found[part]
        )
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
    for axes in cells[len(drawn) :]:
        axes.set_visible(False)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    write_whole(path, content.getvalue())


def draw_sizes(axes: Any, part: dict[str, Any]) -> None:
    """Milliseconds over megapixels, both by their logarithm."""
    x = np.array([one["megapixels"] for one in part["rows"]])
    dense = np.geomspace(x.min(), x.max(), 100)
    series = (("ms_per_frame", "a frame", "#333333"), ("estimate_ms", "estimate", "#ee6677"))
    for name, label, colour in (*series, ("recompose_ms", "recompose", "#228833")):
        law = part["laws"][name]
        axes.plot(x, [one[name] for one in part["rows"]], "o", color=colour)
        axes.plot(dense, law["a"] + law["b"] * dense, color=colour, label=f"{label}: {law['law']}")
    axes.set(xscale="log", yscale="log", ylabel="ms", title="size of the picture, no codecs")
    axes.set_xticks(x, [one["size"] for one in part["rows"]], fontsize=8)
    low, high = axes.get_ylim()
    steps = [step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500) if low <= step <= high]
    axes.set_yticks(steps, [str(step) for step in steps])
    axes.minorticks_off()
    axes.legend(fontsize=8)


def draw_streams(axes: Any, part: dict[str, Any]) -> None:
    """Frames a second together over streams."""
    counts = [one["streams"] for one in part["rows"]]
    law = part["laws"]["ms_per_frame"]
    dense = np.linspace(min(counts), max(counts), 100)
    axes.plot(counts, [one["fps_together"] for one in part["rows"]], "o", color="#4477aa")
    axes.plot(dense, 1e3 / (law["a"] + law["b"] * CROWDS[law["over"]](dense)), color="#4477aa", label=law["law"])
    axes.set(xlabel="streams", ylabel="fps of all together", title=f"streams of {part['size']}", ylim=(0, None))
    axes.set_xticks(counts)
    axes.legend(fontsize=8)


def draw_models(axes: Any, part: dict[str, Any]) -> None:
    """Estimate and recompose of each model."""
    names = [one["model"] for one in part["rows"]]
    estimate = [one["estimate_ms"] for one in part["rows"]]
    axes.bar(names, estimate, color="#ee6677", label="estimate")
    axes.bar(names, [one["recompose_ms"] for one in part["rows"]], bottom=estimate, color="#228833", label="recompose")
    axes.set(ylabel="ms of work on a frame", title=f"models at {part['size']}")
    axes.legend(fontsize=8)


def draw_every(axes: Any, part: dict[str, Any]) -> None:
    """Estimate over n."""
    steps = [one["every"] for one in part["rows"]]
    law = part["laws"]["estimate_ms"]
    dense = np.linspace(min(steps), max(steps), 100)
    axes.plot(steps, [one["estimate_ms"] for one in part["rows"]], "o", color="#ee6677")
    axes.plot(dense, law["a"] + law["b"] / dense, color="#ee6677", label=law["law"])
    axes.set(xlabel="n: every n-th frame is estimated", ylabel="estimate, ms a frame", ylim=(0, None))
    axes.set_title(f"--every n at {part['size']}")
    axes.set_xticks(steps)
    axes.legend(fontsize=8)


def main() -> None:
    """Measures, prints, draws and saves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=listed(one_of(PARTS)), default=",".join(PARTS))
    parser.add_argument("--sizes", type=listed(size_word), default="360p,540p,720p,1080p,1440p,4k,8k")
    parser.add_argument("--streams", type=listed(whole(1, 256)), default="1,2,4,8,16")
    parser.add_argument("--every", type=listed(whole(1)), default="1,2,3,4,8")
    parser.add_argument("--size", type=size_word, default="1080p", help="of streams, models and every")
    parser.add_argument("--seconds", type=duration, default=4.0, help="length of a run")
    parser.add_argument("--rounds", type=whole(1), default=5)
    add_out(parser)
    given = parser.parse_args()
    runs = given.seconds, given.rounds
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "sizes": lambda: by_size(given.sizes, *runs),
        "streams": lambda: by_streams(given.streams, given.size, *runs),
        "models": lambda: by_model(given.size, *runs),
        "every": lambda: by_every(given.every, given.size, *runs),
    }
    found: dict[str, Any] = {}
    for name in given.parts:
        with opencv_threads(1):
            found[name] = parts[name]()
        for one in found[name]["rows"]:
            print(name, *(f"{key}={value}" for key, value in one.items()), sep="  ")
        for what, law in found[name].get("laws", {}).items():
            print(f"{name}: {what}: {law['law']} (off by {100 * law['largest_error']:.0f} % at most)", flush=True)
        save("growth", found, given.out)
    plot(found, given.out / "growth.png")
    print("saved growth.json and growth.png")


if __name__ == "__main__":
    run_script(main)
