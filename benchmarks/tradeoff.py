"""Quality beside speed, one picture: PSNR against milliseconds a frame, for every model and peer.

    python benchmarks/tradeoff.py --pairs outdoor=DIR --seconds 4 --rounds 5
    python benchmarks/tradeoff.py --limit 3 --seconds 0.5 --rounds 1                # a try

PSNR is of single pictures, dehazed at full size by themselves: frames of generated drives through thin to thick fog,
and the pairs of folders that you give (`hazy/NAME`, `clear/NAME`). Milliseconds are of a 1080p frame through the
pipeline without codecs, in turns (`compare_peers.py`). Methods for videos are judged on the drives alone, at the same
frames, having seen those before; peers with random weights have a time and no place in the picture.
Figures go to benchmarks/results/tradeoff.json and tradeoff.png.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from arguments import duration, listed, model_word, one_of, run_script, size_word, whole
from compare_peers import makers
from peers.all import PEERS, peers_named
from peers.base import Peer, Restore
from results import add_out, save, settings_of, spread
from tradeoff_plot import plot
from turns import Contestant, take_turns

from rtdehaze.apps.bench.material import gather
from rtdehaze.apps.bench.plan import GENERATED, NO_CODEC, Codec, parse_size
from rtdehaze.apps.bench.running import Bed
from rtdehaze.apps.drive import DRIVE_RATE, yuv_frame
from rtdehaze.apps.evaluate.contenders import Settings, open_contenders
from rtdehaze.apps.evaluate.generated import HELD_OUT
from rtdehaze.apps.evaluate.selection import spread as evenly
from rtdehaze.apps.frames import empty_frame, rgb_of
from rtdehaze.measure.fidelity import psnr
from rtdehaze.measure.pairs import find_pairs, read_pair
from rtdehaze.pipeline.runner import FrameDehazer
from rtdehaze.pipeline.threads import available_cores, opencv_threads
from rtdehaze.stages.estimate.models import list_models
from rtdehaze.synth.drive import FoggyDrive

Picture = np.ndarray
Pictures = Callable[[], Iterator[tuple[Picture, Picture]]]

DRIVES = "generated drives"

_FOGS = (0.3, 0.4, 0.5, 0.6, 0.7)
"""Median transmission of the drives."""
_MOMENTS = (0, 12)
"""Frames that are taken of each."""
_SIZE = (960, 540)


def _drives() -> Iterator[FoggyDrive]:
    """Drives that no training draws."""
    for number, fog in enumerate(_FOGS):
        yield FoggyDrive(*_SIZE, DRIVE_RATE, 1.0, HELD_OUT + 50 + number, median_transmission=fog, noise=0.006)


def drives() -> Iterator[tuple[Picture, Picture]]:
    """Frames of these drives: hazy and clear."""
    for drive in _drives():
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


def restorers(models: list[str], peers: list[Peer], cores: int) -> dict[str, Restore]:
    """What restores single pictures, by the names of `compare_peers.makers`; left out is what they say nothing of."""
    ours = {f"rtdehaze {one.label}": one for one in open_contenders(models, Settings(provider="cpu"))}
    found: dict[str, Restore] = {
        name: (lambda picture, one=one: one.restore(picture).picture) for name, one in ours.items()
    }
    return found | {peer.name: peer.restore(cores) for peer in peers if peer.restore}


def quality(pictures: Pictures, methods: dict[str, Restore]) -> dict[str, float]:
    """Mean PSNR of each method, and of the untouched pictures."""
    found: dict[str, list[float]] = {"untouched": []}
    for hazy, clear in pictures():
        found["untouched"].append(psnr(hazy, clear))
        for name, restore in methods.items():
            found.setdefault(name, []).append(psnr(restore(hazy), clear))
    return {name: round(statistics.fmean(values), 2) for name, values in found.items()}


def film_quality(dehazers: Iterable[FrameDehazer]) -> float:
    """Mean PSNR of a method for videos at the drives' moments; it has seen all frames before them.

    It is given frames as in a video, 4:2:0 of 8 bits: that costs it some tenths of a decibel.

    Args:
        dehazers: A new one for each drive.
    """
    found = []
    for drive, dehazer in zip(_drives(), dehazers, strict=True):
        for number in range(max(_MOMENTS) + 1):
            shot = drive.frame(number)
            frame = yuv_frame(shot.hazy, number, Fraction(1, DRIVE_RATE))
            out = empty_frame(frame)
            dehazer.apply(frame, dehazer.decide(frame), out)
            if number in _MOMENTS:
                found.append(psnr(rgb_of(out), shot.clear))
    return round(statistics.fmean(found), 2)


def scored(given: argparse.Namespace, cores: int) -> dict[str, dict[str, float]]:
    """PSNR by domain and method."""
    domains: dict[str, Pictures] = {DRIVES: drives}
    for word in given.pairs:
        name, _, folder = word.rpartition("=")
        domains[name or Path(folder).name] = of_folder(Path(folder), given.limit)
    peers = peers_named(given.peers)
    with opencv_threads(cores):
        methods = restorers(given.models, peers, cores)
        scores = {name: quality(pictures, methods) for name, pictures in domains.items()}
        scores[DRIVES] |= {peer.name: film_quality(peer.open(cores) for _ in _FOGS) for peer in peers if peer.film}
    return scores


def timed(given: argparse.Namespace, cores: int) -> dict[str, dict[str, Any]]:
    """Milliseconds a frame by method, with their spread."""
    bed = Bed(gather(GENERATED, parse_size(given.size)), Codec(NO_CODEC), None, 1)
    made = makers(given.models, given.peers, cores, in_memory=True)
    contestants = {name: Contestant(bed, make) for name, make in made.items()}
    runs = take_turns(contestants, given.seconds, given.rounds, cores)
    return {name: spread("ms", [1e3 / run.fps for run in own]) for name, own in runs.items()}


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
    cores = available_cores()
    scores = scored(given, cores)
    spreads = timed(given, cores)
    times = {name: one.pop("ms") for name, one in spreads.items()}
    unjudged = {peer.name: peer.unjudged for peer in peers_named(given.peers) if peer.unjudged}
    for name, ms in times.items():
        said = (f"{domain} {_decibels(found, name, unjudged)}" for domain, found in scores.items())
        print(f"{name:20} {ms:9.2f} ms", *said, sep="  ")
    figures = {"ms_per_frame": times, "spread": spreads, "psnr": scores, "unjudged": unjudged, "size": given.size}
    print("saved", save("tradeoff", figures, given.out, settings_of(given)).name)
    plot(times, scores, given.size, unjudged, given.out / "tradeoff.png")


def _decibels(scores: dict[str, float], name: str, unjudged: dict[str, str]) -> str:
    return f"{scores[name]:.2f} dB" if name in scores else f"- ({unjudged.get(name, 'not judged')})"


if __name__ == "__main__":
    run_script(main)
