"""From a model's answer to the maps that are taken off, as `plan_removal` does at full strength, in a graph."""

from __future__ import annotations

import numpy as np
from graphs import Graph

from rtdehaze.stages.estimate.fit import _TO_RGB, _TO_YUV
from rtdehaze.stages.recompose.outline import _ALIKE, _REACH, _STEEP, _STRIDE, _WEIGHTS
from rtdehaze.stages.recompose.removal import _COLOURED, _COLOURLESS, MAX_CHROMA_GAIN, MIN_TRANSMISSION

__all__ = ["answered", "planned"]

_BEYOND = 1e6
"""How steep the veil counts as outside the map: such samples have no weight."""


def answered(graph: Graph, found: dict[str, str]) -> dict[str, str]:
    """The model's answer as transmission of luma and chroma, and veil; nothing is limited yet.

    Args:
        graph: To add to.
        found: The model's outputs by meaning.

    Returns:
        `luma`, `chroma`, `transmission` (1, 1, h, w), `veil` (1, 3, h, w), `airlight` (1, 3, 1, 1).
    """
    airlight = graph.op("Reshape", found["airlight"], graph.whole(1, 3, 1, 1))
    t = graph.op("Clip", found["transmission"], MIN_TRANSMISSION, 1.0)
    common = {"transmission": t, "airlight": airlight}
    if "bias" not in found:
        return common | {"luma": t, "chroma": t, "veil": graph.op("Mul", airlight, graph.op("Sub", 1.0, t))}
    gains = graph.op("Concat", found["luma_gain"], found["chroma_gain"], found["chroma_gain"], axis=1)
    veil = graph.op("Div", graph.op("Neg", _turned(graph, found["bias"], _TO_YUV)), gains)
    luma, chroma = (graph.op("Reciprocal", found[name]) for name in ("luma_gain", "chroma_gain"))
    return common | {"luma": luma, "chroma": chroma, "veil": _turned(graph, veil, _TO_RGB)}


def planned(graph: Graph, answer: dict[str, str], guide: str, *, finer: bool) -> dict[str, str]:
    """The maps within their limits.

    Args:
        graph: To add to.
        answer: As `answered` gives it.
        guide: (1, 3, h, w), the thumbnail at the maps' size.
        finer: Whether the thumbnail itself is finer than the maps: then their edges are drawn sharper.
    """
    luma, chroma, veil = answer["luma"], answer["chroma"], answer["veil"]
    if finer:
        luma, chroma, veil = _outlined(graph, luma, chroma, veil, guide)
    span = float(_COLOURED - _COLOURLESS)
    coloured = graph.op("Div", graph.op("Sub", answer["transmission"], float(_COLOURLESS)), span)
    most = graph.op("Add", graph.op("Mul", graph.op("Clip", coloured, 0.0, 1.0), MAX_CHROMA_GAIN - 1.0), 1.0)
    return {
        "luma": graph.op("Max", luma, MIN_TRANSMISSION),
        "chroma": graph.op("Max", chroma, graph.op("Reciprocal", most)),
        "veil": veil,
    }


def _outlined(graph: Graph, luma: str, chroma: str, veil: str, guide: str) -> tuple[str, str, str]:
    """Maps drawn sharper along the guide's edges, as `outline.outlined`: windows are unfolded by a convolution."""
    weights = graph.constant(_WEIGHTS.reshape(1, 3, 1, 1))
    seen, added = graph.op("Conv", guide, weights), graph.op("Conv", veil, weights)
    steep = _steepness(graph, added)
    share = graph.op("Clip", graph.op("Div", graph.op("Sub", steep, float(_STEEP)), 2.0 * float(_STEEP)), 0.0, 1.0)
    share = graph.op("Mul", share, graph.cast(graph.op("Greater", added, 0.0), np.float32))
    off = graph.op("Sub", _window(graph, seen), seen)
    edge = _window(graph, steep, outside=_BEYOND)
    like = _squared(graph, _squared(graph, _fading(graph, off, float(_ALIKE))))
    weight = graph.op("Reciprocal", graph.op("Mul", like, _fading(graph, edge, float(_STEEP))))
    total = _summed(graph, weight)

    def factor(field: str, least: float) -> str:
        mean = graph.op("Div", _summed(graph, graph.op("Mul", weight, _window(graph, field))), total)
        change = graph.op("Sub", graph.op("Div", mean, graph.op("Max", field, least)), 1.0)
        return graph.op("Add", graph.op("Mul", share, change), 1.0)

    of_veil, of_luma = factor(added, 1e-6), factor(luma, 1e-6)
    return graph.op("Mul", luma, of_luma), graph.op("Mul", chroma, of_luma), graph.op("Mul", veil, of_veil)


def _steepness(graph: Graph, field: str) -> str:
    """The greater difference over two samples, across or down, border samples repeated."""
    padded = graph.op("Pad", field, graph.whole(0, 0, 1, 1, 0, 0, 1, 1), mode="edge")
    kernels = np.zeros((2, 1, 3, 3), np.float32)
    kernels[0, 0, 1, [0, 2]], kernels[1, 0, [0, 2], 1] = (-1, 1), (-1, 1)
    both = graph.op("Abs", graph.op("Conv", padded, graph.constant(kernels)))
    return graph.op("ReduceMax", both, graph.whole(1), keepdims=1)


def _window(graph: Graph, field: str, outside: float = 0.0) -> str:
    """The samples of the window about each sample that `outline` looks at, as channels."""
    side = 2 * _REACH // _STRIDE + 1
    padded = graph.op("Pad", field, graph.whole(0, 0, _REACH, _REACH, 0, 0, _REACH, _REACH), outside)
    kernels = np.eye(side * side, dtype=np.float32).reshape(-1, 1, side, side)
    return graph.op("Conv", padded, graph.constant(kernels), dilations=[_STRIDE, _STRIDE])


def _fading(graph: Graph, field: str, half: float) -> str:
    return graph.op("Add", graph.op("Mul", _squared(graph, field), 1.0 / (half * half)), 1.0)


def _squared(graph: Graph, field: str) -> str:
    return graph.op("Mul", field, field)


def _summed(graph: Graph, field: str) -> str:
    return graph.op("ReduceSum", field, graph.whole(1), keepdims=1)


def _turned(graph: Graph, field: str, matrix: np.ndarray) -> str:
    return graph.op("Conv", field, graph.constant(matrix.astype(np.float32).reshape(3, 3, 1, 1)))
