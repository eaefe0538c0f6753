"""Recomposition as an ONNX graph: planes and maps in, planes out, 8 and 10 bit.

The same arithmetic as the compiled loops of `rtdehaze/stages/recompose`, whole pictures at a time: maps enlarged
bilinearly, depth edges followed, levels filled in from the guide, chroma shrunk where RGB has no room, dithered,
clipped. Numbers agree with the loops to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from graphs import Graph

from device.planes import Shot
from rtdehaze.core.colour import Colour, rgb_to_levels
from rtdehaze.stages.recompose.edges import _LEAST, _PICTURE_VARIANCE, _VEIL_VARIANCE
from rtdehaze.stages.recompose.fields import levels
from rtdehaze.stages.recompose.levels import Levels
from rtdehaze.stages.recompose.rows import DEBAND, SPARED_BY, SPARED_TO, dither_ramp

__all__ = ["build_recompose", "recompose_nodes"]

_TINY = 1e-9


def build_recompose(shot: Shot, map_size: tuple[int, int], colour: Colour, *, guided: bool = True) -> onnx.ModelProto:
    """Builds the graph.

    Args:
        shot: Format and size of the frames.
        map_size: Width and height of the maps.
        colour: How samples are to be read.
        guided: With the guide, as the pipeline does: depth edges followed and levels filled in.

    Returns:
        A model that takes the planes `y`, `u`, `v` (or `y`, `uv`), `luma` and `chroma` (1, 1, h, w), `veil` and, if
        guided, `guide` (1, 3, h, w), as `rtdehaze.core.haze.Removal` has them, and gives the planes `out_y`, ...
    """
    graph = Graph()
    maps = {"luma": 1, "chroma": 1, "veil": 3} | ({"guide": 3} if guided else {})
    out = recompose_nodes(graph, shot, shot.read(graph), {name: name for name in maps}, map_size, colour)
    width, height = map_size
    inputs: dict[str, Any] = {name: (shot.pixels.dtype, size) for name, size in shot.planes.items()}
    inputs |= {name: (np.float32, (1, count, height, width)) for name, count in maps.items()}
    outputs = {f"out_{name}": (out[name], shot.pixels.dtype, size) for name, size in shot.planes.items()}
    return graph.finish("recompose", inputs, outputs)


@dataclass(frozen=True)
class _Maps:
    """What is enlarged, and the bounds that it keeps, all in levels."""

    luma: str
    """(1, 5, h, w) at luma's size: transmission, veil, guide, slopes of both; three fields fewer without a guide."""
    chroma: str
    """(1, 5, h, w) at chroma's size: transmission, veil and guide of U and V."""
    bounds: dict[str, tuple[str, str]]
    """Least and greatest of luma's transmission, chroma's, and the veil."""
    shares: str | None
    """(1, 2, 1, 1): how much the veil of U and V changes with luma's; None without a guide."""


def recompose_nodes(
    graph: Graph,
    shot: Shot,
    planes: tuple[str, str],
    removal: dict[str, str],
    map_size: tuple[int, int],
    colour: Colour,
) -> dict[str, str]:
    """Adds the nodes to a graph.

    Args:
        graph: To add to.
        shot: Format and size.
        planes: Luma and chroma as `Shot.read` gives them.
        removal: The tensors `luma`, `chroma`, `veil` and perhaps `guide`.
        map_size: Width and height of the maps.
        colour: How samples are to be read.

    Returns:
        The planes that come out, by name.
    """
    to = levels(shot.pixels, shot.pixels, colour, "guide" in removal)
    maps = _enlarged(graph, shot, removal, map_size, colour)
    luma, edge = _luma(graph, shot, planes[0], maps, to)
    chroma = _chroma(graph, shot, planes[1], luma, edge, maps, to)
    return shot.write(graph, luma, chroma)


def _enlarged(graph: Graph, shot: Shot, removal: dict[str, str], map_size: tuple[int, int], colour: Colour) -> _Maps:
    matrix, offset = rgb_to_levels(colour, shot.pixels.bits)
    weight = graph.constant(matrix.astype(np.float32).reshape(3, 3, 1, 1))
    base = graph.constant(offset.astype(np.float32))
    luma = graph.op("Max", removal["luma"], 1.0 / 255.0)
    chroma = graph.op("Max", removal["chroma"], 1.0 / 255.0)
    veil = graph.op("Conv", removal["veil"], weight, base)
    veil_y, veil_uv = graph.split("Split", 2, veil, graph.whole(1, 2), axis=1)
    of_luma, of_chroma, shares = [luma, veil_y], [chroma, veil_uv], None
    if "guide" in removal:
        guide = graph.op("Conv", removal["guide"], weight, base)
        guide_y, guide_uv = graph.split("Split", 2, guide, graph.whole(1, 2), axis=1)
        share = max(0.0, 1.0 - map_size[0] * map_size[1] / (shot.width * shot.height))
        white = float(matrix[0].sum())
        of_luma += [guide_y, *_slopes(graph, luma, veil_y, guide_y, share, white)]
        of_chroma += [guide_uv]
        shares = _share(graph, veil_y, veil_uv)
    bounds = {"luma": _bounds(graph, luma), "chroma": _bounds(graph, chroma), "veil": _bounds(graph, veil_y)}
    return _Maps(
        _resized(graph, of_luma, shot.height, shot.width),
        _resized(graph, of_chroma, shot.height // 2, shot.width // 2),
        bounds,
        shares,
    )


def _resized(graph: Graph, fields: list[str], height: int, width: int) -> str:
    """Maps enlarged bilinearly, sites at the centres of what samples stand for."""
    joined = graph.op("Concat", *fields, axis=1)
    sizes = graph.whole(height, width)
    return graph.op(
        "Resize", joined, "", "", sizes, axes=[2, 3], mode="linear", coordinate_transformation_mode="half_pixel"
    )


def _bounds(graph: Graph, field: str) -> tuple[str, str]:
    return graph.op("ReduceMin", field, keepdims=1), graph.op("ReduceMax", field, keepdims=1)


def _slopes(graph: Graph, luma: str, veil: str, guide: str, share: float, white: float) -> tuple[str, str]:
    """Slopes of transmission and veil over luma, as `edges.edge_slopes`: least squares over 3 x 3 samples."""
    unit = white * white

    def mean(field: str) -> str:
        padded = graph.op("Pad", field, graph.whole(0, 0, 1, 1, 0, 0, 1, 1), mode="edge")
        return graph.op("AveragePool", padded, kernel_shape=[3, 3], strides=[1, 1])

    def about(one: str, other: str) -> str:
        """Covariance over the window."""
        return graph.op("Sub", mean(graph.op("Mul", one, other)), graph.op("Mul", mean(one), mean(other)))

    of_y, own = (graph.op("Max", about(field, field), 0.0) for field in (guide, veil))
    with_v, with_t = about(guide, veil), about(guide, luma)
    fit = graph.op(
        "Div", graph.op("Mul", with_v, with_v), graph.op("Add", graph.op("Mul", of_y, own), _LEAST * unit * unit)
    )
    damped = graph.op(
        "Mul", graph.op("Add", own, _VEIL_VARIANCE * unit), graph.op("Add", of_y, _PICTURE_VARIANCE * unit)
    )
    trust = graph.op("Div", graph.op("Mul", graph.op("Min", fit, 1.0), own), damped)
    trust = graph.op("Mul", trust, share)
    return graph.op("Mul", with_t, trust), graph.op("Mul", with_v, trust)


def _share(graph: Graph, veil: str, parts: str) -> str:
    """How much U's and V's veil change with luma's, least squares over the whole map: (1, 2, 1, 1)."""
    axes = graph.whole(2, 3)

    def centred(field: str) -> str:
        return graph.op("Sub", field, graph.op("ReduceMean", field, axes, keepdims=1))

    of_veil = centred(veil)
    products = graph.op("ReduceMean", graph.op("Mul", centred(parts), of_veil), axes, keepdims=1)
    squares = graph.op("ReduceMean", graph.op("Mul", of_veil, of_veil), axes, keepdims=1)
    return graph.op("Div", products, graph.op("Add", squares, _LEAST))


def _between(graph: Graph, value: str, low: str, high: str) -> str:
    return graph.op("Min", graph.op("Max", value, low), high)


def _filled(graph: Graph, samples: str, off: str, fade: str) -> str:
    """Samples with what the guide knows between two levels."""
    most = graph.op("Relu", graph.op("Sub", DEBAND, graph.op("Mul", graph.op("Abs", off), 0.5)))
    step = _between(graph, off, graph.op("Neg", most), most)
    return graph.op("Add", samples, graph.op("Mul", step, fade))


def _fade(graph: Graph, gain: str) -> str:
    return graph.op("Min", graph.op("Sub", gain, 1.0), 1.0)


def _luma(graph: Graph, shot: Shot, samples: str, maps: _Maps, to: Levels) -> tuple[str, tuple[str, str] | None]:
    """Luma in whole levels, and what depth edges changed about transmission and veil."""
    guided = maps.shares is not None
    fields = graph.split("Split", 5 if guided else 2, maps.luma, graph.whole(*[1] * (5 if guided else 2)), axis=1)
    through, added, edge = fields[0], fields[1], None
    off = ""
    if guided:
        off = graph.op("Sub", fields[2], samples)
        through = graph.op("Sub", fields[0], graph.op("Mul", fields[3], off))
        added = graph.op("Sub", fields[1], graph.op("Mul", fields[4], off))
        through = _between(graph, through, *maps.bounds["luma"])
        added = _between(graph, added, *maps.bounds["veil"])
        edge = graph.op("Sub", through, fields[0]), graph.op("Sub", added, fields[1])
    gain = graph.op("Reciprocal", through)
    fade = _fade(graph, gain)
    inside = _filled(graph, samples, off, fade) if guided else samples
    noise = graph.op("Mul", fade, _dither(graph, shot.width, shot.height))
    exact = graph.op("Add", graph.op("Mul", graph.op("Sub", inside, added), gain), noise)
    return _whole(graph, graph.op("Add", exact, float(to.rounding)), samples, to.clip, shot, int(to.top)), edge


def _chroma(
    graph: Graph, shot: Shot, samples: str, luma: str, edge: tuple[str, str] | None, maps: _Maps, to: Levels
) -> str:
    """U and V in whole levels, (1, 2, h, w); `levels.Levels` and `chroma.clear_chroma` say what and why."""
    guided = edge is not None and maps.shares is not None
    counts = [1, 2, 2] if guided else [1, 2]
    fields = graph.split("Split", len(counts), maps.chroma, graph.whole(*counts), axis=1)
    through, veil, inside = fields[0], fields[1], samples
    if edge is not None and maps.shares is not None:
        through = graph.op("Add", through, _halved(graph, edge[0]))
        through = _between(graph, through, *maps.bounds["chroma"])
        veil = graph.op("Add", veil, graph.op("Mul", _halved(graph, edge[1]), maps.shares))
    most = graph.op("Reciprocal", through)
    fade = _fade(graph, most)
    if guided:
        inside = _filled(graph, samples, graph.op("Sub", fields[2], samples), fade)
    colour = graph.op("Sub", inside, veil)
    unit = float(to.per_white) * (1 << shot.pixels.shift)
    black = float(to.black) / (1 << shot.pixels.shift)
    bright = graph.op("Mul", graph.op("Sub", _halved(graph, luma), black), unit)
    bright = graph.op("Clip", bright, 0.0, 1.0)
    gain = _fitting(graph, colour, bright, most, to)
    noise = graph.op("Mul", fade, _dither(graph, shot.width // 2, shot.height // 2))
    exact = graph.op("Add", graph.op("Mul", colour, gain), noise)
    exact = graph.op("Add", exact, float(to.rounding_chroma))
    return _whole(graph, exact, samples, to.clip_chroma, shot, int(to.top))


def _fitting(graph: Graph, colour: str, bright: str, most: str, to: Levels) -> str:
    """The gain of chroma: as much as fits into RGB beside this luma."""
    turn = np.array([[0, to.red], [to.green_u, to.green_v], [to.blue, 0]], np.float32).reshape(3, 2, 1, 1)
    beyond = graph.op("Conv", colour, graph.constant(turn))
    axes = graph.whole(1)
    above = graph.op("Mul", graph.op("ReduceMax", beyond, axes, keepdims=1), bright)
    below = graph.op("Mul", graph.op("ReduceMin", beyond, axes, keepdims=1), graph.op("Sub", bright, 1.0))
    room = graph.op("Sub", bright, graph.op("Mul", bright, bright))
    fitting = graph.op("Div", room, graph.op("Max", above, below, _TINY))
    spared = graph.op("Min", graph.op("Sub", float(SPARED_TO), graph.op("Mul", most, float(SPARED_BY))), 1.0)
    return graph.op("Max", graph.op("Min", most, fitting), graph.op("Mul", most, spared))


def _halved(graph: Graph, field: str) -> str:
    """The mean of each block of 2 x 2."""
    return graph.op("AveragePool", field, kernel_shape=[2, 2], strides=[2, 2])


def _whole(graph: Graph, exact: str, samples: str, nominal: np.ndarray, shot: Shot, top: int) -> str:
    """Truncated to levels, within the nominal range or where the input was beyond it."""
    low, high = (float(int(level) >> shot.pixels.shift) for level in nominal)
    level = graph.op("Clip", graph.op("Floor", exact), 0.0, float(top))
    return _between(graph, level, graph.op("Min", samples, low), graph.op("Max", samples, high))


def _dither(graph: Graph, width: int, height: int) -> str:
    """The loops' dither, (1, 1, height, width), kept in bytes: a level's 256th is fine enough."""
    ramp, shifts = dither_ramp(width, height)
    rows = ramp[shifts[:, None] + np.arange(width)]
    stored = graph.constant(np.round(rows * 255.0).astype(np.int8)[None, None])
    return graph.op("Mul", graph.cast(stored, np.float32), 1.0 / 255.0)
