"""The recompose kernel alone: milliseconds a frame and nanoseconds a pixel, by pixel format and size.

    python benchmarks/recompose.py --sizes 640x360,1280x720,1920x1080,3840x2160 --threads 1,2

With a guide (edges, debanding: what the pipeline does) and without; maps 256 wide. Processor time of the thread for
one thread, wall time for several; the median of alternating rounds. "linear" is the time per pixel of the largest size
over that of 1080p: 1 or less where time grows no faster than pixels. Beside it the time of NumPy's copy of the planes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from arguments import listed, pixels_word, run_script, whole
from results import add_out, save, settings_of
from turns import in_turn

from rtdehaze.core.colour import Colour
from rtdehaze.core.frame import PIXEL_FORMATS, Frame, Layout, Plane
from rtdehaze.core.haze import Removal
from rtdehaze.stages.recompose.recomposer import Recomposer

_FORMATS = "yuv420p,nv12,yuv422p,yuv444p,gray,yuv420p10le,p010le"
_ROUNDS = 15


def noisy_frame(name: str, width: int, height: int) -> Frame:
    """A frame of noise in the middle of the range, its lines padded to 64 samples."""
    pixels = PIXEL_FORMATS[name]
    rng = np.random.default_rng(0)
    chroma_width, chroma_height = pixels.chroma_size(width, height)
    sizes = [(width, height)]
    if pixels.layout is Layout.SEMIPLANAR:
        sizes.append((2 * chroma_width, chroma_height))
    elif pixels.layout is Layout.PLANAR:
        sizes += [(chroma_width, chroma_height)] * 2
    top = 1 << pixels.bits
    planes = []
    for plane_width, plane_height in sizes:
        data = rng.integers(top // 4, 3 * top // 4, (plane_height, -(-plane_width // 64) * 64))
        planes.append(Plane((data << pixels.shift).astype(pixels.dtype), plane_width))
    return Frame(tuple(planes), pixels, width, height, Colour(), 0, Fraction(1, 25))


def removal_for(width: int, height: int) -> Removal:
    """Maps that vary everywhere, 256 wide."""
    rng = np.random.default_rng(1)
    size = (256, max(1, round(256 * height / width)))
    t = cv2.resize(rng.uniform(0.2, 0.9, (9, 16)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    t = np.clip(t, 0.15, 1.0)
    airlight = np.array([0.80, 0.82, 0.84], np.float32).reshape(3, 1, 1)
    return Removal(t, t, airlight * (1 - t), rng.uniform(0.3, 0.7, (3, *t.shape)).astype(np.float32))


def measure(size: str, threads: int) -> list[dict[str, Any]]:
    """All formats of one size, each with and without a guide."""
    width, height = map(int, size.split("x"))
    removal = removal_for(width, height)
    clock: Callable[[], float] = time.thread_time if threads == 1 else time.perf_counter
    rows = []
    with Recomposer(threads=threads) as recomposer:
        for name in _FORMATS.split(","):
            frame, out = noisy_frame(name, width, height), noisy_frame(name, width, height)
            ways: dict[str, Removal | None] = {"ms": removal, "plain": replace(removal, guide=None), "copy": None}
            spent: dict[str, list[float]] = {way: [] for way in ways}
            for number in range(_ROUNDS + 1):
                for way in in_turn(ways, number):
                    start = clock()
                    recomposer.apply(frame, ways[way], out)
                    spent[way].append((clock() - start) * 1e3)
            medians = {way: round(statistics.median(times[1:]), 3) for way, times in spent.items()}
            best = {f"{way}_least": round(min(times[1:]), 3) for way, times in spent.items()}
            per_pixel = round(medians["ms"] * 1e6 / (width * height), 3)
            rows.append(
                {"size": size, "format": name, "threads": threads, **medians, **best, "ns_per_pixel": per_pixel}
            )
            print(
                f"{size:>10} {name:12} {threads} thread{'s' if threads > 1 else ' '}"
                f"{medians['ms']:8.2f} ms (least {best['ms_least']:6.2f}) {per_pixel:6.2f} ns/px"
                f"   without guide {medians['plain']:7.2f}   copy {medians['copy']:6.2f}"
            )
    return rows


def linearity(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Time per pixel of the largest size over that of 1080p, by format, on one thread, from the least times."""

    def pixels(row: dict[str, Any]) -> int:
        width, height = map(int, row["size"].split("x"))
        return width * height

    found = {}
    for name in {row["format"] for row in rows}:
        own = [row for row in rows if row["format"] == name and row["threads"] == 1]
        base = next((row for row in own if row["size"] == "1920x1080"), None)
        if base is None:
            continue
        largest = max(own, key=pixels)
        found[name] = round(largest["ms_least"] / pixels(largest) / (base["ms_least"] / pixels(base)), 2)
    return found


def main() -> None:
    """Measures, prints and saves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", type=listed(pixels_word), default="640x360,1280x720,1920x1080,3840x2160")
    parser.add_argument("--threads", type=listed(whole(1)), default="1,2")
    add_out(parser)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rows = []
    for threads in options.threads:
        for size in options.sizes:
            rows += measure(size, threads)
    linear = linearity(rows)
    print("linear:", linear)
    print(save("recompose", {"linear": linear, "rows": rows}, options.out, settings_of(options)))


if __name__ == "__main__":
    run_script(main)
