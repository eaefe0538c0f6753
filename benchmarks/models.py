"""Every shipped model side by side: what it is worth in each domain, and its time; the default must lead.

    python benchmarks/models.py --pairs outdoor=DIR --pairs smoke=DIR --pairs generated --real fog=DIR

Scores as `rtdehaze evaluate` gives them, through the runtime itself (full size, gate off, exposure given back); times
are of one estimate for 1080p on one thread, the models in turns. Figures go to benchmarks/results/models.json.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time

import cv2
import numpy as np
from arguments import model_word, run_script
from results import add_out, save, settings_of
from turns import in_turn

from rtdehaze.apps.evaluate.domains import gather_domains
from rtdehaze.apps.evaluate.evaluation import evaluate
from rtdehaze.stages.estimate.estimator import open_estimator
from rtdehaze.stages.estimate.models import list_models

RUNS = 201
"""Timed estimates of each model; medians and least times count."""


def milliseconds(models: list[str]) -> dict[str, dict[str, float]]:
    """Time of one estimate for 1080p, one thread."""
    estimators = {name: open_estimator(name, provider="cpu", threads=1) for name in models}
    taken: dict[str, list[float]] = {name: [] for name in models}
    for number in range(RUNS):
        for name in in_turn(estimators, number):
            estimator = estimators[name]
            width, height = estimator.thumbnail_size(1920, 1080)
            thumbnail = np.random.default_rng(0).uniform(0.3, 0.9, (3, height, width)).astype(np.float32)
            start = time.perf_counter()
            estimator.estimate(thumbnail)
            taken[name].append((time.perf_counter() - start) * 1e3)
    return {
        name: {"ms_median": round(statistics.median(times), 2), "ms_least": round(min(times), 2)}
        for name, times in taken.items()
    }


def main() -> None:
    """Scores all models and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind in ("pairs", "clips", "real"):
        parser.add_argument(f"--{kind}", action="append", default=[], metavar="[NAME=]DIR|generated")
    parser.add_argument(
        "--model", type=model_word, action="append", help="a name or a path, several times; all shipped ones if none"
    )
    add_out(parser)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    models = options.model or list_models()
    figures = {"time": milliseconds(models)}
    print(figures["time"])
    domains = gather_domains(options.pairs, options.clips, options.real)
    for result in evaluate(models, domains).domains if domains else ():
        means = {
            method: {key: round(value, 4) for key, value in scores.items() if not math.isnan(value)}
            for method, scores in result.means.items()
        }
        figures[result.domain.name] = {"kind": result.domain.kind.value, "count": len(result.items), "means": means}
        for method, scores in means.items():
            print(result.domain.name, method, *(f"{key}={value:g}" for key, value in scores.items()), sep="  ")
    print("figures:", save("models", figures, options.out, settings_of(options)))


if __name__ == "__main__":
    run_script(main)
