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

HERE = Path(__file__).resolve().parent

T_FLOOR = 0.18
"""Below there is more noise and compression than picture (He et al. 2009, sec. 4.3, take 0.1). Up to 0.2 it costs
nothing in PSNR on made haze."""

FLAT_FLOOR = 0.32
"""The floor where nothing is to be seen: sky and closed fog keep their smoothness and their colour."""

FLAT = 0.008
"""Deviation of luma within 4 x 4 samples, units of [0, 1], from which on something is to be seen: two levels of 255."""

AIR_PATCH = 13
"""Samples. White cars and windows are smaller than this at a thumbnail of 256, sky and fog are larger."""

AIR_SHARPNESS = 80.0
"""How fast a pixel's say in the airlight falls with its distance from the haziest one: to a third over 0.014. The
papers average the haziest thousandth; weights that change smoothly do not jump from frame to frame and err less (0.045
against 0.057 on made haze)."""

LEAST_AIR = 0.2
"""Airlight that the picture is divided by; darker is night, not haze."""


def guided(graph: Graph, guide: Value, value: Value, radius: int, epsilon: float) -> Value:
    """Makes a map follow the guide's edges (He, Sun, Tang 2013, eq. 5 to 8; at a quarter of the size, 2015)."""
    small, target = graph.shrink(guide), graph.shrink(value)
    both = graph.op("Concat", small, target, small * small, small * target, axis=1)
    means = graph.box(both, radius)
    mean_guide, mean_value, mean_square, mean_product = graph.split(means, 4)
    variance = graph.op("Max", mean_square - mean_guide * mean_guide, 0.0)
    slope = (mean_product - mean_guide * mean_value) / (variance + epsilon)
    offset = mean_value - slope * mean_guide
    lines = graph.enlarge(graph.box(graph.op("Concat", slope, offset, axis=1), radius), guide)
    fine_slope, fine_offset = graph.split(lines, 2)
    return fine_slope * guide + fine_offset


def airlight(graph: Graph, image: Value, darkest: Value) -> Value:
    """The mean colour where the dark channel is brightest, (1, 3, 1, 1) (after He et al. 2009, sec. 4.4)."""
    dark = graph.shrink(graph.minimum(darkest, AIR_PATCH))
    top = graph.op("ReduceMax", dark, keepdims=1)
    weight = graph.op("Exp", (dark - top) * AIR_SHARPNESS)
    total = graph.op("ReduceSum", weight, graph.whole(2, 3), keepdims=1)
    return graph.op("ReduceSum", graph.shrink(image) * weight, graph.whole(2, 3), keepdims=1) / total


def floor(graph: Graph, guide: Value) -> Value:
    """The least transmission: higher where the picture is flat, without an edge of its own."""
    luma = graph.shrink(guide)
    deviation = graph.op("Sqrt", graph.op("Max", graph.shrink(guide * guide) - luma * luma, 0.0))
    flatness = graph.clip(1.0 - graph.box(deviation, 2) / FLAT, 0.0, 1.0)
    return graph.enlarge(graph.box(flatness, 5) * (FLAT_FLOOR - T_FLOOR) + T_FLOOR, guide)


def cap_thickness(graph: Graph, even: Value) -> Value:
    """Depth grows with brightness and falls with saturation (Zhu, Mai, Shao 2015, eq. 8, coefficients of IV-B)."""
    even = even * 0.9
    red, green, blue = graph.split(even, 3)
    bright = graph.op("Max", red, green, blue)
    saturation = 1.0 - graph.op("Min", red, green, blue) / graph.op("Max", bright, 1e-3)
    depth = bright * 0.959710 - saturation * 0.780245 + 0.121779
    return graph.minimum(depth, 9)


def build_cap() -> onnx.ModelProto:
    """Colour attenuation prior."""

    def transmission(graph: Graph, guide: Value, even: Value) -> Value:
        depth = guided(graph, guide, cap_thickness(graph, even), radius=7, epsilon=1e-3)
        return graph.op("Exp", graph.op("Max", depth - 0.1, 0.0) * -1.2)

    return _build("cap", transmission, "Zhu, Mai, Shao: Colour Attenuation Prior, IEEE TIP 2015; see the card")


def build_dcp() -> onnx.ModelProto:
    """Dark channel prior."""

    def transmission(graph: Graph, guide: Value, even: Value) -> Value:
        dark = graph.minimum(graph.of_channels("Min", even), 13)
        return guided(graph, guide, 1.0 - dark * 0.9, radius=7, epsilon=1e-3)

    return _build("dcp", transmission, "He, Sun, Tang: Dark Channel Prior, CVPR 2009, guided filter 2013; see the card")


def _build(name: str, transmission: Callable[[Graph, Value, Value], Value], note: str) -> onnx.ModelProto:
    """What both have in common: airlight first, then the picture in the airlight's light, transmission, density."""
    graph = Graph(name)
    image = Value(graph, "image")
    guide = graph.luma(image)
    darkest = graph.of_channels("Min", image)
    air = airlight(graph, image, darkest)
    even = image / graph.op("Max", air, LEAST_AIR)
    first = graph.clip(transmission(graph, guide, even), T_FLOOR / 2, 1.0)
    dense = density(graph, image, guide, darkest, air, json.loads((HERE / "density_weights.json").read_text()))
    # A prior takes pale things for haze; the density knows the whole picture. The haze is scaled half-way to it.
    hidden = 1.0 - graph.mean_of(graph.shrink(first), 2, 3)
    trust = graph.clip(graph.op("Sqrt", (dense + 0.05) / (hidden + 0.05)), 0.3, 1.3)
    final = graph.op("Max", graph.clip(1.0 - (1.0 - first) * trust, 0.0, 1.0), floor(graph, guide))
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
