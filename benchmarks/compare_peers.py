"""Ours and other methods in the same pipeline, in turns: frames a second without codecs and end to end.

    python benchmarks/compare_peers.py --size 1080p --seconds 8 --rounds 5
    python benchmarks/compare_peers.py --size 1080p --seconds 8 --rounds 5 --codecs none --peers dcp-full,aod-net

Every method sees the same frames through the same threads and queues (`peers/all.py` says what each is). Ratios are of
runs of the same round; their median counts. Peers may use all cores, or as many as `--threads` says; ours plans its
own. What it prints and saves: frames a second, milliseconds of work on a frame, ratio of ours to each.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from arguments import codec_word, duration, listed, model_word, one_of, run_script, size_word, whole
from peers.all import PEERS, peers_named
from results import add_out, save, settings_of, spread
from turns import Contestant, take_turns

from rtdehaze.apps.bench.material import gather, playable
from rtdehaze.apps.bench.plan import GENERATED, NO_CODEC, parse_codec, parse_size
from rtdehaze.apps.bench.running import Bed, Run, Untouched, as_in_a_run
from rtdehaze.core.options import Mode
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.runner import FrameDehazer
from rtdehaze.pipeline.threads import available_cores, plan_threads
from rtdehaze.stages.estimate.estimator import open_estimator

Maker = Callable[[], FrameDehazer]


def makers(models: list[str], peers: list[str], cores: int, *, in_memory: bool) -> dict[str, Maker]:
    """What takes turns, by name; ours first, `without` last: the transcode alone, or a copy."""
    plan = plan_threads(cores)
    found: dict[str, Maker] = {}
    for model in models:
        estimator = open_estimator(model, provider="cpu", threads=plan.inference)
        found[f"rtdehaze {model}"] = lambda estimator=estimator: as_in_a_run(estimator, plan)
    for peer in peers_named(peers):
        # Opened once: building a graph is not dehazing.
        opened = peer.open(cores)
        found[peer.name] = lambda opened=opened: opened
    found["without"] = (lambda: Dehazer(None, mode=Mode.OFF)) if in_memory else Untouched
    return found


def figures(runs: dict[str, list[Run]]) -> list[dict[str, Any]]:
    """Medians with their spread, and the ratio of the first contestant's fps to each one's, round by round."""
    first = next(iter(runs.values()))
    rows = []
    for name, own in runs.items():
        ratios = [a.fps / b.fps for a, b in zip(first, own, strict=True)]
        work = [1e3 * sum(run.stages[stage].total_s for stage in ("estimate", "recompose")) / run.frames for run in own]
        rows.append(
            {
                "method": name,
                **spread("fps", [run.fps for run in own]),
                **spread("ms_per_frame", work),
                "cores": round(statistics.median(run.cores for run in own), 2),
                **spread("ours_over_it", ratios, 3),
            }
        )
    return rows


def main() -> None:
    """Measures, prints and saves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=size_word, default="1080p")
    parser.add_argument("--models", type=listed(model_word), default="base", help="ours; ratios are of the first")
    parser.add_argument(
        "--peers", type=listed(one_of([peer.name for peer in PEERS])), default=",".join(peer.name for peer in PEERS)
    )
    parser.add_argument("--codecs", type=listed(codec_word), default="none,libx264:ultrafast")
    parser.add_argument("--seconds", type=duration, default=8.0, help="length of a run")
    parser.add_argument("--rounds", type=whole(1), default=5)
    parser.add_argument("--threads", type=whole(1), help="cores for all, ours and peers")
    add_out(parser)
    given = parser.parse_args()
    threads = plan_threads(given.threads)
    cores = given.threads or available_cores()
    material = gather(GENERATED, parse_size(given.size))
    found: dict[str, Any] = {"size": given.size, "peers": {peer.name: peer.note for peer in peers_named(given.peers)}}
    for word in given.codecs:
        codec = parse_codec(word)
        with ExitStack() as held:
            play = None if codec.name == NO_CODEC else held.enter_context(playable(material, threads.decode))
            bed = Bed(material, codec, play, threads.encode)
            contestants = makers(given.models, given.peers, cores, in_memory=bed.in_memory)
            there = {name: Contestant(bed, make) for name, make in contestants.items()}
            found[word] = figures(take_turns(there, given.seconds, given.rounds, cores))
        for row in found[word]:
            print(
                f"{word:18} {row['method']:18} {row['fps']:9.2f} fps {row['ms_per_frame']:9.2f} ms of dehazing a frame"
                f"   ours {row['ours_over_it']:7.2f} x"
                f" ({row['ours_over_it_least']:.2f} to {row['ours_over_it_most']:.2f})",
                flush=True,
            )
        save("peers", found, given.out, settings_of(given))
    print("saved peers.json")


if __name__ == "__main__":
    run_script(main)
