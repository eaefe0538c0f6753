"""How far each stage is from its limit: the memory's speed, the processor's, the codecs' own.

    python benchmarks/limits.py --sizes 720p,1080p,4k --presets veryfast,ultrafast --seconds 3

Limits are measured here, stages beside them in turns, on one thread, medians; the transcodes on all. A small frame
stays in the processor's cache and may beat the memory.

shrink       against reading what it reads at the memory's speed
network      against its multiplications at the speed of NumPy's matrix product (float32)
smooth       has no such limit: optical flow on the thumbnail; its time is given
recompose    against NumPy's copy of the same planes
whole        what all stages add to a frame; against the frame interval at 25 and 60 fps
transcode    against the codecs alone: decoding alone, encoding alone, both without anything between
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

# Before NumPy: stages are held against one core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import onnx
import onnxruntime as ort
from arguments import X264_PRESETS, duration, listed, model_word, one_of, run_script, size_word, whole
from results import add_out, save, settings_of, spread
from tables import said
from turns import Contestant, in_turn, take_turns

from rtdehaze.apps.bench.material import Material, gather, playable
from rtdehaze.apps.bench.plan import GENERATED, Codec, parse_size
from rtdehaze.apps.bench.running import Bed, Untouched, as_in_a_run
from rtdehaze.apps.frames import empty_frame
from rtdehaze.core.frame import Frame
from rtdehaze.core.options import Mode
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.threads import opencv_threads, plan_threads
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from rtdehaze.stages.estimate.models import load_model
from rtdehaze.stages.estimate.thumbnail import thumbnail_of
from rtdehaze.stages.recompose.recomposer import Recomposer
from rtdehaze.stages.recompose.removal import plan_removal
from rtdehaze.stages.smooth.smoother import HazeSmoother

_BUFFER = 256 * 2**20
"""Bytes: far beyond any cache."""
_MATRIX = 1024


def timed(ways: dict[str, Callable[[], Any]], seconds: float) -> dict[str, list[float]]:
    """Milliseconds of each, in turns."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    end = time.perf_counter() + seconds
    for number in count():
        if number >= 3 and time.perf_counter() >= end:
            break
        for name in in_turn(ways, number):
            begin = time.perf_counter()
            ways[name]()
            taken[name].append((time.perf_counter() - begin) * 1e3)
    return taken


def machine_limits(seconds: float) -> dict[str, float]:
    """Gigabytes a second of reading and of copying (read and written), and gigaflops of a matrix product."""
    source, target = np.ones(_BUFFER // 8), np.zeros(_BUFFER // 8)
    left, right = (np.ones((_MATRIX, _MATRIX), np.float32) for _ in range(2))
    ways = {"read": source.sum, "copy": lambda: np.copyto(target, source), "product": lambda: left @ right}
    ms = {name: statistics.median(times) for name, times in timed(ways, seconds).items()}
    return {
        "read_gb_s": round(_BUFFER / ms["read"] / 1e6, 2),
        "copy_gb_s": round(2 * _BUFFER / ms["copy"] / 1e6, 2),
        "product_gflops": round(2 * _MATRIX**3 / ms["product"] / 1e6, 1),
    }


def macs(model: str, width: int, height: int) -> int:
    """Multiplications and additions of a model's convolutions and matrix products for a thumbnail of that size."""
    network = onnx.load_from_string(load_model(model).graph)
    weights = {one.name: list(one.dims) for one in network.graph.initializer}
    counted = [node for node in network.graph.node if node.op_type in ("Conv", "Gemm") and node.input[1] in weights]
    # Sizes are asked of the runtime: exported graphs compute them where shape inference cannot follow.
    del network.graph.output[:]
    network.graph.output.extend(onnx.ValueInfoProto(name=node.output[0]) for node in counted)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(network.SerializeToString(), options, providers=["CPUExecutionProvider"])
    answers = session.run(None, {network.graph.input[0].name: np.zeros((1, 3, height, width), np.float32)})
    areas = [int(np.prod(answer.shape[2:])) for answer in answers]
    return sum(area * int(np.prod(weights[node.input[1]])) for node, area in zip(counted, areas, strict=True))


def stages(material: Material, estimator: Estimator, limits: dict[str, float], seconds: float) -> dict[str, Any]:
    """Every stage alone, and its limit."""
    frame = material.frames[0]
    size = estimator.thumbnail_size(frame.width, frame.height)
    thumbnail, out = thumbnail_of(frame, *size), empty_frame(frame)
    haze = estimator.estimate(thumbnail)
    removal = plan_removal(haze, strength=1.0, guide=thumbnail)
    smoother, clock = HazeSmoother(0.5), count()
    following = [thumbnail_of(one, *size) for one in material.frames]

    def smooth() -> None:
        number = next(clock)
        smoother.follow(following[number % len(following)], number / 25)
        smoother.smooth(haze)

    with Recomposer(threads=1) as recomposer, Dehazer(estimator, mode=Mode.MANUAL) as dehazer:

        def whole() -> None:
            number = next(clock)
            moving = replace(material.frames[number % len(material.frames)], pts=number)
            dehazer.apply(moving, dehazer.decide(moving), out)

        ms = timed(
            {
                "shrink": lambda: thumbnail_of(frame, *size),
                "network": lambda: estimator.estimate(thumbnail),
                "smooth": smooth,
                "recompose": lambda: recomposer.apply(frame, removal, out),
                "copy": lambda: recomposer.apply(frame, None, out),
                "whole": whole,
            },
            seconds,
        )
    read = sum(plane.samples.nbytes for plane in frame.planes) / limits["read_gb_s"] / 1e6
    product = 2 * macs(estimator.name, *size) / limits["product_gflops"] / 1e6
    return beside(ms, read, product)


def beside(ms: dict[str, list[float]], read: float, product: float) -> dict[str, Any]:
    """The stages' times beside their limits.

    Args:
        ms: As they were measured.
        read: Milliseconds for reading all samples.
        product: Milliseconds for the network's multiplications.
    """
    return {
        "shrink": against(ms["shrink"], read, "reading all samples at the memory's speed"),
        "network": against(ms["network"], product, "its multiplications at a matrix product's speed"),
        "smooth": spread("ms", ms["smooth"], 3),
        "recompose": against(ms["recompose"], statistics.median(ms["copy"]), "a copy of the planes"),
        "whole": spread("ms", ms["whole"], 3)
        | {f"share_of_{rate}_fps": round(statistics.median(ms["whole"]) * rate / 1e3, 3) for rate in (25, 60)},
    }


def against(times: Sequence[float], limit: float, what: str) -> dict[str, Any]:
    """Times, their limit, and how many times the limit they are."""
    numbers = {"limit_ms": limit, "times_its_limit": statistics.median(times) / limit}
    rounded = {name: float(f"{value:.3g}") for name, value in numbers.items()}
    return spread("ms", times, 3) | rounded | {"limit": what}


def transcodes(material: Material, estimator: Estimator, preset: str, seconds: float, rounds: int) -> dict[str, Any]:
    """Ours, the same without dehazing, decoding alone, encoding alone: frames a second."""
    plan = plan_threads()
    with playable(material, plan.decode) as play:
        bed = Bed(material, Codec("libx264", preset), play, plan.encode)
        contestants = {
            "ours": Contestant(bed, lambda: as_in_a_run(estimator, plan)),
            "without": Contestant(bed, Untouched),
        }
        runs = take_turns(contestants, seconds, rounds)
        ratios = [a.fps / b.fps for a, b in zip(runs["ours"], runs["without"], strict=True)]
        frames = runs["without"][0].frames
        alone = {"decode": lambda: decoded(play, frames), "encode": lambda: encoded(bed, material, frames)}
        rates: dict[str, list[float]] = {name: [run.fps for run in own] for name, own in runs.items()}
        for number in range(rounds):
            for name in in_turn(alone, number):
                rates.setdefault(name, []).append(alone[name]())
        order = ("ours", "without", "decode", "encode")
        found = {key: value for name in order for key, value in spread(f"{name}_fps", rates[name], 1).items()}
        return found | spread("share_of_its_limit", ratios, 3)


def decoded(play: Callable[[int], Any], frames: int) -> float:
    """Frames a second of decoding alone."""
    with closing(play(frames)) as source:
        begin = time.perf_counter()
        found = sum(isinstance(item, Frame) for item in source.items())
        return found / (time.perf_counter() - begin)


def encoded(bed: Bed, material: Material, frames: int) -> float:
    """Frames a second of encoding alone, from frames that are already the encoder's."""
    with tempfile.TemporaryDirectory() as folder, closing(bed.source(frames)) as source:
        sink = bed.sink(source, Path(folder), untouched=False)
        step = int(1 / (25 * source.video.time_base))
        held = []
        for frame in material.frames:
            out = sink.allocate(frame)
            for written, plane in zip(out.planes, frame.planes, strict=True):
                written.samples[:] = plane.samples
            held.append(out)
        begin = time.perf_counter()
        for number in range(frames):
            frame = held[number % len(held)]
            sink.write(replace(frame, pts=number * step, time_base=source.video.time_base))
        sink.finish()
        return frames / (time.perf_counter() - begin)


def main() -> None:
    """Measures, prints and saves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=listed(size_word), default="720p,1080p,4k")
    parser.add_argument(
        "--presets",
        type=listed(one_of((*X264_PRESETS, "none"))),
        default="veryfast,ultrafast",
        help="of libx264; none leaves the codecs out",
    )
    parser.add_argument("--model", type=model_word, default="base")
    parser.add_argument("--seconds", type=duration, default=3.0)
    parser.add_argument("--rounds", type=whole(1), default=3)
    add_out(parser)
    given = parser.parse_args()
    found: dict[str, Any] = {"machine_limits": machine_limits(given.seconds), "sizes": {}}
    print(found["machine_limits"])
    estimator = open_estimator(given.model, provider="cpu", threads=1)
    with opencv_threads(1):
        for size in given.sizes:
            material = gather(GENERATED, parse_size(size))
            rows = stages(material, estimator, found["machine_limits"], given.seconds)
            for name, row in rows.items():
                print(f"{size:>8} {name:10}", said(row), flush=True)
            found["sizes"][size] = {"stages": rows, "transcodes": {}}
            for preset in (one for one in given.presets if one != "none"):
                row = transcodes(material, estimator, preset, given.seconds, given.rounds)
                print(f"{size:>8} {preset:10}", said(row), flush=True)
                found["sizes"][size]["transcodes"][preset] = row
            save("limits", found, given.out, settings_of(given))
    print("saved limits.json")


if __name__ == "__main__":
    run_script(main)
