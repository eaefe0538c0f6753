"""Builds cap.onnx and dcp.onnx and fills in their cards' checksums. Needs the dev extra (`onnx`).

    python models/build_classical.py [FOLDER]

The same input gives the same bytes; a test rebuilds both and compares.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import onnx

sys.path.insert(0, str(Path(__file__).resolve().parent))
from graph import Graph, Value

T_FLOOR = 0.1
"""Below a tenth of the scene's light there is more noise and compression than picture (He et al. 2009, sec. 4.3)."""

TOP_SHARE = 0.001
"""The share of haziest pixels that the airlight is taken from (He et al. 2009, sec. 4.4; Zhu et al. 2015, sec. V-B)."""

SHRINK = 4
"""The guided filter's coefficients are found at a quarter of the size (He and Sun 2015, Fast Guided Filter)."""


def luma(graph: Graph, image: Value) -> Value:
    """BT.601 luma, (1, 1, h, w)."""
    weights = graph.constant([[[[0.299]], [[0.587]], [[0.114]]]])
    return graph.op("Conv", image, weights)


def guided(graph: Graph, guide: Value, value: Value, radius: int, epsilon: float) -> Value:
    """Makes a map follow the guide's edges (He, Sun, Tang 2013, eq. 5 to 8; at a quarter of the size, 2015)."""
    small, target = graph.shrink(guide, SHRINK), graph.shrink(value, SHRINK)
    mean_guide, mean_value = graph.box(small, radius), graph.box(target, radius)
    variance = graph.box(small * small, radius) - mean_guide * mean_guide
    covariance = graph.box(small * target, radius) - mean_guide * mean_value
    slope = covariance / (graph.op("Max", variance, 0.0) + epsilon)
    offset = mean_value - slope * mean_guide
    slope = graph.enlarge(graph.box(slope, radius), guide)
    return slope * guide + graph.enlarge(graph.box(offset, radius), guide)


def airlight(graph: Graph, image: Value, haziness: Value) -> Value:
    """The mean colour of the haziest pixels, (1, 3)."""
    flat = graph.op("Reshape", haziness, graph.whole(-1))
    count = graph.op("Cast", graph.op("Size", flat), to=1)
    wanted = graph.op("Ceil", count * TOP_SHARE)
    wanted = graph.op("Reshape", graph.op("Cast", wanted, to=7), graph.whole(1))
    _, where = graph.first_of_two("TopK", flat, wanted, axis=0)
    colours = graph.op("Gather", graph.op("Reshape", image, graph.whole(1, 3, -1)), where, axis=2)
    return graph.op("ReduceMean", colours, axes=[2], keepdims=0)


def build_cap() -> onnx.ModelProto:
    """Colour attenuation prior: depth grows with brightness and falls with saturation (Zhu, Mai, Shao 2015)."""
    graph = Graph("cap")
    image = Value(graph, "image")
    bright = graph.op("ReduceMax", image, axes=[1], keepdims=1)
    spread = bright - graph.op("ReduceMin", image, axes=[1], keepdims=1)
    saturation = spread / graph.op("Max", bright, 1e-3)
    depth = bright * 0.959710 - saturation * 0.780245 + 0.121779  # eq. 8, with the coefficients of sec. IV-B
    coarse = graph.minimum(depth, 7)
    fine = guided(graph, luma(graph, image), coarse, radius=7, epsilon=1e-3)
    transmission = graph.clip(graph.op("Exp", -fine), T_FLOOR, 1.0)
    density = graph.op("Reshape", 1.0 - graph.mean_of(transmission, 1, 2, 3), graph.whole(1))
    return graph.model(
        {
            "transmission": (transmission, [1, 1, "height", "width"]),
            "airlight": (airlight(graph, image, coarse), [1, 3]),
            "density": (density, [1]),
        },
        "Zhu, Mai, Shao: A Fast Single Image Haze Removal Algorithm Using Color Attenuation Prior, TIP 2015",
    )


def main(folder: Path) -> None:
    """Writes the models and their cards' checksums."""
    for name, build in {"cap": build_cap}.items():
        data = build().SerializeToString(deterministic=True)
        (folder / f"{name}.onnx").write_bytes(data)
        card = folder / f"{name}.json"
        content = json.loads(card.read_text(encoding="utf-8"))
        content["sha256"] = hashlib.sha256(data).hexdigest()
        card.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
