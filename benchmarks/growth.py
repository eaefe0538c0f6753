"""How cost grows: with the size from 360p to 8K, with streams side by side, with the model, and by estimating every n.

    python benchmarks/growth.py --seconds 4 --rounds 5
    python benchmarks/growth.py --parts sizes --sizes 4k,8k --seconds 2 --rounds 3

Without codecs: frames from memory through the pipeline's threads into nothing. What is measured takes turns; medians.
A law is fitted to each curve by least squares of the relative error and printed with the largest error that it leaves;
a whole frame's, by size, is that of the slower stage, as estimate and recompose run at the same time.
Curves go to benchmarks/results/growth.png, figures and laws to growth.json.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from arguments import duration, listed, one_of, run_script, size_word, whole
from growth_plot import plot
from laws import CROWDS, fit, slowest
from results import add_out, save, settings_of, spread
from tables import said
from turns import Contestant, added_mib, in_turn, take_turns

from rtdehaze.apps.bench.material import gather
from rtdehaze.apps.bench.plan import GENERATED, NO_CODEC, Codec, parse_size
from rtdehaze.apps.bench.running import Bed, Run, as_in_a_run, frames_for, resident_mib
from rtdehaze.core.frame import Frame
from rtdehaze.core.freed import give_back_freed
from rtdehaze.core.options import Mode
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.report import Progress
from rtdehaze.pipeline.runner import Runner
from rtdehaze.pipeline.threads import opencv_threads, plan_threads
from rtdehaze.stages.capture.memory import MemorySource
from rtdehaze.stages.encode.null import NullSink
from rtdehaze.stages.estimate import DEFAULT_MODEL
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from rtdehaze.stages.estimate.models import list_models, load_model

PARTS = ("sizes", "streams", "models", "every")


def row(runs: Sequence[Run], one: Contestant) -> dict[str, Any]:
    """Medians of runs with their spread, and the memory that they take."""

    def stage(name: str) -> dict[str, Any]:
        return spread(f"{name}_ms", [1e3 * run.stages[name].total_s / run.frames for run in runs], 3)

    return {
        **spread("fps", [run.fps for run in runs], 1),
        "ms_per_frame": round(1e3 / statistics.median(run.fps for run in runs), 3),
        **stage("estimate"),
        **stage("recompose"),
        "cores": round(statistics.median(run.cores for run in runs), 2),
        **spread("added_mib", added_mib(one), 1),
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
        rows.append({"size": size, "megapixels": round(pixels, 3)} | row(runs, contestants[size]))
    x = [one["megapixels"] for one in rows]
    laws = {
        name: fit(x, [one[name] for one in rows], lambda at: at, "ms = {a} + {b} x megapixels")
        for name in ("estimate_ms", "recompose_ms")
    }
    laws["ms_per_frame"] = slowest(x, [one["ms_per_frame"] for one in rows], list(laws.values()))
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
            **spread("fps_together", rates, 1),
            "ms_per_frame": round(1e3 / statistics.median(rates), 3),
            "added_mib": round(added_by(estimator, frames, count), 1),
        }
        for count, rates in taken.items()
    ]
    times = [one["ms_per_frame"] for one in rows]
    laws = [
        fit(counts, times, basis, f"ms = {{a}} + {{b}} x {name}") | {"over": name} for name, basis in CROWDS.items()
    ]
    law = min(laws, key=lambda one: float(one["largest_error"]))
    return {"size": size, "rows": rows, "laws": {"ms_per_frame": law}}


def added_by(estimator: Estimator, frames: Sequence[Frame], count: int) -> float:
    """What so many videos add to the process's memory, at most, as `added_mib`."""
    give_back_freed()
    seen = [resident_mib()]
    together(estimator, frames, count, 20, lambda _: seen.append(resident_mib()))
    return max(seen) - seen[0]


def together(
    estimator: Estimator,
    frames: Sequence[Frame],
    count: int,
    each: int,
    on_progress: Callable[[Progress], None] | None = None,
) -> float:
    """Frames a second of so many videos of so many frames."""
    sources = [MemorySource(frames, count=each, rate=Fraction(25)) for _ in range(count)]
    failures: list[BaseException] = []
    stop = threading.Event()

    def work(source: MemorySource) -> None:
        try:
            with Dehazer(estimator, mode=Mode.MANUAL) as one:
                Runner(source, one, NullSink(source.video)).run(on_progress=on_progress, stop=stop)
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
            {"model": name, "bytes": len(load_model(name).graph)} | row(runs, contestants[name])
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
    rows = [{"every": n} | row(runs[str(n)], contestants[str(n)]) for n in steps]
    times = [one["estimate_ms"] for one in rows]
    law = fit(steps, times, lambda at: 1 / at, "ms = {a} + {b} / n")
    return {"size": size, "rows": rows, "laws": {"estimate_ms": law}}


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
            print(name, said(one))
        for what, law in found[name].get("laws", {}).items():
            print(f"{name}: {what}: {law['law']} (off by {100 * law['largest_error']:.0f} % at most)", flush=True)
        save("growth", found, given.out, settings_of(given))
    plot(found, given.out / "growth.png")
    print("saved growth.json and growth.png")


if __name__ == "__main__":
    run_script(main)
