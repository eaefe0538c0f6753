"""Finds the weights of the haze density and the thresholds of its gate; writes density_weights.json.

    python models/calibrate_density.py --rgb DIR --disparity DIR

RGB: clear pictures; DISPARITY: 8-bit PNG of the same names, `(value / 255)**2` = disparity, near 1, far and sky 0. Each
picture is looked at clear and with haze made on it; then comes a camera's and an editor's doing: levels stretched
(without this, haze whose darkest spot was stretched to black passes for clear), gamma, colour, JPEG, noise. A logistic
regression to the mean of 1 - t, clear looks counted twice, small weights preferred.
`build_classical.py` comes next.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from rtdehaze.stages.estimate.thumbnail import thumbnail_of_rgb
from rtdehaze.synth.haze import (
    add_haze,
    beta_for_median,
    depth_from_disparity,
    random_airlight,
    transmission_from_depth,
)

sys.path.insert(0, str(Path(__file__).resolve().parent))
from build_classical import airlight
from density import statistics
from graph import SHRINK, Graph, Value
from small import look_at

LONG_SIDE = 256
STEPS, RATE, DECAY = 1200, 0.02, 3e-3
"""Of the regression: Adam's steps, its first rate, and the pull of the weights to 0."""

HYSTERESIS = 0.25
"""The gate's thresholds lie this share above and below the best single one."""

Array = NDArray[Any]


def statistics_session() -> ort.InferenceSession:
    """The statistics alone as a model: what is calibrated is what runs."""
    graph = Graph("statistics")
    image = Value(graph, "image")
    small = look_at(graph, image, graph.luma(image))
    found = statistics(graph, small, airlight(graph, small))
    model = graph.model({"statistics": (found, [1, 27])}, "")
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def hazy_look(rng: np.random.Generator, picture: Array, disparity: Array) -> tuple[Array, float]:
    """Adds haze of any density; returns the picture and its mean of 1 - t."""
    depth = depth_from_disparity(disparity, float(np.exp(rng.uniform(np.log(5), np.log(200)))))
    transmission = transmission_from_depth(depth, beta_for_median(depth, rng.uniform(0.1, 0.9)))
    return add_haze(picture, transmission, random_airlight(rng, 0.4, 1.0, 0.08)), float(1 - transmission.mean())


def processed(rng: np.random.Generator, picture: Array) -> Array:
    """What happens to a picture between the air and the file; (H, W, 3) uint8."""
    if rng.random() < 0.6:
        low = np.quantile(picture[::4, ::4], 0.003) * rng.uniform(0.5, 1.0)
        high = max(float(np.quantile(picture[::4, ::4], 0.997)), low + 0.2)
        picture = (picture - low) / (high + (1 - high) * rng.uniform() - low)
    picture = np.clip(picture, 0, 1) ** np.float32(np.exp(rng.uniform(-0.35, 0.35)))
    grey = picture.mean(axis=2, keepdims=True)
    picture = grey + rng.uniform(0.75, 1.25) * (picture - grey)
    picture = picture * rng.uniform(0.8, 1.1) + rng.uniform(-0.03, 0.03)
    if rng.random() < 0.4:
        picture = picture + rng.normal(0, rng.uniform(0.002, 0.012), picture.shape)
    levels = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.5:
        _, coded = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 95))])
        levels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return levels


def collect(rgb: Path, disparity: Path) -> tuple[Array, Array]:
    """Returns the statistics of all looks, (n, 27), and their true density, (n,); 0 is a clear one."""
    session, rng = statistics_session(), np.random.default_rng(1)
    found: list[Array] = []
    truth: list[float] = []
    for path in sorted(disparity.glob("*.png")):
        source = next(iter(sorted(rgb.glob(f"{path.stem}.*"))), None)
        raw = None if source is None else cv2.imread(str(source), cv2.IMREAD_COLOR)
        depths = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if raw is None or depths is None:
            print(f"left out, no readable pair: {path.stem}")  # noqa: T201 - a command
            continue
        picture = raw[..., ::-1].astype(np.float32) / 255
        height, width = picture.shape[:2]
        near = cv2.resize((depths.astype(np.float32) / 255) ** 2, (width, height))
        looks = [(np.round(picture * 255).astype(np.uint8), 0.0), (processed(rng, picture), 0.0)]
        for _ in range(3):
            hazy, amount = hazy_look(rng, picture, near)
            looks.append((processed(rng, hazy), amount))
        scale = LONG_SIDE / max(height, width)
        for look, amount in looks:
            small = thumbnail_of_rgb(look, "rgb", *(round(side * scale / SHRINK) * SHRINK for side in (width, height)))
            found.append(session.run(None, {"image": small[None]})[0][0])
            truth.append(amount)
    return np.array(found, np.float64), np.array(truth)


def fit(found: Array, truth: Array) -> tuple[Array, float]:
    """Logistic regression by Adam; returns weights and bias for the raw statistics."""
    middle, spread = found.mean(axis=0), found.std(axis=0) + 1e-9
    inputs = np.column_stack([(found - middle) / spread, np.ones(len(found))])
    share = np.where(truth == 0, 2.0, 1.0)
    share /= share.sum()
    weights, first, second = (np.zeros(inputs.shape[1]) for _ in range(3))
    decay = np.append(np.full(found.shape[1], DECAY), 0.0)
    for step in range(1, STEPS + 1):
        answer = 1 / (1 + np.exp(-(inputs @ weights)))
        slope = inputs.T @ (share * (answer - truth)) + decay * weights
        first, second = 0.9 * first + 0.1 * slope, 0.99 * second + 0.01 * slope**2
        rate = RATE * (0.5 + 0.5 * np.cos(np.pi * step / STEPS))
        weights -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
    raw = weights[:-1] / spread
    return raw, float(weights[-1] - raw @ middle)


def gate(answer: Array, truth: Array) -> dict[str, float]:
    """The thresholds around the one that tells hazy and clear apart best, each class counting half."""
    hazy = truth > 0
    steps = np.linspace(0.02, 0.6, 117)
    right = [((answer[hazy] > at).mean() + (answer[~hazy] <= at).mean()) / 2 for at in steps]
    best = float(steps[int(np.argmax(right))])
    error = np.abs(answer - truth)[hazy].mean()
    print(f"balanced accuracy {max(right):.3f} at {best:.3f}, mean error {error:.3f}")  # noqa: T201 - a command
    return {"hazy_above": round(best * (1 + HYSTERESIS), 3), "clear_below": round(best * (1 - HYSTERESIS), 3)}


def main() -> None:
    """Collects, fits, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rgb", type=Path, required=True)
    parser.add_argument("--disparity", type=Path, required=True)
    options = parser.parse_args()
    found, truth = collect(options.rgb, options.disparity)
    weights, bias = fit(found, truth)
    answer = 1 / (1 + np.exp(-(found @ weights + bias)))
    content = {
        "weights": [round(float(weight), 5) for weight in weights],
        "bias": round(bias, 5),
        "gate": gate(answer, truth),
    }
    target = Path(__file__).resolve().parent / "density_weights.json"
    target.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
