"""Quality beside speed, one picture: PSNR against milliseconds a frame, for every model and peer.

    python benchmarks/tradeoff.py --pairs outdoor=DIR --seconds 4 --rounds 5
    python benchmarks/tradeoff.py --limit 3 --seconds 0.5 --rounds 1                # a try

PSNR is of single pictures, dehazed at full size by themselves: frames of generated drives through thin to thick fog,
and the pairs of folders that you give (`hazy/NAME`, `clear/NAME`). Milliseconds are of a 1080p frame through the
pipeline without codecs, in turns (`compare_peers.py`). Peers with random weights or without a meaning for single
pictures have a time and no place in the picture. Figures go to benchmarks/results/tradeoff.json and tradeoff.png.
"""

from __future__ import annotations

import argparse
import io
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from arguments import duration, listed, model_word, one_of, run_script, size_word, whole
from compare_peers import makers
from peers.all import PEERS
from results import add_out, save, settings_of, spread
from turns import Contestant, take_turns

from rtdehaze.apps.bench.material import gather
from rtdehaze.apps.bench.plan import GENERATED, NO_CODEC, Codec, parse_size
from rtdehaze.apps.bench.results import write_whole
from rtdehaze.apps.bench.running import Bed
from rtdehaze.apps.evaluate.contenders import Settings, open_contenders
from rtdehaze.apps.evaluate.generated import HELD_OUT
from rtdehaze.apps.evaluate.selection import spread as evenly
from rtdehaze.measure.fidelity import psnr
from rtdehaze.measure.pairs import find_pairs, read_pair
from rtdehaze.pipeline.threads import available_cores, opencv_threads
from rtdehaze.stages.estimate.models import list_models
from rtdehaze.synth.drive import FoggyDrive

Picture = np.ndarray
Pictures = Callable[[], Iterator[tuple[Picture, Picture]]]

_FOGS = (0.3, 0.4, 0.5, 0.6, 0.7)
"""Median transmission of the drives."""
_MOMENTS = (0, 12)
"""Frames that are taken of each."""
_SIZE = (960, 540)

_COLOURS = {"ours": "#4477aa", "peer": "#ee6677"}


def drives() -> Iterator[tuple[Picture, Picture]]:
    """Frames of generated drives that no training draws: hazy and clear."""
    for number, fog in enumerate(_FOGS):
        drive = FoggyDrive(*_SIZE, 25.0, 1.0, HELD_OUT + 50 + number, median_transmission=fog, noise=0.006)
        for moment in _MOMENTS:
            frame = drive.frame(moment)
            yield frame.hazy, frame.clear


def of_folder(folder: Path, limit: int | None) -> Pictures:
    """The pairs of a folder.

    Raises:
        SourceError: It holds none; before anything is measured.
    """
    found = evenly(find_pairs(folder), limit)

    def pictures() -> Iterator[tuple[Picture, Picture]]:
        for files in found:
            pair = read_pair(files)
            yield pair.hazy, pair.clear

    return pictures


def restorers(models: list[str], cores: int) -> dict[str, Callable[[Picture], Picture] | None]:
    """What restores single pictures, by the names of `compare_peers.makers`; None where nothing can be said."""
    ours = {f"rtdehaze {one.label}": one for one in open_contenders(models, Settings(provider="cpu"))}
    found: dict[str, Callable[[Picture], Picture] | None] = {
        name: (lambda picture, one=one: one.restore(picture).picture) for name, one in ours.items()
    }
    return found | {peer.name: peer.restore(cores) if peer.restore else None for peer in PEERS}


def quality(pictures: Pictures, methods: dict[str, Callable[[Picture], Picture] | None]) -> dict[str, float]:
    """Mean PSNR of each method, and of the untouched pictures."""
    found: dict[str, list[float]] = {"untouched": []}
    for hazy, clear in pictures():
        found["untouched"].append(psnr(hazy, clear))
        for name, restore in methods.items():
            if restore is not None:
                found.setdefault(name, []).append(psnr(restore(hazy), clear))
    return {name: round(statistics.fmean(values), 2) for name, values in found.items()}


def plot(times: dict[str, float], domains: dict[str, dict[str, float]], size: str, path: Path) -> None:
    """Draws a panel for each domain."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.6 * len(domains), 5.0), layout="constrained")
    for axes, (domain, scores) in zip(figure.subplots(1, len(domains), squeeze=False)[0], domains.items(), strict=True):
        _draw(axes, scores, times)
        axes.set(title=domain, xlabel=f"ms a frame of {size}, no codecs")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    write_whole(path, content.getvalue())


def _draw(axes: Any, scores: dict[str, float], times: dict[str, float]) -> None:
    names = sorted(scores.keys() & times.keys(), key=lambda one: scores[one])
    apart = 0.055 * (max(scores.values()) - min(scores.values()))
    placed: list[tuple[float, float]] = []
    for name in names:
        kind = "ours" if name.startswith("rtdehaze ") else "peer"
        axes.plot(times[name], scores[name], "o", ms=9, color=_COLOURS[kind])
        # Names of near neighbours stand above each other.
        taken = [height for at, height in placed if abs(np.log(times[name] / at)) < 1.2]
        height = max([scores[name], *(one + apart for one in taken)])
        placed.append((times[name], height))
        axes.annotate(name.removeprefix("rtdehaze "), (1.13 * times[name], height), fontsize=9, va="center")
    axes.axhline(scores["untouched"], ls="--", color="#999999", lw=1)
    axes.annotate("untouched", (0.99, scores["untouched"]), xycoords=("axes fraction", "data"), ha="right", va="bottom",
                  fontsize=8, color="#666666")  # fmt: skip
    axes.set(xscale="log", ylabel="PSNR, dB")
    axes.margins(x=0.25, y=0.12)
    axes.grid(alpha=0.3)
    for kind, label in (("ours", "rtdehaze"), ("peer", "at full resolution")):
        axes.plot([], [], "o", color=_COLOURS[kind], label=label)
    axes.legend(loc="best", fontsize=9)


def main() -> None:
    """Scores, measures, prints, draws and saves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--models", type=listed(model_word), default=",".join(list_models()))
    parser.add_argument(
        "--peers", type=listed(one_of([peer.name for peer in PEERS])), default=",".join(peer.name for peer in PEERS)
    )
    parser.add_argument("--size", type=size_word, default="1080p", help="of the frames that are timed")
    parser.add_argument("--limit", type=whole(1), help="pictures of each folder, spread evenly")
    parser.add_argument("--seconds", type=duration, default=4.0, help="length of a run")
    parser.add_argument("--rounds", type=whole(1), default=5)
    add_out(parser)
    given = parser.parse_args()
    cores, models = available_cores(), given.models
    domains: dict[str, Pictures] = {"generated drives": drives}
    for word in given.pairs:
        name, _, folder = word.rpartition("=")
        domains[name or Path(folder).name] = of_folder(Path(folder), given.limit)
    with opencv_threads(cores):
        methods = {
            name: restore
            for name, restore in restorers(models, cores).items()
            if name.startswith("rtdehaze ") or name in given.peers
        }
        scores = {name: quality(pictures, methods) for name, pictures in domains.items()}
    bed = Bed(gather(GENERATED, parse_size(given.size)), Codec(NO_CODEC), None, 1)
    contestants = {
        name: Contestant(bed, make) for name, make in makers(models, given.peers, cores, in_memory=True).items()
    }
    runs = take_turns(contestants, given.seconds, given.rounds, cores)
    spreads = {name: spread("ms", [1e3 / run.fps for run in own]) for name, own in runs.items()}
    times = {name: one.pop("ms") for name, one in spreads.items()}
    for name, ms in times.items():
        print(
            f"{name:20} {ms:9.2f} ms",
            *(f"{domain} {found.get(name, float('nan')):6.2f} dB" for domain, found in scores.items()),
        )
    figures = {"ms_per_frame": times, "spread": spreads, "psnr": scores, "size": given.size}
    print("saved", save("tradeoff", figures, given.out, settings_of(given)).name)
    plot(times, scores, given.size, given.out / "tradeoff.png")


if __name__ == "__main__":
    run_script(main)
