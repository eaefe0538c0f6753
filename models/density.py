"""How hazy is the whole picture: statistics that tell haze from clear air, and a logistic weighing of them.

The statistics: how the dark channel is distributed (haze lifts its low end), and for five levels of the dark channel
relative to the airlight how much of the picture lies there, how much contrast, and how much colour it still has there
(a white wall keeps its texture, fog does not). The weights are found by `calibrate_density.py`.
"""

from __future__ import annotations

from typing import Any

from graph import Graph, Value

__all__ = ["density", "statistics"]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of the dark channel relative to the airlight."""

WIDTH = 0.12
"""Of a level's soft window."""

DARK_PATCH = 7


def density(graph: Graph, image: Value, guide: Value, darkest: Value, air: Value, weights: dict[str, Any]) -> Value:
    """The density, (1, 1, 1, 1) in (0, 1): about the mean of 1 - t, near 0 for clear pictures."""
    found = statistics(graph, image, guide, darkest, air)
    column = graph.constant([[weight] for weight in weights["weights"]])
    score = graph.op("MatMul", found, column) + weights["bias"]
    return graph.op("Reshape", graph.op("Sigmoid", score), graph.whole(1, 1, 1, 1))


def statistics(graph: Graph, image: Value, guide: Value, darkest: Value, air: Value) -> Value:
    """The statistics of a picture, (1, 27)."""
    dark = graph.shrink(graph.minimum(darkest, DARK_PATCH))
    bright = graph.of_channels("Max", image)
    colour = graph.shrink((bright - darkest) / graph.op("Max", bright, 0.05))
    luma = graph.shrink(guide)
    fine = _log_deviation(graph, graph.shrink(guide * guide), luma)
    means = graph.box(graph.op("Concat", luma, luma * luma, axis=1), 4)
    mean, square = graph.split(means, 2)
    wide = _log_deviation(graph, square, mean)
    grey = graph.mean_of(air, 1)
    tint = graph.op("ReduceMax", air, axes=[1], keepdims=1) - graph.op("ReduceMin", air, axes=[1], keepdims=1)
    parts = [
        _quantiles(graph, dark),
        *_by_level(graph, dark / graph.op("Max", grey, 0.2), graph.op("Concat", fine, wide, colour, axis=1)),
        graph.op("Reshape", grey, graph.whole(1, 1)),
        graph.op("Reshape", tint, graph.whole(1, 1)),
    ]
    return graph.op("Concat", *parts, axis=1)


def _log_deviation(graph: Graph, mean_square: Value, mean: Value) -> Value:
    deviation = graph.op("Sqrt", graph.op("Max", mean_square - mean * mean, 0.0) + 1e-6)
    return graph.op("Log", deviation + 0.003)


def _quantiles(graph: Graph, value: Value) -> Value:
    flat = graph.op("Reshape", graph.shrink(value, 2), graph.whole(-1))
    count = graph.op("Size", flat)
    ordered, _ = graph.first_of_two("TopK", flat, graph.op("Reshape", count, graph.whole(1)), axis=0, largest=0)
    last = graph.op("Cast", count, to=1) - 1.0
    where = graph.op("Cast", last * graph.constant(QUANTILES), to=7)
    return graph.op("Reshape", graph.op("Gather", ordered, where, axis=0), graph.whole(1, len(QUANTILES)))


def _by_level(graph: Graph, level: Value, values: Value) -> tuple[Value, Value]:
    """For each level its share of the picture (square root, (1, 5)) and the means of the values there, (1, 15)."""
    centres = graph.constant([[[[centre]] for centre in LEVELS]])
    apart = (level - centres) * (1.0 / WIDTH)
    weight = graph.op("Reshape", graph.op("Exp", -(apart * apart)), graph.whole(len(LEVELS), -1))
    flat = graph.op("Reshape", values, graph.whole(3, -1))
    share = graph.op("ReduceMean", weight, axes=[1], keepdims=1)
    # A hundredth of the whole picture's mean keeps levels that do not occur from saying anything.
    number = graph.op("Cast", graph.op("Div", graph.op("Size", flat), graph.constant(3, int)), to=1)
    sums = graph.op("MatMul", weight, graph.op("Transpose", flat, perm=[1, 0])) / number
    whole = graph.op("Reshape", graph.op("ReduceMean", flat, axes=[1], keepdims=1), graph.whole(1, 3))
    means = (sums + whole * 0.01) / (share + 0.01)
    shares = graph.op("Reshape", graph.op("Sqrt", share), graph.whole(1, -1))
    return shares, graph.op("Reshape", means, graph.whole(1, -1))
