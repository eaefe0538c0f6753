"""Dehazing on an NVIDIA GPU, copies included: frames a second, latency, and how near to the limits.

    python benchmarks/gpu.py --sizes 1080p,4k,8k --lanes 1,2,4,8 --seconds 3
    python benchmarks/gpu.py --host --sizes 360p --seconds 0.2      # tries the script on the processor; no figures

Needs onnxruntime-gpu and onnx; not av, but where it is there NVDEC and NVENC are tried, too. Elsewhere it is skipped,
in one line. A figure is only written where ONNX Runtime's own record puts every node that computes on the GPU and the
picture agrees with the processor's (the canary); otherwise its place says why. `device/` has the parts:

whole    one graph from planes to planes, frame by frame (no smoothing over time, no exposure)
steady   two graphs, between them the runtime's own smoothing and exposure on the processor: each lane is a video
compute  `whole` without copies
staged   `whole` with frames in ordinary memory, copied by the processor to and from page-locked memory
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
import onnxruntime as ort
from arguments import duration, listed, model_word, run_script, size_word, whole
from device.engine import Lane, run_lanes
from device.limits import copy_limits
from device.memory import Cuda, Host, Memory
from device.pictures import canary, planes_of
from device.planes import Shot
from device.recompose import build_recompose
from device.steady import Steady
from device.video import hardware_codecs
from device.whole import Network, build_estimate, build_whole, open_network
from results import add_out, save

from rtdehaze.apps.bench.machine import gpu_memory_mib
from rtdehaze.apps.bench.plan import parse_size
from rtdehaze.apps.drive import DRIVE_COLOUR
from rtdehaze.core.errors import RtdehazeError, UsageError
from rtdehaze.stages.estimate.session import why_no_gpu

Planes = dict[str, np.ndarray]


def lanes_of(memory: Memory, shot: Shot, network: Network, count: int, *, cuda_graph: bool, steady: bool) -> list[Lane]:
    """Opens so many lanes and puts a frame into each."""
    if steady:
        answer = build_estimate(shot, network, DRIVE_COLOUR, plan=False)
        graphs = [answer.SerializeToString(), build_recompose(shot, network.maps, DRIVE_COLOUR).SerializeToString()]
    else:
        graphs = [build_whole(shot, network, DRIVE_COLOUR).SerializeToString()]
    planes = planes_of(shot)
    lanes = []
    for _ in range(count):
        lane = Lane(memory, graphs, cuda_graph=cuda_graph, between=Steady() if steady else None)
        for name, plane in planes.items():
            lane.source[name][:] = plane
        lanes.append(lane)
    return lanes


def staged(lane: Lane, planes: Planes, room: Planes) -> None:
    """A frame from ordinary memory to ordinary memory."""
    for name, plane in planes.items():
        np.copyto(lane.source[name], plane)
    lane.process()
    for name, plane in lane.target.items():
        np.copyto(room[name], plane)


def compute(lane: Lane) -> None:
    """A frame that is on the device, and stays there."""
    lane.compute()
    lane.wait()


def measure(device: type[Memory], shot: Shot, model: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    """All ways of one size and format, each with memory of its own that is given back."""
    rows = []
    expected = None
    for precision in ("fp32", "fp16"):
        network = open_network(model, shot, half=precision == "fp16")
        expected = expected or reference(shot, network)
        for cuda_graph in (False, True) if device is Cuda else (False,):
            for count in given.lanes:
                for way in ("whole", "steady", "compute", "staged"):
                    described = {"precision": precision, "cuda_graph": cuda_graph, "lanes": count, "way": way}
                    row = {
                        "size": f"{shot.width}x{shot.height}",
                        "format": shot.pixels.name,
                        "model": model,
                    } | described
                    try:
                        with closing(device()) as memory:
                            row |= figures(memory, shot, network, row, expected, given.seconds)
                    except (RtdehazeError, RuntimeError) as error:
                        row["failed"] = " ".join(str(error).split())[:300]
                    rows.append(row)
                    print(line(row), flush=True)
    return rows


def figures(
    memory: Memory, shot: Shot, network: Network, row: dict[str, Any], expected: Planes, seconds: float
) -> dict[str, Any]:
    """One way: opened, checked with the canary, measured."""
    before = gpu_memory_mib()
    steady = row["way"] == "steady"
    lanes = lanes_of(memory, shot, network, row["lanes"], cuda_graph=row["cuda_graph"], steady=steady)
    found = {}
    if not steady:  # exposure moves brightness on purpose
        lanes[0].process()
        found = canary(lanes[0].target, expected, shot, half=row["precision"] == "fp16")
    planes = planes_of(shot)
    rooms = {id(lane): {name: np.empty_like(plane) for name, plane in lane.target.items()} for lane in lanes}
    steps: dict[str, Callable[[Lane], None]] = {
        "whole": Lane.process,
        "steady": Lane.process,
        "compute": compute,
        "staged": lambda lane: staged(lane, planes, rooms[id(lane)]),
    }
    work = run_lanes(lanes, seconds, steps[row["way"]])
    after = gpu_memory_mib()
    return {
        "fps": round(work.fps, 1),
        "latency_ms": {f"p{percent}": round(work.latency.percentile(percent) * 1e3, 3) for percent in (50, 99)},
        "gpu_memory_mib": None if after is None else after - (before or 0),
        "canary": found,
    }


def reference(shot: Shot, network: Network) -> Planes:
    """What the processor makes of the frame, in float32."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    graph = build_whole(shot, network, DRIVE_COLOUR).SerializeToString()
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    names = [f"out_{name}" for name in shot.planes]
    return dict(zip(names, session.run(names, planes_of(shot)), strict=True))


def parts_alone(memory: Memory, shot: Shot, model: str, seconds: float) -> dict[str, Any]:
    """Milliseconds of the first half (shrinking and the network) and of recomposition, on the device."""
    found: dict[str, Any] = {"size": f"{shot.width}x{shot.height}", "format": shot.pixels.name}
    network = open_network(model, shot, half=False)
    for name, graph in (
        ("shrink and estimate", build_estimate(shot, network, DRIVE_COLOUR)),
        ("recompose", build_recompose(shot, network.maps, DRIVE_COLOUR)),
    ):
        lane = Lane(memory, [graph.SerializeToString()], cuda_graph=memory.name == "cuda")
        times = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(times) < 3:
            begin = time.perf_counter()
            compute(lane)
            times.append((time.perf_counter() - begin) * 1e3)
        found[name] = round(statistics.median(times[len(times) // 3 :]), 3)
    return found


def line(row: dict[str, Any]) -> str:
    """A row for people."""
    named = f"{row['size']:>10} {row['format']:12} {row['precision']} {'graph' if row['cuda_graph'] else '-':5}"
    named += f" {row['lanes']:2} lanes {row['way']:8}"
    if "failed" in row:
        return f"{named} failed: {row['failed']}"
    latency = row["latency_ms"]
    return f"{named} {row['fps']:9.1f} fps   latency {latency['p50']:8.3f} ms, p99 {latency['p99']:8.3f}"


def parsed() -> tuple[argparse.Namespace, list[Shot]]:
    """What the command line asks for, and the frames that it names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=listed(size_word), default="1080p,4k")
    parser.add_argument("--formats", type=listed(str), default="yuv420p,yuv420p10le")
    parser.add_argument("--model", type=model_word, default="base")
    parser.add_argument(
        "--lanes", type=listed(whole(1, 256)), default="1,2,4,8", help="streams that work at the same time"
    )
    parser.add_argument("--seconds", type=duration, default=3.0)
    parser.add_argument("--host", action="store_true", help="try the script on the processor")
    add_out(parser)
    given = parser.parse_args()
    try:
        return given, [Shot.of(name, *parse_size(size)) for size in given.sizes for name in given.formats]
    except UsageError as error:
        parser.error(str(error))


def main() -> None:
    """Measures, prints and saves."""
    given, shots = parsed()
    reason = None if given.host else why_no_gpu("cuda")
    if reason is not None:
        print(f"skipped: {reason}")
        return
    found: dict[str, Any] = {"device": "host: the script was tried, these are no figures" if given.host else "cuda"}
    device: type[Memory] = Host if given.host else Cuda
    if not given.host:
        with closing(Cuda()) as cuda:
            found["limits"] = copy_limits(cuda)
        print("limits:", found["limits"], flush=True)
    found["rows"], found["parts_ms"] = [], []
    for shot in shots:
        with closing(device()) as memory:
            found["parts_ms"].append(parts_alone(memory, shot, given.model, min(1.0, given.seconds)))
        print(found["parts_ms"][-1], flush=True)
        found["rows"] += measure(device, shot, given.model, given)
        save("gpu", found, given.out)
    if not given.host:
        found["codecs"] = hardware_codecs(given.seconds)
        print("codecs:", found["codecs"])
    print("saved", save("gpu", found, given.out).name)


if __name__ == "__main__":
    run_script(main)
