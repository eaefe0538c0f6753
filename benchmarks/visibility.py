"""How right the estimated visibility is, on generated drives whose air is known.

    python benchmarks/visibility.py --seeds 20 --model base

Each place is seen in haze from dense to thin. True visibility is the meteorological optical range of its air; the
estimate is made as `--telemetry` makes it: from the median of the estimated transmission and the place's median
distance. "ratio" is estimated over true: its median, and the ratios that one in ten places falls short of and exceeds.
"order" is the share of neighbouring pairs of hazes of one place whose order the index gets right.
"""

from __future__ import annotations

import argparse
import itertools
from typing import Any

import numpy as np
from arguments import model_word, run_script, whole
from results import add_out, save, settings_of

from rtdehaze.apps.watch.visibility import visibility_index, visual_range
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.stages.estimate import DEFAULT_MODEL
from rtdehaze.synth.drive import FoggyDrive

FIRST_SEED = 90_000
"""Far from the seeds of training's own scenes."""

TRANSMISSIONS = (0.1, 0.2, 0.35, 0.5, 0.7, 0.85)
"""Medians over the picture."""

NOISE = 0.005


def estimated(model: str, seed: int, transmission: float) -> float:
    """Median of the estimated transmission of the first frame of a place in haze of that median transmission."""
    drive = FoggyDrive(640, 360, seed=seed, seconds=0.04, median_transmission=transmission, noise=NOISE)
    with Dehazer.load(model, mode="manual", smoothing=0.0) as dehazer:
        dehazer.process(drive.frame(0).hazy)
        haze = dehazer.haze
    return float("nan") if haze is None else float(np.median(haze.transmission))


def figures(model: str, seeds: int) -> dict[str, Any]:
    """The table of one model."""
    found = np.array([[estimated(model, FIRST_SEED + seed, t) for t in TRANSMISSIONS] for seed in range(seeds)])
    rows = {}
    for column, true in enumerate(TRANSMISSIONS):
        ratios = np.array([visual_range(value) for value in found[:, column]]) / visual_range(true)
        indices = np.array([visibility_index(value) for value in found[:, column]])
        low, middle, high = np.quantile(ratios, (0.1, 0.5, 0.9))
        rows[f"{true:g}"] = {
            "times the median distance": round(visual_range(true), 2),
            "ratio": [round(float(value), 2) for value in (middle, low, high)],
            "index, true": round(visibility_index(true), 3),
            "index, median": round(float(np.median(indices)), 3),
        }
    steps = [later > earlier for place in found for earlier, later in itertools.pairwise(place)]
    return {"by median transmission": rows, "order": round(float(np.mean(steps)), 3)}


def main() -> None:
    """Prints and saves the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=whole(1), default=20)
    parser.add_argument(
        "--model", type=model_word, action="append", help=f"may be repeated  [default: {DEFAULT_MODEL}]"
    )
    add_out(parser)
    arguments = parser.parse_args()
    tables = {model: figures(model, arguments.seeds) for model in arguments.model or [DEFAULT_MODEL]}
    for model, table in tables.items():
        print(f"{model}: order right in {table['order']:.1%}")
        for true, row in table["by median transmission"].items():
            middle, low, high = row["ratio"]
            index = f"index {row['index, median']:.2f}, true {row['index, true']:.2f}"
            print(f"  median t {true:>4}: estimated / true {middle:.2f} ({low:.2f} to {high:.2f}), {index}")
    found = {"seeds": arguments.seeds, "noise": NOISE, "models": tables}
    print(save("visibility", found, arguments.out, settings_of(arguments)))


if __name__ == "__main__":
    run_script(main)
