"""Builds cap.onnx and dcp.onnx and writes the checksums and gates into their cards. Needs the dev extra (`onnx`).

    python models/build_classical.py [FOLDER]

The same code and the same density_weights.json give the same bytes; a test rebuilds both and compares.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx

sys.path.insert(0, str(Path(__file__).resolve().parent))
from density import density
from graph import Graph, Value
from small import CLOSE, PATCH, Small, look_at

HERE = Path(__file__).resolve().parent

T_FLOOR = 0.18
"""Below there is more noise and compression than picture (He et al. 2009, sec. 4.3, take 0.1). Up to 0.2 it costs
nothing in PSNR on made haze."""

FLAT_FLOOR = 0.32
"""The floor where nothing is to be seen: sky and closed fog keep their smoothness and their colour."""

FLAT = 0.008
"""Deviation of luma within 4 x 4 samples, units of [0, 1], from which on something is to be seen: two levels of 255."""

AIR_SHARPNESS = 80.0
"""How fast a pixel's say in the airlight falls with its distance from the haziest one: to a third over 0.014. The
papers average the haziest thousandth; weights that change smoothly do not jump from frame to frame and err less (0.045
against 0.057 on made haze)."""

LEAST_AIR = 0.2
"""Airlight that the picture is divided by; darker is night, not haze."""


def guided(graph: Graph, small: Small, target: Value, radius: int, epsilon: float) -> tuple[Value, Value]:
    """Slope and offset of lines that make a map follow luma's edges (He, Sun, Tang 2013, eq. 5 to 8; small: 2015)."""
    both = graph.op("Concat", small.luma, target, small.luma * small.luma, small.luma * target, axis=1)
    means = graph.box(both, radius)
    mean_guide, mean_value, mean_square, mean_product = graph.split(means, 4)
    variance = graph.op("Max", mean_square - mean_guide * mean_guide, 0.0)
    slope = (mean_product - mean_guide * mean_value) / (variance + epsilon)
    offset = mean_value - slope * mean_guide
    smooth_slope, smooth_offset = graph.split(graph.box(graph.op("Concat", slope, offset, axis=1), radius), 2)
    return smooth_slope, smooth_offset


def airlight(graph: Graph, small: Small) -> Value:
    """The mean colour where the dark channel is brightest, (1, 3, 1, 1) (after He et al. 2009, sec. 4.4)."""
    top = graph.op("ReduceMax", small.dark, keepdims=1)
    weight = graph.op("Exp", (small.dark - top) * AIR_SHARPNESS)
    total = graph.op("ReduceSum", weight, graph.whole(2, 3), keepdims=1)
    return graph.op("ReduceSum", small.colour * weight, graph.whole(2, 3), keepdims=1) / total


def floor(graph: Graph, small: Small) -> Value:
    """The least transmission: higher where the picture is flat, without an edge of its own."""
    deviation = graph.op("Sqrt", graph.op("Max", small.square - small.luma * small.luma, 0.0))
    flatness = graph.clip(1.0 - graph.box(deviation, 2) * (1.0 / FLAT), 0.0, 1.0)
    return graph.box(flatness, 5) * (FLAT_FLOOR - T_FLOOR) + T_FLOOR


def cap_thickness(graph: Graph, even: Value) -> Value:
    """Depth grows with brightness and falls with saturation (Zhu, Mai, Shao 2015, eq. 8, coefficients of IV-B)."""
    even = even * 0.9
    red, green, blue = graph.split(even, 3)
    bright = graph.op("Max", red, green, blue)
    saturation = 1.0 - graph.op("Min", red, green, blue) / graph.op("Max", bright, 1e-3)
    depth = bright * 0.959710 - saturation * 0.780245 + 0.121779
    return graph.minimum(depth, CLOSE)


def build_cap() -> onnx.ModelProto:
    """Colour attenuation prior."""

    def lines(graph: Graph, small: Small, scale: Value) -> tuple[Value, Value]:
        return guided(graph, small, cap_thickness(graph, small.lowest * scale), radius=7, epsilon=1e-3)

    def transmission(depth: Value) -> Value:
        return depth.graph.op("Exp", depth.graph.op("Max", depth - 0.1, 0.0) * -1.2)

    return _build("cap", lines, transmission, "Zhu, Mai, Shao: Colour Attenuation Prior, IEEE TIP 2015; see the card")


def build_dcp() -> onnx.ModelProto:
    """Dark channel prior."""

    def lines(graph: Graph, small: Small, scale: Value) -> tuple[Value, Value]:
        dark = graph.minimum(graph.of_channels("Min", small.lowest * scale), PATCH)
        return guided(graph, small, 1.0 - dark * 0.9, radius=7, epsilon=1e-3)

    def transmission(value: Value) -> Value:
        return value

    note = "He, Sun, Tang: Dark Channel Prior, CVPR 2009, guided filter 2013; see the card"
    return _build("dcp", lines, transmission, note)


def _build(
    name: str,
    lines: Callable[[Graph, Small, Value], tuple[Value, Value]],
    transmission: Callable[[Value], Value],
    note: str,
) -> onnx.ModelProto:
    """What both have in common: airlight first, then the picture in the airlight's light, transmission, density."""
    graph = Graph(name)
    image = Value(graph, "image")
    guide = graph.luma(image)
    small = look_at(graph, image, guide)
    air = airlight(graph, small)
    dense = density(graph, small, air, json.loads((HERE / "density_weights.json").read_text()))
    slope, offset = lines(graph, small, graph.op("Div", 1.0, graph.op("Max", air, LEAST_AIR)))
    slope, offset, least = graph.enlarge(slope, offset, floor(graph, small))
    first = graph.clip(transmission(slope * guide + offset), T_FLOOR / 2, 1.0)
    # A prior takes pale things for haze; the density knows the whole picture. The haze is scaled half-way to it.
    hidden = 1.0 - graph.mean_of(first, 2, 3)
    trust = graph.clip(graph.op("Sqrt", (dense + 0.05) / (hidden + 0.05)), 0.3, 1.3)
    final = graph.op("Max", first * trust + (1.0 - trust), least)
    outputs = {
        "transmission": (final, [1, 1, "height", "width"]),
        "airlight": (graph.op("Reshape", air, graph.whole(1, 3)), [1, 3]),
        "density": (graph.op("Reshape", dense, graph.whole(1)), [1]),
    }
    return graph.model(outputs, note)


def main(folder: Path) -> None:
    """Writes the models, and into their cards what depends on the build."""
    gate = json.loads((HERE / "density_weights.json").read_text())["gate"]
    for name, build in {"cap": build_cap, "dcp": build_dcp}.items():
        data = build().SerializeToString(deterministic=True)
        folder.joinpath(f"{name}.onnx").write_bytes(data)
        content: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
        content |= {"gate": gate, "sha256": hashlib.sha256(data).hexdigest()}
        text = json.dumps(content, indent=2, ensure_ascii=False)
        folder.joinpath(f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
